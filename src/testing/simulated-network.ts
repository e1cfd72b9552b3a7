import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import {
  createRouter,
  FlightRecorder,
  identityFromSeed,
  type Identity,
  type NodeId,
  type Router,
  type RouterOptions,
} from '../index.ts';
import { formatFlightRecord } from '../inspect/flight-record.ts';
import { memoryPeerStore } from '../store/memory-peer-store.ts';
import type { PeerStore } from '../store/peer-store.ts';
import { MemoryNetwork, type MemoryNetworkOptions } from '../transports/memory/memory-network.ts';
import { simulatedEnv, type SimulatedEnv } from './simulated-env.ts';

export interface SimulatedNetworkOptions extends MemoryNetworkOptions {
  /** Everything random in the network follows from it; default `peerchart`. */
  readonly seed?: string | number;
}

/** What a node may differ in from the network's defaults. */
export type SimulatedNodeOptions = Partial<
  Omit<RouterOptions, 'identity' | 'transports' | 'env' | 'recorder'>
>;

/** One node of a simulated network. */
export interface SimulatedNode {
  readonly name: string;
  readonly id: NodeId;
  /** Where the others dial it: `memory:<id>`. */
  readonly address: string;
  readonly identity: Identity;
  readonly router: Router;
  readonly store: PeerStore;
}

/**
 * Whole routers on a network inside one process, under one simulated clock and one seed: the same calls always give the
 * same history, record for record.
 */
export class SimulatedNetwork {
  readonly env: SimulatedEnv;
  readonly memory: MemoryNetwork;
  readonly nodes: SimulatedNode[] = [];
  #trace = sha256.create();
  #records = 0;

  constructor({ seed = 'peerchart', ...options }: SimulatedNetworkOptions = {}) {
    this.env = simulatedEnv({ seed });
    this.memory = new MemoryNetwork({ latencyMs: 5, ...options });
  }

  /** Makes a node, not started yet. The same name always has the same identity under one seed. */
  addNode(name: string, options: SimulatedNodeOptions = {}): SimulatedNode {
    const identity = identityFromSeed(this.env.random.fork(`identity/${name}`).bytes(32));
    const id = identity.nodeId;
    const recorder = new FlightRecorder();
    recorder.subscribe((record) => {
      this.#trace.update(utf8ToBytes(`${name} ${formatFlightRecord(record)}\n`));
      this.#records += 1;
    });
    const store = options.store ?? memoryPeerStore();
    const router = createRouter({
      network: 'simulated',
      moniker: name,
      ...options,
      store,
      identity,
      recorder,
      env: this.env.fork(name),
      transports: [this.memory.transport(id)],
    });
    const node = { name, id, address: `memory:${id}`, identity, router, store };
    this.nodes.push(node);
    return node;
  }

  /** Makes and starts a node, and lets a millisecond pass. */
  async startNode(name: string, options: SimulatedNodeOptions = {}): Promise<SimulatedNode> {
    const node = this.addNode(name, options);
    await this.#meanwhile(node.router.start(), 1);
    return node;
  }

  /** Stops a node and takes it out. */
  async stopNode(node: SimulatedNode): Promise<void> {
    this.nodes.splice(this.nodes.indexOf(node), 1);
    await this.#meanwhile(node.router.stop(), 5_000);
  }

  /** Lets time pass. */
  advance(ms: number): Promise<void> {
    return this.env.clock.advance(ms);
  }

  /** Lets time pass until `condition` holds; fails after `limitMs`. */
  runUntil(condition: () => boolean, limitMs = 60_000): Promise<void> {
    return this.env.clock.runUntil(condition, { limitMs });
  }

  /** Stops every node. */
  async stop(): Promise<void> {
    const stops = this.nodes.splice(0).map(({ router }) => router.stop());
    await this.#meanwhile(Promise.all(stops), 10_000);
  }

  /** SHA-256 over every record of every node so far, in the order they were written. */
  traceHash(): string {
    return bytesToHex(this.#trace.clone().digest());
  }

  /** Records so far. */
  get recordCount(): number {
    return this.#records;
  }

  async #meanwhile(promise: Promise<unknown>, ms: number): Promise<void> {
    let settled = false;
    const done = promise.finally(() => {
      settled = true;
    });
    done.catch(() => undefined);
    await this.env.clock.runUntil(() => settled, { limitMs: ms });
    await done;
  }
}
