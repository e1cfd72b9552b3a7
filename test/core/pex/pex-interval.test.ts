import { expect } from 'chai';
import fc from 'fast-check';
import { pexInterval, type PexIntervalInput } from '../../../src/core/pex/pex-interval.ts';

const product = { minMs: 1_000, maxMs: 600_000 };
const go = { minMs: 200, maxMs: Infinity };

interface Row {
  readonly title: string;
  readonly input: PexIntervalInput;
  readonly ms: number;
}

const rows: readonly Row[] = [
  {
    title: 'PX-016: 5 new addresses of 5 known, 1 peer, 200 ms at the least',
    input: { ...go, eligible: 1, known: 5, added: 5 },
    ms: 400,
  },
  {
    title: 'PX-017: nothing new of 100 known, 5 peers, 200 ms at the least',
    input: { ...go, eligible: 5, known: 100, added: 0 },
    ms: 408_240,
  },
  {
    title: 'PX-018: nothing new of 1 000 known is clamped to the most',
    input: { ...product, eligible: 1, known: 1_000, added: 0 },
    ms: 600_000,
  },
  { title: 'an empty store', input: { ...product, eligible: 1, known: 0, added: 0 }, ms: 2_000 },
  {
    title: 'no eligible peer counts as one',
    input: { ...product, eligible: 0, known: 9, added: 1 },
    ms: 26_000,
  },
  { title: 'more peers share the work', input: { ...product, eligible: 10, known: 9, added: 1 }, ms: 3_500 },
  { title: 'a mean is no integer', input: { ...product, eligible: 4, known: 4, added: 1.5 }, ms: 2_000 },
];

describe('the PEX interval', () => {
  for (const { title, input, ms } of rows) {
    it(`${title}: ${ms} ms`, () => {
      expect(pexInterval(input)).to.equal(ms);
    });
  }

  it('stays between its bounds, and never grows with news or peers', () => {
    const size = fc.nat(100_000);
    fc.assert(
      fc.property(size, size, size, (eligible, known, added) => {
        const interval = pexInterval({ ...product, eligible, known, added });
        expect(interval).to.be.within(product.minMs, product.maxMs);
        expect(pexInterval({ ...product, eligible, known, added: added + 1 })).to.be.at.most(interval);
        expect(pexInterval({ ...product, eligible: eligible + 1, known, added })).to.be.at.most(interval);
        expect(pexInterval({ ...product, eligible, known: known + 1, added })).to.be.at.least(interval);
      }),
    );
  });
});
