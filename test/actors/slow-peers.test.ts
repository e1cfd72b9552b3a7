import { expect } from 'chai';
import type { Channel } from '../../src/index.ts';
import { freeze, openText, TextNetwork, type TextNode } from '../support/text-network.ts';

describe('head-of-line blocking', () => {
  let texts: TextNetwork;

  afterEach(() => texts.stop());

  describe('a peer that takes nothing', () => {
    let a: TextNode;
    let slow: TextNode;
    let healthy: readonly TextNode[];

    beforeEach(async () => {
      texts = await TextNetwork.connect({
        names: ['a', 'slow', 'f1', 'f2', 'f3'],
        channel: { send: { maxMessages: 16 } },
      });
      [a, slow] = texts.nodes as [TextNode, TextNode];
      healthy = texts.nodes.slice(2);
      freeze(texts.network, a, slow);
    });

    it('RT-167 loses only its own part of 1,000 broadcasts, and nobody waits for it', async () => {
      let lost = 0;
      for (let index = 0; index < 1_000; index++) {
        const { queued, skipped } = a.channel.broadcast(String(index));
        expect(queued).to.include.members(healthy.map(({ id }) => id));
        for (const { peer, reason } of skipped) expect([peer, reason]).to.deep.equal([slow.id, 'overflow']);
        lost += skipped.length;
        if (index % 10 === 9) await texts.network.advance(6);
      }
      await texts.network.advance(50);
      const all = Array.from({ length: 1_000 }, (_, index) => String(index));
      for (const node of healthy) expect(node.received.map(({ message }) => message)).to.deep.equal(all);
      expect(lost).to.equal(1_000 - 32);
      expect(slow.received).to.deep.equal([]);
      expect(a.channel.accounting().out.dropped).to.deep.equal({
        overflow: { messages: lost, bytes: all.slice(32).join('').length },
      });
      freeze(texts.network, a, slow, false);
      await texts.network.advance(100);
      expect(slow.received.map(({ message }) => message)).to.deep.equal(all.slice(0, 32));
    });

    it('RT-168 has room on another channel', async () => {
      const other = openText(a, { id: 0x50, name: 'other' });
      openText(slow, { id: 0x50, name: 'other' });
      freeze(texts.network, a, slow, false);
      await texts.network.advance(50);
      freeze(texts.network, a, slow);
      while (a.channel.trySend({ to: slow.id, message: 'x' }) === 'queued') await texts.network.advance(1);
      expect(other.trySend({ to: slow.id, message: 'x' })).to.equal('queued');
      expect(other.peers().find(({ id }) => id === slow.id)).to.include({ queued: 1 });
    });
  });

  describe('a reactor that never reads', () => {
    let a: TextNode;
    let b: TextNode;
    let heard: string[];
    let other: Channel<string>;

    beforeEach(async () => {
      texts = await TextNetwork.connect({
        names: ['a', 'b'],
        reads: false,
        channel: { receive: { maxMessages: 20, maxPerPeer: 20 } },
      });
      [a, b] = texts.nodes as [TextNode, TextNode];
      other = openText(a, { id: 0x50, name: 'other' });
      heard = [];
      openText(b, { id: 0x50, name: 'other' }).messages$.subscribe(({ message }) => heard.push(message));
      await texts.network.advance(50);
    });

    it('RT-169 loses what is beyond its inbox, and delays no other channel', async () => {
      for (let index = 0; index < 100; index++) {
        await a.channel.send({ to: b.id, message: String(index) });
        other.trySend({ to: b.id, message: String(index) });
        await texts.network.advance(5);
        expect(heard.length).to.be.at.least(index);
      }
      await texts.network.advance(10);
      expect(heard).to.have.length(100);
      expect(b.channel.accounting().in).to.deep.include({
        pending: { messages: 20, bytes: 30 },
        dropped: { inbox_full: { messages: 80, bytes: 160 } },
      });
    });

    it('RT-170 does not cost us the peer, nor the peer us', async () => {
      for (let minute = 0; minute < 10; minute++) {
        for (let count = 0; count < 10; count++) a.channel.trySend({ to: b.id, message: 'x' });
        await texts.network.advance(60_000);
      }
      const connected = [a, b].map(({ router }) => router.stats());
      expect(
        connected.map(({ connectedPeers, connectedPeersMax, evictions }) => [
          connectedPeers,
          connectedPeersMax,
          evictions,
        ]),
      ).to.deep.equal([
        [1, 1, 0],
        [1, 1, 0],
      ]);
      expect(b.router.peers()[0]!.score).to.equal(a.router.peers()[0]!.score);
      expect(b.channel.accounting().in.dropped.inbox_full!.messages).to.equal(80);
    });
  });

  describe('two nodes that flood each other', () => {
    it('RT-172 both go on delivering', async () => {
      texts = await TextNetwork.connect({ names: ['a', 'b'], channel: { receive: { maxMessages: 64 } } });
      const [a, b] = texts.nodes as [TextNode, TextNode];
      const flood = (from: TextNode, to: TextNode): void => {
        while (from.channel.trySend({ to: to.id, message: 'x'.repeat(1_000) }) === 'queued');
      };
      const counts: number[][] = [];
      for (let second = 0; second < 10; second++) {
        const before = [a.received.length, b.received.length];
        for (let step = 0; step < 20; step++) {
          flood(a, b);
          flood(b, a);
          await texts.network.advance(50);
        }
        counts.push([a.received.length - before[0]!, b.received.length - before[1]!]);
      }
      for (const [atA, atB] of counts) {
        expect(atA).to.be.at.least(1_000);
        expect(atB).to.be.at.least(1_000);
      }
      expect([a, b].map(({ router }) => router.stats().connectedPeers)).to.deep.equal([1, 1]);
    });
  });
});
