import type { ChannelId } from '../core/channel.ts';
import type { Endpoint } from '../core/endpoint.ts';
import type { Clock } from '../core/env.ts';
import { asError, endOfStream, P2PError } from '../core/errors.ts';
import type { PacketSlice } from '../core/packet.ts';
import type {
  Connection,
  ConnectionDuplex,
  ConnectionEnd,
  ConnectionStatus,
  LocalHandshake,
  RemoteHandshake,
} from '../transports/transport.ts';

/** A call that a test can make fail. */
export type ScriptedCall = 'handshake' | 'start' | 'wake' | 'close' | 'flushClose';

export interface ScriptedMessage {
  readonly channelId: ChannelId;
  readonly bytes: Uint8Array;
}

export interface ScriptedConnectionOptions {
  /** How the handshake ends; without it the handshake is held until `releaseHandshake`. */
  readonly handshake?: RemoteHandshake | Error;
  readonly localEndpoint?: Endpoint;
  readonly remoteEndpoint?: Endpoint;
}

const NOWHERE: Endpoint = { protocol: 'memory', ip: '', port: 0, path: 'nobody' };

/** Larger than any message, so that each is pulled in one piece. */
const WHOLE_MESSAGE = Number.MAX_SAFE_INTEGER;

/**
 * A connection without a remote: a test says what the remote does, and sees what the router does to the connection. What
 * the router sends is pulled at once unless the connection is stalled.
 */
export class ScriptedConnection implements Connection {
  readonly localEndpoint: Endpoint;
  readonly remoteEndpoint: Endpoint;
  /** Every call of the router, in order. */
  readonly calls: ScriptedCall[] = [];
  /** Every message the router sent, in order. */
  readonly sent: ScriptedMessage[] = [];
  /** What the router said of itself in the handshake. */
  local: LocalHandshake | undefined;
  /** How the connection ended, once it has. */
  ended: ConnectionEnd | undefined;
  readonly #clock: Clock;
  readonly #throwing = new Map<ScriptedCall, Error>();
  readonly #early: ScriptedMessage[] = [];
  #outcome: RemoteHandshake | Error | undefined;
  #settleHandshake: ((outcome: RemoteHandshake | Error) => void) | undefined;
  #duplex: ConnectionDuplex | undefined;
  #stalled = false;
  #pumpDue = false;
  #flushing = false;
  readonly #flushed: (() => void)[] = [];
  #bytesSent = 0;
  #bytesReceived = 0;
  #lastReceivedAt: number;

  constructor(clock: Clock, options: ScriptedConnectionOptions = {}) {
    this.#clock = clock;
    this.#outcome = options.handshake;
    this.localEndpoint = options.localEndpoint ?? NOWHERE;
    this.remoteEndpoint = options.remoteEndpoint ?? NOWHERE;
    this.#lastReceivedAt = clock.now();
  }

  // What a test does.

  /** Ends the handshake, or lets it end at once when it begins. */
  releaseHandshake(outcome: RemoteHandshake | Error): void {
    this.#outcome = outcome;
    this.#settleHandshake?.(outcome);
  }

  /** Whether the router is waiting for the handshake. */
  get isHandshaking(): boolean {
    return this.#settleHandshake !== undefined;
  }

  /** Whether the router moves messages. */
  get isStarted(): boolean {
    return this.#duplex !== undefined;
  }

  /** How often the router made a call. */
  count(call: ScriptedCall): number {
    return this.calls.filter((made) => made === call).length;
  }

  /** What the router sent on a channel. */
  sentOn(channelId: ChannelId): readonly Uint8Array[] {
    return this.sent.filter((message) => message.channelId === channelId).map(({ bytes }) => bytes);
  }

  /** The remote sends a message; one that comes before the router started the connection waits. */
  deliver(channelId: ChannelId, bytes: Uint8Array): void {
    if (this.ended !== undefined || this.#flushing) return;
    if (this.#duplex === undefined) {
      this.#early.push({ channelId, bytes });
      return;
    }
    this.#bytesReceived += bytes.length;
    this.#lastReceivedAt = this.#clock.now();
    try {
      requireAcceptable(this.#duplex, channelId, bytes);
      this.#duplex.deliver(channelId, bytes);
    } catch (thrown) {
      const error = asError(thrown);
      this.fail(
        error instanceof P2PError ? error : new P2PError('internal', error.message, { cause: error }),
      );
    }
  }

  /** The remote shows life without a message. */
  showLife(): void {
    this.#lastReceivedAt = this.#clock.now();
  }

  /** The remote closes the connection. */
  end(): void {
    this.#finish({ by: 'remote' });
  }

  /** The connection breaks. */
  fail(error: P2PError): void {
    this.#finish({ by: 'fault', error });
  }

  /** The remote takes nothing any more: neither messages nor a flush get through. */
  stall(): void {
    this.#stalled = true;
  }

  resume(): void {
    this.#stalled = false;
    this.#schedulePump();
  }

  /** Makes a call of the router throw from now on, against the contract. */
  throwFrom(call: ScriptedCall, error: Error): void {
    this.#throwing.set(call, error);
  }

  // What the router does.

  async handshake(local: LocalHandshake, signal: AbortSignal): Promise<RemoteHandshake> {
    this.#enter('handshake');
    signal.throwIfAborted();
    if (this.ended !== undefined) throw this.ended.error ?? endOfStream('the connection');
    this.local = local;
    const outcome = this.#outcome ?? (await this.#heldHandshake(signal));
    if (outcome instanceof Error) throw outcome;
    return outcome;
  }

  async #heldHandshake(signal: AbortSignal): Promise<RemoteHandshake | Error> {
    let abort = (): void => undefined;
    const outcome = await new Promise<RemoteHandshake | Error>((settle) => {
      abort = () => settle(signal.reason as Error);
      this.#settleHandshake = settle;
      signal.addEventListener('abort', abort, { once: true });
    });
    this.#settleHandshake = undefined;
    signal.removeEventListener('abort', abort);
    return outcome;
  }

  start(duplex: ConnectionDuplex): void {
    this.#enter('start');
    this.#duplex = duplex;
    if (this.ended !== undefined) {
      this.#announceEnd(this.ended);
      return;
    }
    this.#clock.defer(() => {
      for (const { channelId, bytes } of this.#early.splice(0)) this.deliver(channelId, bytes);
    });
    this.#schedulePump();
  }

  wake(): void {
    this.#enter('wake');
    this.#schedulePump();
  }

  close(): void {
    this.#enter('close');
    this.#finish({ by: 'local' });
  }

  async flushClose(): Promise<void> {
    this.#enter('flushClose');
    if (this.ended !== undefined) return;
    if (this.#duplex === undefined) {
      this.#finish({ by: 'local' });
      return;
    }
    this.#flushing = true;
    this.#schedulePump();
    await new Promise<void>((resolve) => this.#flushed.push(resolve));
  }

  status(): ConnectionStatus {
    return {
      bytesSent: this.#bytesSent,
      bytesReceived: this.#bytesReceived,
      lastReceivedAt: this.#lastReceivedAt,
    };
  }

  #enter(call: ScriptedCall): void {
    this.calls.push(call);
    const error = this.#throwing.get(call);
    if (error !== undefined) throw error;
  }

  #schedulePump(): void {
    if (this.#pumpDue || this.#duplex === undefined || this.ended !== undefined) return;
    this.#pumpDue = true;
    this.#clock.defer(() => this.#pump());
  }

  #pump(): void {
    this.#pumpDue = false;
    const slice: PacketSlice = { channelId: 0, data: new Uint8Array(0), start: 0, end: 0, eof: true };
    while (this.ended === undefined && !this.#stalled) {
      if (this.#duplex?.pull(WHOLE_MESSAGE, slice) !== true) {
        if (this.#flushing) this.#finish({ by: 'local' });
        return;
      }
      const bytes = slice.data.slice(slice.start, slice.end);
      this.#bytesSent += bytes.length;
      this.sent.push({ channelId: slice.channelId, bytes });
    }
  }

  #finish(end: ConnectionEnd): void {
    if (this.ended !== undefined) return;
    this.ended = end;
    this.#settleHandshake?.(end.error ?? endOfStream('the connection'));
    if (this.#duplex !== undefined) this.#announceEnd(end);
  }

  #announceEnd(end: ConnectionEnd): void {
    this.#clock.defer(() => {
      this.#duplex?.closed(end);
      for (const resolve of this.#flushed.splice(0)) resolve();
    });
  }
}

function requireAcceptable(duplex: ConnectionDuplex, channelId: ChannelId, bytes: Uint8Array): void {
  const limit = duplex.receiveLimit(channelId);
  if (limit === undefined) {
    throw new P2PError('protocol-violation', `channel ${channelId} is not open`, {
      reason: 'unknown-channel',
      blame: 'peer',
    });
  }
  if (bytes.length <= limit) return;
  const excess = `a message on channel ${channelId} exceeds its limit: ${limit} < ${bytes.length}`;
  throw new P2PError('message-too-large', excess, { blame: 'peer' });
}
