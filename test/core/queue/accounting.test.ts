import { expect } from 'chai';
import { conservationFault, Ledger, NO_MESSAGES } from '../../../src/core/queue/accounting.ts';
import { Budget } from '../../../src/core/queue/budget.ts';

describe('the books of a queue', () => {
  it('balance when every offered message is delivered, dropped or pending', () => {
    const ledger = new Ledger();
    for (const bytes of [10, 20, 30, 40]) ledger.offer(bytes);
    ledger.deliver(10);
    ledger.drop('overflow', 20);
    ledger.drop('overflow', 30);
    const books = ledger.snapshot({ messages: 1, bytes: 40 });
    expect(books).to.deep.equal({
      offered: { messages: 4, bytes: 100 },
      delivered: { messages: 1, bytes: 10 },
      pending: { messages: 1, bytes: 40 },
      dropped: { overflow: { messages: 2, bytes: 50 } },
    });
    expect(conservationFault('x', books)).to.equal(undefined);
  });

  it('name the queue and every count when a message is lost or invented, or changes its size', () => {
    const ledger = new Ledger();
    ledger.offer(10);
    expect(conservationFault('channel 7', ledger.snapshot(NO_MESSAGES))).to.equal(
      'channel 7 does not balance: offered 1 (10 B), delivered 0 (0 B), pending 0 (0 B)',
    );
    expect(conservationFault('x', ledger.snapshot({ messages: 1, bytes: 9 }))).to.be.a('string');
    ledger.deliver(10);
    ledger.drop('expired', 0);
    expect(conservationFault('x', ledger.snapshot(NO_MESSAGES))).to.match(/expired 1 \(0 B\)$/);
  });

  it('are kept for a channel over all its peers', () => {
    const channel = new Ledger();
    const peers = [new Ledger(channel), new Ledger(channel)];
    for (const peer of peers) {
      peer.offer(5);
      peer.offer(6);
      peer.deliver(5);
      peer.drop('peer_gone', 6);
    }
    expect(channel.snapshot(NO_MESSAGES)).to.deep.equal({
      offered: { messages: 4, bytes: 22 },
      delivered: { messages: 2, bytes: 10 },
      pending: NO_MESSAGES,
      dropped: { peer_gone: { messages: 2, bytes: 12 } },
    });
  });

  it('are copied out', () => {
    const ledger = new Ledger();
    ledger.offer(1);
    ledger.drop('aborted', 1);
    const before = ledger.snapshot(NO_MESSAGES);
    ledger.offer(1);
    ledger.drop('aborted', 1);
    expect(before.dropped.aborted).to.deep.equal({ messages: 1, bytes: 1 });
  });
});

describe('a byte budget', () => {
  it('fits what is left of it and what is freed', () => {
    const budget = new Budget(100);
    budget.take(60);
    expect([budget.fits(40), budget.fits(41), budget.fits(41, 1)]).to.deep.equal([true, false, true]);
    budget.give(10);
    expect(budget.used).to.equal(50);
  });

  it('of Infinity fits anything', () => {
    const budget = new Budget(Infinity);
    budget.take(Number.MAX_SAFE_INTEGER);
    expect(budget.fits(Number.MAX_SAFE_INTEGER)).to.equal(true);
  });
});
