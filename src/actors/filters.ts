/** The user's say in who may connect: filters of endpoints before the handshake, of peers after it. */
import type { Clock } from '../core/env.ts';
import { errorReason, P2PError } from '../core/errors.ts';
import type { Scope } from './scope.ts';

/** Refuses by returning a reason or by throwing; accepts by returning nothing. */
export type Filter<Subject> = (
  subject: Subject,
  signal: AbortSignal,
) => string | undefined | Promise<string | undefined>;

export interface FilterRun {
  readonly clock: Clock;
  /** What the connection holds: the signal of the filters aborts with it. */
  readonly scope: Scope;
  /** For all filters together; one that does not answer refuses. */
  readonly timeoutMs: number;
}

/**
 * Asks each filter in turn and gives the first refusal, or undefined when all accept. Never rejects. A filter that is
 * still thinking when the time is up, or the connection gone, is told by its signal and not waited for.
 */
export async function firstRefusal<Subject>(
  filters: readonly Filter<Subject>[],
  subject: Subject,
  { clock, scope, timeoutMs }: FilterRun,
): Promise<string | undefined> {
  const abort = new AbortController();
  const { signal } = abort;
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error));
  });
  const giveUp = (): void =>
    abort.abort(new P2PError('timeout', 'a filter took too long', { reason: 'filter' }));
  const forget = scope.add(() => abort.abort(new P2PError('aborted', 'the connection is gone')));
  const cancel = timeoutMs === Infinity ? undefined : scope.timer(clock, giveUp, timeoutMs);
  try {
    for (const filter of filters) {
      const reason = await Promise.race([filter(subject, signal), aborted]);
      if (reason !== undefined) return reason;
    }
    return undefined;
  } catch (error) {
    return errorReason(error);
  } finally {
    aborted.catch(() => undefined);
    cancel?.();
    forget();
  }
}
