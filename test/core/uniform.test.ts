import { expect } from 'chai';
import { uniformBelow } from '../../src/core/uniform.ts';

const words =
  (...values: number[]) =>
  () =>
    values.shift() ?? expect.fail('drew too often');

describe('uniform draws', () => {
  it('takes the remainder of a word', () => {
    expect(uniformBelow(10, words(27))).to.equal(7);
  });

  it('throws away a word beyond the largest multiple of the bound', () => {
    // 2^32 = 3 × 1431655765 + 1, so the last word alone is one too many.
    expect(uniformBelow(3, words(2 ** 32 - 1, 5))).to.equal(2);
    expect(uniformBelow(3, words(2 ** 32 - 2))).to.equal(2);
  });

  it('takes two words for a bound above 2^32', () => {
    expect(uniformBelow(2 ** 33, words(0x00000800, 9))).to.equal(2 ** 32 + 9);
    expect(uniformBelow(Number.MAX_SAFE_INTEGER, words(0xffffffff, 0xffffffff, 0, 7))).to.equal(7);
  });
});
