import type { ChannelId } from '../core/channel.ts';
import type { NodeId } from '../core/node-id.ts';
import type { LossReason } from '../core/queue/accounting.ts';
import type { Kernel } from './kernel.ts';

/** Messages given up on one channel in one direction for one reason, since the router was made. */
export interface DropTotal {
  readonly direction: 'in' | 'out';
  readonly channelId: ChannelId;
  readonly reason: LossReason;
  readonly messages: number;
  readonly bytes: number;
}

interface Count {
  messages: number;
  bytes: number;
}

/** The drops of this turn that concern one peer. */
interface Tally extends Count {
  readonly direction: 'in' | 'out';
  readonly channelId: ChannelId;
  readonly reason: LossReason;
  readonly peer: NodeId | undefined;
  /** The same of all peers and all turns. */
  readonly total: Count;
}

/**
 * Counts every message that is given up, and gathers those of one turn of the event loop, so that a flood of them is a
 * few records and not as many.
 */
export class DropLog {
  readonly #kernel: Kernel;
  readonly #tallies = new Map<string, Tally>();
  /** Without the peer, so that their number is bounded by channels and reasons. */
  readonly #totals = new Map<string, Pick<DropTotal, 'direction' | 'channelId' | 'reason'> & Count>();
  #messages = 0;
  #scheduled = false;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** Messages dropped so far, in both directions. */
  get total(): number {
    return this.#messages;
  }

  /** The same by direction, channel and reason, in the order they first occurred. */
  get totals(): readonly DropTotal[] {
    return [...this.#totals.values()].map((total) => ({ ...total }));
  }

  /** @param peer undefined when no single peer is concerned. */
  note(
    direction: 'in' | 'out',
    channelId: ChannelId,
    reason: LossReason,
    bytes: number,
    peer: NodeId | undefined,
  ): void {
    this.#messages += 1;
    const key = `${direction} ${channelId} ${reason} ${peer ?? ''}`;
    let tally = this.#tallies.get(key);
    if (tally === undefined) {
      const total = this.#totalOf(direction, channelId, reason);
      tally = { direction, channelId, reason, peer, total, messages: 0, bytes: 0 };
      this.#tallies.set(key, tally);
    }
    count(tally, bytes);
    count(tally.total, bytes);
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#kernel.clock.defer(() => this.flush());
  }

  /** Writes the records now. */
  flush(): void {
    this.#scheduled = false;
    for (const { direction, channelId, reason, peer, messages, bytes } of this.#tallies.values()) {
      this.#kernel.record({
        kind: 'drop',
        actor: 'router',
        direction,
        channel: channelId,
        reason,
        messages,
        bytes,
        ...(peer === undefined ? {} : { peer }),
      });
    }
    this.#tallies.clear();
  }

  #totalOf(direction: 'in' | 'out', channelId: ChannelId, reason: LossReason): Count {
    const key = `${direction} ${channelId} ${reason}`;
    let total = this.#totals.get(key);
    if (total === undefined) {
      total = { direction, channelId, reason, messages: 0, bytes: 0 };
      this.#totals.set(key, total);
    }
    return total;
  }
}

function count(into: Count, bytes: number): void {
  into.messages += 1;
  into.bytes += bytes;
}
