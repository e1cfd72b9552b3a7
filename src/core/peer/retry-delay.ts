import type { PeerSettings } from './options.ts';
import type { Chance } from './peer-event.ts';

/** The delay of an address that is not tried again. */
export const NEVER_RETRY = Infinity;

export type RetrySettings = Pick<
  PeerSettings,
  'minRetryMs' | 'maxRetryMs' | 'maxRetryPersistentMs' | 'retryJitterMs' | 'retryBackoff'
>;

/**
 * Milliseconds to wait after the `failures`-th failure in a row of one address; `NEVER_RETRY` when retries are off. Draws
 * the jitter, so it is called once per failure (Tendermint v0.35 `PeerManager.retryDelay`).
 */
export function retryDelay(
  failures: number,
  persistent: boolean,
  settings: RetrySettings,
  rng: Chance,
): number {
  const { minRetryMs, retryJitterMs, retryBackoff } = settings;
  if (failures === 0) return 0;
  if (minRetryMs === 0) return NEVER_RETRY;
  const cap = retryCap(persistent, settings);
  const jitter = retryJitterMs > 0 ? rng.below(retryJitterMs) : 0;
  if (retryBackoff === 'linear') return Math.min(minRetryMs * failures + jitter, cap);
  const doublings = Math.min(failures - 1, DOUBLINGS_MAX);
  return Math.min(Math.min(minRetryMs * 2 ** doublings, cap) + jitter, Number.MAX_SAFE_INTEGER);
}

function retryCap(persistent: boolean, settings: RetrySettings): number {
  const { maxRetryMs, maxRetryPersistentMs } = settings;
  const cap = persistent && maxRetryPersistentMs > 0 ? maxRetryPersistentMs : maxRetryMs;
  return cap > 0 ? cap : Number.MAX_SAFE_INTEGER;
}

/** Doubling a millisecond more often than this leaves the range of exact numbers. */
const DOUBLINGS_MAX = 53;
