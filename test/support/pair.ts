import type { Channel, PeerUpdate } from '../../src/index.ts';
import {
  SeededRandom,
  SimulatedNetwork,
  type SimulatedNode,
  type SimulatedNodeOptions,
} from '../../src/testing/index.ts';
import { textCodec } from './text-codec.ts';

export const PAIR_CHANNEL = 0x20;

/** One of two nodes, and what it went through. */
export interface PairNode extends SimulatedNode {
  readonly channel: Channel<string>;
  readonly updates: readonly PeerUpdate[];
  readonly received: readonly string[];
}

export interface Pair {
  readonly network: SimulatedNetwork;
  /** The one with the lesser id. */
  readonly lesser: PairNode;
  readonly greater: PairNode;
}

export interface PairOptions {
  readonly seed: string;
  /** Milliseconds each item takes; default 0 to 200 at random. */
  readonly latencyMs?: number;
  readonly node?: SimulatedNodeOptions;
}

/** Two nodes, not started, that know each other and will dial each other as soon as they are. */
export function makePair({ seed, latencyMs, node = {} }: PairOptions): Pair {
  const random = SeededRandom.from(seed).fork('latency');
  const network = new SimulatedNetwork({ seed, latencyMs: latencyMs ?? (() => random.below(201)) });
  const scouts = new SimulatedNetwork({ seed });
  const names = ['a', 'b'];
  const addresses = names.map((name) => scouts.addNode(name).address);
  const [a, b] = names.map((name, index) => addNode(network, name, addresses[1 - index]!, node));
  return a!.id < b!.id ? { network, lesser: a!, greater: b! } : { network, lesser: b!, greater: a! };
}

function addNode(
  network: SimulatedNetwork,
  name: string,
  other: string,
  options: SimulatedNodeOptions,
): PairNode {
  const node = network.addNode(name, { pex: false, bootstrapPeers: [other], ...options });
  const channel = node.router.openChannel({ id: PAIR_CHANNEL, codec: textCodec });
  const updates: PeerUpdate[] = [];
  const received: string[] = [];
  channel.messages$.subscribe(({ message }) => received.push(message));
  node.router.updates$.subscribe((update) => updates.push(update));
  return { ...node, channel, updates, received };
}

/** Starts both in the same instant. */
export function startBoth({ lesser, greater }: Pair): Promise<unknown> {
  return Promise.all([lesser.router.start(), greater.router.start()]);
}

/** Connections of a node, as `direction state`. */
export function connectionsOf({ router }: SimulatedNode): readonly string[] {
  return router.peers().map(({ direction, state }) => `${direction} ${state}`);
}
