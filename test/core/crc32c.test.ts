import { expect } from 'chai';
import { crc32c } from '../../src/core/crc32c.ts';

describe('CRC-32C', () => {
  // Vectors of RFC 3720, B.4, and the check value of the CRC catalogue.
  const vectors: readonly (readonly [string, Uint8Array, number])[] = [
    ['nothing', new Uint8Array(0), 0],
    ['the digits 1 to 9', new TextEncoder().encode('123456789'), 0xe306_9283],
    ['32 zeros', new Uint8Array(32), 0x8a91_36aa],
    ['32 bytes of ones', new Uint8Array(32).fill(0xff), 0x62a8_ab43],
    ['32 ascending bytes', Uint8Array.from({ length: 32 }, (_, index) => index), 0x46dd_794e],
    ['32 descending bytes', Uint8Array.from({ length: 32 }, (_, index) => 31 - index), 0x113f_db5c],
  ];
  for (const [what, bytes, expected] of vectors) {
    it(`of ${what} is ${expected.toString(16)}`, () => expect(crc32c(bytes)).to.equal(expected));
  }
});
