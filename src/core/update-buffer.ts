import type { ChannelId } from './channel.ts';
import { UPDATE_BUFFER_MAX } from './limits.ts';
import type { NodeId } from './node-id.ts';
import type { PeerUpdate } from './peer-update.ts';
import { RecencyMap } from './recency-map.ts';

export interface UpdateBufferOptions {
  /** Updates that wait before they are coalesced; default 256. */
  readonly capacity?: number;
  /** Tell only of peers that have this channel; default all. */
  readonly channelId?: ChannelId;
}

/**
 * The updates that one subscriber has not taken yet, beginning with an `up` for every peer that was ready when it came.
 *
 * A subscriber that lags behind by more than the capacity loses the history of each peer but not its state: it gets what
 * changed since it last looked, one step per peer, or a `down` and an `up` for a peer whose connection has changed. So
 * nobody ever waits for a subscriber, and what it holds is bounded by the peers it was told of and those that are up.
 */
export class UpdateBuffer {
  readonly #capacity: number;
  readonly #channelId: ChannelId | undefined;
  /** Every update in order; empty while coalescing. */
  readonly #queue: PeerUpdate[] = [];
  /** The latest state of each peer that differs from what was taken, the latest change last; else empty. */
  readonly #latest = new RecencyMap<NodeId, PeerUpdate>();
  /** The `up` of each peer that is up after everything put in. */
  readonly #current = new Map<NodeId, PeerUpdate>();
  /** The `up` of each peer that is up after everything taken. */
  readonly #told = new Map<NodeId, PeerUpdate>();
  #isCoalescing = false;

  /** @param ready an `up` of each peer that is ready now. */
  constructor(ready: Iterable<PeerUpdate>, options: UpdateBufferOptions = {}) {
    this.#capacity = options.capacity ?? UPDATE_BUFFER_MAX;
    this.#channelId = options.channelId;
    for (const update of ready) this.put(update);
  }

  /** Updates, or while coalescing peers, that wait to be taken. */
  get size(): number {
    return this.#isCoalescing ? this.#latest.size : this.#queue.length;
  }

  /** An update has happened. Never waits and never fails. */
  put(update: PeerUpdate): void {
    const change = this.#changeFor(update);
    if (change === undefined) return;
    if (change.status === 'up') this.#current.set(change.peer, change);
    else this.#current.delete(change.peer);
    if (!this.#isCoalescing && this.size >= this.#capacity) this.#beginCoalescing();
    if (this.#isCoalescing) this.#coalesce(change);
    else this.#queue.push(change);
    if (this.#latest.size === 0) this.#isCoalescing = false;
  }

  /** The next update, or undefined when the subscriber is up to date. */
  take(): PeerUpdate | undefined {
    const update = this.#isCoalescing ? this.#takeCoalesced() : this.#queue.shift();
    if (update?.status === 'up') this.#told.set(update.peer, update);
    else if (update !== undefined) this.#told.delete(update.peer);
    return update;
  }

  /** The update as this subscriber is concerned, if it is; keeps `up` and `down` alternating. */
  #changeFor(update: PeerUpdate): PeerUpdate | undefined {
    const isUp = this.#current.has(update.peer);
    const isConcerned = this.#channelId === undefined || update.channels.includes(this.#channelId);
    if (update.status === 'up' && isConcerned) return isUp ? undefined : update;
    return isUp ? { ...update, status: 'down' } : undefined;
  }

  #beginCoalescing(): void {
    this.#isCoalescing = true;
    for (const update of this.#queue.splice(0)) this.#coalesce(update);
  }

  #coalesce(update: PeerUpdate): void {
    const isNews = update.status === 'up' || this.#told.has(update.peer);
    if (isNews) this.#latest.set(update.peer, update);
    else this.#latest.delete(update.peer);
  }

  #takeCoalesced(): PeerUpdate | undefined {
    const oldest = this.#latest.first();
    if (oldest === undefined) return undefined;
    const [peer, update] = oldest;
    const told = this.#told.get(peer);
    if (update.status === 'up' && told !== undefined) return { ...told, status: 'down' };
    this.#latest.delete(peer);
    if (this.#latest.size === 0) this.#isCoalescing = false;
    return told === undefined || told.connectionId === update.connectionId
      ? update
      : { ...told, status: 'down' };
  }
}
