import { expect } from 'chai';
import type { Outbox } from '../../../src/core/queue/outbox.ts';
import { makeOutbox, message, openLane, pullAll, pullOne } from './queue-support.ts';

describe('waiting for room', () => {
  function fullOutbox(): {
    outbox: Outbox;
    log: string[];
    wait: (name: string, bytes?: number) => { cancel(): void };
  } {
    const { outbox } = makeOutbox();
    openLane(outbox, { maxMessages: 3 });
    for (let count = 0; count < 3; count++) outbox.offer(1, message(100), 0);
    const log: string[] = [];
    const wait = (name: string, bytes = 100): { cancel(): void } =>
      outbox.waitForRoom(1, bytes, (result) => {
        log.push(`${name} ${result}`);
        if (result === 'room') log.push(`${name} ${outbox.offer(1, message(bytes), 0)}`);
      });
    return { outbox, log, wait };
  }

  it('CH-049 ends when a message has left', () => {
    const { outbox, log, wait } = fullOutbox();
    wait('a');
    expect(log).to.deep.equal([]);
    pullOne(outbox);
    expect(log).to.deep.equal(['a room', 'a queued']);
    expect(outbox.pendingMessages).to.equal(3);
  });

  it('CH-050 ends in the order it began', () => {
    const { outbox, log, wait } = fullOutbox();
    for (const name of ['a', 'b', 'c']) wait(name);
    pullAll(outbox, 1024, 0, 3);
    expect(log.filter((line) => line.endsWith('queued'))).to.deep.equal(['a queued', 'b queued', 'c queued']);
  });

  it('does not let a smaller message overtake', () => {
    const { outbox } = makeOutbox();
    openLane(outbox, { maxBytes: 300 });
    for (let count = 0; count < 3; count++) outbox.offer(1, message(100), 0);
    const log: string[] = [];
    outbox.waitForRoom(1, 250, (result) => log.push(`large ${result}`));
    outbox.waitForRoom(1, 10, (result) => log.push(`small ${result}`));
    pullOne(outbox);
    expect(log).to.deep.equal([]);
    expect(outbox.hasRoom(1, 10)).to.equal(false);
    pullAll(outbox, 1024, 0, 2);
    expect(log).to.deep.equal(['large room', 'small room']);
    expect(outbox.hasRoom(1, 10)).to.equal(true);
  });

  it('CH-051 and CH-052 ends without a word when it is cancelled', () => {
    const { outbox, log, wait } = fullOutbox();
    const first = wait('a');
    wait('b');
    first.cancel();
    pullOne(outbox);
    expect(log).to.deep.equal(['b room', 'b queued']);
    first.cancel();
  });

  it('lets the next one in when a larger one that stood before is cancelled', () => {
    const { outbox } = makeOutbox();
    openLane(outbox, { maxBytes: 300 });
    outbox.offer(1, message(200), 0);
    const log: string[] = [];
    const large = outbox.waitForRoom(1, 250, (result) => log.push(`large ${result}`));
    outbox.waitForRoom(1, 100, (result) => log.push(`small ${result}`));
    large.cancel();
    expect(log).to.deep.equal(['small room']);
  });

  it('CH-053 and CH-018 ends with the reason when the outbox or the lane closes', () => {
    const first = fullOutbox();
    for (const name of ['a', 'b']) first.wait(name);
    first.outbox.close('peer_gone');
    expect(first.log).to.deep.equal(['a peer_gone', 'b peer_gone']);
    const second = fullOutbox();
    second.wait('a');
    second.outbox.closeLane(1, 'channel_closed', 'drain');
    second.wait('b');
    expect(second.log).to.deep.equal(['a channel_closed', 'b channel_closed']);
    second.outbox.waitForRoom(9, 1, (result) => second.log.push(result));
    expect(second.log.at(-1)).to.equal('peer_lacks_channel');
  });

  it('ends at once when there is room', () => {
    const { outbox } = makeOutbox();
    openLane(outbox);
    const log: string[] = [];
    outbox.waitForRoom(1, 10, (result) => log.push(result));
    expect(log).to.deep.equal(['room']);
  });

  it('ends when another lane frees the budget of the peer', () => {
    const { outbox } = makeOutbox({ budgetBytes: 1000 });
    openLane(outbox, { id: 1 });
    openLane(outbox, { id: 2 });
    outbox.offer(1, message(1000), 0);
    const log: string[] = [];
    outbox.waitForRoom(2, 500, (result) => log.push(result));
    expect(log).to.deep.equal([]);
    outbox.closeLane(1, 'channel_closed');
    expect(log).to.deep.equal(['room']);
  });

  it('ends when messages expire', () => {
    const { outbox } = makeOutbox();
    openLane(outbox, { maxMessages: 1, maxAgeMs: 10 });
    outbox.offer(1, message(1), 0);
    const log: string[] = [];
    outbox.waitForRoom(1, 1, (result) => log.push(result));
    pullOne(outbox, 100, 100);
    expect(log).to.deep.equal(['room']);
  });

  it('serves others even if one that got room does not use it', () => {
    const { outbox } = makeOutbox();
    openLane(outbox, { maxMessages: 1 });
    outbox.offer(1, message(1), 0);
    const log: string[] = [];
    outbox.waitForRoom(1, 1, () => log.push('a'));
    outbox.waitForRoom(1, 1, () => log.push('b'));
    pullOne(outbox);
    expect(log).to.deep.equal(['a', 'b']);
  });
});
