import { expect } from 'chai';
import fc from 'fast-check';
import { formatNodeAddress } from '../../../src/core/node-address.ts';
import type { NodeId } from '../../../src/core/node-id.ts';
import { advertise } from '../../../src/core/peer/advertise.ts';
import type { Chance, PeerEvent } from '../../../src/core/peer/peer-event.ts';
import type { PeerState } from '../../../src/core/peer/peer-state.ts';
import { chanceOf } from './arbitraries.ts';
import { address, id } from './shorthand.ts';
import { after, HIGHEST, LOWEST, newTable } from './table-builder.ts';

const TO = id('d');

/** `count` peers with one address each and scores from −50 to 50. */
function crowd(count: number): PeerState {
  let state = newTable();
  for (let number = 0; number < count; number++) {
    const nodeId = number.toString(16).padStart(40, '1') as NodeId;
    const points = (number % 101) - 50;
    const report: PeerEvent = {
      type: 'processPeerEvent',
      peer: nodeId,
      status: points > 0 ? 'good' : 'bad',
      weight: Math.abs(points),
    };
    state = after(state, { type: 'add', address: { ...address('m:a'), nodeId } }, report);
  }
  return state;
}

function counting(chance: Chance): Chance & { draws: number } {
  return {
    draws: 0,
    below(n) {
      this.draws += 1;
      return chance.below(n);
    },
  };
}

describe('advertising more addresses than there is room for', () => {
  const texts = ['m:a', 't:a:h', 'm:b', 't:b:h', 'm:c', 't:c:h'];
  const scores = [
    [id('a'), 3],
    [id('b'), 2],
    [id('c'), 1],
  ] as const;
  const state = after(
    newTable({ peerScores: scores }),
    ...texts.map((text): PeerEvent => ({ type: 'add', address: address(text) })),
  );

  it('PM-226 tells exactly as many as asked, the lowest ranked rarely', () => {
    const chance = chanceOf(1);
    const told = Array.from({ length: 100 }, () => advertise(state, TO, 2, chance));
    expect(told.every((addresses) => addresses.length === 2)).to.equal(true);
    const lowest = told.flat().filter(({ nodeId }) => nodeId === id('c'));
    expect(lowest.length).to.be.at.most(20);
  });

  it('PM-235 tells exactly the limit, each address once, with a bounded number of draws, whatever the chance', () => {
    const thousand = crowd(1000);
    for (const chance of [LOWEST, HIGHEST, chanceOf(7)].map(counting)) {
      const told = advertise(thousand, TO, 100, chance);
      expect(new Set(told.map(formatNodeAddress)).size).to.equal(100);
      expect(chance.draws).to.be.at.most(2 * 100 * 1000 * 2);
    }
  });

  it('takes the rest in rank order when luck never comes', () => {
    const told = advertise(state, TO, 3, HIGHEST);
    expect(told.map(formatNodeAddress)).to.deep.equal(
      ['m:a', 't:a:h', 'm:b'].map(address).map(formatNodeAddress),
    );
  });

  it('gives every address a chance of about one in ten per pass, and high scores more', () => {
    const many = crowd(300);
    const chance = chanceOf(3);
    const counts = new Map<string, number>();
    for (let round = 0; round < 300; round++) {
      for (const { nodeId } of advertise(many, TO, 150, chance))
        counts.set(nodeId, (counts.get(nodeId) ?? 0) + 1);
    }
    const ranks = [...many.orders.ranking.keys()].map((rank) => counts.get(rank.id) ?? 0);
    const share = (from: number, to: number): number => ranks.slice(from, to).reduce((a, b) => a + b, 0);
    expect(share(0, 150)).to.be.above(share(150, 300));
    expect(Math.min(...ranks)).to.be.above(0);
  });

  it('PM-228 PM-230 never tells more than the limit or fewer than there are, never twice, never the asker’s', () => {
    const options = fc.record({
      limit: fc.integer({ min: -1, max: 9 }),
      seed: fc.nat(),
      to: fc.constantFrom('a', 'd'),
    });
    fc.assert(
      fc.property(options, ({ limit, seed, to }) => {
        const told = advertise(state, id(to), limit, chanceOf(seed)).map(formatNodeAddress);
        const available = to === 'a' ? 4 : 6;
        expect(told).to.have.length(Math.max(0, Math.min(limit, available)));
        expect(new Set(told).size).to.equal(told.length);
        expect(told.some((text) => text.includes(id(to)))).to.equal(false);
      }),
    );
  });

  it('rounds a limit down and takes none that is no number', () => {
    expect(advertise(state, TO, 2.9, LOWEST)).to.have.length(2);
    expect(advertise(state, TO, 0.9, LOWEST)).to.have.length(0);
    expect(advertise(state, TO, NaN, LOWEST)).to.have.length(0);
    expect(advertise(state, TO, Infinity, LOWEST)).to.have.length(6);
  });

  it('leaves out banned peers, and counts without the asker’s own', () => {
    const banned = after(state, { type: 'ban', peer: id('a'), untilMs: Infinity, reason: 'spam' });
    expect(advertise(banned, id('a'), 9, LOWEST)).to.have.length(4);
    expect(advertise(banned, id('b'), 9, LOWEST)).to.have.length(2);
    expect(advertise(banned, TO, 4, HIGHEST)).to.have.length(4);
  });
});

describe('the draw of an address', () => {
  /** Notes what is drawn, and answers from a list. */
  function scripted(answers: readonly number[]): Chance & { asked: number[] } {
    const left = [...answers];
    return {
      asked: [],
      below(n) {
        this.asked.push(n);
        return left.shift() ?? n - 1;
      },
    };
  }

  const state = after(
    newTable(),
    ...['m:a', 'm:b', 'm:c'].map((text): PeerEvent => ({ type: 'add', address: address(text) })),
    { type: 'processPeerEvent', peer: id('a'), status: 'good', weight: 9 },
    { type: 'processPeerEvent', peer: id('c'), status: 'bad', weight: 9 },
  );

  it('compares with the mean score of the others and then with the rank', () => {
    const chance = scripted([]);
    advertise(state, id('a'), 1, chance);
    // Two others with scores 0 and −9: the mean is ⌊(9 + 1) / 3⌋ = 3. Ranks among all peers are 1 and 2. Two passes.
    expect(chance.asked).to.deep.equal([7, 20, 7, 30, 7, 20, 7, 30]);
  });

  it('takes an address up to its score and one, or else up to its rank and one', () => {
    const first = (answers: readonly number[]): string =>
      advertise(state, TO, 1, scripted(answers))[0]!.nodeId;
    // Mean ⌊(18 + 1) / 4⌋ = 4: below(9) ≤ 10 takes the best at once.
    expect(first([8])).to.equal(id('a'));
    const low = after(
      newTable(),
      ...['m:a', 'm:b'].map((text): PeerEvent => ({ type: 'add', address: address(text) })),
    );
    const firstLow = (answers: readonly number[]): string =>
      advertise(low, TO, 1, scripted(answers))[0]!.nodeId;
    // Mean 0: below(1) = 0 ≤ 0 + 1.
    expect(firstLow([0])).to.equal(id('a'));
    const bad = after(low, { type: 'processPeerEvent', peer: id('a'), status: 'bad', weight: 8 });
    const firstBad = (answers: readonly number[]): string =>
      advertise(bad, TO, 1, scripted(answers))[0]!.nodeId;
    // Scores 0 and −8, mean ⌊9 / 3⌋ = 3: the first is taken at 1 and not at 2; then by rank at 1 and not at 2.
    expect(firstBad([1])).to.equal(id('b'));
    expect(firstBad([2, 1])).to.equal(id('b'));
    expect(firstBad([2, 2, 0, 2])).to.equal(id('a'));
    expect(firstBad([2, 2, 0, 3, 2, 9, 0, 9])).to.equal(id('b'));
  });
});
