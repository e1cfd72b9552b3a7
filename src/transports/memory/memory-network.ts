import type { Env } from '../../core/env.ts';
import type { NodeId } from '../../core/node-id.ts';
import type { Connection, TransportFactory } from '../transport.ts';
import { MemoryConnection } from './memory-connection.ts';
import type { MemoryFabric, MemoryListener } from './memory-fabric.ts';
import { MemoryLink } from './memory-link.ts';
import { MemoryTransport } from './memory-transport.ts';

export interface MemoryNetworkOptions {
  /**
   * Milliseconds everything takes from one node to another, asked for each item sent; default 0, which is a later turn of
   * the event loop.
   */
  readonly latencyMs?: number | ((from: NodeId, to: NodeId) => number);
  /** Messages on the way from one node to another at most, per connection; default 16. */
  readonly windowMessages?: number;
  /** Bytes on the way likewise; default 1 MiB. One message always fits an empty link. */
  readonly windowBytes?: number;
}

const WINDOW_MESSAGES = 16;
const WINDOW_BYTES = 1024 * 1024;

/**
 * A network inside one process (Tendermint v0.35 `MemoryNetwork`). Nodes reach each other by node id. Under a simulated
 * clock every run with the same calls takes the same course.
 */
export class MemoryNetwork {
  readonly #options: MemoryNetworkOptions;
  readonly #listeners = new Map<NodeId, MemoryListener>();
  readonly #links = new Set<MemoryLink>();
  readonly #fabric: MemoryFabric;

  constructor(options: MemoryNetworkOptions = {}) {
    this.#options = options;
    this.#fabric = {
      listener: (nodeId) => this.#listeners.get(nodeId),
      register: (listener) => this.#register(listener),
      unregister: (listener) => this.#unregister(listener),
      latencyMs: (from, to) => this.#latencyMs(from, to),
      connect: (from, fromEnv, to, toEnv) => this.#connect(from, fromEnv, to, toEnv),
    };
  }

  /** Makes transports that are `nodeId` in this network. One of them at a time may listen. */
  transport(nodeId: NodeId): TransportFactory {
    return (env) => new MemoryTransport(this.#fabric, nodeId, env);
  }

  /** Nodes that listen, in the order they began to. */
  get listeners(): readonly NodeId[] {
    return [...this.#listeners.keys()];
  }

  /** The directed links of all connections that have not ended, in the order they were made: where faults are put in. */
  get links(): readonly MemoryLink[] {
    return [...this.#links];
  }

  /** Closes the transport that listens as `nodeId`, if any. Its connections live on. */
  async remove(nodeId: NodeId): Promise<void> {
    await this.#listeners.get(nodeId)?.close();
  }

  #register(listener: MemoryListener): boolean {
    if (this.#listeners.has(listener.nodeId)) return false;
    this.#listeners.set(listener.nodeId, listener);
    return true;
  }

  #unregister(listener: MemoryListener): void {
    if (this.#listeners.get(listener.nodeId) === listener) this.#listeners.delete(listener.nodeId);
  }

  #latencyMs(from: NodeId, to: NodeId): number {
    const { latencyMs = 0 } = this.#options;
    return typeof latencyMs === 'number' ? latencyMs : latencyMs(from, to);
  }

  #connect(from: NodeId, fromEnv: Env, to: NodeId, toEnv: Env): readonly [Connection, Connection] {
    const forth = this.#link(fromEnv, from, to);
    const back = this.#link(toEnv, to, from);
    const dialled = new MemoryConnection(fromEnv.clock, forth, back);
    const accepted = new MemoryConnection(toEnv.clock, back, forth);
    this.#join(forth, dialled, accepted);
    this.#join(back, accepted, dialled);
    return [dialled, accepted];
  }

  #link(env: Env, from: NodeId, to: NodeId): MemoryLink {
    const { windowMessages = WINDOW_MESSAGES, windowBytes = WINDOW_BYTES } = this.#options;
    const latencyMs = (): number => this.#latencyMs(from, to);
    const link = new MemoryLink(env.clock, { from, to, windowMessages, windowBytes, latencyMs });
    this.#links.add(link);
    return link;
  }

  #join(link: MemoryLink, sender: MemoryConnection, receiver: MemoryConnection): void {
    link.join(
      receiver,
      () => sender.wake(),
      () => void this.#links.delete(link),
    );
  }
}
