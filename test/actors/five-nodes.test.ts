import { expect } from 'chai';
import type { NodeId, PeerUpdate } from '../../src/index.ts';
import { SimulatedNetwork, type SimulatedNode } from '../../src/testing/index.ts';

const PEERS = { maxConnected: 3, maxConnectedUpgrade: 1 };
const MEMBERS = ['n0', 'n1', 'n2', 'n3'];

/** Four nodes that know only the first form a full mesh; a fifth comes that the first wants always. */
async function runStory(seed: string): Promise<{ network: SimulatedNetwork; causes: Map<NodeId, string> }> {
  const network = new SimulatedNetwork({ seed });
  const causes = new Map<NodeId, string>();
  const late = new SimulatedNetwork({ seed }).addNode('n4').id;
  const watch = (node: SimulatedNode): void => {
    node.router.updates$.subscribe((update: PeerUpdate) => {
      if (update.status === 'down') causes.set(node.id, update.cause ?? 'closed');
    });
  };
  const first = await network.startNode('n0', { peers: PEERS, persistentPeers: [late] });
  watch(first);
  for (const name of MEMBERS.slice(1))
    watch(await network.startNode(name, { peers: PEERS, bootstrapPeers: [first.address] }));
  const hasMesh = (): boolean => network.nodes.every(({ router }) => router.stats().connectedPeers === 3);
  await network.runUntil(hasMesh, 30_000);
  causes.clear();
  const last = await network.startNode('n4', { peers: PEERS, bootstrapPeers: [first.address] });
  watch(last);
  await network.runUntil(() => last.router.stats().connectedPeers >= 2, 60_000);
  return { network, causes };
}

describe('five nodes on the memory transport', () => {
  it('find each other from one bootstrap address, admit the persistent one by upgrade and evict the lowest', async () => {
    const { network, causes } = await runStory('story');
    const [first] = network.nodes;
    const { upgrades, evictions } = first!.router.stats();
    expect({ upgrades, evictions }).to.deep.equal({ upgrades: 1, evictions: 1 });
    const evicted = first!.router.recorder
      .records()
      .flatMap((record) => (record.kind === 'decision' && record.result === 'evict' ? [record] : []));
    expect(evicted.map(({ why }) => (why as { rule: string }).rule)).to.deep.equal(['upgraded']);
    expect(causes.get(evicted[0]!.peer as NodeId)).to.equal('evicted');
    for (const { router } of network.nodes) expect(router.stats().crashes).to.equal(0);
    await network.stop();
    expect(network.env.clock.pending().timers).to.deep.equal([]);
  });

  it('write the same history twice under one seed, and another under another', async () => {
    const hashes = [];
    for (const seed of ['one', 'one', 'two']) {
      const { network } = await runStory(seed);
      hashes.push(network.traceHash());
      expect(network.recordCount).to.be.greaterThan(100);
      await network.stop();
    }
    expect(hashes[1]).to.equal(hashes[0]);
    expect(hashes[2]).to.not.equal(hashes[0]);
  });
});
