import type { ConnectionFault, EndpointFault, TransportEndpointFault } from '../../core/codes.ts';
import { endpointFault, formatEndpoint, type Endpoint } from '../../core/endpoint.ts';
import type { Env } from '../../core/env.ts';
import { P2PError } from '../../core/errors.ts';
import { isNodeId, type NodeId } from '../../core/node-id.ts';
import { AcceptQueue } from '../accept-queue.ts';
import type { Connection, Transport } from '../transport.ts';
import { MemoryDial } from './memory-dial.ts';
import type { Knock, MemoryFabric, MemoryListener } from './memory-fabric.ts';

const PROTOCOL = 'memory';

/** How one node takes part in a memory network. There is no backlog: a dial waits until its target accepts. */
export class MemoryTransport implements Transport, MemoryListener {
  readonly name: string;
  readonly protocols: readonly string[] = [PROTOCOL];
  readonly nodeId: NodeId;
  readonly #fabric: MemoryFabric;
  readonly #env: Env;
  readonly #knocks = new AcceptQueue<Knock>();
  #state: 'idle' | 'listening' | 'closed' = 'idle';

  constructor(fabric: MemoryFabric, nodeId: NodeId, env: Env) {
    this.name = `${PROTOCOL}:${nodeId}`;
    this.nodeId = nodeId;
    this.#fabric = fabric;
    this.#env = env;
  }

  /** The IP address is only there so that peer exchange passes the endpoint on, as upstream has it. */
  endpoints(): readonly Endpoint[] {
    if (this.#state !== 'listening') return [];
    return [{ protocol: PROTOCOL, ip: '0.0.0.0', port: 0, path: this.nodeId }];
  }

  listen(): Promise<void> {
    if (this.#state === 'listening') {
      const message = `${this.name} is listening already`;
      return Promise.reject(new P2PError('already-listening', message, { blame: 'local' }));
    }
    if (this.#state === 'closed') return Promise.reject(listenFailed(this.name, 'closed'));
    if (!this.#fabric.register(this)) return Promise.reject(listenFailed(this.name, 'EADDRINUSE'));
    this.#state = 'listening';
    return Promise.resolve();
  }

  async accept(): Promise<Connection> {
    if (this.#state === 'idle') {
      throw new P2PError('not-listening', `${this.name} is not listening`, { blame: 'local' });
    }
    for (;;) {
      const knock = await this.#knocks.take();
      if (!knock.isOver) return knock.answer(this.#env);
    }
  }

  async dial(endpoint: Endpoint, signal: AbortSignal): Promise<Connection> {
    signal.throwIfAborted();
    const target = requireTarget(endpoint);
    if (this.#fabric.listener(target) === undefined) {
      const reason: ConnectionFault = 'unknown-peer';
      throw new P2PError('dial-failed', `nobody listens as ${target}`, { reason });
    }
    return await new MemoryDial(this.#fabric, this.#env, this.nodeId, target, signal).connection;
  }

  close(): Promise<void> {
    this.#state = 'closed';
    this.#fabric.unregister(this);
    for (const knock of this.#knocks.close()) knock.refuse();
    return Promise.resolve();
  }

  receive(knock: Knock): boolean {
    return this.#knocks.offer(knock);
  }

  withdraw(knock: Knock): void {
    this.#knocks.withdraw(knock);
  }
}

/** @throws P2PError `invalid-endpoint` with the broken rule as its `reason`. */
function requireTarget(endpoint: Endpoint): NodeId {
  const fault = endpointFault(endpoint);
  if (fault !== undefined) throw invalid(endpoint, fault);
  if (endpoint.protocol !== PROTOCOL) throw invalid(endpoint, 'unsupported-protocol');
  if (endpoint.path === '') throw invalid(endpoint, 'no-path');
  if (!isNodeId(endpoint.path)) throw invalid(endpoint, 'path-not-a-node-id');
  return endpoint.path;
}

function invalid(endpoint: Endpoint, reason: EndpointFault | TransportEndpointFault): P2PError {
  return new P2PError('invalid-endpoint', `cannot dial ${formatEndpoint(endpoint)} (${reason})`, { reason });
}

function listenFailed(name: string, reason: Extract<ConnectionFault, 'closed'> | 'EADDRINUSE'): P2PError {
  return new P2PError('listen-failed', `cannot listen as ${name}: ${reason}`, { reason, blame: 'local' });
}
