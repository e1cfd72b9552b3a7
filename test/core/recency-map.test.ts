import { expect } from 'chai';
import fc from 'fast-check';
import { RecencyMap } from '../../src/core/recency-map.ts';

describe('a recency map', () => {
  it('agrees with a plain map on contents and order for any operations', () => {
    const operation = fc.record({
      kind: fc.constantFrom('set', 'delete', 'shift'),
      key: fc.nat(6),
      value: fc.nat(),
    });
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 100 }), (operations) => {
        const map = new RecencyMap<number, number>();
        const model = new Map<number, number>();
        for (const { kind, key, value } of operations) {
          const [oldest] = model.keys();
          if (kind === 'set') {
            map.set(key, value);
            model.delete(key);
            model.set(key, value);
          } else if (kind === 'delete') {
            expect(map.delete(key)).to.equal(model.delete(key));
          } else if (oldest !== undefined) {
            expect(map.delete(map.first()![0])).to.equal(model.delete(oldest));
          }
          expect(map.size).to.equal(model.size);
          expect(map.first()).to.deep.equal([...model][0]);
          for (const each of [0, 1, 2, 3, 4, 5, 6]) expect(map.get(each)).to.equal(model.get(each));
        }
      }),
    );
  });
});
