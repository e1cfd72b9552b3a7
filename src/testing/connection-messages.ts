import type { ChannelId } from '../core/channel.ts';
import type { Clock } from '../core/env.ts';
import { P2PError, endOfStream } from '../core/errors.ts';
import type { PacketSlice } from '../core/packet.ts';
import type { Connection, ConnectionDuplex, ConnectionEnd } from '../transports/transport.ts';

export interface ConnectionMessagesOptions {
  /** Longest message received on each open channel, in bytes. A channel that is not listed is not open. */
  readonly channels: ReadonlyMap<ChannelId, number>;
  /** Messages that wait to be sent, over all channels; default 1. */
  readonly queueMessages?: number;
  /** Milliseconds `send` waits for room; default 10,000. Needs `clock`. */
  readonly sendTimeoutMs?: number;
  /** Without one, `send` waits for ever. */
  readonly clock?: Clock;
}

export interface ReceivedMessage {
  readonly channelId: ChannelId;
  readonly message: Uint8Array;
}

interface OutboundMessage {
  readonly bytes: Uint8Array;
  sentBytes: number;
}

const SEND_TIMEOUT_MS = 10_000;

/**
 * The blocking calls of Tendermint's `Connection` on top of a handshaken connection, for tests and scripts. Messages of
 * one channel keep their order; channels take turns by packet.
 */
export class ConnectionMessages implements ConnectionDuplex {
  /** Resolves when the connection has ended. */
  readonly ended: Promise<ConnectionEnd>;
  readonly #connection: Connection;
  readonly #channels: ReadonlyMap<ChannelId, number>;
  readonly #queueMessages: number;
  readonly #sendTimeoutMs: number;
  readonly #clock: Clock | undefined;
  /** Lanes with something to send, the one whose turn it is first. */
  readonly #lanes = new Map<ChannelId, OutboundMessage[]>();
  readonly #received: ReceivedMessage[] = [];
  readonly #waiting = new Set<() => void>();
  #queued = 0;
  #announceEnd: (end: ConnectionEnd) => void = () => undefined;
  #end: ConnectionEnd | undefined;
  #isFaultTold = false;

  /** Starts the connection. */
  constructor(connection: Connection, options: ConnectionMessagesOptions) {
    this.#connection = connection;
    this.#channels = options.channels;
    this.#queueMessages = options.queueMessages ?? 1;
    this.#sendTimeoutMs = options.sendTimeoutMs ?? SEND_TIMEOUT_MS;
    this.#clock = options.clock;
    this.ended = new Promise((resolve) => {
      this.#announceEnd = resolve;
    });
    connection.start(this);
  }

  /**
   * Queues a message, waiting for room. False when its channel is not open, or there was no room in time.
   *
   * @throws P2PError the fault that ended the connection, to one caller; `eof` once it has ended; `invalid-channel` for
   * an id above 255.
   */
  async send(channelId: ChannelId, message: Uint8Array): Promise<boolean> {
    const deadline = { isOver: false };
    let cancel: (() => void) | undefined;
    try {
      while (!this.trySend(channelId, message)) {
        if (!this.#channels.has(channelId) || deadline.isOver) return false;
        cancel ??= this.#clock?.setTimer(() => {
          deadline.isOver = true;
          this.#stir();
        }, this.#sendTimeoutMs);
        await this.#change();
      }
      return true;
    } finally {
      cancel?.();
    }
  }

  /** Queues a message without waiting. False when its channel is not open or there is no room. Throws as `send` does. */
  trySend(channelId: ChannelId, message: Uint8Array): boolean {
    if (channelId > 255) throw new P2PError('invalid-channel', `channel id ${channelId} is no byte`);
    if (this.#end !== undefined) throw this.#endError(this.#end);
    if (!this.#channels.has(channelId) || this.#queued >= this.#queueMessages) return false;
    const lane = this.#lanes.get(channelId);
    const outbound: OutboundMessage = { bytes: new Uint8Array(message), sentBytes: 0 };
    if (lane === undefined) this.#lanes.set(channelId, [outbound]);
    else lane.push(outbound);
    this.#queued += 1;
    this.#connection.wake();
    return true;
  }

  /** The next message. What was received before the remote ended the connection is still given out. Throws as `send`. */
  async receive(): Promise<ReceivedMessage> {
    for (;;) {
      if (this.#end?.by === 'local') throw this.#endError(this.#end);
      const next = this.#received.shift();
      if (next !== undefined) return next;
      if (this.#end !== undefined) throw this.#endError(this.#end);
      await this.#change();
    }
  }

  /** Messages that were not pulled completely. */
  get queuedMessages(): number {
    return this.#queued;
  }

  /** Messages that were not received yet. */
  get waitingMessages(): number {
    return this.#received.length;
  }

  async close(): Promise<void> {
    this.#connection.close();
    await this.ended;
  }

  async flushClose(): Promise<void> {
    await this.#connection.flushClose();
    await this.ended;
  }

  pull(maxBytes: number, slice: PacketSlice): boolean {
    for (const [channelId, lane] of this.#lanes) {
      const outbound = lane[0]!;
      const start = outbound.sentBytes;
      slice.channelId = channelId;
      slice.data = outbound.bytes;
      slice.start = start;
      slice.end = Math.min(outbound.bytes.length, start + maxBytes);
      slice.eof = slice.end === outbound.bytes.length;
      outbound.sentBytes = slice.end;
      this.#nextTurn(channelId, lane, slice.eof);
      return true;
    }
    return false;
  }

  receiveLimit(channelId: ChannelId): number | undefined {
    return this.#channels.get(channelId);
  }

  deliver(channelId: ChannelId, message: Uint8Array): void {
    this.#received.push({ channelId, message });
    this.#stir();
  }

  closed(cause: ConnectionEnd): void {
    this.#end = cause;
    this.#announceEnd(cause);
    this.#stir();
  }

  #nextTurn(channelId: ChannelId, lane: OutboundMessage[], isMessageDone: boolean): void {
    this.#lanes.delete(channelId);
    if (isMessageDone) {
      lane.shift();
      this.#queued -= 1;
      this.#stir();
    }
    if (lane.length > 0) this.#lanes.set(channelId, lane);
  }

  #endError(end: ConnectionEnd): P2PError {
    if (end.error === undefined || this.#isFaultTold) return endOfStream('the connection');
    this.#isFaultTold = true;
    return end.error;
  }

  /** Resolves at the next change of anything a caller may wait for. */
  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.add(resolve));
  }

  #stir(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}
