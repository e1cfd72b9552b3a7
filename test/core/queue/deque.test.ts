import { expect } from 'chai';
import fc from 'fast-check';
import { Deque } from '../../../src/core/queue/deque.ts';

describe('a deque', () => {
  it('is empty at first', () => {
    const deque = new Deque<string>();
    expect([deque.length, deque.front, deque.frontNumber, deque.shift(), deque.shiftSecond()]).to.deep.equal([
      0,
      undefined,
      0,
      undefined,
      undefined,
    ]);
  });

  it('behaves as an array does, whatever the order of operations', () => {
    const operation = fc.constantFrom('push', 'push', 'push', 'shift', 'shift', 'second', 'drain');
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 600, size: 'max' }), (operations) => {
        const deque = new Deque<string>();
        const model: [string, number][] = [];
        operations.forEach((name, step) => {
          if (name === 'push') {
            deque.push(`v${step}`, step);
            model.push([`v${step}`, step]);
          } else if (name === 'shift') {
            expect(deque.shift()).to.equal(model.shift()?.[0]);
          } else if (name === 'second') {
            expect(deque.shiftSecond()).to.equal(model.splice(1, 1)[0]?.[0]);
          } else {
            while (model.length > 0) expect(deque.shift()).to.equal(model.shift()![0]);
          }
          expect(deque.length).to.equal(model.length);
          expect([deque.front, deque.frontNumber]).to.deep.equal(model[0] ?? [undefined, 0]);
        });
        expect(model.map((_, index) => [deque.at(index), deque.numberAt(index)])).to.deep.equal(model);
        expect([deque.at(model.length), deque.numberAt(model.length)]).to.deep.equal([undefined, 0]);
      }),
    );
  });

  it('keeps its order across growing while it wraps around', () => {
    const deque = new Deque<number>();
    for (let value = 0; value < 6; value++) deque.push(value, value);
    for (let value = 0; value < 4; value++) deque.shift();
    for (let value = 6; value < 300; value++) deque.push(value, value);
    const left = Array.from({ length: deque.length }, () => deque.shift());
    expect(left).to.deep.equal(Array.from({ length: 296 }, (_, index) => index + 4));
  });
});
