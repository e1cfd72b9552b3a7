import { expect } from 'chai';
import fc from 'fast-check';
import { UvarintReader, uvarintBytes, writeUvarint } from '../../src/core/uvarint.ts';
import { hex, unhex } from '../support/bytes.ts';

function encode(value: number): string {
  const out = new Uint8Array(12);
  return hex(out.subarray(1, 1 + writeUvarint(out, 1, value)));
}

/** What a reader makes of bytes: its value, `more` when it wants more, `overflow` when it gives up. */
function read(bytes: Uint8Array): number | 'more' | 'overflow' {
  const reader = new UvarintReader();
  for (const byte of bytes) {
    const done = reader.push(byte);
    if (done === undefined) return 'overflow';
    if (done) return reader.value;
  }
  return 'more';
}

describe('unsigned varints', () => {
  const rows: readonly [number, string][] = [
    [0, '00'],
    [1, '01'],
    [127, '7f'],
    [128, '8001'],
    [1034, '8a08'],
    [16_383, 'ff7f'],
    [16_384, '808001'],
    [1_048_577, '818040'],
    [2 ** 32, '8080808010'],
    [2 ** 53 - 1, 'ffffffffffffff0f'],
  ];
  for (const [value, text] of rows) {
    it(`writes ${value} as ${text} and reads it back`, () => {
      expect(encode(value)).to.equal(text);
      expect(uvarintBytes(value)).to.equal(text.length / 2);
      expect(read(unhex(text))).to.equal(value);
    });
  }

  const reads: readonly [string, string, number | 'more' | 'overflow'][] = [
    ['a padded value', '8200', 2],
    ['a value padded to ten bytes', '82808080808080808000', 2],
    ['the largest 64-bit value', 'ffffffffffffffffff01', 2 ** 64],
    ['an overflow in the tenth byte', 'ffffffffffffffffff02', 'overflow'],
    ['an eleventh byte', 'ffffffffffffffffffff01', 'overflow'],
    ['a value that is cut off', '80', 'more'],
  ];
  for (const [title, text, result] of reads) {
    it(`reads ${title} as ${result}`, () => {
      expect(read(unhex(text))).to.equal(result);
    });
  }

  it('reads every value it writes, and is ready for the next after a reset', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.maxSafeNat(), (first, second) => {
        const reader = new UvarintReader();
        for (const value of [first, second]) {
          reader.reset();
          const bytes = unhex(encode(value));
          const ends = Array.from(bytes, (byte) => reader.push(byte));
          expect(ends).to.deep.equal(Array.from(bytes, (_, index) => index === bytes.length - 1));
          expect(reader.value).to.equal(value);
          expect(reader.bytes).to.equal(bytes.length);
        }
      }),
    );
  });
});
