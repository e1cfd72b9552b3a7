import { expect } from 'chai';
import { SimulatedNetwork, type SimulatedNode, type SimulatedNodeOptions } from '../../src/testing/index.ts';

describe('networks that find themselves by peer exchange', () => {
  let network: SimulatedNetwork;

  afterEach(() => network.stop());

  /** Starts nodes of which each knows those of its predecessors that `links` names by index. */
  async function start(
    count: number,
    links: (index: number) => readonly number[],
    options: SimulatedNodeOptions = {},
  ): Promise<void> {
    network = new SimulatedNetwork({ seed: `pex ${count}` });
    for (let index = 0; index < count; index++) {
      const bootstrapPeers = links(index).map((link) => network.nodes[link]!.address);
      await network.startNode(`n${index}`, { bootstrapPeers, ...options });
    }
  }

  function known(): readonly number[] {
    return network.nodes.map(({ router }) => router.stats().knownPeers);
  }

  /** Runs until every node knows so many others. */
  async function untilKnown(peers: number, limitMs: number): Promise<void> {
    await network.runUntil(() => known().every((count) => count >= peers), limitMs);
  }

  function expectNoFaults(): void {
    for (const { router } of network.nodes) {
      const notes = router.recorder
        .records()
        .filter(({ actor, kind }) => kind === 'note' && actor === 'router/pex');
      expect(notes).to.deep.equal([]);
      expect(router.stats().crashes).to.equal(0);
    }
  }

  const chain = (index: number): readonly number[] => (index === 0 ? [] : [index - 1]);

  it('PX-003 a line of 4 knows itself', async () => {
    await start(4, chain);
    await untilKnown(3, 60_000);
    expectNoFaults();
  });

  it('PX-009 3 nodes with 25 slots know each other', async () => {
    await start(3, chain, { peers: { maxConnected: 25, maxPeers: 60 } });
    await untilKnown(2, 60_000);
    expectNoFaults();
  });

  it('PX-008 8 nodes with 3 slots fill their stores of 4', async () => {
    await start(8, chain, { peers: { maxConnected: 3, maxConnectedUpgrade: 0, maxPeers: 4 } });
    await untilKnown(4, 300_000);
    for (const { router } of network.nodes) {
      const { knownPeers, connectedPeersMax } = router.stats();
      expect(knownPeers).to.equal(4);
      expect(connectedPeersMax).to.be.at.most(3);
    }
    expectNoFaults();
  });

  it('PX-010 10 newcomers and a mesh of 5, of which they know one, all know each other', async () => {
    await start(15, (index) => (index < 5 ? Array.from({ length: index }, (_, link) => link) : [0]));
    await untilKnown(14, 120_000);
    expectNoFaults();
  });

  it('PX-059 a line of 20 knows itself within 10 minutes', async () => {
    await start(20, chain, { peers: { maxConnected: 6, maxConnectedUpgrade: 0, maxPeers: 100 } });
    await untilKnown(19, 600_000);
    expectNoFaults();
  });

  it('PX-058 a newcomer that is refused for lack of room leaves with addresses to try', async () => {
    await start(3, chain, { peers: { maxConnected: 2, maxConnectedUpgrade: 0 }, pex: false });
    await network.runUntil(() => network.nodes.every(({ router }) => router.stats().connectedPeers >= 1));
    const middle: SimulatedNode = network.nodes[1]!;
    expect(middle.router.stats().connectedPeers).to.equal(2);
    const newcomer = await network.startNode('newcomer', {
      bootstrapPeers: [middle.address],
      peers: { maxConnected: 1, maxConnectedUpgrade: 0 },
      pex: false,
    });
    await network.runUntil(() => newcomer.router.stats().knownPeers === 3, 30_000);
    await network.runUntil(() => newcomer.router.stats().connectedPeers === 1, 30_000);
    expect(newcomer.router.peers().map(({ id }) => id)).to.not.include(middle.id);
  });
});
