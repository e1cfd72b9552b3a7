import { CONTROL_CHANNEL_ID, type ChannelId, type ChannelSettings } from '../channel.ts';
import { CONTROL_LANE_SLOTS, PACKET_OVERHEAD_BYTES } from '../limits.ts';
import type { PacketSlice } from '../packet.ts';
import { Ledger, type LedgerSnapshot, type LossReason } from './accounting.ts';
import type { Budget } from './budget.ts';
import { Deque } from './deque.ts';
import { LaneRing } from './lane-ring.ts';
import { Lane, type CloseReason } from './lane.ts';
import { RoomWaiters, type RoomResult } from './room-waiters.ts';

/** What a slice shows when there is nothing to send, so that it does not keep a message alive. */
const NOTHING = new Uint8Array(0);

/**
 * What became of an offered message. `evict_peer` is an overflow under the policy of that name: the router drops the
 * peer for being slow, and tells the sender `overflow`.
 */
export type OfferResult =
  'queued' | 'too_large' | 'overflow' | 'evict_peer' | 'router_budget' | 'peer_lacks_channel' | CloseReason;

export interface OutboxOptions {
  /** Bytes that may wait for this peer on all channels; one message always fits an empty outbox. */
  readonly budgetBytes: number;
  readonly routerBudget: Budget;
  /** A lane closed to drain has nothing left and is gone. Called from within `pull` or `offer`; must not throw. */
  readonly onDrained?: (channelId: ChannelId) => void;
}

/**
 * Everything that waits to be sent to one peer: one lane per channel, and a small lane for control messages that goes
 * before all others. Nothing happens by itself; the connection pulls one packet after the other, and deficit round robin
 * over the lanes decides whose it is. The only queue between a sender and the socket.
 */
export class Outbox {
  /** While true only control messages leave: the connection is not routed yet. */
  controlOnly = false;
  readonly #budgetBytes: number;
  readonly #routerBudget: Budget;
  readonly #onDrained: ((channelId: ChannelId) => void) | undefined;
  readonly #lanes = new Map<ChannelId, Lane>();
  /** Outlive their lanes. */
  readonly #ledgers = new Map<ChannelId, Ledger>();
  readonly #ring = new LaneRing();
  readonly #control = new Deque<Uint8Array>();
  readonly #waiters = new RoomWaiters((lane, bytes) => this.#fits(lane, bytes));
  #controlOffset = 0;
  #messages = 0;
  #bytes = 0;
  #closed: CloseReason | undefined;

  constructor({ budgetBytes, routerBudget, onDrained }: OutboxOptions) {
    this.#budgetBytes = budgetBytes;
    this.#routerBudget = routerBudget;
    this.#onDrained = onDrained;
  }

  /** Messages waiting in all lanes, the one being sent included; control messages are not counted. */
  get pendingMessages(): number {
    return this.#messages;
  }

  get pendingBytes(): number {
    return this.#bytes;
  }

  get pendingControl(): number {
    return this.#control.length;
  }

  /** What waits in the lane of one channel. */
  pending(channelId: ChannelId): { readonly messages: number; readonly bytes: number } {
    const lane = this.#lanes.get(channelId);
    return { messages: lane?.length ?? 0, bytes: lane?.bytes ?? 0 };
  }

  /**
   * Begins to take messages of a channel. A lane of the same id that is still closing finishes the message it has begun,
   * since the remote would take the rest for a part of the next one, and goes on with the new settings.
   *
   * @param total collects the counts of all peers of the channel. With one the lane begins new books; without, the books of
   * an earlier lane of the id go on.
   */
  openLane(settings: ChannelSettings, total?: Ledger): void {
    const { id } = settings;
    const existing = this.#lanes.get(id);
    let ledger = total === undefined ? this.#ledgers.get(id) : undefined;
    if (ledger === undefined) this.#ledgers.set(id, (ledger = new Ledger(total)));
    if (existing === undefined) {
      this.#lanes.set(id, new Lane(settings, ledger));
      return;
    }
    this.#purgeLane(existing, 'channel_closed');
    if (existing.ledger !== ledger && existing.length > 0) {
      existing.ledger.deliver(existing.bytes);
      ledger.offer(existing.bytes);
    }
    existing.ledger = ledger;
    existing.settings = settings;
    existing.closed = undefined;
    this.#waiters.serve();
  }

  /**
   * Takes no more messages of a channel. With `purge` what waits is dropped, except for a message that has begun to leave;
   * with `drain` it is still sent.
   *
   * @returns whether the lane is gone at once; if not, `onDrained` tells when it is.
   */
  closeLane(channelId: ChannelId, reason: CloseReason, mode: 'purge' | 'drain' = 'purge'): boolean {
    const lane = this.#lanes.get(channelId);
    if (lane === undefined) return true;
    lane.closed = reason;
    if (mode === 'purge') this.#purgeLane(lane, reason);
    this.#waiters.refuse(lane, reason);
    this.#waiters.serve();
    return this.#forgetIfDone(lane);
  }

  /**
   * Queues one encoded message, which belongs to the outbox from then on and must not be changed. Takes constant time
   * unless a full lane has to make room.
   *
   * @param now `Clock.now`.
   * @param ttlMs how long the message may wait; the channel's own limit applies too.
   */
  offer(channelId: ChannelId, bytes: Uint8Array, now: number, ttlMs = Infinity): OfferResult {
    const lane = this.#lanes.get(channelId);
    if (lane === undefined) return this.#closed ?? 'peer_lacks_channel';
    const size = bytes.length;
    lane.ledger.offer(size);
    const refusal = this.#refusal(lane, size);
    if (refusal !== undefined) {
      lane.ledger.drop(refusal === 'evict_peer' ? 'overflow' : refusal, size);
      return refusal;
    }
    lane.push(bytes, now, ttlMs);
    if (lane.next === undefined) this.#ring.insert(lane, now);
    this.#messages++;
    this.#bytes += size;
    this.#routerBudget.take(size);
    return 'queued';
  }

  /** Why a message cannot be taken; makes room by the rules of overflow where they say so. */
  #refusal(lane: Lane, size: number): Exclude<OfferResult, 'queued' | 'peer_lacks_channel'> | undefined {
    const closed = lane.closed ?? this.#closed;
    if (closed !== undefined) return closed;
    const { maxMessageBytes, send } = lane.settings;
    if (size > maxMessageBytes) return 'too_large';
    if (this.#fits(lane, size)) return this.#routerBudget.fits(size) ? undefined : 'router_budget';
    if (lane.length > 0 && send.overflow !== 'drop-oldest') {
      return send.overflow === 'reject' ? 'overflow' : 'evict_peer';
    }
    return this.#makeRoom(lane, size);
  }

  /** Whether lane and outbox have room. One message always fits an empty lane and an empty outbox. */
  #fits(lane: Lane, size: number): boolean {
    return (
      this.#messagesOver(lane) <= 0 && this.#laneBytesOver(lane, size) <= 0 && this.#peerBytesOver(size) <= 0
    );
  }

  #messagesOver(lane: Lane): number {
    return lane.length + 1 - lane.settings.send.maxMessages;
  }

  #laneBytesOver(lane: Lane, size: number): number {
    return Math.min(lane.bytes, lane.bytes + size - lane.settings.send.maxBytes);
  }

  #peerBytesOver(size: number): number {
    return Math.min(this.#bytes, this.#bytes + size - this.#budgetBytes);
  }

  /** Displaces the oldest messages of the lane itself or, when it is empty, of the lane that holds most beyond its share. */
  #makeRoom(lane: Lane, size: number): 'overflow' | 'router_budget' | undefined {
    const peerOver = this.#peerBytesOver(size);
    const donor = lane.length > 0 ? lane : this.#furthestOverShare(lane);
    if (donor === undefined) return 'overflow';
    const messages = donor === lane ? this.#messagesOver(lane) : 0;
    const bytes = donor === lane ? Math.max(peerOver, this.#laneBytesOver(lane, size)) : peerOver;
    const freed = donor.bytesFreedBy(messages, bytes);
    if (freed < 0) return 'overflow';
    if (!this.#routerBudget.fits(size, freed)) return 'router_budget';
    let removed = 0;
    for (let count = 0; count < messages || removed < bytes; count++) removed += this.#displace(donor);
    if (donor !== lane) this.#retireIfEmpty(donor);
    return undefined;
  }

  #displace(lane: Lane): number {
    const bytes = lane.removeOldest();
    this.#release(lane, bytes, 'displaced');
    return bytes;
  }

  /**
   * The lane with the most bytes beyond what its priority entitles it to of the peer's budget, if it may drop messages.
   * Of equals the lower id.
   */
  #furthestOverShare(newcomer: Lane): Lane | undefined {
    let priorities = newcomer.settings.priority;
    for (const lane of this.#lanes.values()) if (lane.length > 0) priorities += lane.settings.priority;
    let furthest: Lane | undefined;
    let most = 0;
    for (const lane of this.#lanes.values()) {
      const over = lane.bytes - (this.#budgetBytes * lane.settings.priority) / priorities;
      const isFurther =
        over > most || (over === most && furthest !== undefined && lane.settings.id < furthest.settings.id);
      if (isFurther) [furthest, most] = [lane, over];
    }
    return furthest?.settings.send.overflow === 'drop-oldest' ? furthest : undefined;
  }

  /** Whether a message would be queued without displacing another and without overtaking somebody who waits. */
  hasRoom(channelId: ChannelId, bytes: number): boolean {
    const lane = this.#lanes.get(channelId);
    if (lane === undefined || lane.closed !== undefined || this.#closed !== undefined) return false;
    return !this.#waiters.has(lane) && this.#fits(lane, bytes);
  }

  /**
   * Calls `settle` once: with `room` when the lane can take a message of `bytes`, and then the message has to be offered
   * within the call; or with the reason why it never will, possibly before this returns. Those who wait on one lane are
   * served in the order they came. `settle` must not throw.
   */
  waitForRoom(channelId: ChannelId, bytes: number, settle: (result: RoomResult) => void): { cancel(): void } {
    const lane = this.#lanes.get(channelId);
    const refusal = this.#closed ?? (lane === undefined ? 'peer_lacks_channel' : lane.closed);
    if (lane === undefined || refusal !== undefined) {
      settle(refusal ?? 'peer_lacks_channel');
      return { cancel: () => undefined };
    }
    return this.#waiters.wait(lane, bytes, settle);
  }

  /** Queues a control message, ahead of everything but earlier ones; false when there are too many. Works after `close`. */
  offerControl(bytes: Uint8Array): boolean {
    if (this.#control.length >= CONTROL_LANE_SLOTS) return false;
    this.#control.push(bytes, 0);
    return true;
  }

  /**
   * Fills `slice` with the next piece of at most `maxBytes`; false when nothing may leave now. Messages that became too
   * old are dropped here, never once they have begun.
   *
   * @param now `Clock.now`.
   */
  pull(maxBytes: number, slice: PacketSlice, now: number): boolean {
    if (this.#control.length > 0) {
      this.#pullControl(maxBytes, slice);
      return true;
    }
    const lane = this.controlOnly ? undefined : this.#nextLane(maxBytes, now);
    if (lane === undefined) {
      slice.data = NOTHING;
      this.#waiters.serve();
      return false;
    }
    const start = fillSlice(slice, lane.settings.id, lane.head, lane.offset, maxBytes);
    this.#ring.charge(lane, slice.end - start + PACKET_OVERHEAD_BYTES);
    if (lane.advance(slice.end - start)) {
      this.#messages--;
      this.#bytes -= slice.end;
      this.#routerBudget.give(slice.end);
      lane.ledger.deliver(slice.end);
      this.#retireIfEmpty(lane);
      this.#waiters.serve();
    }
    return true;
  }

  #pullControl(maxBytes: number, slice: PacketSlice): void {
    const start = fillSlice(slice, CONTROL_CHANNEL_ID, this.#control.front!, this.#controlOffset, maxBytes);
    this.#controlOffset += slice.end - start;
    if (!slice.eof) return;
    this.#control.shift();
    this.#controlOffset = 0;
  }

  #nextLane(maxBytes: number, now: number): Lane | undefined {
    for (;;) {
      const lane = this.#ring.turn(maxBytes);
      if (lane === undefined || !lane.isExpired(now)) return lane;
      do this.#release(lane, lane.removeOldest(), 'expired');
      while (lane.length > 0 && lane.isExpired(now));
      this.#retireIfEmpty(lane);
    }
  }

  /**
   * Takes no more messages. With `purge` everything but control messages is dropped, a message that has begun to leave
   * included, so that only control may follow on the connection; with `drain` all of it is still sent. May be called
   * again with a later reason.
   */
  close(reason: CloseReason, mode: 'purge' | 'drain' = 'purge'): void {
    this.#closed = reason;
    for (const lane of [...this.#lanes.values()]) {
      if (mode === 'purge') {
        while (lane.length > 0) this.#release(lane, lane.removeHead(), reason);
        this.#retireIfEmpty(lane);
      }
      this.#waiters.refuse(lane, reason);
    }
  }

  /** The books of each channel that ever had a lane, with what it holds counted from its contents. */
  accounting(): ReadonlyMap<ChannelId, LedgerSnapshot> {
    const books = new Map<ChannelId, LedgerSnapshot>();
    for (const [id, ledger] of this.#ledgers) {
      books.set(id, ledger.snapshot(this.#lanes.get(id)?.contents() ?? { messages: 0, bytes: 0 }));
    }
    return books;
  }

  #purgeLane(lane: Lane, reason: LossReason): void {
    for (let bytes = lane.removeOldest(); bytes >= 0; bytes = lane.removeOldest())
      this.#release(lane, bytes, reason);
    if (lane.length === 0) this.#ring.remove(lane);
  }

  #release(lane: Lane, bytes: number, reason: LossReason): void {
    this.#messages--;
    this.#bytes -= bytes;
    this.#routerBudget.give(bytes);
    lane.ledger.drop(reason, bytes);
  }

  #retireIfEmpty(lane: Lane): void {
    if (lane.length > 0) return;
    this.#ring.remove(lane);
    if (this.#forgetIfDone(lane)) this.#onDrained?.(lane.settings.id);
  }

  #forgetIfDone(lane: Lane): boolean {
    if (lane.closed === undefined || lane.length > 0) return false;
    return this.#lanes.delete(lane.settings.id);
  }
}

/** Writes the next piece of a message into the slice; answers where the piece starts. */
function fillSlice(
  slice: PacketSlice,
  channelId: ChannelId,
  data: Uint8Array,
  start: number,
  maxBytes: number,
): number {
  const end = Math.min(start + maxBytes, data.length);
  slice.channelId = channelId;
  slice.data = data;
  slice.start = start;
  slice.end = end;
  slice.eof = end === data.length;
  return start;
}
