import type { ChannelId } from '../channel.ts';
import type { ProtocolFault } from '../codes.ts';
import { P2PError } from '../errors.ts';
import { FieldReader } from '../field-reader.ts';
import { UvarintReader } from '../uvarint.ts';

/** Receives the packets of a stream in order. A throw ends the parser. */
export interface PacketHandler {
  ping(): void;
  pong(): void;
  /**
   * One piece of a message: `bytes[start … end)`, possibly empty, valid only during the call. `eof` says that it ends
   * its message. The channel is 0 … 255, and not necessarily one that is open.
   */
  message(channelId: ChannelId, bytes: Uint8Array, start: number, end: number, eof: boolean): void;
}

type PacketKind = 'none' | 'ping' | 'pong' | 'message';

/** Members of a packet's oneof by field number. */
const MEMBERS: readonly (PacketKind | undefined)[] = [undefined, 'ping', 'pong', 'message'];

const CHANNEL_ID_MAX = 255;
const LENGTH_UNKNOWN = -1;

/**
 * Cuts a stream of length-delimited packets (Tendermint MConnection) into pings, pongs and message pieces, working on the
 * stream's own bytes. The stream may be cut anywhere: only a packet that lies across a cut is copied, into a buffer that
 * grows with what has arrived. Of a oneof that is set twice the last member counts, as upstream has it.
 */
export class PacketParser {
  readonly #handler: PacketHandler;
  readonly #maxPacketBytes: number;
  readonly #length = new UvarintReader();
  readonly #fields = new FieldReader(badEncoding);
  /** Body length of the packet that comes next; negative while its length is still being read. */
  #bodyBytes = LENGTH_UNKNOWN;
  #partial = new Uint8Array(0);
  #partialBytes = 0;
  #channelId = 0;
  #eof = false;
  #dataStart = 0;
  #dataEnd = 0;

  /** @param maxPacketBytes - longest packet body accepted, see `maxPacketBytes`; equal is allowed. */
  constructor(handler: PacketHandler, maxPacketBytes: number) {
    this.#handler = handler;
    this.#maxPacketBytes = maxPacketBytes;
  }

  /** Whether the stream may end here: false inside a packet. */
  get atBoundary(): boolean {
    return this.#bodyBytes < 0 && this.#length.bytes === 0;
  }

  /**
   * Takes the next bytes of the stream, `chunk[start … end)`, and hands over every packet they complete. After a throw
   * the parser must not be used again.
   *
   * @throws P2PError `protocol-violation` with a `ProtocolFault` as its `reason`, blaming the peer; or whatever the handler
   * throws.
   */
  push(chunk: Uint8Array, start: number, end: number): void {
    let at = start;
    while (at < end) {
      if (this.#bodyBytes < 0) at = this.#readLength(chunk, at, end);
      const bodyBytes = this.#bodyBytes;
      if (bodyBytes < 0) return;
      if (this.#partialBytes === 0 && end - at >= bodyBytes) {
        this.#bodyBytes = LENGTH_UNKNOWN;
        this.#packet(chunk, at, at + bodyBytes);
        at += bodyBytes;
        continue;
      }
      at += this.#collect(chunk, at, end);
      if (this.#partialBytes < bodyBytes) return;
      this.#bodyBytes = LENGTH_UNKNOWN;
      this.#partialBytes = 0;
      this.#packet(this.#partial, 0, bodyBytes);
    }
  }

  /** Reads as much of a length as there is, and returns the cursor behind it. */
  #readLength(chunk: Uint8Array, start: number, end: number): number {
    for (let at = start; at < end; at++) {
      const done = this.#length.push(chunk[at]!);
      if (done === undefined) throw badEncoding('the length of a packet exceeds 64 bits');
      if (!done) continue;
      const bodyBytes = this.#length.value;
      if (bodyBytes > this.#maxPacketBytes) {
        const limits = `(${bodyBytes} > ${this.#maxPacketBytes} bytes)`;
        throw violation('packet-too-large', `a packet exceeds its limit ${limits}`);
      }
      this.#bodyBytes = bodyBytes;
      this.#length.reset();
      return at + 1;
    }
    return end;
  }

  /** Copies what belongs to the packet across the cut and returns how many bytes that were. */
  #collect(chunk: Uint8Array, start: number, end: number): number {
    const bytes = Math.min(end - start, this.#bodyBytes - this.#partialBytes);
    const needed = this.#partialBytes + bytes;
    if (this.#partial.length < needed) {
      const grown = new Uint8Array(
        Math.min(this.#maxPacketBytes, Math.max(needed, 2 * this.#partial.length)),
      );
      grown.set(this.#partial.subarray(0, this.#partialBytes));
      this.#partial = grown;
    }
    this.#partial.set(chunk.subarray(start, start + bytes), this.#partialBytes);
    this.#partialBytes = needed;
    return bytes;
  }

  #packet(bytes: Uint8Array, start: number, end: number): void {
    let kind: PacketKind = 'none';
    this.#fields.reset(bytes, start, end);
    while (this.#fields.next()) kind = this.#packetField(kind);
    this.#fields.release();
    switch (kind) {
      case 'message':
        if (this.#channelId < 0 || this.#channelId > CHANNEL_ID_MAX) throw unknownChannel(this.#channelId);
        this.#handler.message(this.#channelId, bytes, this.#dataStart, this.#dataEnd, this.#eof);
        return;
      case 'ping':
        this.#handler.ping();
        return;
      case 'pong':
        this.#handler.pong();
        return;
      case 'none':
        throw violation('unknown-message-type', 'a packet is neither ping, pong nor message');
    }
  }

  /** Reads one field of a packet and returns what the packet is now. */
  #packetField(kind: PacketKind): PacketKind {
    const fields = this.#fields;
    const member = MEMBERS[fields.field];
    if (member === undefined) {
      fields.skip();
      return kind;
    }
    const outerEnd = fields.enter();
    if (member === 'message') this.#messageFields();
    else while (fields.next()) fields.skip();
    fields.leave(outerEnd);
    return member;
  }

  #messageFields(): void {
    const fields = this.#fields;
    this.#channelId = 0;
    this.#eof = false;
    this.#dataStart = 0;
    this.#dataEnd = 0;
    while (fields.next()) {
      switch (fields.field) {
        case 1:
          this.#channelId = fields.int32();
          break;
        case 2:
          this.#eof = fields.number() !== 0;
          break;
        case 3:
          fields.block();
          this.#dataStart = fields.blockStart;
          this.#dataEnd = fields.blockEnd;
          break;
        default:
          fields.skip();
      }
    }
  }
}

function unknownChannel(channelId: number): P2PError {
  return violation('unknown-channel', `there is no channel 0x${(channelId >>> 0).toString(16)}`);
}

function badEncoding(message: string): P2PError {
  return violation('bad-encoding', message);
}

function violation(reason: ProtocolFault, message: string): P2PError {
  return new P2PError('protocol-violation', message, { reason, blame: 'peer' });
}
