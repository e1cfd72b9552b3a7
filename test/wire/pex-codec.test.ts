import { expect } from 'chai';
import fc from 'fast-check';
import { P2PError } from '../../src/core/errors.ts';
import type { PexMessage } from '../../src/core/pex/pex-message.ts';
import { pexCodec } from '../../src/wire/pex-codec.ts';
import { blockField, hex, unhex } from '../support/bytes.ts';
import { p2pThrow } from '../support/p2p-throw.ts';
import vectors from '../vectors/pex.json' with { type: 'json' };

function messageOf(row: (typeof vectors.rows)[number]): PexMessage {
  if (row.addresses !== undefined) return { type: 'response', addresses: row.addresses };
  if (row.urls !== undefined) return { type: 'response-v2', addresses: row.urls.map((url) => ({ url })) };
  return { type: row.bytes === '1a00' ? 'request-v2' : 'request' };
}

const anyMessage: fc.Arbitrary<PexMessage> = fc.oneof(
  fc.record({ type: fc.constant('request' as const) }),
  fc.record({ type: fc.constant('request-v2' as const) }),
  fc.record({
    type: fc.constant('response' as const),
    addresses: fc.array(
      fc.record({ id: fc.string(), ip: fc.string({ unit: 'grapheme' }), port: fc.nat(2 ** 32 - 1) }),
    ),
  }),
  fc.record({
    type: fc.constant('response-v2' as const),
    addresses: fc.array(fc.record({ url: fc.string({ unit: 'grapheme' }) })),
  }),
);

describe('peer exchange messages on the wire', () => {
  for (const row of vectors.rows) {
    it(`are those of other implementations, in both directions: ${row.name}`, () => {
      expect(hex(pexCodec.encode(messageOf(row)))).to.equal(row.bytes);
      expect(pexCodec.decode(unhex(row.bytes))).to.deep.equal(messageOf(row));
    });
  }

  it('have the golden bytes of the routing rules', () => {
    const entry = { id: 'a'.repeat(40), ip: '1.2.3.4', port: 26_656 };
    expect(hex(pexCodec.encode({ type: 'response', addresses: [entry] }))).to.equal(
      `12390a370a28${'61'.repeat(40)}1207312e322e332e3418a0d001`,
    );
    const url = `memory:${'b'.repeat(40)}`;
    expect(hex(pexCodec.encode({ type: 'response-v2', addresses: [{ url }] }))).to.equal(
      `22330a310a2f6d656d6f72793a${'62'.repeat(40)}`,
    );
  });

  it('read back whatever is written', () => {
    fc.assert(
      fc.property(anyMessage, (message) => {
        expect(pexCodec.decode(pexCodec.encode(message))).to.deep.equal(message);
      }),
    );
  });

  const refused: readonly [string, string][] = [
    ...vectors.decodeErrors.map(({ name, bytes }): [string, string] => [name, bytes]),
    ...[1, 2, 3, 4].flatMap((field): [string, string][] => [
      [`a number as member ${field}`, `${hex(Uint8Array.of(field * 8))}01`],
      [`member ${field} given twice`, blockField(field, '').repeat(2)],
    ]),
    ['a number as id', blockField(2, blockField(1, '0801'))],
    ['a number as IP', blockField(2, blockField(1, '1001'))],
    ['a text as port', blockField(2, blockField(1, '1a00'))],
    ['a number as URL', blockField(4, blockField(1, '0801'))],
    ['an entry cut off', '12030a0531'],
    ['text that is not UTF-8', '12050a030a01ff'],
    ['1025 empty entries', blockField(2, '0a00'.repeat(1025))],
    ['1025 empty entries of the second generation', blockField(4, '0a00'.repeat(1025))],
  ];
  for (const [name, text] of refused) {
    it(`are undecodable: ${name}`, () => {
      expect(p2pThrow(() => pexCodec.decode(unhex(text)))).to.include({
        code: 'decode-failed',
        blame: 'peer',
      });
    });
  }

  it('are decoded with as many entries as 1024, so that the rule on their number has its say', () => {
    const decoded = pexCodec.decode(unhex(blockField(2, '0a00'.repeat(1024))));
    expect(decoded.type === 'response' && decoded.addresses.length).to.equal(1024);
  });

  it('take the last member of an envelope that has several', () => {
    expect(pexCodec.decode(unhex('12020a00' + '0a00'))).to.deep.equal({ type: 'request' });
    expect(pexCodec.decode(unhex('1a00' + '1200'))).to.deep.equal({ type: 'response', addresses: [] });
  });

  it('never fail in any other way, whatever the bytes', () => {
    const base = unhex(vectors.rows[3]!.bytes);
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }), (edits) => {
        const bytes = base.slice();
        for (const [at, byte] of edits) bytes[at % bytes.length] = byte;
        try {
          pexCodec.decode(bytes);
        } catch (error) {
          expect(error).to.be.instanceOf(P2PError).and.include({ code: 'decode-failed' });
        }
      }),
    );
  });
});
