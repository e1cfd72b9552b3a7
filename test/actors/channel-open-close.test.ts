import { expect } from 'chai';
import type { Channel, ChannelDescriptor, ChannelId, Outcome } from '../../src/index.ts';
import { SimulatedNetwork, type SimulatedNode } from '../../src/testing/index.ts';
import { p2pThrow } from '../support/p2p-throw.ts';
import { ScriptedPeer } from '../support/scripted-peer.ts';
import { textCodec } from '../support/text-codec.ts';
import { freeze, openText, TEXT_CHANNEL, TextNetwork, type TextNode } from '../support/text-network.ts';

/** The channels that a node declares, as a newcomer learns them. */
async function declaredChannels(
  network: SimulatedNetwork,
  node: SimulatedNode,
): Promise<readonly ChannelId[]> {
  const peer = await ScriptedPeer.dial(network, node, {
    name: 'newcomer',
    channels: node.router.peers()[0]?.channels ?? [],
  });
  peer.close();
  await network.advance(50);
  return peer.remote.nodeInfo.channels;
}

describe('opening a channel', () => {
  let network: SimulatedNetwork;
  let node: SimulatedNode;

  beforeEach(async () => {
    network = new SimulatedNetwork();
    node = await network.startNode('a', { pex: false });
  });

  afterEach(() => network.stop());

  function open(changes: Partial<ChannelDescriptor<string>> = {}): Channel<string> {
    return node.router.openChannel({ id: 1, codec: textCodec, ...changes });
  }

  it('CH-001 CH-003 declares it to whoever connects from then on', async () => {
    expect(open().state).to.equal('open');
    expect(await declaredChannels(network, node)).to.deep.equal([1]);
    expect(open({ id: 2 }).name).to.equal('ch-02');
    expect(await declaredChannels(network, node)).to.deep.equal([1, 2]);
  });

  it('CH-002 is refused for an id that is open, and leaves the first one as it was', () => {
    const first = open();
    expect(p2pThrow(() => open({ name: 'again' }))).to.include({ code: 'channel-exists', reason: '1' });
    expect(first.state).to.equal('open');
    expect(node.router.actors().filter((path) => path.startsWith('router/channel/'))).to.deep.equal([
      'router/channel/ch-01',
    ]);
  });

  it('CH-009 is refused for a name that is open', async () => {
    open({ name: 'votes' });
    const error = p2pThrow(() => open({ id: 2, name: 'votes' }));
    expect(error).to.include({ code: 'channel-name-exists', reason: 'votes' });
    expect(await declaredChannels(network, node)).to.deep.equal([1]);
  });

  const faulty: readonly [string, Partial<Record<keyof ChannelDescriptor<string>, unknown>>, string][] = [
    ['CH-004 id -1', { id: -1 }, 'id'],
    ['CH-004 id 1.5', { id: 1.5 }, 'id'],
    ['CH-004 id NaN', { id: NaN }, 'id'],
    ['CH-004 id 65,536', { id: 65_536 }, 'id'],
    ['CH-005 CH-006 id 300, which does not fit the one byte of the wire', { id: 300 }, 'id'],
    ['the control channel', { id: 0xf0 }, 'id'],
    ['CH-007 no codec', { codec: undefined }, 'codec'],
    ['CH-007 a codec without decode', { codec: { encode: () => new Uint8Array() } }, 'codec'],
    ['CH-007 a codec without encode', { codec: { decode: () => '' } }, 'codec'],
    ['CH-008 priority 0', { priority: 0 }, 'priority'],
    ['CH-008 priority 256', { priority: 256 }, 'priority'],
    ['CH-008 priority 1.5', { priority: 1.5 }, 'priority'],
    [
      'CH-111 a pause, which needs a transport with credit',
      { receive: { overflow: 'pause' } },
      'receive.overflow',
    ],
  ];

  for (const [what, changes, field] of faulty) {
    it(`${what} is refused, and nothing is registered`, async () => {
      const error = p2pThrow(() => open(changes as Partial<ChannelDescriptor<string>>));
      expect(error).to.include({ code: 'invalid-channel', reason: field });
      expect(node.router.stats().channels).to.deep.equal({});
      expect(await declaredChannels(network, node)).to.deep.equal([]);
    });
  }

  it('CH-023 is refused for the seventeenth, which other implementations would not accept', async () => {
    for (let id = 1; id <= 16; id++) open({ id });
    expect(p2pThrow(() => open({ id: 17 }))).to.include({ code: 'invalid-channel', reason: 'count' });
    expect(await declaredChannels(network, node)).to.have.length(16);
  });

  it('is refused once the router was told to stop', async () => {
    await network.stop();
    expect(p2pThrow(() => open())).to.include({ code: 'stopped' });
  });

  it('can be followed by closing it in the same breath, wherever that happens', async () => {
    let closed: Promise<void> | undefined;
    node.router.recorder.subscribe((record) => {
      if (record.kind === 'note' && closed === undefined) closed = open().close();
    });
    await declaredChannels(network, node).catch(() => undefined);
    await network.advance(5_000);
    expect(closed).to.be.instanceOf(Promise);
    await closed;
    expect(node.router.stats().channels).to.deep.equal({});
    open();
  });
});

describe('opening a channel while connected', () => {
  it('CH-021 lets both sides send within one round trip, without a new connection', async () => {
    const texts = await TextNetwork.connect({ names: ['a', 'b'] });
    const [a, b] = texts.nodes as [TextNode, TextNode];
    const connections = a.router.peers().map(({ connectionId }) => connectionId);
    const [mine, theirs] = [a, b].map((node) => openText(node, { id: 7, name: 'late' }));
    expect(mine!.visibleTo).to.equal('all-peers');
    expect(mine!.trySend({ to: b.id, message: 'early' })).to.equal('peer_lacks_channel');
    await texts.network.advance(10);
    expect(mine!.trySend({ to: b.id, message: 'hello' })).to.equal('queued');
    expect(theirs!.trySend({ to: a.id, message: 'hello' })).to.equal('queued');
    await texts.network.advance(10);
    expect([mine, theirs].map((channel) => channel!.accounting().in.pending.messages)).to.deep.equal([1, 1]);
    expect(a.router.peers().map(({ connectionId }) => connectionId)).to.deep.equal(connections);
    await texts.stop();
  });

  it('reaches a peer whose handshake was under way', async () => {
    const network = new SimulatedNetwork({ latencyMs: 20 });
    const a = await network.startNode('a', { pex: false });
    openText(a);
    const b = network.addNode('b', { pex: false, bootstrapPeers: [a.address] });
    openText(b);
    void b.router.start();
    await network.runUntil(() => a.router.peers().length === 1);
    expect(a.router.stats().connectedPeers).to.equal(0);
    const late = [a, b].map((node) => openText(node, { id: 7, name: 'late' }));
    await network.runUntil(
      () => a.router.stats().connectedPeers === 1 && b.router.stats().connectedPeers === 1,
    );
    await network.advance(50);
    expect(late[0]!.trySend({ to: b.id, message: 'x' })).to.equal('queued');
    expect(late[1]!.trySend({ to: a.id, message: 'x' })).to.equal('queued');
    await network.stop();
  });

  it('CH-022 tells only new peers where a peer takes no part in channel-set updates', async () => {
    const network = new SimulatedNetwork();
    const a = await network.startNode('a', { pex: false });
    openText(a);
    const stranger = await ScriptedPeer.dial(network, a, { name: 'stranger', channels: [TEXT_CHANNEL] });
    const late = openText(a, { id: 7, name: 'late' });
    expect(late.visibleTo).to.equal('new-peers-only');
    expect(late.trySend({ to: stranger.id, message: 'x' })).to.equal('peer_lacks_channel');
    await network.advance(1_000);
    expect(stranger.delivered).to.deep.equal([]);
    await network.stop();
  });
});

describe('closing a channel', () => {
  let texts: TextNetwork;
  let a: TextNode;
  let b: TextNode;

  async function connect(reads: boolean): Promise<void> {
    texts = await TextNetwork.connect({ names: ['a', 'b'], windowMessages: 1, reads });
    [a, b] = texts.nodes as [TextNode, TextNode];
  }

  function fill(count: number): void {
    for (let index = 1; index <= count; index++) a.channel.trySend({ to: b.id, message: String(index) });
  }

  afterEach(() => texts.stop());

  it('CH-011 refuses every way to send from then on, without a throw', async () => {
    await connect(true);
    await a.channel.close();
    expect(a.channel.state).to.equal('closed');
    const outcomes: Outcome[] = [
      a.channel.trySend({ to: b.id, message: 'x' }),
      await a.channel.send({ to: b.id, message: 'x' }),
    ];
    expect(outcomes).to.deep.equal(['channel_closed', 'channel_closed']);
    expect(a.channel.broadcast(7 as unknown as string)).to.deep.equal({
      queued: [],
      skipped: [{ peer: b.id, reason: 'channel_closed' }],
    });
    expect(a.router.stats().drops).to.deep.include.members([
      { direction: 'out', channelId: TEXT_CHANNEL, reason: 'channel_closed', messages: 3, bytes: 0 },
    ]);
  });

  it('CH-012 takes it out of what the node declares, also to those who are connected', async () => {
    await connect(true);
    await a.channel.close();
    expect(await declaredChannels(texts.network, a)).to.deep.equal([]);
    expect(b.router.peers()[0]!.channels).to.deep.equal([]);
    expect(b.channel.trySend({ to: a.id, message: 'x' })).to.equal('peer_lacks_channel');
  });

  it('CH-013 drops what still comes without a penalty for 5 s, and with one later', async () => {
    await connect(true);
    const stranger = await ScriptedPeer.dial(texts.network, a, {
      name: 'stranger',
      channels: [TEXT_CHANNEL],
    });
    const scoreOf = (): number => a.router.peers().find(({ id }) => id === stranger.id)!.score;
    const before = scoreOf();
    await a.channel.close();
    for (let count = 0; count < 150; count++) stranger.send(TEXT_CHANNEL, Uint8Array.of(1));
    await texts.network.advance(4_900);
    expect(scoreOf()).to.equal(before);
    expect(a.router.stats().drops).to.deep.include({
      direction: 'in',
      channelId: TEXT_CHANNEL,
      reason: 'unknown_channel',
      messages: 150,
      bytes: 150,
    });
    await texts.network.advance(101);
    for (let count = 0; count < 150; count++) stranger.send(TEXT_CHANNEL, Uint8Array.of(1));
    await texts.network.advance(2_000);
    expect(scoreOf()).to.equal(before - 1);
    expect(stranger.ended).to.equal(undefined);
  });

  it('CH-014 CH-019 lets what is queued leave first, also when it is closed twice', async () => {
    await connect(true);
    fill(20);
    const closings = [a.channel.close({ drain: true }), a.channel.close()];
    expect(a.channel.state).to.equal('draining');
    expect(a.channel.trySend({ to: b.id, message: 'late' })).to.equal('channel_closed');
    await texts.network.env.clock.complete(Promise.all(closings));
    await texts.network.advance(50);
    expect(texts.takeReceived()['b']).to.deep.equal(
      Array.from({ length: 20 }, (_, index) => String(index + 1)),
    );
    expect(a.channel.accounting().out.delivered.messages).to.equal(20);
  });

  it('CH-015 gives up on a peer that takes nothing, within the drain time', async () => {
    await connect(true);
    freeze(texts.network, a, b);
    fill(20);
    await texts.network.advance(10);
    let isClosed = false;
    void a.channel.close({ drain: true }).then(() => {
      isClosed = true;
    });
    await texts.network.advance(1_999);
    expect(isClosed).to.equal(false);
    await texts.network.advance(1);
    expect(isClosed).to.equal(true);
    const { delivered, dropped, pending } = a.channel.accounting().out;
    expect(dropped.channel_closed!.messages).to.equal(19);
    expect([delivered.messages, pending.messages]).to.deep.equal([1, 0]);
  });

  it('CH-016 drops what is queued at once when told not to drain', async () => {
    await connect(true);
    freeze(texts.network, a, b);
    await texts.network.advance(10);
    fill(21);
    await texts.network.advance(10);
    await a.channel.close({ drain: false });
    expect(a.channel.accounting().out.dropped.channel_closed!.messages).to.equal(20);
    expect(a.router.stats().queuedBytes).to.equal(0);
  });

  it('ends a drain that is under way when told not to drain after all', async () => {
    await connect(true);
    freeze(texts.network, a, b);
    fill(5);
    await texts.network.advance(10);
    const draining = a.channel.close();
    await a.channel.close({ drain: false });
    await draining;
    expect(a.channel.accounting().out.dropped.channel_closed!.messages).to.equal(4);
  });

  it('CH-017 leaves what has arrived to the consumer, and then ends its loop', async () => {
    await connect(false);
    fill(5);
    await texts.network.advance(100);
    const loop = b.channel.receive();
    const first = await loop.next();
    const closing = b.channel.close({ drain: true });
    const rest: string[] = [];
    for await (const { message } of loop) rest.push(message);
    expect([first.done === true ? undefined : first.value.message, ...rest]).to.deep.equal([
      '1',
      '2',
      '3',
      '4',
      '5',
    ]);
    await closing;
  });

  it('drops what has arrived too when told not to drain', async () => {
    await connect(false);
    fill(5);
    await texts.network.advance(100);
    await b.channel.close({ drain: false });
    expect(await b.channel.receive().next()).to.deep.equal({ done: true, value: undefined });
    expect(b.channel.accounting().in.dropped.channel_closed).to.deep.equal({ messages: 5, bytes: 5 });
  });

  it('CH-018 tells those who wait for room', async () => {
    await connect(true);
    freeze(texts.network, a, b);
    fill(65);
    await texts.network.advance(10);
    fill(1);
    const sending = a.channel.send({ to: b.id, message: 'waits' });
    void a.channel.close();
    expect(await sending).to.equal('channel_closed');
  });

  it('CH-020 from within the consumer loop ends the loop', async () => {
    await connect(false);
    fill(3);
    await texts.network.advance(100);
    const got: string[] = [];
    for await (const { message } of b.channel.receive()) {
      got.push(message);
      await b.channel.close();
    }
    expect(got).to.deep.equal(['1', '2', '3']);
  });

  it('CH-010 frees the id for another channel, to which nothing of the old one comes', async () => {
    await connect(false);
    const books = { old: a.channel, oldInbox: b.channel };
    fill(3);
    await texts.network.advance(100);
    freeze(texts.network, a, b);
    fill(4);
    await texts.network.advance(10);
    await Promise.all([a.channel.close({ drain: false }), b.channel.close({ drain: false })]);
    freeze(texts.network, a, b, false);
    await texts.network.advance(50);
    const numbers = {
      encode: (value: number) => Uint8Array.of(value),
      decode: (bytes: Uint8Array) => bytes[0]!,
    };
    const [mine, theirs] = [a, b].map(({ router }) =>
      router.openChannel({ id: TEXT_CHANNEL, name: 'numbers', codec: numbers }),
    );
    const got: number[] = [];
    theirs!.messages$.subscribe(({ message }) => got.push(message));
    await texts.network.advance(50);
    expect(mine!.trySend({ to: b.id, message: 42 })).to.equal('queued');
    await texts.network.advance(50);
    expect(got).to.deep.equal([42]);
    expect(await declaredChannels(texts.network, a)).to.deep.equal([TEXT_CHANNEL]);
    expect(mine!.accounting().out).to.deep.include({
      offered: { messages: 1, bytes: 1 },
      delivered: { messages: 1, bytes: 1 },
      dropped: {},
    });
    expect(books.old.accounting().out.offered.messages).to.equal(7);
    expect(a.router.stats().messagesSent).to.equal(5);
    expect(books.oldInbox.accounting().in.dropped.channel_closed!.messages).to.equal(3);
  });
});

describe('stopping a router', () => {
  it('closes its channels: what has arrived can be read, nothing can be sent, and loops end', async () => {
    const texts = await TextNetwork.connect({ names: ['a', 'b'], reads: false });
    const [a, b] = texts.nodes as [TextNode, TextNode];
    for (const message of ['1', '2']) a.channel.trySend({ to: b.id, message });
    await texts.network.advance(50);
    const waiting = a.channel.receive().next();
    await texts.stop();
    expect([a.channel.state, b.channel.state]).to.deep.equal(['closed', 'closed']);
    expect(await waiting).to.deep.equal({ done: true, value: undefined });
    const got: string[] = [];
    for await (const { message } of b.channel.receive()) got.push(message);
    expect(got).to.deep.equal(['1', '2']);
    expect(a.channel.trySend({ to: b.id, message: 'x' })).to.equal('router_stopped');
    await Promise.all([a.channel.closed, b.channel.closed]);
    expect(texts.network.env.clock.pending().timers).to.deep.equal([]);
  });
});
