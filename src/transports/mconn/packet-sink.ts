import type { ChannelId } from '../../core/channel.ts';
import { PacketParser, type PacketHandler } from '../../core/mconn/packet-parser.ts';
import { Reassembly } from '../../core/mconn/reassembly.ts';
import type { PlainSink } from './frame-reader.ts';

export interface PacketSinkEvents {
  /** See `ConnectionDuplex.receiveLimit`. */
  receiveLimit(channelId: ChannelId): number | undefined;
  /** See `ConnectionDuplex.deliver`. */
  deliver(channelId: ChannelId, message: Uint8Array): void;
  pinged(): void;
  ponged(): void;
}

/** Takes the bytes of a started connection: packets, joined to messages. */
export class PacketSink implements PlainSink, PacketHandler {
  readonly wants = 'all';
  readonly #events: PacketSinkEvents;
  readonly #parser: PacketParser;
  readonly #reassembly: Reassembly;
  #isStopped = false;

  constructor(events: PacketSinkEvents, maxPacketBytes: number) {
    this.#events = events;
    this.#parser = new PacketParser(this, maxPacketBytes);
    this.#reassembly = new Reassembly(events);
  }

  /** Whether the stream may end here: between two packets. A message may well be unfinished when a remote stops. */
  get atBoundary(): boolean {
    return this.#parser.atBoundary;
  }

  /** @throws P2PError `protocol-violation` or `message-too-large`, blaming the peer; or whatever a callback throws. */
  take(bytes: Uint8Array, start: number, end: number): number {
    this.#parser.push(bytes, start, end);
    return end - start;
  }

  /** Ignores whatever the bytes being taken still hold. */
  stop(): void {
    this.#isStopped = true;
  }

  ping(): void {
    if (!this.#isStopped) this.#events.pinged();
  }

  pong(): void {
    if (!this.#isStopped) this.#events.ponged();
  }

  message(channelId: ChannelId, bytes: Uint8Array, start: number, end: number, eof: boolean): void {
    if (!this.#isStopped) this.#reassembly.add(channelId, bytes, start, end, eof);
  }
}
