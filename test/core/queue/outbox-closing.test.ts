import { expect } from 'chai';
import type { Budget } from '../../../src/core/queue/budget.ts';
import type { Outbox } from '../../../src/core/queue/outbox.ts';
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

describe('closing a lane', () => {
  it('CH-014 to drain sends what waits, refuses what comes, and tells when it is done', () => {
    const done: number[] = [];
    const { outbox } = makeOutbox({ onDrained: (id) => done.push(id) });
    openLane(outbox);
    for (let name = 0; name < 20; name++) outbox.offer(1, message(10, name), 0);
    expect(outbox.closeLane(1, 'channel_closed', 'drain')).to.equal(false);
    expect(outbox.offer(1, message(10), 0)).to.equal('channel_closed');
    expect(outbox.hasRoom(1, 1)).to.equal(false);
    expect(pullAll(outbox, 1024, 0, 19)).to.have.length(19);
    expect(done).to.deep.equal([]);
    pullOne(outbox);
    expect(done).to.deep.equal([1]);
    expect(outbox.offer(1, message(10), 0)).to.equal('peer_lacks_channel');
    expect(outboxFault(outbox)).to.equal(undefined);
  });

  it('CH-016 to purge counts what waited, and is done at once', () => {
    const { outbox, budget } = makeOutbox();
    openLane(outbox);
    for (let count = 0; count < 20; count++) outbox.offer(1, message(10), 0);
    expect(outbox.closeLane(1, 'channel_closed')).to.equal(true);
    expect(droppedBy(outbox)).to.deep.equal({ channel_closed: 20 });
    expect([pullOne(outbox), budget.used, outbox.pendingBytes]).to.deep.equal([undefined, 0, 0]);
  });

  it('CH-015 to purge after draining counts the rest', () => {
    const { outbox } = makeOutbox();
    openLane(outbox);
    for (let count = 0; count < 20; count++) outbox.offer(1, message(10), 0);
    outbox.closeLane(1, 'channel_closed', 'drain');
    pullAll(outbox, 1024, 0, 5);
    expect(outbox.closeLane(1, 'channel_closed', 'purge')).to.equal(true);
    expect(droppedBy(outbox)).to.deep.equal({ channel_closed: 15 });
  });

  it('is done at once when nothing waits or there is no lane', () => {
    const done: number[] = [];
    const { outbox } = makeOutbox({ onDrained: (id) => done.push(id) });
    openLane(outbox);
    expect(outbox.closeLane(1, 'channel_closed', 'drain')).to.equal(true);
    expect(outbox.closeLane(1, 'channel_closed', 'drain')).to.equal(true);
    expect(done).to.deep.equal([]);
  });

  it('finishes a message that has begun, so that the remote does not take the next one for its rest', () => {
    const done: number[] = [];
    const { outbox } = makeOutbox({ onDrained: (id) => done.push(id) });
    openLane(outbox);
    for (const name of [1, 2]) outbox.offer(1, message(300, name), 0);
    pullOne(outbox, 100);
    expect(outbox.closeLane(1, 'channel_closed')).to.equal(false);
    openLane(outbox, { priority: 7 });
    expect(outbox.offer(1, message(50, 3), 0)).to.equal('queued');
    expect(pullAll(outbox, 100).map(({ name, eof }) => [name, eof])).to.deep.equal([
      [1, false],
      [1, true],
      [3, true],
    ]);
    expect([done, droppedBy(outbox), outboxFault(outbox)]).to.deep.equal([
      [],
      { channel_closed: 1 },
      undefined,
    ]);
  });

  it('CH-010 leaves nothing of the old lane to a new one of the same id', () => {
    const { outbox } = makeOutbox();
    openLane(outbox, { maxMessages: 2 });
    for (const name of [1, 2]) outbox.offer(1, message(10, name), 0);
    outbox.closeLane(1, 'channel_closed');
    openLane(outbox, { maxMessages: 5 });
    for (const name of [3, 4, 5]) expect(outbox.offer(1, message(10, name), 0)).to.equal('queued');
    expect(namesOf(outbox)).to.deep.equal([3, 4, 5]);
  });
});

describe('closing an outbox', () => {
  function filled(): { outbox: Outbox; budget: Budget } {
    const made = makeOutbox();
    for (const id of [1, 2]) openLane(made.outbox, { id });
    for (let count = 0; count < 5; count++) for (const id of [1, 2]) made.outbox.offer(id, message(300), 0);
    pullOne(made.outbox, 100);
    return made;
  }

  it('RT-131 counts what it held under the reason, the message that was leaving included', () => {
    const { outbox, budget } = filled();
    outbox.close('superseded');
    expect([droppedBy(outbox, 1), droppedBy(outbox, 2)]).to.deep.equal([
      { superseded: 5 },
      { superseded: 5 },
    ]);
    expect([outbox.pendingMessages, outbox.pendingBytes, budget.used, pullOne(outbox)]).to.deep.equal([
      0,
      0,
      0,
      undefined,
    ]);
    expect(outbox.offer(1, message(1), 0)).to.equal('superseded');
    expect(outbox.offer(9, message(1), 0)).to.equal('superseded');
    expect(outboxFault(outbox)).to.equal(undefined);
  });

  it('to drain still sends everything and refuses what comes', () => {
    const { outbox } = filled();
    outbox.close('peer_closing', 'drain');
    expect(outbox.offer(1, message(1), 0)).to.equal('peer_closing');
    expect(pullAll(outbox, 300).filter(({ eof }) => eof)).to.have.length(10);
  });

  it('may be repeated with a later reason', () => {
    const { outbox } = filled();
    outbox.close('peer_closing', 'drain');
    outbox.close('peer_gone');
    expect(droppedBy(outbox, 2)).to.deep.equal({ peer_gone: 5 });
    expect(outbox.offer(1, message(1), 0)).to.equal('peer_gone');
  });

  it('CH-106 lets a goodbye leave, alone after a purge and first before a drain', () => {
    for (const mode of ['purge', 'drain'] as const) {
      const { outbox } = filled();
      outbox.close('peer_closing', mode);
      expect(outbox.offerControl(message(4))).to.equal(true);
      const left = pullAll(outbox, 300);
      expect(left[0]).to.include({ channelId: 0xf0, length: 4, eof: true });
      expect(left.length > 1).to.equal(mode === 'drain');
    }
  });
});
