import { expect } from 'chai';
import type { SendOverflow } from '../../../src/core/channel.ts';
import { Ledger } from '../../../src/core/queue/accounting.ts';
import type { Outbox } from '../../../src/core/queue/outbox.ts';
import { SeededRandom } from '../../../src/testing/seeded-random.ts';
import { makeOutbox, message, openLane, outboxFault, pullAll, pullOne, settings } from './queue-support.ts';

describe('the books of an outbox', () => {
  it('outlive the lane, also when it is opened again', () => {
    const { outbox } = makeOutbox();
    openLane(outbox);
    outbox.offer(1, message(10), 0);
    outbox.closeLane(1, 'channel_closed');
    openLane(outbox);
    outbox.offer(1, message(10), 0);
    expect(outbox.accounting().get(1)!.offered).to.deep.equal({ messages: 2, bytes: 20 });
  });

  it('are added to those of the channel', () => {
    const total = new Ledger();
    const channel = settings({ id: 1 });
    for (let peer = 0; peer < 3; peer++) {
      const { outbox } = makeOutbox();
      outbox.openLane(channel, total);
      outbox.offer(1, message(10), 0);
      pullOne(outbox);
    }
    expect(total.snapshot({ messages: 0, bytes: 0 })).to.deep.include({
      offered: { messages: 3, bytes: 30 },
      delivered: { messages: 3, bytes: 30 },
    });
  });

  const overflows: readonly SendOverflow[] = ['reject', 'drop-oldest', 'evict-peer'];

  /** One random step on an outbox with small limits, three lanes and some waiters. */
  function randomStep(outbox: Outbox, random: SeededRandom, now: number, mayClose: boolean): void {
    const id = 1 + random.below(3);
    switch (random.below(12)) {
      case 0:
        outbox.closeLane(id, 'channel_closed', random.below(2) === 0 ? 'drain' : 'purge');
        break;
      case 1:
        openLane(outbox, {
          id,
          maxMessages: 1 + random.below(6),
          maxBytes: 500,
          overflow: overflows[random.below(3)]!,
        });
        break;
      case 2:
        outbox.waitForRoom(id, 100, (result) => {
          if (result === 'room') outbox.offer(id, message(100), now);
        });
        break;
      case 3:
        if (mayClose && random.below(20) === 0)
          outbox.close('peer_closing', random.below(2) === 0 ? 'drain' : 'purge');
        break;
      case 4:
      case 5:
      case 6:
        pullAll(outbox, 64, now, 1 + random.below(5));
        break;
      default:
        outbox.offer(id, message(random.below(300)), now, random.below(2) === 0 ? 20 : Infinity);
    }
  }

  function run(seed: number, steps: number, mayClose: boolean): void {
    const random = SeededRandom.from(seed);
    const { outbox, budget } = makeOutbox({ budgetBytes: 900, routerBytes: 1100 });
    for (const id of [1, 2, 3])
      openLane(outbox, { id, priority: id, maxAgeMs: 50, maxMessages: 4, overflow: overflows[id - 1]! });
    for (let step = 0; step < steps; step++) {
      randomStep(outbox, random, step, mayClose);
      const fault = outboxFault(outbox);
      if (fault !== undefined) expect.fail(`seed ${seed}, step ${step}: ${fault}`);
      if (budget.used !== outbox.pendingBytes)
        expect.fail(`seed ${seed}, step ${step}: the router budget drifted`);
    }
    outbox.close('peer_gone');
    expect([outboxFault(outbox), budget.used, outbox.pendingMessages]).to.deep.equal([undefined, 0, 0]);
  }

  it('CH-107 balance after every one of 400 random steps, for 500 seeds', () => {
    for (let seed = 0; seed < 500; seed++) run(seed, 400, true);
  });

  it('CH-107 balance after every one of 10 000 random steps', () => {
    run(1, 10_000, false);
  });
});
