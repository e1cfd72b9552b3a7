import { expect } from 'chai';
import fc from 'fast-check';
import { rankOrder, tieKey, tieOf } from '../../../src/core/peer/rank-order.ts';
import {
  clamp,
  comparePrune,
  compareRank,
  DEFAULT_RANKING,
  earn,
  EARNED_SCORE_MAX,
  prunesNewcomer,
  score,
  SCORE_MAX,
  SCORE_MIN,
  upgradeCandidate,
  type Forgettable,
  type Newcomer,
  type Ranked,
} from '../../../src/core/peer/ranking.ts';
import { id } from './shorthand.ts';

const EARNED = { fixed: 0, persistent: false, mutable: 0, failures: 0 };

function peer(digit: string, points: number, lastConnectedMs?: number): Forgettable {
  return { id: id(digit), score: points, tie: tieOf('', id(digit)), lastConnectedMs };
}

function newcomer(points: number, persistent = false): Newcomer {
  return { id: id('f'), score: points, persistent };
}

describe('a score', () => {
  it('is the fixed one when that is above 0, whatever else is known', () => {
    expect(score({ fixed: 7, persistent: true, mutable: 50, failures: 3 })).to.equal(7);
    expect(score({ ...EARNED, fixed: 1, mutable: 50 })).to.equal(1);
  });

  it('of a persistent peer is the highest', () => {
    expect(score({ ...EARNED, persistent: true, mutable: -9, failures: 3 })).to.equal(32767);
    expect(score({ ...EARNED, fixed: -5, persistent: true })).to.equal(32767);
  });

  it('of any other peer is its behaviour less its failures', () => {
    expect(score({ ...EARNED, mutable: 5, failures: 3 })).to.equal(2);
    expect(score({ ...EARNED, mutable: -5, failures: 3 })).to.equal(-8);
  });

  it('that is earned ends below the highest and at the lowest', () => {
    expect(score({ ...EARNED, mutable: 40_000 })).to.equal(32766);
    expect(score({ ...EARNED, mutable: -32768, failures: 1 })).to.equal(-32768);
  });

  it('of behaviour is kept within the same bounds at every report', () => {
    expect(earn(32765, 5)).to.equal(32766);
    expect(earn(-32767, -5)).to.equal(-32768);
    expect(earn(4, -1)).to.equal(3);
    expect([SCORE_MIN, SCORE_MAX, EARNED_SCORE_MAX]).to.deep.equal([-32768, 32767, 32766]);
    expect([clamp(1, 2, 4), clamp(3, 2, 4), clamp(5, 2, 4)]).to.deep.equal([2, 3, 4]);
  });
});

describe('the ranking', () => {
  it('puts higher scores first', () => {
    expect(compareRank(peer('a', 2), peer('b', 1))).to.be.below(0);
    expect(compareRank(peer('a', 1), peer('b', 2))).to.be.above(0);
    expect(compareRank(peer('a', 1), peer('b', 1))).to.equal(0);
  });

  it('settles equal scores by node id without a salt', () => {
    const compare = rankOrder({ ranking: DEFAULT_RANKING, tieSalt: '' });
    expect(compare(peer('a', 1), peer('b', 1))).to.be.below(0);
    expect(compare(peer('b', 1), peer('a', 1))).to.be.above(0);
    expect(compare(peer('a', 1), peer('a', 1))).to.equal(0);
    expect(compare(peer('b', 2), peer('a', 1))).to.be.below(0);
  });

  it('settles equal scores by the hash of salt and node id with one, so that nodes differ', () => {
    expect(tieKey('salt', id('a'))).to.equal(
      'e07fa9380efb83dfc53f49a956f8611d5ff90a6981150f7f79106e4fc3c53587',
    );
    expect(tieOf('salt', id('a'))).to.equal(0xe07fa93);
    const ids = ['1', '2', '3', '4', '5', '6', '7', '8', '9'].map(id);
    const orderUnder = (salt: string): string[] => {
      const ranks = ids.map((known): Ranked => ({ id: known, score: 0, tie: tieOf(salt, known) }));
      return ranks.sort(rankOrder({ ranking: DEFAULT_RANKING, tieSalt: salt })).map((rank) => rank.id);
    };
    const byKey = [...ids].sort((a, b) => (tieKey('salt', a) < tieKey('salt', b) ? -1 : 1));
    expect(orderUnder('salt')).to.deep.equal(byKey);
    expect(orderUnder('other')).to.not.deep.equal(orderUnder('salt'));
    expect(orderUnder('')).to.deep.equal(ids);
  });

  it('is exact where tie keys begin alike', () => {
    const near = (digit: string): Ranked => {
      const known = (id('a').slice(0, 39) + digit) as Ranked['id'];
      return { id: known, score: 0, tie: tieOf('', known) };
    };
    expect(near('1').tie).to.equal(near('2').tie);
    const compare = rankOrder({ ranking: DEFAULT_RANKING, tieSalt: '' });
    expect(compare(near('1'), near('2'))).to.be.below(0);
    expect(compare(near('2'), near('1'))).to.be.above(0);
    const salted = rankOrder({ ranking: DEFAULT_RANKING, tieSalt: 's' });
    const alike = (known: Ranked): Ranked => ({ ...known, tie: 0 });
    const expected = tieKey('s', near('1').id) < tieKey('s', near('2').id) ? -1 : 1;
    expect(Math.sign(salted(alike(near('1')), alike(near('2'))))).to.equal(expected);
  });
});

describe('the candidate for an upgrade', () => {
  const low = peer('a', 1);
  const high = peer('b', 2);

  it('is the lowest ranked when it scores strictly lower', () => {
    expect(upgradeCandidate(newcomer(2), [low, high], 0)).to.equal(low);
    expect(upgradeCandidate(newcomer(1), [low, high], 0)).to.equal(undefined);
    expect(upgradeCandidate(newcomer(0), [low, high], 0)).to.equal(undefined);
    expect(upgradeCandidate(newcomer(9), [], 0)).to.equal(undefined);
  });

  it('must score lower by more than the margin, unless the newcomer is persistent', () => {
    expect(upgradeCandidate(newcomer(4), [low], 3)).to.equal(undefined);
    expect(upgradeCandidate(newcomer(5), [low], 3)).to.equal(low);
    expect(upgradeCandidate(newcomer(2, true), [low], 3)).to.equal(low);
    expect(upgradeCandidate(newcomer(1, true), [low], 3)).to.equal(undefined);
  });
});

describe('the order of pruning', () => {
  it('begins with the lowest score', () => {
    expect(comparePrune(peer('a', 1, 9), peer('b', 2))).to.be.below(0);
    expect(comparePrune(peer('a', 2), peer('b', 1, 9))).to.be.above(0);
  });

  it('then takes those never connected, then those not connected for longest', () => {
    expect(comparePrune(peer('a', 1), peer('b', 1, 0))).to.be.below(0);
    expect(comparePrune(peer('a', 1, 0), peer('b', 1))).to.be.above(0);
    expect(comparePrune(peer('a', 1, 5), peer('b', 1, 6))).to.be.below(0);
    expect(comparePrune(peer('a', 1), peer('b', 1))).to.equal(0);
  });

  it('takes a newcomer before its equals, and not before lower ones', () => {
    expect(prunesNewcomer(peer('a', 1), peer('b', 1))).to.equal(true);
    expect(prunesNewcomer(peer('a', 0), peer('b', 1))).to.equal(true);
    expect(prunesNewcomer(peer('a', 2), peer('b', 1))).to.equal(false);
  });

  it('is antisymmetric, as the ranking is', () => {
    const peers = fc.record({
      id: fc.constantFrom('a', 'b', 'c').map(id),
      score: fc.integer({ min: -2, max: 2 }),
      tie: fc.nat(3),
      lastConnectedMs: fc.option(fc.nat(3), { nil: undefined }),
    });
    fc.assert(
      fc.property(peers, peers, (a, b) => {
        expect(Math.sign(comparePrune(a, b)) + Math.sign(comparePrune(b, a))).to.equal(0);
        expect(Math.sign(compareRank(a, b)) + Math.sign(compareRank(b, a))).to.equal(0);
      }),
    );
  });
});
