import { createServer, type Server, type Socket } from 'node:net';
import { formatEndpoint, type Endpoint } from '../../core/endpoint.ts';
import { P2PError } from '../../core/errors.ts';
import { mconnEndpoint } from './mconn-endpoint.ts';
import { platformCode } from './platform-error.ts';

export interface TcpListenerEvents {
  /** A connection was accepted; nothing is read from it yet. */
  accepted(socket: Socket): void;
  /** One accept failed, for example for want of file descriptors. Listening goes on. */
  failed(error: P2PError): void;
}

/** A bound TCP port. */
export class TcpListener {
  /** Where it listens, with the port the system chose. */
  readonly endpoint: Endpoint;
  readonly #server: Server;

  private constructor(server: Server, endpoint: Endpoint) {
    this.#server = server;
    this.endpoint = endpoint;
  }

  /** @throws P2PError `listen-failed` with the code of the platform as its `reason`. */
  static async bind(endpoint: Endpoint, events: TcpListenerEvents): Promise<TcpListener> {
    const server = createServer({ pauseOnConnect: true });
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause) => reject(listenFailed(endpoint, cause)));
      server.listen({ host: endpoint.ip, port: endpoint.port }, resolve);
    });
    server.removeAllListeners('error');
    server.on('error', (cause) => events.failed(acceptFailed(cause)));
    server.on('connection', (socket) => events.accepted(socket));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : endpoint.port;
    return new TcpListener(server, mconnEndpoint(endpoint.ip, port));
  }

  /** Frees the port at once. Accepted connections live on. Idempotent. */
  close(): void {
    this.#server.close();
  }
}

function listenFailed(endpoint: Endpoint, cause: Error): P2PError {
  const reason = platformCode(cause);
  return new P2PError('listen-failed', `cannot listen at ${formatEndpoint(endpoint)}: ${reason}`, {
    reason,
    blame: 'local',
    cause,
  });
}

function acceptFailed(cause: Error): P2PError {
  const reason = platformCode(cause);
  return new P2PError('connection-lost', `a connection could not be accepted: ${reason}`, { reason, cause });
}
