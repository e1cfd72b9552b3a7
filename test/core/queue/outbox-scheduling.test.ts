import { expect } from 'chai';
import fc from 'fast-check';
import { CONTROL_CHANNEL_ID } from '../../../src/core/channel.ts';
import { Budget } from '../../../src/core/queue/budget.ts';
import { Outbox } from '../../../src/core/queue/outbox.ts';
import { SeededRandom } from '../../../src/testing/seeded-random.ts';
import { message, outboxFault, pullAll, pullOne, settings, type Piece } from './queue-support.ts';

const MIB = 1024 * 1024;

interface LaneShape {
  readonly id: number;
  readonly priority?: number;
  readonly maxMessages?: number;
}

function outboxWith(...lanes: readonly LaneShape[]): Outbox {
  const outbox = new Outbox({ budgetBytes: 64 * MIB, routerBudget: new Budget(Infinity) });
  for (const { id, priority = 1, maxMessages = 100_000 } of lanes) {
    outbox.openLane(
      settings({ id, priority, maxMessageBytes: 8 * MIB, send: { maxMessages, maxBytes: 64 * MIB } }),
    );
  }
  return outbox;
}

function fill(outbox: Outbox, channelId: number, count: number, length: number, now = 0): void {
  const bytes = message(length, channelId);
  for (let index = 0; index < count; index++) {
    const result = outbox.offer(channelId, bytes, now);
    if (result !== 'queued') expect.fail(`not queued: ${result}`);
  }
}

/** Bytes per channel, each packet charged with its 16 bytes of overhead. */
function chargedBytes(pieces: readonly Piece[]): Map<number, number> {
  const bytes = new Map<number, number>();
  for (const { channelId, length } of pieces) bytes.set(channelId, (bytes.get(channelId) ?? 0) + length + 16);
  return bytes;
}

/** Deficit round robin as the textbook has it, round by round: the channel of every packet. */
function textbookOrder(
  lanes: readonly { id: number; priority: number; lengths: number[] }[],
  maxBytes: number,
): number[] {
  const ring = lanes.map(({ id, priority, lengths }) => ({ id, priority, left: [...lengths], deficit: 0 }));
  const order: number[] = [];
  while (ring.length > 0) {
    const lane = ring.shift()!;
    lane.deficit += 1024 * lane.priority;
    while (lane.left.length > 0) {
      const packet = Math.min(maxBytes, lane.left[0]!);
      if (packet + 16 > lane.deficit) break;
      lane.deficit -= packet + 16;
      lane.left[0]! -= packet;
      if (lane.left[0] === 0) lane.left.shift();
      order.push(lane.id);
    }
    if (lane.left.length > 0) ring.push(lane);
  }
  return order;
}

describe('the turns of the lanes of an outbox', () => {
  it('are those of deficit round robin, whatever the sizes, priorities and packets', () => {
    const lane = fc.record({
      priority: fc.integer({ min: 1, max: 12 }),
      lengths: fc.array(fc.integer({ min: 1, max: 20_000 }), { minLength: 1, maxLength: 12 }),
    });
    fc.assert(
      fc.property(
        fc.array(lane, { minLength: 1, maxLength: 5 }),
        fc.constantFrom(100, 1024, 65_536),
        (drawn, maxBytes) => {
          const lanes = drawn.map((shape, index) => ({ id: index + 1, ...shape }));
          const outbox = outboxWith(...lanes);
          for (const { id, lengths } of lanes)
            for (const length of lengths) outbox.offer(id, message(length), id);
          const order = pullAll(outbox, maxBytes).map(({ channelId }) => channelId);
          expect(order).to.deep.equal(textbookOrder(lanes, maxBytes));
        },
      ),
    );
  });

  for (const maxBytes of [100, 1024, 65_536]) {
    it(`CH-086 give weights 3 and 1 their share within 1 % over 4000 pulls of at most ${maxBytes} bytes`, () => {
      const outbox = outboxWith({ id: 1, priority: 3 }, { id: 2, priority: 1 });
      fill(outbox, 1, 5000, 700);
      fill(outbox, 2, 5000, 700);
      const bytes = chargedBytes(pullAll(outbox, maxBytes, 0, 4000));
      expect(bytes.get(1)! / bytes.get(2)!).to.be.within(2.97, 3.03);
    });
  }

  it('CH-087 give equal weights equal bytes within one message, whatever the sizes', () => {
    const outbox = outboxWith({ id: 1 }, { id: 2 });
    fill(outbox, 1, 20_000, 100);
    fill(outbox, 2, 200, 10_000);
    const bytes = chargedBytes(pullAll(outbox, 65_536, 0, 10_000));
    expect(bytes.get(1)! - bytes.get(2)!).to.be.within(-10_016, 10_016);
    expect(bytes.get(2)).to.be.above(500_000);
  });

  it('CH-088 bring the first urgent message out among the first few, although twenty others came before', () => {
    const outbox = outboxWith({ id: 1, priority: 1 }, { id: 2, priority: 10 });
    fill(outbox, 1, 20, 1000);
    fill(outbox, 2, 10, 1000, 1);
    const order = pullAll(outbox, 1024, 1).map(({ channelId }) => channelId);
    expect(order.indexOf(2)).to.be.below(3);
    expect(order.slice(0, 13).filter((id) => id === 2)).to.have.length(10);
  });

  function successRates(priorities: readonly number[], maxMessages: number): number[] {
    const lanes = priorities.map((priority, index) => ({ id: index + 1, priority, maxMessages }));
    const outbox = outboxWith(...lanes);
    const random = SeededRandom.from(7);
    const queued = priorities.map(() => 0);
    const offers = 6000;
    for (let step = 0; step < offers * lanes.length; step++) {
      const index = random.below(lanes.length);
      if (outbox.offer(index + 1, message(5), 0) === 'queued') queued[index]!++;
      if (step % 3 === 0) pullOne(outbox);
    }
    pullAll(outbox);
    expect(outbox.pendingMessages).to.equal(0);
    return queued.map((count) => count / offers);
  }

  it('CH-089 let six lanes of equal weight lose alike under overload', () => {
    const rates = successRates([1, 1, 1, 1, 1, 1], 30);
    const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
    const deviation = Math.sqrt(rates.reduce((sum, rate) => sum + (rate - mean) ** 2, 0) / rates.length);
    expect(Math.max(...rates)).to.be.below(0.9);
    expect(deviation).to.be.below(0.02);
  });

  it('CH-090 let lanes of lower weight lose more under overload', () => {
    const rates = successRates([18, 10, 2, 1, 1, 1], 1000);
    for (let index = 1; index < 4; index++) expect(rates[index - 1]).to.be.at.least(rates[index]! - 0.02);
    expect(rates[0]).to.be.above(rates[3]! + 0.2);
    for (const low of rates.slice(3)) expect(low).to.be.below(0.9);
  });

  it('CH-091 leave nothing behind after a complete drain', () => {
    const budget = new Budget(MIB);
    const outbox = new Outbox({ budgetBytes: MIB, routerBudget: budget });
    for (const id of [1, 2, 3]) outbox.openLane(settings({ id, priority: id }));
    for (let round = 0; round < 2; round++) {
      for (const id of [1, 2, 3]) fill(outbox, id, 20, 900);
      const first = pullAll(outbox);
      expect([outbox.pendingMessages, outbox.pendingBytes, budget.used]).to.deep.equal([0, 0, 0]);
      for (const id of [1, 2, 3]) fill(outbox, id, 20, 900);
      expect(pullAll(outbox)).to.deep.equal(first);
    }
  });

  it('CH-092 do not starve a lane of weight 1 beside one of weight 255', () => {
    const outbox = outboxWith({ id: 1, priority: 1 }, { id: 2, priority: 255 });
    fill(outbox, 1, 1000, 1000);
    let served = 0;
    for (let round = 0; round < 1000; round++) {
      for (let pull = 0; pull < 260; pull++) {
        if (outbox.pending(2).messages < 10) fill(outbox, 2, 300, 1000);
        if (pullOne(outbox)!.channelId === 1) served++;
      }
    }
    expect(served).to.be.within(900, 1000);
  });

  it('CH-093 send a packet larger than the quantum after a bounded number of rounds', () => {
    const outbox = outboxWith({ id: 1, priority: 1 }, { id: 2, priority: 1 });
    fill(outbox, 1, 1, 60_000);
    fill(outbox, 2, 1000, 100);
    const order = pullAll(outbox, 65_536).map(({ channelId }) => channelId);
    const quantaNeeded = Math.ceil(60_016 / 1024);
    expect(order.indexOf(1)).to.be.within(1, Math.ceil((quantaNeeded * 1024) / 116));
  });

  it('let a message of 1 MiB hold up another lane by no more than its own turn', () => {
    const outbox = outboxWith({ id: 1, priority: 5 }, { id: 2, priority: 1 });
    fill(outbox, 1, 1, MIB);
    pullAll(outbox, 1024, 0, 10);
    fill(outbox, 2, 1, 100);
    const order = pullAll(outbox).map(({ channelId }) => channelId);
    expect(order.indexOf(2)).to.be.at.most(5);
  });

  it('CH-094 include a channel opened after the outbox was made', () => {
    const outbox = outboxWith({ id: 1 });
    fill(outbox, 1, 1, 10);
    outbox.openLane(settings({ id: 9 }));
    fill(outbox, 9, 1, 10);
    expect(pullAll(outbox).map(({ channelId }) => channelId)).to.have.members([1, 9]);
  });

  it('CH-058 and CH-098 keep the order of one channel, also after a stall', () => {
    const outbox = outboxWith({ id: 1 });
    for (let name = 0; name < 200; name++) outbox.offer(1, message(2000, name), 0);
    const whole = pullAll(outbox).filter(({ eof }) => eof);
    expect(whole.map(({ name }) => name)).to.deep.equal(Array.from({ length: 200 }, (_, name) => name));
  });

  it('CH-104 keep the order of a burst whatever the sizes', () => {
    const outbox = outboxWith({ id: 1 });
    for (const [name, length] of [300, 100, 200].entries()) outbox.offer(1, message(length, name), 8 * name);
    expect(pullAll(outbox, 1024, 20).map(({ name }) => name)).to.deep.equal([0, 1, 2]);
  });

  it('CH-059 keep the order of every channel and lose nothing without a count, over 1000 seeds', () => {
    for (let seed = 0; seed < 1000; seed++) {
      const random = SeededRandom.from(seed);
      const outbox = outboxWith({ id: 1, priority: 4 }, { id: 2 }, { id: 3, priority: 9 }, { id: 4 });
      const sent = new Map([1, 2, 3, 4].map((id) => [id, 0]));
      const received = new Map([1, 2, 3, 4].map((id) => [id, 0]));
      for (let step = 0; step < 60; step++) {
        const id = 1 + random.below(4);
        if (random.below(3) > 0) {
          outbox.offer(id, message(1 + random.below(3000), sent.get(id)), 0);
          sent.set(id, sent.get(id)! + 1);
        } else {
          pullAll(outbox, 1024, 0, 4).forEach(expectNext);
        }
      }
      pullAll(outbox).forEach(expectNext);
      expect(received).to.deep.equal(sent);

      function expectNext({ channelId, name, eof }: Piece): void {
        expect(name).to.equal(received.get(channelId));
        if (eof) received.set(channelId, received.get(channelId)! + 1);
      }
    }
  });

  it('CH-105 are the same for the same seed and inputs', () => {
    const run = (): Piece[] => {
      const random = SeededRandom.from(11);
      const outbox = outboxWith({ id: 1, priority: 7 }, { id: 2 }, { id: 3, priority: 2 });
      const pieces: Piece[] = [];
      for (let step = 0; step < 2000; step++) {
        outbox.offer(1 + random.below(3), message(1 + random.below(5000)), step);
        pieces.push(...pullAll(outbox, 1024, step, random.below(6)));
      }
      return pieces;
    };
    const first = run();
    expect(first).to.have.length.above(1000);
    expect(run()).to.deep.equal(first);
  });

  it('go by priority and then by id among lanes that became busy at the same instant', () => {
    const outbox = outboxWith({ id: 3 }, { id: 1 }, { id: 2, priority: 5 }, { id: 4, priority: 5 });
    for (const id of [3, 1, 4, 2]) fill(outbox, id, 1, 10, 5);
    expect(pullAll(outbox, 1024, 5).map(({ channelId }) => channelId)).to.deep.equal([2, 4, 1, 3]);
  });

  it('go by arrival among lanes that became busy at different instants', () => {
    const outbox = outboxWith({ id: 3 }, { id: 1 }, { id: 2, priority: 5 });
    for (const [now, id] of [3, 1, 2].entries()) fill(outbox, id, 1, 10, now);
    expect(pullAll(outbox, 1024, 9).map(({ channelId }) => channelId)).to.deep.equal([3, 1, 2]);
  });

  it('do not put a newcomer before a lane that is being served', () => {
    const outbox = outboxWith({ id: 1 }, { id: 2, priority: 9 }, { id: 3 });
    fill(outbox, 1, 3, 10);
    fill(outbox, 3, 1, 10);
    expect(pullOne(outbox)?.channelId).to.equal(1);
    fill(outbox, 2, 1, 10);
    expect(pullAll(outbox).map(({ channelId }) => channelId)).to.deep.equal([1, 1, 3, 2]);
  });

  it('do not let a lane overtake, time and again within one instant, those that wait', () => {
    const outbox = outboxWith({ id: 1, priority: 9 }, { id: 2 }, { id: 3 });
    for (const id of [1, 2, 3]) fill(outbox, id, 1, 1000);
    const order: (number | undefined)[] = [];
    for (let step = 0; step < 3; step++) {
      order.push(pullOne(outbox)?.channelId);
      fill(outbox, 1, 1, 1000);
    }
    expect(order).to.deep.equal([1, 2, 3]);
  });
});

describe('cutting messages into packets', () => {
  it('marks the last piece, and makes one piece of a message that fits exactly', () => {
    const outbox = outboxWith({ id: 1 });
    fill(outbox, 1, 1, 2049);
    fill(outbox, 1, 1, 1024);
    expect(pullAll(outbox).map(({ length, eof }) => [length, eof])).to.deep.equal([
      [1024, false],
      [1024, false],
      [1, true],
      [1024, true],
    ]);
  });

  it('sends an empty message as one empty last piece', () => {
    const outbox = outboxWith({ id: 1 });
    fill(outbox, 1, 2, 0);
    expect(pullAll(outbox).map(({ length, eof }) => [length, eof])).to.deep.equal([
      [0, true],
      [0, true],
    ]);
    expect(outboxFault(outbox)).to.equal(undefined);
  });

  it('does not keep the last message alive when nothing is left', () => {
    const outbox = outboxWith({ id: 1 });
    const bytes = message(10);
    const slice = { channelId: 0, data: message(0), start: 0, end: 0, eof: false };
    outbox.offer(1, bytes, 0);
    expect(outbox.pull(1024, slice, 0)).to.equal(true);
    expect(slice.data).to.equal(bytes);
    expect(outbox.pull(1024, slice, 0)).to.equal(false);
    expect(slice.data).to.not.equal(bytes);
  });
});

describe('the control lane', () => {
  it('CH-106 goes before full lanes, in its own order, even between the packets of a message', () => {
    const outbox = outboxWith({ id: 1 });
    fill(outbox, 1, 2, 3000);
    pullOne(outbox);
    expect(outbox.offerControl(message(1500, 1))).to.equal(true);
    expect(outbox.offerControl(message(5, 2))).to.equal(true);
    const pieces = pullAll(outbox).slice(0, 4);
    expect(pieces.map(({ channelId, name, length, eof }) => [channelId, name, length, eof])).to.deep.equal([
      [CONTROL_CHANNEL_ID, 1, 1024, false],
      [CONTROL_CHANNEL_ID, 1, 476, true],
      [CONTROL_CHANNEL_ID, 2, 5, true],
      [1, 1, 1024, false],
    ]);
  });

  it('takes 16 messages and refuses the next until one has left', () => {
    const outbox = outboxWith();
    for (let slot = 0; slot < 16; slot++) expect(outbox.offerControl(message(1))).to.equal(true);
    expect(outbox.offerControl(message(1))).to.equal(false);
    expect(outbox.pendingControl).to.equal(16);
    pullOne(outbox);
    expect(outbox.offerControl(message(1))).to.equal(true);
  });

  it('is all that leaves while the outbox is control-only', () => {
    const outbox = outboxWith({ id: 1 });
    outbox.controlOnly = true;
    fill(outbox, 1, 1, 10);
    outbox.offerControl(message(1));
    expect(pullAll(outbox).map(({ channelId }) => channelId)).to.deep.equal([CONTROL_CHANNEL_ID]);
    outbox.controlOnly = false;
    expect(pullAll(outbox).map(({ channelId }) => channelId)).to.deep.equal([1]);
  });
});
