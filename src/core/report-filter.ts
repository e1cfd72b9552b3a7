import type { ChannelId } from './channel.ts';
import { asError, P2PError } from './errors.ts';
import { CAUSE_DEPTH_MAX, REPORT_WINDOW_MS, REPORTS_REMEMBERED_MAX } from './limits.ts';
import type { NodeId } from './node-id.ts';
import { RecencyMap } from './recency-map.ts';

/** What a reactor says about a peer. */
export interface PeerReport {
  readonly channelId: ChannelId;
  readonly peer: NodeId;
  readonly error: unknown;
  readonly fatal: boolean;
}

/** Lets a report through unless it says nothing new or nothing about the peer. */
export class ReportFilter {
  /** When each report was last let through. */
  readonly #passedAt = new RecencyMap<string, number>();

  /**
   * `ignore` for a report that a cancellation or a local time-out caused, `repeat` for one that its channel made within
   * the last second, else `pass`.
   */
  judge(report: PeerReport, now: number): 'pass' | 'repeat' | 'ignore' {
    if (isOwnDoing(report.error)) return 'ignore';
    const key = keyOf(report);
    const passedAt = this.#passedAt.get(key);
    if (passedAt !== undefined && now - passedAt < REPORT_WINDOW_MS) return 'repeat';
    this.#passedAt.delete(key);
    this.#forget(now);
    this.#passedAt.set(key, now);
    return 'pass';
  }

  #forget(now: number): void {
    for (let oldest = this.#passedAt.first(); oldest !== undefined; oldest = this.#passedAt.first()) {
      const [key, passedAt] = oldest;
      const isLive = now - passedAt < REPORT_WINDOW_MS;
      if (isLive && this.#passedAt.size < REPORTS_REMEMBERED_MAX) return;
      this.#passedAt.delete(key);
    }
  }
}

function keyOf({ channelId, peer, error, fatal }: PeerReport): string {
  const { name, message } = asError(error);
  return `${channelId} ${peer} ${String(fatal)} ${name}: ${message.slice(0, 200)}`;
}

/** Whether an error, or something that caused it, is a cancellation or a time-out of our own. */
export function isOwnDoing(error: unknown): boolean {
  let cause = error;
  for (let depth = 0; depth < CAUSE_DEPTH_MAX; depth++) {
    if (!(cause instanceof Error)) return false;
    if (cause.name === 'AbortError' || cause.name === 'TimeoutError') return true;
    if (cause instanceof P2PError && (cause.code === 'aborted' || cause.code === 'timeout')) return true;
    cause = cause.cause;
  }
  return false;
}
