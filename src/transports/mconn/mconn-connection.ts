import type { Socket } from 'node:net';
import type { Endpoint } from '../../core/endpoint.ts';
import type { CancelTimer, Env } from '../../core/env.ts';
import { P2PError, endOfStream } from '../../core/errors.ts';
import { FLUSH_LINGER_MS, TCP_KEEP_ALIVE_MS } from '../../core/limits.ts';
import type { FrameSealer } from '../../crypto/frames.ts';
import { abortReason, alreadyHandshaked, callbackFailed, endedError } from '../connection-error.ts';
import type {
  Connection,
  ConnectionDuplex,
  ConnectionEnd,
  ConnectionStatus,
  LocalHandshake,
  RemoteHandshake,
} from '../transport.ts';
import { FrameReader } from './frame-reader.ts';
import { FrameWriter } from './frame-writer.ts';
import { Liveness } from './liveness.ts';
import { MessageSink } from './message-sink.ts';
import { mconnEndpoint } from './mconn-endpoint.ts';
import type { MconnSettings } from './mconn-options.ts';
import { PacketSink } from './packet-sink.ts';
import { platformCode } from './platform-error.ts';
import { handshakeError, shakeHands, type HandshakeWire } from './secret-handshake.ts';

const SEED_BYTES = 32;

/** What moves messages once a connection is started. */
interface Running {
  readonly duplex: ConnectionDuplex;
  readonly writer: FrameWriter;
  readonly packets: PacketSink;
  readonly liveness: Liveness;
}

/**
 * One TCP connection that speaks the Tendermint protocol: secret handshake, sealed frames, multiplexed packets. It owns
 * its socket; whatever goes wrong on it ends this connection and nothing else.
 */
export class MconnConnection implements Connection {
  readonly localEndpoint: Endpoint;
  readonly remoteEndpoint: Endpoint;
  readonly #env: Env;
  readonly #socket: Socket;
  readonly #settings: MconnSettings;
  readonly #reader = new FrameReader();
  readonly #messages = new MessageSink();
  #hasHandshaked = false;
  #rejectHandshake: (error: Error) => void = () => undefined;
  /** Between a successful handshake and `start`. */
  #sealer: FrameSealer | undefined;
  #running: Running | undefined;
  #flush: { readonly done: Promise<void>; readonly resolve: () => void } | undefined;
  /** Whether everything was flushed, and only the remote's end is waited for. */
  #isLingering = false;
  #cancelLinger: CancelTimer | undefined;
  #end: ConnectionEnd | undefined;
  #bytesSent = 0;
  #bytesReceived = 0;
  #lastReceivedAt: number;

  /** @param socket - connected, paused, and with nobody else listening to it. */
  constructor(env: Env, socket: Socket, settings: MconnSettings) {
    this.localEndpoint = mconnEndpoint(socket.localAddress, socket.localPort);
    this.remoteEndpoint = mconnEndpoint(socket.remoteAddress, socket.remotePort);
    this.#env = env;
    this.#socket = socket;
    this.#settings = settings;
    this.#lastReceivedAt = env.clock.now();
    this.#reader.direct(this.#messages);
    socket.setNoDelay(settings.noDelay);
    socket.setKeepAlive(true, TCP_KEEP_ALIVE_MS);
    socket.on('error', (cause) => this.#fail(connectionLost(cause)));
    socket.on('end', () => this.#finish(this.#endOfInput()));
    socket.on('close', () => this.#finish(this.#endOfInput()));
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
  }

  handshake(local: LocalHandshake, signal: AbortSignal): Promise<RemoteHandshake> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      if (this.#hasHandshaked) throw alreadyHandshaked();
      if (this.#end !== undefined) throw endedError(this.#end);
      this.#hasHandshaked = true;
      const abort = (): void => {
        this.#rejectHandshake(abortReason(signal));
        this.close();
      };
      const settle = (): void => signal.removeEventListener('abort', abort);
      signal.addEventListener('abort', abort);
      this.#rejectHandshake = (error) => {
        settle();
        reject(error);
      };
      shakeHands(this.#wire(), local, this.#env.random.bytes(SEED_BYTES)).then(
        ({ remote, sealer }) => {
          settle();
          this.#sealer = sealer;
          this.#rejectHandshake = () => undefined;
          resolve(remote);
        },
        (thrown: unknown) => this.#fail(callbackFailed(thrown)),
      );
    });
  }

  start(duplex: ConnectionDuplex): void {
    if (this.#end !== undefined) {
      this.#announceEnd(duplex, this.#end);
      return;
    }
    const sealer = this.#sealer;
    if (sealer === undefined) throw notHandshaked();
    this.#sealer = undefined;
    const running = this.#makeRunning(duplex, sealer);
    this.#running = running;
    this.#env.clock.defer(() => {
      this.#reader.direct(running.packets);
      this.#readOn();
      this.wake();
    });
  }

  wake(): void {
    this.#running?.writer.wake();
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
    if (this.#running === undefined) this.#finish({ by: 'local' });
    else this.#running.writer.finish();
    return done;
  }

  status(): ConnectionStatus {
    return {
      bytesSent: this.#bytesSent + (this.#running?.writer.bytesWritten ?? 0),
      bytesReceived: this.#bytesReceived,
      lastReceivedAt: this.#lastReceivedAt,
    };
  }

  #wire(): HandshakeWire {
    return {
      write: (bytes) => {
        if (this.#end !== undefined) return;
        this.#bytesSent += bytes.length;
        this.#socket.write(bytes);
      },
      nextMessage: (maxBytes) => {
        const message = this.#messages.next(maxBytes);
        this.#readOn();
        return message;
      },
      secure: (opener) => this.#reader.secure(opener),
    };
  }

  #makeRunning(duplex: ConnectionDuplex, sealer: FrameSealer): Running {
    const { clock } = this.#env;
    const writer = new FrameWriter(this.#socket, sealer, clock, this.#settings.maxPayloadBytes, {
      pull: (maxBytes, slice) => duplex.pull(maxBytes, slice),
      finished: () => this.#linger(),
      failed: (thrown) => this.#fail(callbackFailed(thrown)),
    });
    const liveness = new Liveness(clock, this.#settings, {
      ping: () => writer.ping(),
      dead: () => this.#fail(pongTimeout()),
    });
    const packets = new PacketSink(
      {
        receiveLimit: (channelId) => duplex.receiveLimit(channelId),
        deliver: (channelId, message) => duplex.deliver(channelId, message),
        pinged: () => writer.pong(),
        ponged: () => liveness.ponged(),
      },
      this.#settings.maxPacketBytes,
    );
    return { duplex, writer, packets, liveness };
  }

  #receive(chunk: Buffer): void {
    const now = this.#env.clock.now();
    this.#bytesReceived += chunk.length;
    this.#lastReceivedAt = now;
    this.#running?.liveness.received(now);
    if (this.#end !== undefined || this.#flush !== undefined) return;
    this.#feed(() => this.#reader.push(chunk));
  }

  /** Goes on with what was held back, and with the stream. */
  #readOn(): void {
    if (this.#end === undefined) this.#feed(() => this.#reader.resume());
  }

  #feed(read: () => void): void {
    try {
      read();
    } catch (thrown) {
      this.#fail(callbackFailed(thrown));
      return;
    }
    if (this.#reader.isHoldingBack) this.#socket.pause();
    else this.#socket.resume();
  }

  /** Everything is with the socket. The remote gets time to read it: closing at once could make its system drop it. */
  #linger(): void {
    this.#isLingering = true;
    this.#socket.end(() => {
      if (this.#end !== undefined) return;
      this.#cancelLinger = this.#env.clock.setTimer(() => this.close(), FLUSH_LINGER_MS);
    });
  }

  /** What the end of the stream means here: cut inside something it is a fault. */
  #endOfInput(): ConnectionEnd {
    if (this.#running === undefined) {
      const error = this.#reader.atBoundary ? this.#messages.endError() : unexpectedEnd();
      return error.code === 'eof' ? { by: 'remote' } : { by: 'fault', error };
    }
    const isClean = this.#reader.atBoundary && this.#running.packets.atBoundary;
    return isClean ? { by: 'remote' } : { by: 'fault', error: unexpectedEnd() };
  }

  #fail(error: P2PError): void {
    this.#finish({ by: 'fault', error });
  }

  /** Ends the connection and releases everything, once. */
  #finish(cause: ConnectionEnd): void {
    if (this.#end !== undefined) return;
    const end = this.#isLingering ? { by: 'local' as const } : cause;
    this.#end = end;
    this.#cancelLinger?.();
    this.#reader.clear();
    this.#socket.destroy();
    this.#rejectHandshake(
      end.error === undefined ? endOfStream('the connection') : handshakeError(end.error),
    );
    const running = this.#running;
    if (running === undefined) {
      this.#flush?.resolve();
      return;
    }
    running.writer.stop();
    running.packets.stop();
    running.liveness.stop();
    this.#announceEnd(running.duplex, end);
  }

  #announceEnd(duplex: ConnectionDuplex, end: ConnectionEnd): void {
    this.#env.clock.defer(() => {
      duplex.closed(end);
      this.#flush?.resolve();
    });
  }
}

function connectionLost(cause: Error): P2PError {
  const reason = platformCode(cause);
  return new P2PError('connection-lost', `the connection failed: ${reason}`, { reason, cause });
}

function unexpectedEnd(): P2PError {
  return new P2PError('connection-lost', 'the stream ended inside a frame or packet', {
    reason: 'unexpected-eof',
  });
}

function pongTimeout(): P2PError {
  return new P2PError('pong-timeout', 'the remote showed no life while a ping was open');
}

function notHandshaked(): P2PError {
  return new P2PError('internal', 'the connection was started before it shook hands', {
    reason: 'not-handshaked',
    blame: 'local',
  });
}
