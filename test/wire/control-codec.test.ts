import { expect } from 'chai';
import fc from 'fast-check';
import type { ControlMessage } from '../../src/core/control-message.ts';
import { controlCodec } from '../../src/wire/control-codec.ts';
import { blockField, hex, unhex } from '../support/bytes.ts';
import { p2pThrow } from '../support/p2p-throw.ts';

const uint32 = fc.nat(2 ** 32 - 1);
const anyMessage: fc.Arbitrary<ControlMessage> = fc.oneof(
  fc.record({
    type: fc.constant('verdict' as const),
    accept: fc.boolean(),
    code: uint32,
    retryAfterMs: uint32,
    addresses: fc.array(fc.string({ unit: 'grapheme' })),
  }),
  fc.record({ type: fc.constant('goodbye' as const), code: uint32, retryAfterMs: uint32 }),
  fc.record({
    type: fc.constant('channel-set-update' as const),
    opened: fc.array(fc.nat(255)),
    closed: fc.array(fc.nat(255)),
    revision: uint32,
  }),
);

describe('control messages on the wire', () => {
  const rows: readonly [string, ControlMessage][] = [
    ['0a020801', { type: 'verdict', accept: true, code: 0, retryAfterMs: 0, addresses: [] }],
    ['0a00', { type: 'verdict', accept: false, code: 0, retryAfterMs: 0, addresses: [] }],
    [
      '0a0b100a18e807' + '220161' + '220162',
      { type: 'verdict', accept: false, code: 10, retryAfterMs: 1000, addresses: ['a', 'b'] },
    ],
    ['1202080b', { type: 'goodbye', code: 11, retryAfterMs: 0 }],
    [
      '1a0a' + '0a0307ff01' + '120120' + '1802',
      { type: 'channel-set-update', opened: [7, 255], closed: [32], revision: 2 },
    ],
  ];
  for (const [bytes, message] of rows) {
    it(`are ${bytes} for ${JSON.stringify(message)}`, () => {
      expect(hex(controlCodec.encode(message))).to.equal(bytes);
      expect(controlCodec.decode(unhex(bytes))).to.deep.equal(message);
    });
  }

  it('read back whatever is written', () => {
    fc.assert(
      fc.property(anyMessage, (message) => {
        expect(controlCodec.decode(controlCodec.encode(message))).to.deep.equal(message);
      }),
    );
  });

  it('are read with numbers that are not packed', () => {
    expect(controlCodec.decode(unhex('1a0408070820'))).to.deep.include({ opened: [7, 32] });
  });

  const refused: readonly [string, string][] = [
    ['no bytes', ''],
    ['only an unknown member', '2200'],
    ...[1, 2, 3].flatMap((field): [string, string][] => [
      [`a number as member ${field}`, `${hex(Uint8Array.of(field * 8))}01`],
      [`member ${field} given twice`, blockField(field, '').repeat(2)],
    ]),
    ...[1, 2, 3].map((field): [string, string] => [
      `a text as number ${field} of a verdict`,
      blockField(1, blockField(field, '')),
    ]),
    ['a number as address', blockField(1, '2001')],
    ...[1, 2].map((field): [string, string] => [
      `a text as number ${field} of a goodbye`,
      blockField(2, blockField(field, '')),
    ]),
    ['a text as revision', blockField(3, blockField(3, ''))],
    ['a fixed number as opened channel', blockField(3, '0d00000000')],
    ['a fixed number as closed channel', blockField(3, '1500000000')],
    ['257 addresses', blockField(1, '2200'.repeat(257))],
    ['257 channels, packed', blockField(3, blockField(1, '00'.repeat(257)))],
    ['257 channels, one by one', blockField(3, '0800'.repeat(257))],
    ['a member cut off', '0a0208'],
    ['text that is not UTF-8', '0a032201ff'],
  ];
  for (const [title, text] of refused) {
    it(`are undecodable: ${title}`, () => {
      expect(p2pThrow(() => controlCodec.decode(unhex(text)))).to.include({
        code: 'decode-failed',
        blame: 'peer',
      });
    });
  }

  it('are decoded with 256 entries in a list', () => {
    expect(controlCodec.decode(unhex(blockField(1, '2200'.repeat(256)))))
      .to.have.property('addresses')
      .of.length(256);
    expect(controlCodec.decode(unhex(blockField(3, blockField(1, '00'.repeat(256))))))
      .to.have.property('opened')
      .of.length(256);
  });
});
