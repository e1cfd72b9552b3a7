import { lookup, type LookupAddress } from 'node:dns';
import { P2PError } from '../core/errors.ts';
import type { Resolver } from '../core/env.ts';

/**
 * Resolves through the operating system (hosts file included), in its own order and without a cache. An abort rejects
 * at once with the signal's reason; the platform call itself cannot be stopped, its late result is dropped.
 */
export function realResolver(): Resolver {
  return { resolve };
}

function resolve(hostname: string, signal: AbortSignal): Promise<readonly string[]> {
  return new Promise((settle, reject) => {
    const refuse = (): void => reject(signal.reason as Error);
    if (signal.aborted) {
      refuse();
      return;
    }
    signal.addEventListener('abort', refuse, { once: true });
    lookup(hostname, { all: true, verbatim: true }, (failure, addresses) => {
      signal.removeEventListener('abort', refuse);
      if (failure) reject(resolveFailed(hostname, failure));
      else settle(texts(addresses));
    });
  });
}

function texts(addresses: readonly LookupAddress[]): readonly string[] {
  return addresses.map(({ address }) => address);
}

function resolveFailed(hostname: string, cause: NodeJS.ErrnoException): P2PError {
  const reason = cause.code ?? 'unknown';
  return new P2PError('resolve-failed', `cannot resolve ${JSON.stringify(hostname)}: ${reason}`, {
    reason,
    cause,
  });
}
