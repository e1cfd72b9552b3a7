import type { Writable } from 'node:stream';
import type { Clock } from '../../core/env.ts';
import { WRITE_TURN_BYTES } from '../../core/limits.ts';
import {
  PING_PACKET,
  PONG_PACKET,
  packetDataBytesMax,
  packetOverhead,
  writePacket,
} from '../../core/mconn/packet-writer.ts';
import type { PacketSlice } from '../../core/packet.ts';
import { FRAME_DATA_BYTES, sealedBytes, type FrameSealer } from '../../crypto/frames.ts';
import { SealedBuffers } from './sealed-buffers.ts';

/** Frames that go to the socket in one write. */
const FRAMES_PER_WRITE = 63;

const PLAIN_BYTES = FRAMES_PER_WRITE * FRAME_DATA_BYTES;

/**
 * Packets on their way into frames. One for all connections: filling, sealing and writing happen in one go, so nothing
 * stays in it.
 */
const plain = new Uint8Array(PLAIN_BYTES);

const sealedBuffers = new SealedBuffers(sealedBytes(PLAIN_BYTES));

export interface FrameWriterEvents {
  /** See `ConnectionDuplex.pull`. */
  pull(maxBytes: number, slice: PacketSlice): boolean;
  /** Nothing was left to send after `finish`, and all of it was given to the socket. The writer has stopped. */
  finished(): void;
  /** `pull` threw, or frames ran out. Nothing was written since. */
  failed(thrown: unknown): void;
}

/**
 * Pulls messages as packets, packs them into frames and writes many frames at once. The first wake of a turn is served as
 * soon as the running code has finished, further ones are batched until the end of the turn, and a long run gives its
 * turn up after some bytes. While the socket has not got rid of what it holds nothing is pulled, pings and pongs included.
 */
export class FrameWriter {
  readonly #socket: Writable;
  readonly #sealer: FrameSealer;
  readonly #clock: Clock;
  readonly #maxPayloadBytes: number;
  /** Where the plain buffer has no room for one more packet, whatever it is. */
  readonly #fullBytes: number;
  readonly #events: FrameWriterEvents;
  readonly #slice: PacketSlice = { channelId: 0, data: new Uint8Array(0), start: 0, end: 0, eof: false };
  readonly #onDrain = (): void => this.#drained();
  #isStopped = false;
  #isFinishing = false;
  #pingDue = false;
  #pongDue = false;
  /** Whether a run is due, in this turn or at its end. */
  #runDue = false;
  /** Whether something ran in this turn of the event loop. */
  #turnUsed = false;
  #isDry = true;
  #bytesWritten = 0;
  /** Buffers the socket still holds, back in use once it has drained. */
  #held: Uint8Array[] = [];

  constructor(
    socket: Writable,
    sealer: FrameSealer,
    clock: Clock,
    maxPayloadBytes: number,
    events: FrameWriterEvents,
  ) {
    this.#socket = socket;
    this.#sealer = sealer;
    this.#clock = clock;
    this.#maxPayloadBytes = maxPayloadBytes;
    this.#fullBytes = PLAIN_BYTES - 2 * packetOverhead(maxPayloadBytes) - maxPayloadBytes;
    this.#events = events;
    socket.on('drain', this.#onDrain);
  }

  /** Bytes given to the socket. */
  get bytesWritten(): number {
    return this.#bytesWritten;
  }

  /** Says that there may be something to pull. */
  wake(): void {
    if (this.#runDue || this.#isStopped) return;
    this.#runDue = true;
    if (!this.#turnUsed) void Promise.resolve().then(() => this.#run());
  }

  ping(): void {
    this.#pingDue = true;
    this.wake();
  }

  /** At most one pong is due at a time. */
  pong(): void {
    this.#pongDue = true;
    this.wake();
  }

  /** Calls `finished` once there is nothing left to pull. */
  finish(): void {
    this.#isFinishing = true;
    this.wake();
  }

  /** Nothing is pulled or written from now on. */
  stop(): void {
    this.#isStopped = true;
    this.#held = [];
    this.#socket.removeListener('drain', this.#onDrain);
  }

  #drained(): void {
    for (const buffer of this.#held) sealedBuffers.giveBack(buffer);
    this.#held = [];
    this.#run();
  }

  #run(): void {
    this.#runDue = false;
    if (this.#isStopped) return;
    this.#useTurn();
    try {
      this.#writeForOneTurn();
    } catch (thrown) {
      this.#events.failed(thrown);
    }
  }

  #useTurn(): void {
    if (this.#turnUsed) return;
    this.#turnUsed = true;
    this.#clock.defer(() => {
      this.#turnUsed = false;
      if (this.#runDue) this.#run();
    });
  }

  #writeForOneTurn(): void {
    let budget = WRITE_TURN_BYTES;
    while (budget > 0) {
      if (this.#socket.writableNeedDrain) return;
      const plainBytes = this.#fill();
      if (this.#isDead()) return;
      if (plainBytes > 0) budget -= this.#write(plainBytes);
      if (this.#isDry) {
        if (this.#isFinishing) this.#finished();
        return;
      }
    }
    this.#runDue = true;
  }

  #finished(): void {
    this.stop();
    this.#events.finished();
  }

  /** Whether a callback has stopped the writer meanwhile. */
  #isDead(): boolean {
    return this.#isStopped;
  }

  /** Fills the plain buffer with packets and returns how far. */
  #fill(): number {
    let used = 0;
    if (this.#pingDue) used = this.#append(PING_PACKET, used);
    if (this.#pongDue) used = this.#append(PONG_PACKET, used);
    this.#pingDue = false;
    this.#pongDue = false;
    this.#isDry = false;
    while (used <= this.#fullBytes && !this.#isStopped) {
      if (!this.#events.pull(this.#maxPayloadBytes, this.#slice)) {
        this.#isDry = true;
        break;
      }
      used = this.#appendSlice(used);
    }
    return used;
  }

  #append(packet: Uint8Array, at: number): number {
    plain.set(packet, at);
    return at + packet.length;
  }

  /** Appends the slice as a packet, or as two where a full one would exceed what a strict remote accepts. */
  #appendSlice(at: number): number {
    const { channelId, data, start, end, eof } = this.#slice;
    const cut = start + packetDataBytesMax(channelId, this.#maxPayloadBytes);
    if (end <= cut) return at + writePacket(plain, at, channelId, data, start, end, eof);
    const next = at + writePacket(plain, at, channelId, data, start, cut, false);
    return next + writePacket(plain, next, channelId, data, cut, end, eof);
  }

  /** Seals what the plain buffer holds and writes it with one call. Returns the bytes written. */
  #write(plainBytes: number): number {
    const socket = this.#socket;
    const buffer = sealedBuffers.borrow();
    const bytes = this.#sealer.seal(plain, 0, plainBytes, buffer, 0);
    this.#bytesWritten += bytes;
    if (socket.writableLength > 0 && bytes < buffer.length / 2) {
      socket.write(buffer.slice(0, bytes));
      sealedBuffers.giveBack(buffer);
      return bytes;
    }
    socket.write(buffer.subarray(0, bytes));
    if (socket.writableLength === 0) sealedBuffers.giveBack(buffer);
    else if (socket.writableNeedDrain) this.#held.push(buffer);
    return bytes;
  }
}
