import { P2PError } from '../core/errors.ts';
import type { Clock, Resolver } from '../core/env.ts';

export interface SimulatedName {
  /** What the name leads to, in the order given out. */
  readonly ips?: readonly string[];
  /** Fails with this platform code instead, for example `ENOTFOUND`. */
  readonly failure?: string;
  /** Virtual milliseconds until the answer; default 0, which is a later turn of the same instant. */
  readonly delayMs?: number;
}

const NUMERIC = /^[\d.]+$|:/;

/**
 * Names as a test lays them down. `localhost` is 127.0.0.1 and an IP text is itself, unless set otherwise; any other
 * name not set fails with `ENOTFOUND`.
 */
export class SimulatedResolver implements Resolver {
  /** Every name asked for, in order. */
  readonly lookups: string[] = [];
  readonly #clock: Clock;
  readonly #names = new Map<string, SimulatedName>([['localhost', { ips: ['127.0.0.1'] }]]);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  set(hostname: string, name: SimulatedName): void {
    this.#names.set(hostname, name);
  }

  resolve(hostname: string, signal: AbortSignal): Promise<readonly string[]> {
    this.lookups.push(hostname);
    const name = this.#names.get(hostname) ?? (NUMERIC.test(hostname) ? { ips: [hostname] } : {});
    return new Promise((settle, reject) => {
      if (signal.aborted) {
        reject(signal.reason as Error);
        return;
      }
      const cancel = this.#clock.setTimer(answerLookup, name.delayMs ?? 0);
      const refuse = (): void => {
        cancel();
        reject(signal.reason as Error);
      };
      signal.addEventListener('abort', refuse, { once: true });

      function answerLookup(): void {
        signal.removeEventListener('abort', refuse);
        const ips = name.failure === undefined ? (name.ips ?? []) : [];
        if (ips.length > 0) settle(ips);
        else reject(resolveFailed(hostname, name.failure ?? 'ENOTFOUND'));
      }
    });
  }
}

function resolveFailed(hostname: string, reason: string): P2PError {
  return new P2PError('resolve-failed', `cannot resolve ${JSON.stringify(hostname)}: ${reason}`, { reason });
}
