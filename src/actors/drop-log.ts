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

interface Tally {
  readonly direction: 'in' | 'out';
  readonly channelId: ChannelId;
  readonly reason: LossReason;
  readonly peer: NodeId | undefined;
  messages: number;
  bytes: number;
}

/**
 * Counts every message that is given up, and gathers those of one turn of the event loop, so that a flood of them is a
 * few records and not as many.
 */
export class DropLog {
  readonly #kernel: Kernel;
  /** Of this turn, by direction, channel, reason and peer. */
  readonly #tallies = new Map<string, Tally>();
  /** Of all time, without the peer: as many as there are channels and reasons at most. */
  readonly #totals = new Map<string, { -readonly [K in keyof DropTotal]: DropTotal[K] }>();
  #total = 0;
  #scheduled = false;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** Messages dropped so far, in both directions. */
  get total(): number {
    return this.#total;
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
    this.#total += 1;
    const key = `${direction} ${channelId} ${reason} ${peer ?? ''}`;
    let tally = this.#tallies.get(key);
    if (tally === undefined) {
      tally = { direction, channelId, reason, peer, messages: 0, bytes: 0 };
      this.#tallies.set(key, tally);
    }
    tally.messages += 1;
    tally.bytes += bytes;
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#kernel.clock.defer(() => this.flush());
  }

  /** Writes the records now. */
  flush(): void {
    this.#scheduled = false;
    for (const tally of this.#tallies.values()) this.#record(tally);
    this.#tallies.clear();
  }

  #record({ direction, channelId, reason, peer, messages, bytes }: Tally): void {
    const key = `${direction} ${channelId} ${reason}`;
    ...
  }
}
