import type { ChannelId } from '../../core/channel.ts';
import type { Endpoint } from '../../core/endpoint.ts';
import type { Clock } from '../../core/env.ts';
import { P2PError, endOfStream } from '../../core/errors.ts';
import type { NodeInfo } from '../../core/node-info.ts';
import type { PacketSlice } from '../../core/packet.ts';
import { abortReason, alreadyHandshaked, callbackFailed, endedError } from '../connection-error.ts';
import type {
  Connection,
  ConnectionDuplex,
  ConnectionEnd,
  ConnectionStatus,
  LocalHandshake,
  RemoteHandshake,
} from '../transport.ts';
import type { LinkItem, LinkReceiver, MemoryLink } from './memory-link.ts';

/** A connection of memory carries messages whole: no piece is ever too long. */
const WHOLE_MESSAGE = Number.MAX_SAFE_INTEGER;

interface PendingHandshake {
  settle(remote: RemoteHandshake): void;
  reject(error: Error): void;
}

/**
 * One end of a connection inside the process. It has the whole contract but no cryptography: the public key is claimed,
 * not proven. Every message is copied once, so that no two owners share bytes.
 */
export class MemoryConnection implements Connection, LinkReceiver {
  readonly localEndpoint: Endpoint;
  readonly remoteEndpoint: Endpoint;
  readonly #clock: Clock;
  readonly #inbound: MemoryLink;
  readonly #outbound: MemoryLink;
  readonly #slice: PacketSlice = { channelId: 0, data: new Uint8Array(0), start: 0, end: 0, eof: true };
  /** Pieces of messages whose end was not pulled yet. */
  readonly #pieces = new Map<ChannelId, Uint8Array[]>();
  #hasHandshaked = false;
  #pendingHandshake: PendingHandshake | undefined;
  #duplex: ConnectionDuplex | undefined;
  #pumpDue = false;
  #flush: { readonly done: Promise<void>; readonly resolve: () => void } | undefined;
  #end: ConnectionEnd | undefined;
  #bytesSent = 0;
  #bytesReceived = 0;
  #lastReceivedAt: number;

  constructor(clock: Clock, outbound: MemoryLink, inbound: MemoryLink) {
    this.localEndpoint = endpointOf(outbound.from);
    this.remoteEndpoint = endpointOf(outbound.to);
    this.#clock = clock;
    this.#outbound = outbound;
    this.#inbound = inbound;
    this.#lastReceivedAt = clock.now();
  }

  async handshake(local: LocalHandshake, signal: AbortSignal): Promise<RemoteHandshake> {
    signal.throwIfAborted();
    if (this.#hasHandshaked) throw alreadyHandshaked();
    if (this.#end !== undefined) throw endedError(this.#end);
    this.#hasHandshaked = true;
    return await new Promise((settle, reject) => {
      const abort = (): void => this.#pendingHandshake?.reject(abortReason(signal));
      const finish = (): void => {
        this.#pendingHandshake = undefined;
        signal.removeEventListener('abort', abort);
      };
      this.#pendingHandshake = {
        settle: (remote) => {
          finish();
          settle(remote);
        },
        reject: (error) => {
          finish();
          reject(error);
        },
      };
      signal.addEventListener('abort', abort);
      this.#inbound.resume();
      this.#outbound.send({ kind: 'handshake', remote: claimOf(local) });
    });
  }

  start(duplex: ConnectionDuplex): void {
    this.#duplex = duplex;
    if (this.#end !== undefined) {
      this.#announceEnd(this.#end);
      return;
    }
    this.#inbound.resume();
    this.wake();
  }

  wake(): void {
    if (this.#pumpDue || this.#duplex === undefined || this.#end !== undefined) return;
    this.#pumpDue = true;
    this.#clock.defer(() => this.#pump());
  }

  close(): void {
    this.#finish({ by: 'local' });
  }

  flushClose(): Promise<void> {
    if (this.#flush !== undefined) return this.#flush.done;
    if (this.#end !== undefined) return Promise.resolve();
    let resolve = (): void => undefined;
    const done = new Promise<void>((settle) => {
      resolve = settle;
    });
    this.#flush = { done, resolve };
    if (this.#duplex === undefined) this.#finish({ by: 'local' });
    else this.wake();
    return done;
  }

  status(): ConnectionStatus {
    return {
      bytesSent: this.#bytesSent,
      bytesReceived: this.#bytesReceived,
      lastReceivedAt: this.#lastReceivedAt,
    };
  }

  isReadyFor(item: LinkItem): boolean {
    return item.kind === 'end' || this.#pendingHandshake !== undefined || this.#duplex !== undefined;
  }

  receive(item: LinkItem): void {
    if (item.kind !== 'end') this.#lastReceivedAt = this.#clock.now();
    switch (item.kind) {
      case 'end':
        this.#finish({ by: 'remote' });
        return;
      case 'handshake':
        this.#receiveHandshake(item.remote);
        return;
      case 'message':
        this.#receiveMessage(item.channelId, item.message);
    }
  }

  #receiveHandshake(remote: RemoteHandshake): void {
    if (this.#pendingHandshake !== undefined) this.#pendingHandshake.settle(remote);
    else this.#fail(violation('protocol-violation', 'unexpected-handshake', 'a second handshake arrived'));
  }

  #receiveMessage(channelId: ChannelId, message: Uint8Array): void {
    this.#bytesReceived += message.length;
    if (this.#pendingHandshake !== undefined) {
      const early = violation('handshake-failed', 'no-node-info', 'no node information in the handshake');
      this.#pendingHandshake.reject(early);
      return;
    }
    const duplex = this.#duplex;
    if (duplex === undefined || this.#flush !== undefined) return;
    try {
      requireAcceptable(duplex, channelId, message);
      duplex.deliver(channelId, message);
    } catch (thrown) {
      this.#fail(callbackFailed(thrown));
    }
  }

  /** Pulls until the link is full or nothing is left. */
  #pump(): void {
    this.#pumpDue = false;
    const duplex = this.#duplex;
    try {
      while (duplex !== undefined && this.#end === undefined && this.#outbound.hasRoom) {
        if (duplex.pull(WHOLE_MESSAGE, this.#slice)) {
          this.#sendSlice();
        } else {
          if (this.#flush !== undefined) this.#finishFlush();
          return;
        }
      }
    } catch (thrown) {
      this.#fail(callbackFailed(thrown));
    }
  }

  #sendSlice(): void {
    const { channelId, data, start, end, eof } = this.#slice;
    const piece = new Uint8Array(data.subarray(start, end));
    this.#bytesSent += piece.length;
    const pieces = this.#pieces.get(channelId);
    if (!eof) {
      if (pieces === undefined) this.#pieces.set(channelId, [piece]);
      else pieces.push(piece);
      return;
    }
    this.#pieces.delete(channelId);
    const message = pieces === undefined ? piece : joined([...pieces, piece]);
    this.#outbound.send({ kind: 'message', channelId, message });
  }

  /** Everything is on its way: the end follows it. */
  #finishFlush(): void {
    this.#outbound.send({ kind: 'end' });
    this.#settle({ by: 'local' });
  }

  #fail(error: P2PError): void {
    this.#finish({ by: 'fault', error });
  }

  /** Ends both directions at once. Does nothing on an ended connection. */
  #finish(end: ConnectionEnd): void {
    if (this.#end !== undefined) return;
    this.#outbound.drop();
    if (end.by === 'remote') this.#outbound.kill();
    else this.#outbound.send({ kind: 'end' });
    this.#settle(end);
  }

  #settle(end: ConnectionEnd): void {
    this.#end = end;
    this.#inbound.kill();
    this.#pieces.clear();
    this.#pendingHandshake?.reject(end.error ?? endOfStream('the connection'));
    if (this.#duplex !== undefined) this.#announceEnd(end);
    else this.#flush?.resolve();
  }

  #announceEnd(end: ConnectionEnd): void {
    const duplex = this.#duplex;
    this.#clock.defer(() => {
      duplex?.closed(end);
      this.#flush?.resolve();
    });
  }
}

/**
 * @throws P2PError `protocol-violation` with reason `unknown-channel`, or `message-too-large`; the peer is to blame.
 */
function requireAcceptable(duplex: ConnectionDuplex, channelId: ChannelId, message: Uint8Array): void {
  const limit = duplex.receiveLimit(channelId);
  const channel = `channel 0x${channelId.toString(16)}`;
  if (limit === undefined) throw violation('protocol-violation', 'unknown-channel', `${channel} is not open`);
  if (message.length <= limit) return;
  const excess = `a message on ${channel} exceeds its limit: ${limit} < ${message.length}`;
  throw violation('message-too-large', 'message-too-large', excess);
}

function violation(
  code: 'handshake-failed' | 'protocol-violation' | 'message-too-large',
  reason: string,
  message: string,
): P2PError {
  return new P2PError(code, message, { reason, blame: 'peer' });
}

/** What our side says about itself, copied so that nothing is shared with the other end. */
function claimOf({ identity, nodeInfo }: LocalHandshake): RemoteHandshake {
  return { nodeInfo: copyOf(nodeInfo), publicKey: new Uint8Array(identity.publicKey) };
}

function copyOf(info: NodeInfo): NodeInfo {
  return {
    ...info,
    protocolVersion: { ...info.protocolVersion },
    channels: [...info.channels],
    other: { ...info.other },
    capabilities: [...info.capabilities],
  };
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((bytes, piece) => bytes + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

function endpointOf(nodeId: string): Endpoint {
  return { protocol: 'memory', ip: '', port: 0, path: nodeId };
}
