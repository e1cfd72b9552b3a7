import { expect } from 'chai';
import { UpdateFeed } from '../../src/actors/update-feed.ts';
import type { NodeId, Outcome, PeerUpdate } from '../../src/index.ts';
import { SimulatedNetwork } from '../../src/testing/index.ts';
import { ScriptedPeer } from '../support/scripted-peer.ts';
import { addTextNode, openText, TEXT_CHANNEL, TextNetwork, type TextNode } from '../support/text-network.ts';

const named = (text: string): NodeId => text.repeat(40) as NodeId;

function up(peer: NodeId, connectionId: number): PeerUpdate {
  return { peer, status: 'up', channels: [1], direction: 'inbound', connectionId };
}

function down(peer: NodeId, connectionId: number): PeerUpdate {
  return { ...up(peer, connectionId), status: 'down', cause: 'evicted' };
}

/** Takes what an iteration has to give without waiting for more. */
async function drain(updates: AsyncIterator<PeerUpdate>, feed: UpdateFeed): Promise<readonly PeerUpdate[]> {
  feed.end();
  const taken: PeerUpdate[] = [];
  for (let result = await updates.next(); result.done !== true; result = await updates.next())
    taken.push(result.value);
  return taken;
}

describe('peer updates', () => {
  let texts: TextNetwork;

  afterEach(() => texts.stop());

  it('CH-115 CH-117 begin with an up for each peer that is ready, with its channels, and go on live', async () => {
    texts = await TextNetwork.connect({ names: ['a', 'b', 'c'] });
    const [a, b, c] = texts.nodes as [TextNode, TextNode, TextNode];
    const seen: PeerUpdate[] = [];
    a.router.updates$.subscribe((update) => seen.push(update));
    await texts.network.advance(1);
    expect(seen.map(({ status }) => status)).to.deep.equal(['up', 'up']);
    expect(new Set(seen.map(({ peer }) => peer))).to.deep.equal(new Set([b.id, c.id]));
    expect(seen.map(({ channels }) => channels)).to.deep.equal([[TEXT_CHANNEL], [TEXT_CHANNEL]]);
    await texts.network.stopNode(b);
    await texts.network.advance(50);
    const { peer, status, cause } = seen[2]!;
    expect({ peer, status, cause }).to.deep.equal({ peer: b.id, status: 'down', cause: 'shutting_down' });
    expect(seen).to.have.length(3);
  });

  it('CH-116 of a channel tell of the peers that have it, as they open and close it', async () => {
    texts = await TextNetwork.connect({ names: ['a', 'b'] });
    const [a, b] = texts.nodes as [TextNode, TextNode];
    const other = openText(a, { id: 0x50, name: 'other' });
    const seen: string[] = [];
    other.updates$.subscribe(({ peer, status }) => seen.push(`${status} ${peer}`));
    const everything: string[] = [];
    a.router.updates$.subscribe(({ peer, status }) => everything.push(`${status} ${peer}`));
    const c = await addTextNode(texts.network, 'c', { pex: false, bootstrapPeers: [a.address] });
    await texts.settleAll([a, c]);
    expect(seen).to.deep.equal([]);
    expect(everything).to.deep.equal([`up ${b.id}`, `up ${c.id}`]);
    const theirs = openText(b, { id: 0x50, name: 'other' });
    await texts.network.advance(50);
    expect(seen).to.deep.equal([`up ${b.id}`]);
    await theirs.close();
    await texts.network.advance(50);
    expect(seen).to.deep.equal([`up ${b.id}`, `down ${b.id}`]);
    expect(everything).to.have.length(2);
    const late: string[] = [];
    a.channel.updates$.subscribe(({ peer }) => late.push(peer));
    await texts.network.advance(1);
    expect(late).to.have.members([b.id, c.id]);
  });

  it('RT-132 may be answered with a message, which arrives', async () => {
    texts = await TextNetwork.connect({ names: ['a'] });
    const [a] = texts.nodes as [TextNode];
    const outcomes: Outcome[] = [];
    a.channel.updates$.subscribe(({ peer, status }) => {
      if (status === 'up') outcomes.push(a.channel.trySend({ to: peer, message: `welcome ${peer}` }));
    });
    const b = await addTextNode(texts.network, 'b', { pex: false, bootstrapPeers: [a.address] });
    const welcomes: Outcome[] = [];
    b.channel.updates$.subscribe(({ peer, status }) => {
      if (status === 'up') welcomes.push(b.channel.trySend({ to: peer, message: `hello ${peer}` }));
    });
    await texts.settle();
    expect([outcomes, welcomes]).to.deep.equal([['queued'], ['queued']]);
    expect(a.received.map(({ message }) => message)).to.deep.equal([`hello ${a.id}`]);
    expect(b.received.map(({ message }) => message)).to.deep.equal([`welcome ${b.id}`]);
  });

  it('RT-135 come after the route is gone', async () => {
    texts = await TextNetwork.connect({ names: ['a', 'b'] });
    const [a, b] = texts.nodes as [TextNode, TextNode];
    const outcomes: Outcome[] = [];
    a.router.updates$.subscribe(({ peer, status }) => {
      if (status === 'down') outcomes.push(a.channel.trySend({ to: peer, message: 'wait' }));
    });
    await texts.network.stopNode(b);
    await texts.network.advance(50);
    expect(outcomes).to.deep.equal(['no_such_peer']);
  });

  it('RT-136 have nothing to say of a connection that never became ready', async () => {
    texts = await TextNetwork.connect({ names: ['a'] });
    const [a] = texts.nodes as [TextNode];
    const seen: PeerUpdate[] = [];
    a.router.updates$.subscribe((update) => seen.push(update));
    const stranger = await ScriptedPeer.dial(texts.network, a, { name: 'stranger', channels: [9] });
    await texts.network.advance(100);
    expect(stranger.ended).to.deep.equal({ by: 'remote' });
    expect(seen).to.deep.equal([]);
  });

  it('RT-134 alternate strictly for a peer that flaps 100 times, and end with what is so', async () => {
    texts = await TextNetwork.connect({ names: ['a'] });
    const [a] = texts.nodes as [TextNode];
    const seen: PeerUpdate[] = [];
    a.router.updates$.subscribe((update) => seen.push(update));
    const connections: number[] = [];
    for (let flap = 0; flap < 100; flap++) {
      const stranger = await ScriptedPeer.dial(texts.network, a, {
        name: 'stranger',
        channels: [TEXT_CHANNEL],
      });
      connections.push(a.router.peers()[0]!.connectionId);
      if (flap < 99) stranger.close();
      await texts.network.advance(20);
    }
    const expected = connections.flatMap((connectionId, flap) => [
      { status: 'up', connectionId },
      ...(flap < 99 ? [{ status: 'down', connectionId }] : []),
    ]);
    expect(seen.map(({ status, connectionId }) => ({ status, connectionId }))).to.deep.equal(expected);
    expect(new Set(seen.map(({ peer }) => peer)).size).to.equal(1);
    expect(a.router.stats().connectedPeers).to.equal(1);
  });

  it('CH-121 reach everybody else when one subscriber throws, which is counted and recorded', async () => {
    texts = await TextNetwork.connect({ names: ['a', 'b'] });
    const [a, b] = texts.nodes as [TextNode, TextNode];
    const broken = new Error('cannot bear it');
    const errors: unknown[] = [];
    const seen: string[] = [];
    let calls = 0;
    a.router.updates$.subscribe({
      next: () => {
        calls += 1;
        throw broken;
      },
      error: (error) => errors.push(error),
    });
    a.router.updates$.subscribe(({ status }) => seen.push(status));
    await texts.network.advance(1);
    await texts.network.stopNode(b);
    await texts.network.advance(50);
    expect(seen).to.deep.equal(['up', 'down']);
    expect([calls, errors]).to.deep.equal([1, [broken]]);
    expect(a.router.stats().crashes).to.equal(1);
    const crashes = a.router.recorder.records().filter(({ kind }) => kind === 'crash');
    expect(crashes.map(({ actor }) => actor)).to.deep.equal(['router/updates']);
    expect(a.router.state).to.equal('running');
  });

  it('end with the router', async () => {
    texts = await TextNetwork.connect({ names: ['a', 'b'] });
    const [a] = texts.nodes as [TextNode];
    let completed = 0;
    a.router.updates$.subscribe({ complete: () => (completed += 1) });
    const updates = a.router.updates();
    const statuses: string[] = [];
    const loop = (async () => {
      for await (const { status } of updates) statuses.push(status);
    })();
    await texts.stop();
    await loop;
    expect([statuses, completed]).to.deep.equal([['up', 'down'], 1]);
    expect(await a.router.updates().next()).to.deep.equal({ done: true, value: undefined });
  });
});

describe('the feed of updates', () => {
  it('CH-118 tells 100 changes to two subscribers in one order', async () => {
    const feed = new UpdateFeed();
    const [pushed, pulled]: [PeerUpdate[], AsyncIterator<PeerUpdate>] = [[], feed.iterate()];
    feed.observe().subscribe((update) => pushed.push(update));
    const changes = Array.from({ length: 100 }, (_, index) => {
      const peer = named(String((index * 7) % 10));
      return Math.floor(index / 10) % 2 === 0 ? up(peer, index) : down(peer, index - 10);
    });
    for (const change of changes) {
      feed.publish(change);
      if (change.connectionId % 13 === 0) await Promise.resolve();
    }
    expect(await drain(pulled, feed)).to.deep.equal(changes);
    expect(pushed).to.deep.equal(changes);
  });

  it('CH-119 tells a slow subscriber with room for 4 the latest of each of 10 peers after 50 changes', async () => {
    const feed = new UpdateFeed();
    const updates = feed.iterate(undefined, { capacity: 4 });
    for (let index = 0; index < 50; index++) {
      const peer = named(String(index % 10));
      feed.publish(Math.floor(index / 10) % 2 === 0 ? up(peer, index) : down(peer, index - 10));
    }
    const taken = await drain(updates, feed);
    expect(taken.map(({ peer, status }) => `${status} ${peer[0]}`)).to.deep.equal(
      Array.from({ length: 10 }, (_, index) => `up ${index}`),
    );
    expect(taken.map(({ connectionId }) => connectionId)).to.deep.equal([
      40, 41, 42, 43, 44, 45, 46, 47, 48, 49,
    ]);
  });

  it('CH-120 forgets who has left, and calls nobody back', async () => {
    const feed = new UpdateFeed();
    let calls = 0;
    const subscription = feed.observe().subscribe(() => (calls += 1));
    const updates = feed.iterate();
    const waiting = updates.next();
    expect(feed.size).to.equal(2);
    feed.publish(up(named('a'), 1));
    subscription.unsubscribe();
    await updates.return?.();
    expect(feed.size).to.equal(0);
    feed.publish(down(named('a'), 1));
    await Promise.resolve();
    expect(calls).to.equal(0);
    expect((await waiting).done).to.equal(true);
    expect(await updates.next()).to.deep.equal({ done: true, value: undefined });
  });

  it('RT-171 holds little for a subscriber that never looks, however often peers come and go', async () => {
    const feed = new UpdateFeed();
    const updates = feed.iterate();
    for (let index = 0; index < 1_000; index++) {
      const peer = named((index % 16).toString(16));
      feed.publish(up(peer, index));
      feed.publish(down(peer, index));
    }
    feed.publish(up(named('a'), 1_001));
    const taken = await drain(updates, feed);
    expect(taken.length).to.be.at.most(256 + 1);
    const { peer, status } = taken.at(-1)!;
    expect({ peer, status }).to.deep.equal({ peer: named('a'), status: 'up' });
  });

  it('calls a subscriber after the code that made the change has finished', async () => {
    const feed = new UpdateFeed();
    const seen: string[] = [];
    feed.observe().subscribe(({ status }) => seen.push(status));
    feed.publish(up(named('a'), 1));
    feed.publish(down(named('a'), 1));
    expect(seen).to.deep.equal([]);
    await Promise.resolve();
    expect(seen).to.deep.equal(['up', 'down']);
  });
});

describe('a router whose updates nobody reads', () => {
  it('RT-171 goes on admitting, dialling and evicting', async () => {
    const network = new SimulatedNetwork();
    const a = await network.startNode('a', { pex: false });
    openText(a);
    const unread = a.router.updates();
    for (let round = 0; round < 16; round++) {
      const stranger = await ScriptedPeer.dial(network, a, { name: `s${round}`, channels: [TEXT_CHANNEL] });
      expect(a.router.stats().connectedPeers).to.equal(1);
      if (round % 2 === 0) a.router.disconnect(stranger.id);
      else stranger.close();
      await network.advance(50);
      expect(a.router.stats().connectedPeers).to.equal(0);
    }
    await unread.return?.();
    await network.stop();
  });
});
