import {
  CHANNEL_CLOSED_GRACE_MS,
  DECODE_FAILURES_MAX,
  FAULT_WINDOW_MS,
  UNKNOWN_CHANNEL_MAX,
} from './limits.ts';
import { SlidingWindow } from './sliding-window.ts';

/**
 * Counts the bad messages of one connection. Single ones are dropped, for versions differ; a peer that sends little else
 * is not worth a slot (Tendermint v0.35 drops them for ever).
 */
export class FrameFaults {
  readonly #undecodable = new SlidingWindow(DECODE_FAILURES_MAX, FAULT_WINDOW_MS);
  readonly #unknown = new SlidingWindow(UNKNOWN_CHANNEL_MAX, FAULT_WINDOW_MS);

  /** A message that failed to decode or unwrap was dropped; more than 5 within 60 s evict the peer. */
  decodeFailed(now: number): 'drop' | 'evict' {
    return this.#undecodable.record(now) ? 'evict' : 'drop';
  }

  /**
   * A message on a channel we do not have was dropped; more than 100 within 60 s cost a demerit, once.
   *
   * @param closedAt when we closed that channel last; undefined when we never had it. Messages under way then are free.
   */
  unknownChannel(closedAt: number | undefined, now: number): 'drop' | 'demerit' {
    if (closedAt !== undefined && now - closedAt < CHANNEL_CLOSED_GRACE_MS) return 'drop';
    if (!this.#unknown.record(now)) return 'drop';
    this.#unknown.clear();
    return 'demerit';
  }
}
