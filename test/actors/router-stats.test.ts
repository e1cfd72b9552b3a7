import { expect } from 'chai';
import type { Channel, NodeId, RouterStats } from '../../src/index.ts';
import { ScriptedPeer } from '../support/scripted-peer.ts';
import { freeze, openText, TEXT_CHANNEL, TextNetwork, type TextNode } from '../support/text-network.ts';

let texts: TextNetwork;
let a: TextNode;
let b: TextNode;

async function connect(options: Partial<Parameters<typeof TextNetwork.connect>[0]> = {}): Promise<void> {
  texts = await TextNetwork.connect({ names: ['a', 'b'], ...options });
  [a, b] = texts.nodes as [TextNode, TextNode];
}

/** Lost messages as lines: direction, channel, reason, how many. */
function losses({ drops }: RouterStats): readonly string[] {
  return drops.map(
    ({ direction, channelId, reason, messages }) => `${direction} ${channelId} ${reason} ${messages}`,
  );
}

/** The same as the flight recorder has it. */
function recordedLosses(node: TextNode): readonly string[] {
  const totals = new Map<string, number>();
  for (const record of node.router.recorder.records()) {
    if (record.kind !== 'drop') continue;
    const key = `${record.direction} ${record.channel} ${record.reason}`;
    totals.set(key, (totals.get(key) ?? 0) + record.messages);
  }
  return [...totals].map(([key, messages]) => `${key} ${messages}`);
}

describe('the statistics of a router', () => {
  afterEach(() => texts.stop());

  it('RT-175 show every loss by direction, channel and reason, as the flight recorder does', async () => {
    await connect({
      windowMessages: 1,
      reads: false,
      channel: {
        send: { maxMessages: 4, overflow: 'drop-oldest', maxAgeMs: 1_000 },
        receive: { maxMessages: 2, maxPerPeer: 2, overflow: 'drop-oldest', keepAfterDown: false },
        maxMessageBytes: 10,
      },
    });
    const { channel } = a;
    channel.trySend({ to: 'f'.repeat(40) as NodeId, message: 'x' });
    channel.trySend({ to: b.id, message: 'x'.repeat(11) });
    for (const message of ['1', '2', '3', '4', '5']) {
      channel.trySend({ to: b.id, message });
      await texts.network.advance(20);
    }
    expect(losses(b.router.stats())).to.deep.equal(['in 66 displaced 3']);
    freeze(texts.network, a, b);
    for (let index = 0; index < 7; index++) {
      channel.trySend({ to: b.id, message: 'x' });
      await texts.network.advance(1);
    }
    await texts.network.advance(2_000);
    freeze(texts.network, a, b, false);
    await texts.network.advance(50);
    await texts.network.stopNode(a);
    await texts.network.advance(50);
    const expected = [
      'out 66 no_such_peer 1',
      'out 66 too_large 1',
      'out 66 displaced 2',
      'out 66 expired 4',
    ];
    expect(losses(a.router.stats())).to.deep.equal(expected);
    expect(recordedLosses(a)).to.deep.equal(expected);
    expect(losses(b.router.stats())).to.deep.equal(['in 66 displaced 4', 'in 66 peer_down 2']);
    expect(recordedLosses(b)).to.deep.equal(losses(b.router.stats()));
    expect([a, b].map(({ router }) => router.stats().messagesDropped)).to.deep.equal([8, 6]);
  });

  it('keep the counts of channels that were closed', async () => {
    await connect();
    for (let count = 0; count < 3; count++) a.channel.trySend({ to: b.id, message: 'x' });
    await texts.network.advance(50);
    await Promise.all([a.channel.close(), b.channel.close()]);
    expect(a.router.stats()).to.deep.include({ messagesSent: 3, channels: {} });
    expect(b.router.stats()).to.deep.include({ messagesReceived: 3, channels: {} });
    const again = [a, b].map((node) => openText(node, { id: 0x50, name: 'again' }));
    await texts.network.advance(50);
    again[0]!.trySend({ to: b.id, message: 'x' });
    await texts.network.advance(50);
    expect(a.router.stats().messagesSent).to.equal(4);
    expect(b.router.stats().messagesReceived).to.equal(4);
  });

  it('show what is lost with a peer, and balance', async () => {
    await connect({ windowMessages: 1 });
    freeze(texts.network, a, b);
    for (let count = 0; count < 10; count++) a.channel.trySend({ to: b.id, message: 'xy' });
    await texts.network.advance(20);
    expect(a.router.stats()).to.deep.include({ queuedBytes: 18, messagesSent: 1 });
    await texts.network.stopNode(b);
    await texts.network.advance(100);
    expect(losses(a.router.stats())).to.deep.equal(['out 66 peer_gone 9']);
    const { offered, delivered, pending, dropped } = a.channel.accounting().out;
    expect([offered, delivered, pending, dropped.peer_gone].map((tally) => tally!.messages)).to.deep.equal([
      10, 1, 0, 9,
    ]);
    const [drop] = a.router.recorder.records().filter(({ kind }) => kind === 'drop');
    expect(drop).to.include({ peer: b.id, messages: 9, bytes: 18 });
  });

  it('RT-176 show no queued bytes once everything has left and was read', async () => {
    await connect({ channel: { receive: { maxMessages: 10 } } });
    const kinds: Channel<string>[] = [a.channel, b.channel];
    for (let count = 0; count < 50; count++) kinds[count % 2]!.broadcast('x'.repeat(100));
    expect(a.router.stats().queuedBytes).to.equal(2_500);
    await texts.network.advance(100);
    for (const { router } of [a, b]) expect(router.stats().queuedBytes).to.equal(0);
  });

  it('RT-177 do not grow with the peers that come and go', async () => {
    await connect();
    const sizes: number[] = [];
    for (let round = 0; round < 12; round++) {
      const stranger = await ScriptedPeer.dial(texts.network, a, {
        name: `s${round}`,
        channels: [TEXT_CHANNEL],
      });
      stranger.send(0x7f, Uint8Array.of(1));
      a.channel.trySend({ to: stranger.id, message: 'x' });
      await texts.network.advance(50);
      stranger.close();
      await texts.network.advance(50);
      a.channel.trySend({ to: stranger.id, message: 'x' });
      const { knownPeers, ...stats } = a.router.stats();
      expect(knownPeers).to.equal(round + 2);
      sizes.push(JSON.stringify(stats).replace(/\d+/g, '0').length);
    }
    expect(new Set(sizes).size).to.equal(1);
    expect(losses(a.router.stats())).to.deep.equal(['in 127 unknown_channel 12', 'out 66 no_such_peer 12']);
  });
});
