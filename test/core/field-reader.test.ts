import { expect } from 'chai';
import { P2PError } from '../../src/core/errors.ts';
import { FieldReader } from '../../src/core/field-reader.ts';
import { hex, unhex } from '../support/bytes.ts';
import { p2pThrow } from '../support/p2p-throw.ts';

function readerOf(bytes: Uint8Array): FieldReader {
  const reader = new FieldReader((message) => new P2PError('decode-failed', message));
  reader.reset(bytes, 0, bytes.length);
  return reader;
}

/** Reads fields 1 (number), 2 (int32), 3 (bytes) and 4 (a message like this one); skips all others. */
function read(reader: FieldReader, bytes: Uint8Array): unknown[] {
  const seen: unknown[] = [];
  while (reader.next()) {
    switch (reader.field) {
      case 1:
        seen.push(reader.number());
        break;
      case 2:
        seen.push(reader.int32());
        break;
      case 3:
        reader.block();
        seen.push(hex(bytes.subarray(reader.blockStart, reader.blockEnd)));
        break;
      case 4: {
        const outerEnd = reader.enter();
        seen.push(read(reader, bytes));
        reader.leave(outerEnd);
        break;
      }
      default:
        reader.skip();
    }
  }
  return seen;
}

describe('reading the fields of a message', () => {
  const accepted: readonly [string, string, unknown[]][] = [
    ['nothing', '', []],
    ['numbers and bytes', '08051a02abcd', [5, 'abcd']],
    ['a scalar twice, both times', '08050806', [5, 6]],
    ['an empty block', '1a00', ['']],
    ['an embedded message and what follows it', '220408051a000806', [[5, ''], 6]],
    ['an empty embedded message', '22000806', [[], 6]],
    ['a padded number', '08858000', [5]],
    ['a padded length', '1a828000abcd', ['abcd']],
    ['a padded tag', '88800005', [5]],
    ['an int32 of 2^32+1 as 1', '108180808010', [1]],
    ['an int32 of −1 in ten bytes', '10ffffffffffffffffff01', [-1]],
    ['an int32 of −1 in five bytes', '10ffffffff0f', [-1]],
    ['an int32 of 2^31−1', '10ffffffff07', [2 ** 31 - 1]],
    ['an int32 of 2^31 as the least', '108080808008', [-(2 ** 31)]],
    ['an int32 of 2^35+1 as 1', '10818080808001', [1]],
    ['an unknown number', '28ff7f0805', [5]],
    ['an unknown 64-bit field', '2901020304050607080805', [5]],
    ['an unknown block', '2a030102030805', [5]],
    ['an unknown 32-bit field', '2d010203040805', [5]],
    ['an unknown block at the end', '08052a0101', [5]],
    ['an unknown empty group', '2b2c0805', [5]],
    [
      'an unknown group with everything in it',
      '2b08052a0101' + '2d01020304' + '290102030405060708' + '2b2c' + '2c0805',
      [5],
    ],
    ['an unknown field of the highest number', 'f8ffffff0f010805', [5]],
  ];
  for (const [title, text, fields] of accepted) {
    it(`reads ${title}`, () => {
      const bytes = unhex(text);
      expect(read(readerOf(bytes), bytes)).to.deep.equal(fields);
    });
  }

  const refused: readonly [string, string][] = [
    ['field number 0', '0005'],
    ['field number 0 of a block', '0200'],
    ['a field number above 29 bits', 'f8ffffff1f01'],
    ['a known number as a block', '0a00'],
    ['a known number as a fixed field', '0d011a0100'],
    ['a known int32 as a block', '1200'],
    ['known bytes as a number', '1800'],
    ['a known message as a number', '2000'],
    ['an end of a group outside any', '2c'],
    ['an end of a group before its beginning', '2c2b'],
    ['an end of a group for a known field', '0c'],
    ['a group that does not end', '2b0805'],
    ['wire type 6', '2e'],
    ['wire type 7', '2f'],
    ['wire type 6 in a group', '2b2e2c'],
    ['a number over 64 bits', '08ffffffffffffffffff02'],
    ['a number of eleven bytes', '0880808080808080808080' + '00'],
    ['a tag cut off', '80'],
    ['a number cut off', '08'],
    ['a number cut off in its middle', '0880'],
    ['a block length cut off', '1a80'],
    ['a block cut off', '1a02ab'],
    ['a block with a huge length', '1affffffffffffffffff01'],
    ['an unknown block cut off', '2a0201'],
    ['an unknown block with a huge length', '2affffffffffffffffff01'],
    ['an unknown 32-bit field cut off', '2d010203'],
    ['an unknown 64-bit field cut off', '2901020304050607'],
    ['an embedded message cut off', '220208'],
    ['an embedded field that reaches out of its message', '22031a05aaaaaaaaaa'],
    ['an embedded number whose value lies outside its message', '22010805'],
    ['an embedded number that reaches out of its message', '2202088001'],
  ];
  for (const [title, text] of refused) {
    it(`refuses ${title}`, () => {
      const bytes = unhex(text);
      expect(p2pThrow(() => read(readerOf(bytes), bytes)).code).to.equal('decode-failed');
    });
  }

  it('has nothing to read once it has let go of its bytes', () => {
    const reader = readerOf(unhex('0805'));
    reader.release();
    expect(reader.next()).to.equal(false);
  });

  it('never reads outside the range it was given', () => {
    const bytes = unhex('08ff01' + '0805' + '1a04aaaa');
    const reader = readerOf(bytes);
    reader.reset(bytes, 3, 5);
    expect(read(reader, bytes)).to.deep.equal([5]);
    reader.reset(bytes, 5, 9);
    expect(p2pThrow(() => read(reader, bytes)).code).to.equal('decode-failed');
    reader.reset(bytes, 0, 2);
    expect(p2pThrow(() => read(reader, bytes)).code).to.equal('decode-failed');
  });
});
