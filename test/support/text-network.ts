import type { Channel, ChannelDescriptor, Codec, Inbound } from '../../src/index.ts';
import {
  SimulatedNetwork,
  type SimulatedNetworkOptions,
  type SimulatedNode,
  type SimulatedNodeOptions,
} from '../../src/testing/index.ts';
import { textCodec } from './text-codec.ts';

export const TEXT_CHANNEL = 0x42;

/** A node with one open channel, and a reactor on it that keeps what it gets. */
export interface TextNode extends SimulatedNode {
  readonly channel: Channel<string>;
  readonly received: Inbound<string>[];
}

export interface TextNetworkOptions extends SimulatedNetworkOptions {
  readonly names: readonly string[];
  /** For every node. */
  readonly node?: SimulatedNodeOptions;
  /** How the channel differs from the defaults. */
  readonly channel?: Partial<ChannelDescriptor<string>>;
  /** Whether the reactors read; default true. */
  readonly reads?: boolean;
}

/** A full mesh of nodes that talk in texts, without peer exchange. */
export class TextNetwork {
  readonly network: SimulatedNetwork;
  readonly nodes: readonly TextNode[];

  private constructor(network: SimulatedNetwork, nodes: readonly TextNode[]) {
    this.network = network;
    this.nodes = nodes;
  }

  static async connect(options: TextNetworkOptions): Promise<TextNetwork> {
    const { names, node = {}, channel = {}, reads = true, ...rest } = options;
    const network = new SimulatedNetwork(rest);
    const nodes: TextNode[] = [];
    for (const name of names) {
      nodes.push(
        await addTextNode(
          network,
          name,
          { pex: false, bootstrapPeers: addresses(nodes), ...node },
          channel,
          reads,
        ),
      );
    }
    const texts = new TextNetwork(network, nodes);
    await texts.settle();
    return texts;
  }

  /** Runs until every node that is still there is connected to every other one, and a little longer. */
  async settle(): Promise<void> {
    const others = this.network.nodes.length - 1;
    await this.network.runUntil(() =>
      this.network.nodes.every(({ router }) => router.stats().connectedPeers === others),
    );
    await this.network.advance(50);
  }

  /** Runs until these nodes are connected to each other, and a little longer. */
  async settleAll(nodes: readonly TextNode[]): Promise<void> {
    await this.network.runUntil(() =>
      nodes.every((node) =>
        nodes.every(({ id }) => id === node.id || node.channel.peers().some((peer) => peer.id === id)),
      ),
    );
    await this.network.advance(50);
  }

  /** What each node has got so far, by name and in order, and forgets it. */
  takeReceived(): Readonly<Record<string, readonly string[]>> {
    return Object.fromEntries(
      this.nodes
        .filter(({ received }) => received.length > 0)
        .map(({ name, received }) => [name, received.splice(0).map(({ message }) => message)]),
    );
  }

  stop(): Promise<void> {
    return this.network.stop();
  }
}

export async function addTextNode(
  network: SimulatedNetwork,
  name: string,
  options: SimulatedNodeOptions,
  channel: Partial<ChannelDescriptor<string>> = {},
  reads = true,
): Promise<TextNode> {
  const node = network.addNode(name, options);
  const opened = openText(node, channel);
  const received: Inbound<string>[] = [];
  if (reads) opened.messages$.subscribe((inbound) => received.push(inbound));
  void node.router.start();
  await network.advance(1);
  return Object.assign(node, { channel: opened, received });
}

export function openText(
  node: SimulatedNode,
  channel: Partial<ChannelDescriptor<string>> & { readonly codec?: Codec<string> } = {},
): Channel<string> {
  return node.router.openChannel({ id: TEXT_CHANNEL, name: 'text', codec: textCodec, ...channel });
}

function addresses(nodes: readonly SimulatedNode[]): string[] {
  return nodes.map(({ address }) => address);
}

/** Freezes, or lets go, everything that `from` sends to `to`. */
export function freeze(
  network: SimulatedNetwork,
  from: SimulatedNode,
  to: SimulatedNode,
  frozen = true,
): void {
  for (const link of network.memory.links) {
    if (link.from !== from.id || link.to !== to.id) continue;
    if (frozen) link.hold();
    else link.release();
  }
}
