import { expect } from 'chai';
import fc from 'fast-check';
import { SeededRandom } from '../../src/testing/seeded-random.ts';

const draws = (random: SeededRandom): number[] => Array.from({ length: 20 }, () => random.below(1_000_000));

describe('seeded random', () => {
  it('gives the same draws for the same seed, and others for another', () => {
    expect(draws(SeededRandom.from('a'))).to.deep.equal(draws(SeededRandom.from('a')));
    expect(draws(SeededRandom.from('a'))).to.not.deep.equal(draws(SeededRandom.from('b')));
  });

  it('is pinned: a change of the generator would change every recorded trace', () => {
    expect(draws(SeededRandom.from('pinned')).slice(0, 4)).to.deep.equal([846564, 112350, 155929, 217855]);
  });

  it('forks by label alone, whatever was drawn before', () => {
    const fresh = SeededRandom.from('a');
    const used = SeededRandom.from('a');
    draws(used);
    used.bytes(7);
    expect(draws(used.fork('x'))).to.deep.equal(draws(fresh.fork('x')));
    expect(draws(fresh.fork('x'))).to.not.deep.equal(draws(fresh.fork('y')));
    expect(draws(fresh.fork('x'))).to.not.deep.equal(draws(fresh));
  });

  it('keeps forks of forks apart', () => {
    const random = SeededRandom.from('a');
    expect(draws(random.fork('x').fork('y'))).to.not.deep.equal(draws(random.fork('x/y')));
    expect(draws(random.fork('x').fork('y'))).to.not.deep.equal(draws(random.fork('y').fork('x')));
  });

  it('fills any number of bytes', () => {
    const random = SeededRandom.from('a');
    for (const length of [0, 1, 3, 4, 5, 32, 1000]) expect(random.bytes(length)).to.have.length(length);
    const seen = new Set(random.bytes(10_000));
    expect(seen.size).to.equal(256);
  });

  it('draws below any bound', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), fc.integer(), (n, seed) => {
        const value = SeededRandom.from(seed).below(n);
        return Number.isInteger(value) && value >= 0 && value < n;
      }),
    );
  });
});
