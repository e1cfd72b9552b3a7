import type { Socket } from 'node:net';
import type { Endpoint } from '../../core/endpoint.ts';
import type { Env } from '../../core/env.ts';
import { P2PError } from '../../core/errors.ts';
import { AcceptQueue } from '../accept-queue.ts';
import type { Connection, Transport, TransportFactory } from '../transport.ts';
import { MconnConnection } from './mconn-connection.ts';
import { MCONN_PROTOCOLS, dialTargets, listenEndpoint } from './mconn-endpoint.ts';
import { mconnSettings, type MconnOptions, type MconnSettings } from './mconn-options.ts';
import { dialTcp } from './tcp-dial.ts';
import { TcpListener } from './tcp-listener.ts';

/**
 * The TCP transport of Tendermint and CometBFT (protocols `mconn` and `tcp`).
 *
 * @throws P2PError `invalid-option` with the name of the option as its `reason`.
 */
export function mconn(options: MconnOptions = {}): TransportFactory {
  const settings = mconnSettings(options);
  return (env) => new MconnTransport(env, settings, options.listen);
}

class MconnTransport implements Transport {
  readonly name = 'mconn';
  readonly protocols = MCONN_PROTOCOLS;
  readonly #env: Env;
  readonly #settings: MconnSettings;
  readonly #listen: string | Endpoint | undefined;
  readonly #accepted: AcceptQueue<MconnConnection>;
  #state: 'idle' | 'binding' | 'listening' | 'closed' = 'idle';
  #listener: TcpListener | undefined;

  constructor(env: Env, settings: MconnSettings, listen: string | Endpoint | undefined) {
    this.#env = env;
    this.#settings = settings;
    this.#listen = listen;
    this.#accepted = new AcceptQueue(settings.acceptBacklog);
  }

  endpoints(): readonly Endpoint[] {
    return this.#listener === undefined ? [] : [this.#listener.endpoint];
  }

  async listen(): Promise<void> {
    if (this.#state === 'closed') throw listenFailed();
    if (this.#state !== 'idle') {
      throw new P2PError('already-listening', 'the transport is listening already', { blame: 'local' });
    }
    this.#state = 'binding';
    try {
      if (this.#listen !== undefined) await this.#bind(listenEndpoint(this.#listen));
      this.#settleBinding('listening');
    } catch (error) {
      this.#settleBinding('idle');
      throw error;
    }
  }

  async accept(): Promise<Connection> {
    if (this.#state === 'idle' || this.#state === 'binding') {
      throw new P2PError('not-listening', 'the transport is not listening', { blame: 'local' });
    }
    return await this.#accepted.take();
  }

  async dial(endpoint: Endpoint, signal: AbortSignal): Promise<Connection> {
    signal.throwIfAborted();
    const [first, ...fallbacks] = dialTargets(endpoint);
    const port = endpoint.port === 0 ? this.#settings.defaultPort : endpoint.port;
    let dialling = dialTcp(first!, port, signal);
    for (const ip of fallbacks) {
      dialling = dialling.catch(() => dialTcp(ip, port, signal));
    }
    return new MconnConnection(this.#env, await dialling, this.#settings);
  }

  close(): Promise<void> {
    this.#state = 'closed';
    this.#listener?.close();
    this.#listener = undefined;
    for (const connection of this.#accepted.close()) connection.close();
    return Promise.resolve();
  }

  async #bind(endpoint: Endpoint): Promise<void> {
    const listener = await TcpListener.bind(endpoint, {
      accepted: (socket) => this.#receive(socket),
      failed: (error) => this.#accepted.fail(error),
    });
    if (this.#isClosed()) listener.close();
    else this.#listener = listener;
  }

  #receive(socket: Socket): void {
    const connection = new MconnConnection(this.#env, socket, this.#settings);
    if (!this.#accepted.offer(connection)) connection.close();
  }

  #settleBinding(state: 'idle' | 'listening'): void {
    if (!this.#isClosed()) this.#state = state;
  }

  /** Asked anew, since it may change while binding. */
  #isClosed(): boolean {
    return this.#state === 'closed';
  }
}

function listenFailed(): P2PError {
  return new P2PError('listen-failed', 'the transport was closed before', {
    reason: 'closed',
    blame: 'local',
  });
}
