import type { ChannelId } from '../../src/core/channel.ts';
import type { PacketSlice } from '../../src/core/packet.ts';
import type { ConnectionDuplex, ConnectionEnd } from '../../src/transports/transport.ts';

/** A duplex that records what the connection does, and sends what it is given. */
export class DuplexProbe implements ConnectionDuplex {
  readonly delivered: { channelId: ChannelId; message: Uint8Array }[] = [];
  readonly ends: ConnectionEnd[] = [];
  /** Resolves at the end. */
  readonly ended: Promise<ConnectionEnd>;
  readonly #limits: ReadonlyMap<ChannelId, number>;
  readonly #outbound: { channelId: ChannelId; bytes: Uint8Array; at: number }[] = [];
  #resolveEnd: (end: ConnectionEnd) => void = () => undefined;
  #stir: () => void = () => undefined;
  pulledBytes = 0;

  constructor(limits: ReadonlyMap<ChannelId, number>) {
    this.#limits = limits;
    this.ended = new Promise((resolve) => {
      this.#resolveEnd = resolve;
    });
  }

  /** Queues a message; wake the connection then. */
  queue(channelId: ChannelId, bytes: Uint8Array): void {
    this.#outbound.push({ channelId, bytes, at: 0 });
  }

  get queued(): number {
    return this.#outbound.length;
  }

  /** Resolves once so many messages were delivered; rejects when the connection ends before. */
  async deliveries(count: number): Promise<void> {
    while (this.delivered.length < count) {
      if (this.ends.length > 0) {
        throw new Error(`ended after ${this.delivered.length} messages: ${JSON.stringify(this.ends)}`);
      }
      await new Promise<void>((resolve) => {
        this.#stir = resolve;
      });
    }
  }

  pull(maxBytes: number, slice: PacketSlice): boolean {
    const head = this.#outbound[0];
    if (head === undefined) return false;
    slice.channelId = head.channelId;
    slice.data = head.bytes;
    slice.start = head.at;
    slice.end = Math.min(head.bytes.length, head.at + maxBytes);
    slice.eof = slice.end === head.bytes.length;
    this.pulledBytes += slice.end - slice.start;
    head.at = slice.end;
    if (slice.eof) this.#outbound.shift();
    return true;
  }

  receiveLimit(channelId: ChannelId): number | undefined {
    return this.#limits.get(channelId);
  }

  deliver(channelId: ChannelId, message: Uint8Array): void {
    this.delivered.push({ channelId, message });
    this.#stir();
  }

  closed(end: ConnectionEnd): void {
    this.ends.push(end);
    this.#resolveEnd(end);
    this.#stir();
  }
}
