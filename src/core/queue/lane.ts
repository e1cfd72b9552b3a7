import type { ChannelSettings } from '../channel.ts';
import type { Outcome } from '../codes.ts';
import { LANE_QUANTUM_BYTES, PACKET_OVERHEAD_BYTES } from '../limits.ts';
import type { Ledger, Tally } from './accounting.ts';
import { Deque } from './deque.ts';

/** Why a lane or an outbox takes no more messages. */
export type CloseReason = Extract<
  Outcome,
  'peer_closing' | 'peer_gone' | 'superseded' | 'channel_closed' | 'router_stopped'
>;

/** The messages of one channel that wait for one peer, in the order they were offered. */
export class Lane {
  ledger: Ledger;
  settings: ChannelSettings;
  /** Why the lane takes no more messages; undefined while it is open. */
  closed: CloseReason | undefined;
  /** Place in the ring of lanes with something to send; itself when alone, undefined when idle. */
  next: Lane | undefined;
  previous: Lane | undefined;
  /** Bytes that may still be sent in the running turn; 0 when idle. */
  deficit = 0;
  /** Instant of its latest entry into the ring, and how many packets had left by then. */
  joinedAt = 0;
  joinedAfter = 0;

  /** Each message with the instant after which it is too old. */
  readonly #messages = new Deque<Uint8Array>();
  #bytes = 0;
  /** How much of the oldest message has left; above 0 it must be finished. */
  #offset = 0;

  constructor(settings: ChannelSettings, ledger: Ledger) {
    this.settings = settings;
    this.ledger = ledger;
  }

  /** Bytes it may send per turn. */
  get quantum(): number {
    return this.settings.priority * LANE_QUANTUM_BYTES;
  }

  get length(): number {
    return this.#messages.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get hasBegun(): boolean {
    return this.#offset > 0;
  }

  /** What the next packet costs when it may hold `maxBytes`. */
  cost(maxBytes: number): number {
    return Math.min(maxBytes, this.#messages.front!.length - this.#offset) + PACKET_OVERHEAD_BYTES;
  }

  push(bytes: Uint8Array, now: number, ttlMs: number): void {
    this.#messages.push(bytes, now + Math.min(ttlMs, this.settings.send.maxAgeMs));
    this.#bytes += bytes.length;
  }

  /** Whether the oldest message became too old before it was begun. */
  isExpired(now: number): boolean {
    return this.#offset === 0 && now > this.#messages.frontNumber;
  }

  get head(): Uint8Array {
    return this.#messages.front!;
  }

  get offset(): number {
    return this.#offset;
  }

  /** Moves on within the oldest message; answers whether that ended it, and then removes it. */
  advance(bytes: number): boolean {
    this.#offset += bytes;
    if (this.#offset < this.#messages.front!.length) return false;
    this.#bytes -= this.#messages.shift()!.length;
    this.#offset = 0;
    return true;
  }

  /** Removes the oldest message that has not begun to leave; answers its size, or -1 when there is none. */
  removeOldest(): number {
    const removed = this.hasBegun ? this.#messages.shiftSecond() : this.#messages.shift();
    if (removed === undefined) return -1;
    this.#bytes -= removed.length;
    return removed.length;
  }

  /** Removes the oldest message even if a part of it has left; answers its size, or -1 when there is none. */
  removeHead(): number {
    this.#offset = 0;
    return this.removeOldest();
  }

  /** How many bytes go if the oldest messages go until at least this many are gone; -1 when there are not enough. */
  bytesFreedBy(messages: number, bytes: number): number {
    let freed = 0;
    let index = this.hasBegun ? 1 : 0;
    for (let count = 0; count < messages || freed < bytes; count++) {
      const message = this.#messages.at(index++);
      if (message === undefined) return -1;
      freed += message.length;
    }
    return freed;
  }

  /** Counted from the messages themselves, as a check on the running counts. */
  contents(): Tally {
    let bytes = 0;
    for (let index = 0; index < this.#messages.length; index++) bytes += this.#messages.at(index)!.length;
    return { messages: this.#messages.length, bytes };
  }
}
