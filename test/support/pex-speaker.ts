import { PEX_CHANNEL_ID } from '../../src/core/channel.ts';
import type { AddressRecord } from '../../src/core/peer/peer-record.ts';
import type { PexMessage } from '../../src/core/pex/pex-message.ts';
import { parseNodeAddress, type Channel, type NodeId, type PeerUpdate } from '../../src/index.ts';
import { memoryPeerStore } from '../../src/store/memory-peer-store.ts';
import type { PeerStore } from '../../src/store/peer-store.ts';
import type { SimulatedNetwork, SimulatedNode, SimulatedNodeOptions } from '../../src/testing/index.ts';
import { pexCodec } from '../../src/wire/pex-codec.ts';

/** A message as it came, with the time of its arrival. */
export type Heard = PexMessage & { readonly at: number };

/** A node that speaks peer exchange by hand: it opens the channel itself, and says what a test tells it. */
export class PexSpeaker {
  readonly node: SimulatedNode;
  readonly channel: Channel<PexMessage>;
  readonly heard: Heard[] = [];
  readonly updates: PeerUpdate[] = [];
  /** Answers each request; set by a test. */
  onRequest: ((message: PexMessage) => PexMessage | undefined) | undefined;

  private constructor(network: SimulatedNetwork, name: string, options: SimulatedNodeOptions) {
    this.node = network.addNode(name, { pex: false, ...options });
    this.channel = this.node.router.openChannel({
      id: PEX_CHANNEL_ID,
      name: 'pex-by-hand',
      codec: pexCodec,
      maxMessageBytes: 1024 * 1024,
    });
    this.channel.messages$.subscribe(({ message, from, receivedAt }) => {
      this.heard.push({ ...message, at: receivedAt });
      const isRequest = message.type === 'request' || message.type === 'request-v2';
      const answer = isRequest ? this.onRequest?.(message) : undefined;
      if (answer !== undefined) this.channel.trySend({ to: from, message: answer });
    });
    this.node.router.updates$.subscribe((update) => this.updates.push(update));
  }

  static async start(
    network: SimulatedNetwork,
    name: string,
    options: SimulatedNodeOptions = {},
  ): Promise<PexSpeaker> {
    const speaker = new PexSpeaker(network, name, options);
    void speaker.node.router.start();
    await network.advance(1);
    return speaker;
  }

  /** Starts it with `to` as the only node it knows, and waits until they are connected. */
  static async connect(
    network: SimulatedNetwork,
    name: string,
    to: SimulatedNode,
    options: SimulatedNodeOptions = {},
  ): Promise<PexSpeaker> {
    const speaker = await PexSpeaker.start(network, name, { bootstrapPeers: [to.address], ...options });
    await network.runUntil(() => speaker.isUp);
    await network.advance(5);
    return speaker;
  }

  /** Whether the latest it knows is that a peer is up. */
  get isUp(): boolean {
    return this.updates.at(-1)?.status === 'up';
  }

  say(to: SimulatedNode, message: PexMessage): void {
    this.channel.trySend({ to: to.id, message });
  }

  /** What has come of a type since the last call. */
  take<T extends PexMessage['type']>(type: T): readonly (Heard & { readonly type: T })[] {
    const taken = this.heard.filter(
      (message): message is Heard & { readonly type: T } => message.type === type,
    );
    for (const message of taken) this.heard.splice(this.heard.indexOf(message), 1);
    return taken;
  }
}

/** A node id, the same for the same number. */
export function idOf(index: number): NodeId {
  return index.toString(16).padStart(40, '0') as NodeId;
}

/** A store in which these addresses are known. */
export async function storeWith(
  addresses: readonly string[],
  facts: Partial<AddressRecord> = {},
): Promise<PeerStore> {
  const store = memoryPeerStore();
  await store.open();
  for (const text of addresses) {
    const address = parseNodeAddress(text);
    const record = { id: address.nodeId, inactive: false };
    store.write([
      {
        type: 'put',
        record: { ...record, addresses: [{ address, dialFailures: 0, tried: false, ...facts }] },
      },
    ]);
  }
  await store.close();
  return store;
}

/** What a node holds against others in peer exchange, in order: strikes, and faults that cost the connection. */
export function pexFaults(node: SimulatedNode): readonly string[] {
  return node.router.recorder.records().flatMap((record) => {
    if (record.kind !== 'note' || record.actor !== 'router/pex') return [];
    return [`${record.code.replace('pex-', '')} ${(record.about as { readonly fault: string }).fault}`];
  });
}
