import { expect } from 'chai';
import type { ReceiveOverflow } from '../../../src/core/channel.ts';
import { conservationFault } from '../../../src/core/queue/accounting.ts';
import { Budget } from '../../../src/core/queue/budget.ts';
import { Inbox } from '../../../src/core/queue/inbox.ts';
import { SeededRandom } from '../../../src/testing/seeded-random.ts';
import { nodeId, settings } from './queue-support.ts';

const S = nodeId('a');
const F = nodeId('b');
const G = nodeId('c');

interface Shape {
  readonly maxMessages?: number;
  readonly maxPerPeer?: number;
  readonly maxBytes?: number;
  readonly overflow?: ReceiveOverflow;
  readonly keepAfterDown?: boolean;
  readonly routerBytes?: number;
}

function makeInbox({ routerBytes = Infinity, ...receive }: Shape = {}): {
  inbox: Inbox<string>;
  budget: Budget;
} {
  const budget = new Budget(routerBytes);
  return { inbox: new Inbox({ settings: settings({ id: 1, receive }), routerBudget: budget }), budget };
}

function takeAll(inbox: Inbox<string>): string[] {
  const items: string[] = [];
  for (let item = inbox.take(); item !== undefined; item = inbox.take()) items.push(item);
  return items;
}

function dropped(inbox: Inbox<string>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(inbox.accounting().dropped).map(([reason, { messages }]) => [reason, messages]),
  );
}

function fault(inbox: Inbox<string>): string | undefined {
  const books = inbox.accounting();
  const agrees =
    books.pending.messages === inbox.pendingMessages && books.pending.bytes === inbox.pendingBytes;
  return agrees ? conservationFault('inbox', books) : 'running counts differ from the contents';
}

describe('taking from an inbox', () => {
  it('serves peers in turn, one message each, each in its own order', () => {
    const { inbox } = makeInbox();
    for (const item of ['s1', 's2', 's3']) inbox.offer(S, item, 1);
    for (const item of ['f1', 'f2']) inbox.offer(F, item, 1);
    inbox.offer(G, 'g1', 1);
    expect(takeAll(inbox)).to.deep.equal(['s1', 'f1', 'g1', 's2', 'f2', 's3']);
    expect(inbox.take()).to.equal(undefined);
  });

  it('CH-108 brings a quiet peer out within two messages of a flood', () => {
    const { inbox } = makeInbox({ maxMessages: 2000, maxPerPeer: 1500 });
    for (let count = 0; count < 1000; count++) inbox.offer(S, 's', 1);
    inbox.offer(F, 'f', 1);
    expect([inbox.take(), inbox.take()]).to.include('f');
  });

  it('puts a peer that comes back behind those that wait', () => {
    const { inbox } = makeInbox();
    inbox.offer(S, 's1', 1);
    inbox.offer(F, 'f1', 1);
    inbox.take();
    inbox.offer(S, 's2', 1);
    expect(takeAll(inbox)).to.deep.equal(['f1', 's2']);
  });

  it('CH-114 gives what came over an earlier connection of a peer first', () => {
    const { inbox } = makeInbox();
    inbox.offer(S, 'old 1', 1);
    inbox.offer(S, 'old 2', 1);
    inbox.peerDown(S);
    inbox.offer(S, 'new 1', 1);
    expect(takeAll(inbox)).to.deep.equal(['old 1', 'old 2', 'new 1']);
  });

  it('announces the first message of an empty inbox, and its close', () => {
    const { inbox } = makeInbox();
    let calls = 0;
    inbox.onAvailable = () => calls++;
    inbox.offer(S, 's1', 1);
    inbox.offer(S, 's2', 1);
    expect(calls).to.equal(1);
    takeAll(inbox);
    inbox.offer(S, 's3', 1);
    expect(calls).to.equal(2);
    inbox.close('channel_closed', 'drain');
    expect(calls).to.equal(3);
  });
});

describe('a full inbox', () => {
  it('CH-109 drops the newest of a peer beyond its share and leaves others alone', () => {
    const { inbox } = makeInbox({ maxPerPeer: 16 });
    const results = Array.from({ length: 20 }, (_, index) => inbox.offer(S, `s${index}`, 1));
    expect(results.slice(16)).to.deep.equal(Array(4).fill('inbox_full'));
    expect(inbox.offer(F, 'f', 1)).to.equal('queued');
    expect(dropped(inbox)).to.deep.equal({ inbox_full: 4 });
    expect(
      takeAll(inbox)
        .filter((item) => item.startsWith('s'))
        .at(-1),
    ).to.equal('s15');
  });

  it('holds no more messages than it may, whoever they are from', () => {
    const { inbox } = makeInbox({ maxMessages: 4, maxPerPeer: 4 });
    for (const peer of [S, S, S, F]) expect(inbox.offer(peer, 'x', 1)).to.equal('queued');
    expect(inbox.offer(G, 'x', 1)).to.equal('inbox_full');
  });

  it('holds no more bytes than it may', () => {
    const { inbox } = makeInbox({ maxBytes: 100, maxMessages: 10, maxPerPeer: 10 });
    expect(inbox.offer(S, 'x', 60)).to.equal('queued');
    expect(inbox.offer(F, 'x', 41)).to.equal('inbox_full');
    expect(inbox.offer(F, 'x', 40)).to.equal('queued');
  });

  it('gives a peer the same share of bytes as of messages', () => {
    const { inbox } = makeInbox({ maxBytes: 1000, maxMessages: 100, maxPerPeer: 25 });
    expect(inbox.offer(S, 'x', 200)).to.equal('queued');
    expect(inbox.offer(S, 'x', 51)).to.equal('inbox_full');
    expect(inbox.offer(S, 'x', 50)).to.equal('queued');
    expect(inbox.offer(F, 'x', 250)).to.equal('queued');
  });

  it('takes one message of any size when it is empty, and one beyond the share of a peer without others', () => {
    const { inbox } = makeInbox({ maxBytes: 1000, maxMessages: 100, maxPerPeer: 25 });
    expect(inbox.offer(S, 'x', 5000)).to.equal('queued');
    inbox.take();
    expect(inbox.offer(F, 'x', 300)).to.equal('queued');
    expect(inbox.offer(S, 'x', 700)).to.equal('queued');
  });

  it('displaces the oldest of the same peer under drop-oldest', () => {
    const { inbox } = makeInbox({ maxPerPeer: 2, maxMessages: 4, overflow: 'drop-oldest' });
    inbox.offer(F, 'f1', 1);
    for (const item of ['s1', 's2', 's3']) expect(inbox.offer(S, item, 1)).to.equal('queued');
    expect(dropped(inbox)).to.deep.equal({ displaced: 1 });
    expect(takeAll(inbox)).to.deep.equal(['f1', 's2', 's3']);
  });

  it('displaces as many as the bytes need, but never those of another peer', () => {
    const { inbox } = makeInbox({ maxBytes: 100, maxMessages: 10, maxPerPeer: 10, overflow: 'drop-oldest' });
    inbox.offer(F, 'f1', 50);
    for (const item of ['s1', 's2']) inbox.offer(S, item, 25);
    expect(inbox.offer(S, 's3', 45)).to.equal('queued');
    expect(inbox.offer(S, 's4', 60)).to.equal('inbox_full');
    expect(inbox.offer(G, 'g1', 60)).to.equal('inbox_full');
    expect(takeAll(inbox)).to.deep.equal(['f1', 's3']);
    expect(dropped(inbox)).to.deep.equal({ displaced: 2, inbox_full: 2 });
  });

  it('CH-112 asks for the eviction of a peer beyond its share under evict-peer', () => {
    const { inbox } = makeInbox({ maxPerPeer: 2, overflow: 'evict-peer' });
    for (const item of ['s1', 's2']) inbox.offer(S, item, 1);
    expect(inbox.offer(S, 's3', 1)).to.equal('evict_peer');
    expect(dropped(inbox)).to.deep.equal({ inbox_full: 1 });
  });

  it('does not blame a peer for an overflow that others caused', () => {
    const { inbox } = makeInbox({ maxMessages: 4, maxPerPeer: 4, overflow: 'evict-peer' });
    for (const peer of [S, S, S, F]) inbox.offer(peer, 'x', 1);
    expect(inbox.offer(G, 'x', 1)).to.equal('inbox_full');
    expect(inbox.offer(F, 'x', 1)).to.equal('inbox_full');
    expect(inbox.offer(S, 'x', 1)).to.equal('evict_peer');
  });

  it('refuses when the budget of the router is used up, and displaces nothing in vain', () => {
    const { inbox, budget } = makeInbox({
      routerBytes: 100,
      maxPerPeer: 2,
      maxMessages: 2,
      overflow: 'drop-oldest',
    });
    expect(inbox.offer(S, 's1', 60)).to.equal('queued');
    expect(inbox.offer(F, 'f1', 41)).to.equal('router_budget');
    expect(inbox.offer(S, 's2', 40)).to.equal('queued');
    expect(inbox.offer(S, 's3', 61)).to.equal('router_budget');
    expect(takeAll(inbox)).to.deep.equal(['s1', 's2']);
    expect(budget.used).to.equal(0);
  });
});

describe('a peer that disconnected', () => {
  it('CH-113 leaves its messages deliverable', () => {
    const { inbox } = makeInbox();
    for (let count = 0; count < 5; count++) inbox.offer(S, `s${count}`, 1);
    inbox.peerDown(S);
    expect(takeAll(inbox)).to.have.length(5);
  });

  it('CH-113 has its messages purged and counted without keepAfterDown', () => {
    const { inbox, budget } = makeInbox({ keepAfterDown: false });
    for (let count = 0; count < 5; count++) inbox.offer(S, `s${count}`, 7);
    inbox.offer(F, 'f', 7);
    inbox.peerDown(S);
    inbox.peerDown(G);
    expect(dropped(inbox)).to.deep.equal({ peer_down: 5 });
    expect(budget.used).to.equal(7);
    expect(takeAll(inbox)).to.deep.equal(['f']);
  });

  it('may be purged under any reason while its turn is next', () => {
    const { inbox } = makeInbox();
    for (const peer of [S, F, G]) for (const item of ['1', '2']) inbox.offer(peer, `${peer[0]!}${item}`, 1);
    inbox.take();
    inbox.purgePeer(F, 'peer_down');
    expect(takeAll(inbox)).to.deep.equal(['c1', 'a2', 'c2']);
  });
});

describe('closing an inbox', () => {
  it('CH-017 to drain lets what waits be taken, then ends', () => {
    const { inbox } = makeInbox();
    for (let count = 0; count < 5; count++) inbox.offer(S, `s${count}`, 1);
    inbox.close('channel_closed', 'drain');
    expect(inbox.offer(S, 'late', 1)).to.equal('channel_closed');
    expect([inbox.ended, takeAll(inbox).length, inbox.ended]).to.deep.equal([false, 5, true]);
    expect(dropped(inbox)).to.deep.equal({ channel_closed: 1 });
  });

  it('to purge drops what waits and ends at once', () => {
    const { inbox, budget } = makeInbox();
    for (const peer of [S, F]) inbox.offer(peer, 'x', 9);
    inbox.close('router_stopped', 'purge');
    expect([inbox.ended, inbox.closed, inbox.take(), budget.used]).to.deep.equal([
      true,
      'router_stopped',
      undefined,
      0,
    ]);
    expect(dropped(inbox)).to.deep.equal({ router_stopped: 2 });
  });
});

describe('the books of an inbox', () => {
  it('count a message that never came as far as the inbox', () => {
    const { inbox } = makeInbox();
    inbox.countLoss('decode_failed', 12);
    expect(inbox.accounting()).to.deep.include({
      offered: { messages: 1, bytes: 12 },
      dropped: { decode_failed: { messages: 1, bytes: 12 } },
    });
  });

  it('do not grow with peers that come and go', () => {
    const { inbox } = makeInbox();
    const peers = Array.from(
      { length: 5000 },
      (_, index) => nodeId('a').slice(0, 35) + String(index).padStart(5, '0'),
    );
    for (const peer of peers) {
      inbox.offer(peer as typeof S, peer, 1);
      expect(inbox.take()).to.equal(peer);
    }
    expect(inbox.rememberedPeers).to.be.below(200);
  });

  it('CH-107 balance after every one of 300 random steps, for 500 seeds', () => {
    const overflows: readonly ReceiveOverflow[] = ['drop-newest', 'drop-oldest', 'evict-peer'];
    for (let seed = 0; seed < 500; seed++) {
      const random = SeededRandom.from(seed);
      const overflow = overflows[seed % 3]!;
      const { inbox, budget } = makeInbox({
        maxMessages: 12,
        maxPerPeer: 5,
        maxBytes: 900,
        overflow,
        routerBytes: 1000,
      });
      for (let step = 0; step < 300; step++) {
        const peer = [S, F, G][random.below(3)]!;
        const choice = random.below(20);
        if (choice === 0) inbox.purgePeer(peer, 'peer_down');
        else if (choice < 8) inbox.take();
        else if (choice === 8 && random.below(100) === 0) inbox.close('channel_closed', 'drain');
        else inbox.offer(peer, 'x', random.below(300));
        const found =
          fault(inbox) ?? (budget.used === inbox.pendingBytes ? undefined : 'the router budget drifted');
        if (found !== undefined) expect.fail(`seed ${seed}, step ${step}: ${found}`);
      }
      takeAll(inbox);
      expect([inbox.pendingMessages, inbox.pendingBytes, budget.used]).to.deep.equal([0, 0, 0]);
    }
  });
});
