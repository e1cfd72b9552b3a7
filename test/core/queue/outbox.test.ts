import { expect } from 'chai';
import { OUTCOMES } from '../../../src/core/codes.ts';
import {
  droppedBy,
  makeOutbox,
  message,
  namesOf,
  openLane,
  outboxFault,
  pullAll,
  pullOne,
} from './queue-support.ts';

describe('offering a message to an outbox', () => {
  it('CH-044 refuses one byte more than the channel allows', () => {
    const { outbox } = makeOutbox();
    openLane(outbox, { maxMessageBytes: 100 });
    expect(outbox.offer(1, message(101), 0)).to.equal('too_large');
    expect(pullOne(outbox)).to.equal(undefined);
    expect(droppedBy(outbox)).to.deep.equal({ too_large: 1 });
  });

  it('CH-045 takes exactly what the channel allows', () => {
    const { outbox } = makeOutbox();
    openLane(outbox, { maxMessageBytes: 100 });
    expect(outbox.offer(1, message(100), 0)).to.equal('queued');
    expect(pullOne(outbox)).to.include({ length: 100, eof: true });
  });

  it('CH-048 refuses when the lane is full and its policy is reject, and changes nothing', () => {
    const { outbox } = makeOutbox();
    openLane(outbox, { maxMessages: 2 });
    for (const name of [1, 2]) outbox.offer(1, message(10, name), 0);
    expect(outbox.offer(1, message(10, 3), 0)).to.equal('overflow');
    expect(namesOf(outbox)).to.deep.equal([1, 2]);
    expect(droppedBy(outbox)).to.deep.equal({ overflow: 1 });
  });

  it('refuses when the bytes of the lane are used up', () => {
    const { outbox } = makeOutbox();
    openLane(outbox, { maxBytes: 100 });
    outbox.offer(1, message(60), 0);
    expect(outbox.offer(1, message(41), 0)).to.equal('overflow');
    expect(outbox.offer(1, message(40), 0)).to.equal('queued');
  });

  it('takes a message longer than the lane when the lane is empty', () => {
    const { outbox } = makeOutbox();
    openLane(outbox, { maxBytes: 100 });
    expect(outbox.offer(1, message(4000), 0)).to.equal('queued');
    expect(outbox.offer(1, message(1), 0)).to.equal('overflow');
  });

  it('takes a message longer than the budget of the peer when the outbox is empty', () => {
    const { outbox } = makeOutbox({ budgetBytes: 100 });
    openLane(outbox);
    openLane(outbox, { id: 2 });
    expect(outbox.offer(1, message(4000), 0)).to.equal('queued');
    expect(outbox.offer(2, message(1), 0)).to.equal('overflow');
  });

  it('CH-054 displaces the oldest when the lane is full and its policy is drop-oldest', () => {
    const { outbox } = makeOutbox();
    openLane(outbox, { maxMessages: 3, overflow: 'drop-oldest' });
    for (const name of [1, 2, 3, 4]) expect(outbox.offer(1, message(10, name), 0)).to.equal('queued');
    expect(droppedBy(outbox)).to.deep.equal({ displaced: 1 });
    expect(namesOf(outbox)).to.deep.equal([2, 3, 4]);
  });

  it('displaces as many of the oldest as the bytes of the newcomer need', () => {
    const { outbox } = makeOutbox();
    openLane(outbox, { maxBytes: 100, overflow: 'drop-oldest' });
    for (const name of [1, 2, 3, 4]) outbox.offer(1, message(25, name), 0);
    expect(outbox.offer(1, message(60, 5), 0)).to.equal('queued');
    expect(namesOf(outbox)).to.deep.equal([4, 5]);
  });

  it('empties the lane for a newcomer longer than all of it', () => {
    const { outbox } = makeOutbox();
    openLane(outbox, { maxBytes: 100, overflow: 'drop-oldest' });
    for (const name of [1, 2]) outbox.offer(1, message(25, name), 0);
    expect(outbox.offer(1, message(400, 3), 0)).to.equal('queued');
    expect(namesOf(outbox)).to.deep.equal([3]);
  });

  it('never displaces a message that has begun to leave', () => {
    const { outbox } = makeOutbox();
    openLane(outbox, { maxMessages: 2, overflow: 'drop-oldest' });
    for (const name of [1, 2]) outbox.offer(1, message(3000, name), 0);
    pullOne(outbox, 1000);
    expect(outbox.offer(1, message(10, 3), 0)).to.equal('queued');
    expect(pullAll(outbox, 1000).map(({ name }) => name)).to.deep.equal([1, 1, 3]);
    expect(droppedBy(outbox)).to.deep.equal({ displaced: 1 });
  });

  it('refuses, and displaces nothing, when only the message that is leaving could make room', () => {
    const { outbox } = makeOutbox();
    openLane(outbox, { maxMessages: 1, overflow: 'drop-oldest' });
    outbox.offer(1, message(3000, 1), 0);
    pullOne(outbox, 1000);
    expect(outbox.offer(1, message(10, 2), 0)).to.equal('overflow');
    expect(droppedBy(outbox)).to.deep.equal({ overflow: 1 });
  });

  it('keeps the turn of a lane whose only message is displaced time and again', () => {
    const { outbox } = makeOutbox();
    openLane(outbox, { id: 1, maxMessages: 1, overflow: 'drop-oldest' });
    openLane(outbox, { id: 2 });
    outbox.offer(1, message(10), 0);
    outbox.offer(2, message(10), 1);
    for (let now = 2; now < 10; now++) outbox.offer(1, message(10), now);
    expect(pullAll(outbox).map(({ channelId }) => channelId)).to.deep.equal([1, 2]);
  });

  it('CH-055 asks for the eviction of the peer when the lane is full and its policy is evict-peer', () => {
    const { outbox } = makeOutbox();
    openLane(outbox, { maxMessages: 1, overflow: 'evict-peer' });
    outbox.offer(1, message(10), 0);
    expect(outbox.offer(1, message(10), 0)).to.equal('evict_peer');
    expect(droppedBy(outbox)).to.deep.equal({ overflow: 1 });
  });

  it('refuses a channel that has no lane', () => {
    const { outbox } = makeOutbox();
    expect(outbox.offer(9, message(1), 0)).to.equal('peer_lacks_channel');
  });

  it('answers only with registered outcomes, besides evict_peer', () => {
    for (const result of ['queued', 'too_large', 'overflow', 'router_budget', 'peer_lacks_channel']) {
      expect(OUTCOMES).to.have.property(result);
    }
  });
});

describe('the budget of a peer', () => {
  it('CH-101 is freed by the oldest of a lane over its share, if that lane drops its oldest', () => {
    const { outbox } = makeOutbox({ budgetBytes: 1000 });
    openLane(outbox, { id: 1, overflow: 'drop-oldest' });
    openLane(outbox, { id: 2 });
    for (const name of [1, 2, 3, 4]) outbox.offer(1, message(250, name), 0);
    expect(outbox.offer(2, message(300, 9), 0)).to.equal('queued');
    expect(droppedBy(outbox, 1)).to.deep.equal({ displaced: 2 });
    expect(pullAll(outbox).map(({ name }) => name)).to.have.members([3, 4, 9]);
  });

  it('CH-102 is refused to another lane when that lane does not drop its oldest', () => {
    const { outbox } = makeOutbox({ budgetBytes: 1000 });
    openLane(outbox, { id: 1, overflow: 'reject' });
    openLane(outbox, { id: 2, overflow: 'drop-oldest' });
    for (const name of [1, 2, 3, 4]) outbox.offer(1, message(250, name), 0);
    expect(outbox.offer(2, message(300), 0)).to.equal('overflow');
    expect(droppedBy(outbox, 1)).to.deep.equal({});
    expect(outbox.pending(1).messages).to.equal(4);
  });

  it('is taken from the lane furthest beyond its share by priority, not from the fullest', () => {
    const { outbox } = makeOutbox({ budgetBytes: 1000 });
    openLane(outbox, { id: 1, priority: 10, overflow: 'drop-oldest' });
    openLane(outbox, { id: 2, priority: 1, overflow: 'drop-oldest' });
    openLane(outbox, { id: 3 });
    for (let count = 0; count < 6; count++) outbox.offer(1, message(100), 0);
    for (let count = 0; count < 4; count++) outbox.offer(2, message(100), 0);
    expect(outbox.offer(3, message(100), 0)).to.equal('queued');
    expect([droppedBy(outbox, 1), droppedBy(outbox, 2)]).to.deep.equal([{}, { displaced: 1 }]);
  });

  it('is taken from the lower id of two lanes equally far beyond their share', () => {
    const { outbox } = makeOutbox({ budgetBytes: 1000 });
    for (const id of [5, 4]) openLane(outbox, { id, overflow: 'drop-oldest' });
    openLane(outbox, { id: 9 });
    for (const id of [5, 4]) for (let count = 0; count < 5; count++) outbox.offer(id, message(100), 0);
    outbox.offer(9, message(100), 0);
    expect([droppedBy(outbox, 4), droppedBy(outbox, 5)]).to.deep.equal([{ displaced: 1 }, {}]);
  });

  it('is freed by the lane itself when it holds something, and only by it', () => {
    const { outbox } = makeOutbox({ budgetBytes: 1000 });
    openLane(outbox, { id: 1, overflow: 'drop-oldest' });
    openLane(outbox, { id: 2, overflow: 'drop-oldest' });
    for (let count = 0; count < 9; count++) outbox.offer(1, message(100), 0);
    outbox.offer(2, message(100, 1), 0);
    expect(outbox.offer(2, message(100, 2), 0)).to.equal('queued');
    expect(outbox.offer(2, message(150, 3), 0)).to.equal('overflow');
    expect([droppedBy(outbox, 1), droppedBy(outbox, 2)]).to.deep.equal([{}, { displaced: 1, overflow: 1 }]);
  });

  it('CH-100 is whole again after overload and a drain', () => {
    const { outbox, budget } = makeOutbox({ budgetBytes: 120, routerBytes: 120 });
    openLane(outbox, { id: 1, overflow: 'drop-oldest' });
    openLane(outbox, { id: 2 });
    for (let round = 0; round < 5; round++) {
      for (let count = 0; count < 200; count++) outbox.offer(1 + (count % 2), message(5), 0);
      expect(outbox.pendingBytes).to.equal(120);
      pullAll(outbox);
      expect([outbox.pendingBytes, outbox.pendingMessages, budget.used]).to.deep.equal([0, 0, 0]);
    }
  });
});

describe('the budget of the router', () => {
  it('CH-103 refuses any offer when it is exhausted, and what is freed is usable at once', () => {
    const { outbox, budget } = makeOutbox({ routerBytes: 100 });
    openLane(outbox, { id: 1 });
    openLane(outbox, { id: 2, overflow: 'drop-oldest' });
    outbox.offer(1, message(90), 0);
    expect(outbox.offer(1, message(11), 0)).to.equal('router_budget');
    expect(outbox.offer(2, message(11), 0)).to.equal('router_budget');
    expect(droppedBy(outbox)).to.deep.equal({ router_budget: 1 });
    pullOne(outbox);
    expect(budget.used).to.equal(0);
    expect(outbox.offer(1, message(100), 0)).to.equal('queued');
  });

  it('lets a full lane replace its oldest, but displaces nothing in vain', () => {
    const { outbox, budget } = makeOutbox({ routerBytes: 100 });
    openLane(outbox, { maxMessages: 2, overflow: 'drop-oldest' });
    for (const name of [1, 2]) outbox.offer(1, message(50, name), 0);
    expect(outbox.offer(1, message(51, 3), 0)).to.equal('router_budget');
    expect(outbox.offer(1, message(50, 4), 0)).to.equal('queued');
    expect(budget.used).to.equal(100);
    expect(namesOf(outbox)).to.deep.equal([2, 4]);
  });
});

describe('messages that became too old', () => {
  it('CH-056 are dropped when their turn comes, and fresh ones are sent', () => {
    const { outbox } = makeOutbox();
    openLane(outbox, { maxAgeMs: 1000 });
    for (const [name, now] of [0, 500, 1500].entries()) outbox.offer(1, message(10, name), now);
    expect(namesOf(outbox, 2000)).to.deep.equal([2]);
    expect(droppedBy(outbox)).to.deep.equal({ expired: 2 });
    expect(outboxFault(outbox)).to.equal(undefined);
  });

  it('are sent at the last instant of their age', () => {
    const { outbox } = makeOutbox();
    openLane(outbox, { maxAgeMs: 1000 });
    outbox.offer(1, message(10), 0);
    expect(pullOne(outbox, 100, 1000)).to.not.equal(undefined);
  });

  it('may be given a shorter life each, but never a longer one than the channel allows', () => {
    const { outbox } = makeOutbox();
    openLane(outbox, { maxAgeMs: 1000 });
    for (const [name, ttlMs] of [100, 5000].entries()) outbox.offer(1, message(10, name), 0, ttlMs);
    expect(namesOf(outbox, 500)).to.deep.equal([1]);
    outbox.offer(1, message(10), 0, 5000);
    expect(namesOf(outbox, 1001)).to.deep.equal([]);
  });

  it('are finished when they had begun to leave', () => {
    const { outbox } = makeOutbox();
    openLane(outbox, { maxAgeMs: 1000 });
    outbox.offer(1, message(300), 0);
    pullOne(outbox, 100, 500);
    expect(pullAll(outbox, 100, 9000)).to.have.length(2);
    expect(droppedBy(outbox)).to.deep.equal({});
  });

  it('do not keep another lane waiting', () => {
    const { outbox } = makeOutbox();
    openLane(outbox, { id: 1, maxAgeMs: 10 });
    openLane(outbox, { id: 2 });
    outbox.offer(1, message(10), 0);
    outbox.offer(2, message(10), 0);
    expect(pullOne(outbox, 100, 100)).to.include({ channelId: 2 });
    expect(pullOne(outbox, 100, 100)).to.equal(undefined);
  });
});
