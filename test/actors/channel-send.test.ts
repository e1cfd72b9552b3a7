import { expect } from 'chai';
import type { BroadcastResult, ChannelDescriptor, NodeId, Outbound, Outcome } from '../../src/index.ts';
import { SeededRandom } from '../../src/testing/index.ts';
import { textCodec } from '../support/text-codec.ts';
import { freeze, openText, TextNetwork, type TextNode } from '../support/text-network.ts';

const NOBODY = 'f'.repeat(40) as NodeId;

describe('sending to one peer', () => {
  let texts: TextNetwork;
  let a: TextNode;
  let b: TextNode;

  beforeEach(async () => {
    texts = await TextNetwork.connect({ names: ['a', 'b', 'c'] });
    [a, b] = texts.nodes as [TextNode, TextNode];
  });

  afterEach(() => texts.stop());

  it('CH-026 delivers the message once, to that peer, on that channel', async () => {
    const others = texts.nodes.map((node) => openText(node, { id: 0x43, name: 'other' }));
    await texts.network.advance(50);
    expect(a.channel.trySend({ to: b.id, message: 'foo' })).to.equal('queued');
    await texts.network.advance(50);
    expect(b.received.map(({ from }) => from)).to.deep.equal([a.id]);
    expect(texts.takeReceived()).to.deep.equal({ b: ['foo'] });
    for (const other of others) expect(other.accounting().in.offered.messages).to.equal(0);
  });

  const refusals: readonly [string, (b: TextNode, a: TextNode) => Outbound<string>, Outcome][] = [
    ['CH-027 nothing', ({ id }) => ({ to: id, message: null as unknown as string }), 'empty_message'],
    [
      'CH-028 a message of another type',
      ({ id }) => ({ to: id, message: 7 as unknown as string }),
      'type_mismatch',
    ],
    ['CH-029 a message to an unknown node', () => ({ to: NOBODY, message: 'foo' }), 'no_such_peer'],
    ['CH-030 a message to nobody', () => ({ to: '' as NodeId, message: 'foo' }), 'no_recipient'],
    ['CH-031 a message to ourselves', (_, { id }) => ({ to: id, message: 'foo' }), 'self'],
    ['CH-036 an envelope without anything', () => ({}) as Outbound<string>, 'no_recipient'],
  ];

  for (const [what, envelope, outcome] of refusals) {
    it(`${what} is refused as ${outcome}, and the channel goes on`, async () => {
      expect(a.channel.trySend(envelope(b, a))).to.equal(outcome);
      expect(await a.channel.send(envelope(b, a))).to.equal(outcome);
      await texts.network.advance(50);
      expect(texts.takeReceived()).to.deep.equal({});
      expect(a.channel.accounting().out.dropped[outcome as 'self']).to.include({ messages: 2 });
      const drops = a.router
        .stats()
        .drops.map(({ direction, reason, messages }) => [direction, reason, messages]);
      expect(drops).to.deep.equal([['out', outcome, 2]]);
      texts.nodes[2]!.channel.trySend({ to: a.id, message: 'CH-033' });
      await texts.network.advance(50);
      expect(texts.takeReceived()).to.deep.equal({ a: ['CH-033'] });
    });
  }

  it('CH-032 is refused when the peer has left the network', async () => {
    await texts.network.stopNode(b);
    await texts.network.advance(50);
    expect(a.channel.trySend({ to: b.id, message: 'foo' })).to.equal('no_such_peer');
  });

  it('CH-043 to a list with a duplicate reaches each recipient once', async () => {
    const to = [...texts.nodes.slice(1).map(({ id }) => id), b.id];
    expect(a.channel.broadcast('foo', { to }).queued).to.deep.equal(to.slice(0, 2));
    await texts.network.advance(50);
    expect(texts.takeReceived()).to.deep.equal({ b: ['foo'], c: ['foo'] });
  });

  it('CH-058 keeps the order of 1,000 messages', async () => {
    const messages = Array.from({ length: 1_000 }, (_, index) => String(index));
    const sends = messages.map((message) => a.channel.send({ to: b.id, message }));
    await texts.network.env.clock.complete(Promise.all(sends));
    await texts.network.advance(100);
    expect(texts.takeReceived()['b']).to.deep.equal(messages);
  });
});

describe('sending where it cannot go', () => {
  it('CH-034 is refused when the peer lacks the channel', async () => {
    const texts = await TextNetwork.connect({ names: ['a', 'b'] });
    const [a, b] = texts.nodes as [TextNode, TextNode];
    const only = openText(a, { id: 0x43, name: 'other' });
    await texts.network.advance(50);
    expect(only.trySend({ to: b.id, message: 'foo' })).to.equal('peer_lacks_channel');
    expect(await only.send({ to: b.id, message: 'foo' })).to.equal('peer_lacks_channel');
    expect(only.peers()).to.deep.equal([]);
    await texts.network.advance(50);
    expect(b.router.stats().drops).to.deep.equal([]);
    await texts.stop();
  });

  it('CH-035 returns at once when there is no peer at all', async () => {
    const texts = await TextNetwork.connect({ names: ['a'] });
    const [a] = texts.nodes;
    expect(a!.channel.trySend({ to: NOBODY, message: 'foo' })).to.equal('no_such_peer');
    expect(await a!.channel.send({ to: NOBODY, message: 'foo' })).to.equal('no_such_peer');
    await texts.stop();
  });
});

describe('a broadcast', () => {
  it('CH-037 CH-038 reaches everybody else, and those who are left when somebody has gone', async () => {
    const texts = await TextNetwork.connect({ names: ['a', 'b', 'c', 'd'] });
    const [a, b, , d] = texts.nodes as [TextNode, TextNode, TextNode, TextNode];
    b.channel.broadcast('foo');
    await texts.network.advance(50);
    expect(texts.takeReceived()).to.deep.equal({ a: ['foo'], c: ['foo'], d: ['foo'] });
    await texts.network.stopNode(d);
    await texts.network.advance(50);
    expect(a.channel.broadcast('bar').skipped).to.deep.equal([]);
    await texts.network.advance(50);
    expect(texts.takeReceived()).to.deep.equal({ b: ['bar'], c: ['bar'] });
    await texts.stop();
  });

  it('CH-039 reaches the peers that have the channel and lists the others', async () => {
    const texts = await TextNetwork.connect({ names: ['a', 'b', 'c', 'd', 'e', 'f'] });
    const [a, ...others] = texts.nodes as [TextNode, ...TextNode[]];
    const mine = openText(a, { id: 0x43, name: 'some' });
    const theirs = others.slice(0, 3).map((node) => openText(node, { id: 0x43, name: 'some' }));
    await texts.network.advance(50);
    const { queued, skipped } = mine.broadcast('foo');
    expect(new Set(queued)).to.deep.equal(new Set(others.slice(0, 3).map(({ id }) => id)));
    expect(new Set(skipped.map(({ peer }) => peer))).to.deep.equal(
      new Set(others.slice(3).map(({ id }) => id)),
    );
    expect(new Set(skipped.map(({ reason }) => reason))).to.deep.equal(new Set(['peer_lacks_channel']));
    await texts.network.advance(50);
    expect(theirs.map((channel) => channel.accounting().in.offered.messages)).to.deep.equal([1, 1, 1]);
    await texts.stop();
  });

  it('CH-040 leaves out who is excepted or filtered out, also by a filter that throws', async () => {
    const texts = await TextNetwork.connect({ names: ['a', 'b', 'c', 'd'] });
    const [a, b, c, d] = texts.nodes as [TextNode, TextNode, TextNode, TextNode];
    const result = a.channel.broadcast('foo', {
      except: [b.id],
      filter: (peer) => {
        if (peer === c.id) throw new Error('no idea');
        return true;
      },
    });
    expect(result).to.deep.equal({ queued: [d.id], skipped: [] });
    await texts.network.advance(50);
    expect(texts.takeReceived()).to.deep.equal({ d: ['foo'] });
    await texts.stop();
  });

  it('CH-041 to nobody has nothing to say', async () => {
    const texts = await TextNetwork.connect({ names: ['a'] });
    const nothing: BroadcastResult = { queued: [], skipped: [] };
    expect(texts.nodes[0]!.channel.broadcast('foo')).to.deep.equal(nothing);
    await texts.stop();
  });

  it('CH-042 goes to those who are connected when it is called, whoever leaves meanwhile', async () => {
    const texts = await TextNetwork.connect({ names: ['a', 'b', 'c'] });
    const [a, b, c] = texts.nodes as [TextNode, TextNode, TextNode];
    const seen: NodeId[] = [];
    const result = a.channel.broadcast('foo', {
      filter: (peer) => {
        if (seen.length === 0) a.router.disconnect(peer === b.id ? c.id : b.id);
        seen.push(peer);
        return true;
      },
    });
    expect(seen).to.have.members([b.id, c.id]);
    expect(result.queued).to.deep.equal([seen[0]]);
    expect(result.skipped).to.deep.equal([{ peer: seen[1], reason: 'peer_closing' }]);
    await texts.stop();
  });

  it('RT-173 encodes the message once, however many peers there are', async () => {
    let encoded = 0;
    const codec = {
      ...textCodec,
      encode: (message: string): Uint8Array => {
        encoded += 1;
        return textCodec.encode(message);
      },
    };
    const texts = await TextNetwork.connect({ names: ['a', 'b', 'c', 'd', 'e'], channel: { codec } });
    expect(texts.nodes[0]!.channel.broadcast('x'.repeat(1024)).queued).to.have.length(4);
    expect(encoded).to.equal(1);
    await texts.stop();
  });
});

describe('a message that cannot be encoded', () => {
  async function pair(
    strict: boolean,
    channel: Partial<ChannelDescriptor<string>> = {},
  ): Promise<TextNetwork> {
    return TextNetwork.connect({ names: ['a', 'b'], node: { limits: { strict } }, channel });
  }

  it('CH-046 throws a TypeError in a strict router for what only a mistake brings about, and queues nothing', async () => {
    const texts = await pair(true);
    const [a, b] = texts.nodes as [TextNode, TextNode];
    const mistakes = [
      { to: b.id, message: 7 as unknown as string },
      { to: b.id, message: undefined as unknown as string },
      { to: '' as NodeId, message: 'foo' },
    ];
    for (const mistake of mistakes) expect(() => a.channel.trySend(mistake)).to.throw(TypeError);
    expect(() => a.channel.broadcast(7 as unknown as string)).to.throw(TypeError);
    expect(a.channel.trySend({ to: NOBODY, message: 'foo' })).to.equal('no_such_peer');
    expect(a.channel.accounting().out.delivered.messages).to.equal(0);
    await texts.stop();
  });

  it('CH-047 is refused as encode_failed, shows the error, and leaves the channel usable', async () => {
    let fails = true;
    const broken = new RangeError('out of digits');
    const codec = {
      ...textCodec,
      encode: (message: string): Uint8Array => {
        if (fails) throw broken;
        return textCodec.encode(message);
      },
    };
    const texts = await pair(false, { codec });
    const [a, b] = texts.nodes as [TextNode, TextNode];
    expect(a.channel.trySend({ to: b.id, message: 'foo' })).to.equal('encode_failed');
    expect(a.channel.encodeError).to.equal(broken);
    fails = false;
    expect(a.channel.trySend({ to: b.id, message: 'bar' })).to.equal('queued');
    await texts.network.advance(50);
    expect(texts.takeReceived()).to.deep.equal({ b: ['bar'] });
    await texts.stop();
  });

  it('is refused as encode_failed when the codec returns no bytes', async () => {
    const texts = await pair(false, {
      codec: { ...textCodec, encode: () => 'foo' as unknown as Uint8Array },
    });
    const [a, b] = texts.nodes as [TextNode, TextNode];
    expect(a.channel.trySend({ to: b.id, message: 'foo' })).to.equal('encode_failed');
    expect(a.channel.encodeError?.message).to.equal('the codec of channel text returned no bytes');
    await texts.stop();
  });

  it('CH-057 is what it was when it was sent, whatever the caller does to it later', async () => {
    const network = await pair(false);
    const [a, b] = network.nodes as [TextNode, TextNode];
    const codec = { encode: (bytes: Uint8Array) => bytes, decode: (bytes: Uint8Array) => bytes };
    const [mine, theirs] = [a, b].map(({ router }) => router.openChannel({ id: 0x43, name: 'bytes', codec }));
    const got: number[][] = [];
    theirs!.messages$.subscribe(({ message }) => got.push([...message]));
    await network.network.advance(50);
    const message = Uint8Array.of(1, 2, 3);
    mine!.trySend({ to: b.id, message });
    message.fill(9);
    await network.network.advance(50);
    expect(got).to.deep.equal([[1, 2, 3]]);
    await network.stop();
  });
});

describe('a full lane', () => {
  let texts: TextNetwork;
  let a: TextNode;
  let b: TextNode;

  /** Two nodes of which the second takes nothing, and a full lane towards it. */
  async function clog(send: ChannelDescriptor<string>['send']): Promise<void> {
    texts = await TextNetwork.connect({
      names: ['a', 'b'],
      channel: { send: { maxMessages: 3, ...send } },
      windowMessages: 1,
    });
    [a, b] = texts.nodes as [TextNode, TextNode];
    freeze(texts.network, a, b);
    a.channel.trySend({ to: b.id, message: 'on the way' });
    await texts.network.advance(10);
    for (const message of ['1', '2', '3']) a.channel.trySend({ to: b.id, message });
    expect(a.channel.peers()[0]!.queued).to.equal(3);
  }

  async function thaw(): Promise<readonly string[] | undefined> {
    freeze(texts.network, a, b, false);
    await texts.network.advance(200);
    return texts.takeReceived()['b'];
  }

  function advance(ms: number): Promise<void> {
    return texts.network.advance(ms);
  }

  afterEach(() => texts.stop());

  it('CH-048 refuses one message more, and keeps what it has', async () => {
    await clog({ overflow: 'reject' });
    expect(a.channel.trySend({ to: b.id, message: '4' })).to.equal('overflow');
    expect(await thaw()).to.deep.equal(['on the way', '1', '2', '3']);
  });

  it('CH-049 lets a send wait until there is room', async () => {
    await clog({ overflow: 'reject' });
    const outcomes: Outcome[] = [];
    void a.channel.send({ to: b.id, message: '4' }).then((outcome) => outcomes.push(outcome));
    await advance(100);
    expect(outcomes).to.deep.equal([]);
    expect(await thaw()).to.deep.equal(['on the way', '1', '2', '3', '4']);
    expect(outcomes).to.deep.equal(['queued']);
  });

  it('CH-050 serves those who wait in the order of their calls', async () => {
    await clog({ overflow: 'reject' });
    const settled: string[] = [];
    for (const message of ['4', '5', '6']) {
      void a.channel.send({ to: b.id, message }).then((outcome) => settled.push(`${message} ${outcome}`));
    }
    expect(await thaw()).to.deep.equal(['on the way', '1', '2', '3', '4', '5', '6']);
    expect(settled).to.deep.equal(['4 queued', '5 queued', '6 queued']);
  });

  it('CH-051 gives up after the time-out, and does not send the message later', async () => {
    await clog({ overflow: 'reject' });
    const outcomes: Outcome[] = [];
    void a.channel
      .send({ to: b.id, message: '4' }, { timeoutMs: 500 })
      .then((outcome) => outcomes.push(outcome));
    await advance(499);
    expect(outcomes).to.deep.equal([]);
    await advance(1);
    expect(outcomes).to.deep.equal(['overflow']);
    expect(a.channel.accounting().out.dropped.overflow).to.deep.equal({ messages: 1, bytes: 1 });
    expect(await thaw()).to.deep.equal(['on the way', '1', '2', '3']);
  });

  it('waits 10 s when nothing is said, and for ever when told so', async () => {
    await clog({ overflow: 'reject' });
    const outcomes: Outcome[] = [];
    const note = (outcome: Outcome): void => void outcomes.push(outcome);
    void a.channel.send({ to: b.id, message: '4' }).then(note);
    void a.channel.send({ to: b.id, message: '5' }, { timeoutMs: Infinity }).then(note);
    await advance(9_999);
    expect(outcomes).to.deep.equal([]);
    await advance(1);
    expect(outcomes).to.deep.equal(['overflow']);
    await advance(3_600_000);
    expect(await thaw()).to.deep.equal(['on the way', '1', '2', '3', '5']);
  });

  it('CH-052 gives up on an abort, and forgets the waiter and the listener', async () => {
    await clog({ overflow: 'reject' });
    const abort = new AbortController();
    const listeners = new Set<unknown>();
    const { signal } = abort;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (type: string, listener: () => void) => {
      listeners.add(listener);
      add(type, listener);
    };
    signal.removeEventListener = (type: string, listener: () => void) => {
      listeners.delete(listener);
      remove(type, listener);
    };
    const sending = a.channel.send({ to: b.id, message: '4' }, { signal });
    expect(listeners.size).to.equal(1);
    abort.abort();
    expect(await sending).to.equal('aborted');
    expect(listeners.size).to.equal(0);
    expect(await thaw()).to.deep.equal(['on the way', '1', '2', '3']);
  });

  it('CH-053 tells a waiter that the peer has gone', async () => {
    await clog({ overflow: 'reject' });
    const sending = a.channel.send({ to: b.id, message: '4' });
    await texts.network.stopNode(b);
    expect(await texts.network.env.clock.complete(sending)).to.equal('peer_gone');
    expect(a.channel.accounting().out.pending).to.deep.equal({ messages: 0, bytes: 0 });
  });

  it('CH-024 refuses a send that was cancelled before, and queues nothing', async () => {
    await clog({ overflow: 'reject' });
    const outcome = await a.channel.send({ to: b.id, message: '4' }, { signal: AbortSignal.abort() });
    expect(outcome).to.equal('aborted');
    expect(await thaw()).to.deep.equal(['on the way', '1', '2', '3']);
  });

  it('CH-054 displaces its oldest messages when it may', async () => {
    await clog({ overflow: 'drop-oldest' });
    expect(a.channel.trySend({ to: b.id, message: '4' })).to.equal('queued');
    expect(await a.channel.send({ to: b.id, message: '5' })).to.equal('queued');
    expect(a.channel.accounting().out.dropped.displaced).to.include({ messages: 2 });
    expect(await thaw()).to.deep.equal(['on the way', '3', '4', '5']);
    expect(a.router.stats().drops).to.deep.include({
      direction: 'out',
      channelId: 0x42,
      reason: 'displaced',
      messages: 2,
      bytes: 2,
    });
  });

  it('CH-055 gets the peer evicted as slow when it is told so', async () => {
    await clog({ overflow: 'evict-peer' });
    const downs: (string | undefined)[] = [];
    a.router.updates$.subscribe(({ status, cause }) => {
      if (status === 'down') downs.push(cause);
    });
    expect(a.channel.trySend({ to: b.id, message: '4' })).to.equal('overflow');
    await advance(100);
    expect(downs).to.deep.equal(['slow_peer']);
  });

  it('CH-056 drops what became too old', async () => {
    await clog({ maxAgeMs: 1_000 });
    await advance(2_000);
    expect(a.channel.trySend({ to: b.id, message: 'late' })).to.equal('overflow');
    const fresh = a.channel.send({ to: b.id, message: 'fresh' });
    expect(await thaw()).to.deep.equal(['on the way', 'fresh']);
    expect(await fresh).to.equal('queued');
    expect(a.channel.accounting().out.dropped.expired).to.include({ messages: 3 });
  });
});

describe('many channels at once', () => {
  it('CH-059 keep their own order and lose nothing that is not counted', async () => {
    for (const seed of ['1', '2', '3', '4', '5', '6']) {
      const texts = await TextNetwork.connect({ names: ['a', 'b'], seed, windowMessages: 4 });
      const [a, b] = texts.nodes as [TextNode, TextNode];
      const ids = [0x50, 0x51, 0x52, 0x53];
      const open = (node: TextNode) =>
        ids.map((id) =>
          openText(node, {
            id,
            name: `c${id}`,
            priority: 1 + (id & 3),
            send: { maxMessages: 8 },
            receive: { maxMessages: 64 },
          }),
        );
      const [mine, theirs] = [open(a), open(b)];
      const got = theirs.map(() => [] as number[]);
      theirs.forEach((channel, index) =>
        channel.messages$.subscribe(({ message }) => got[index]!.push(Number(message))),
      );
      await texts.network.advance(50);
      const random = SeededRandom.from(seed);
      const sent = ids.map(() => 0);
      let queued = 0;
      for (let count = 0; count < 2_000; count++) {
        const index = random.below(4);
        const outcome = mine[index]!.trySend({ to: b.id, message: String(sent[index]!++) });
        if (outcome === 'queued') queued += 1;
        else expect(outcome).to.equal('overflow');
        if (random.below(8) === 0) await texts.network.advance(random.below(4));
      }
      await texts.network.advance(2_000);
      for (const numbers of got) expect(numbers).to.deep.equal([...numbers].sort((x, y) => x - y));
      const arrived = got.reduce((sum, { length }) => sum + length, 0);
      const dropped = b.router.stats().drops.reduce((sum, { messages }) => sum + messages, 0);
      expect(arrived + dropped).to.equal(queued);
      expect(queued).to.be.lessThan(2_000);
      expect([a, b].map(({ router }) => router.stats().queuedBytes)).to.deep.equal([0, 0]);
      await texts.stop();
    }
  });
});
