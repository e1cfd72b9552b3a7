import { expect } from 'chai';
import fc from 'fast-check';
import { P2PError } from '../../src/core/errors.ts';
import { MAX_NODE_INFO_BYTES, type NodeInfo } from '../../src/core/node-info.ts';
import { DelimitedReader, encodeDelimited } from '../../src/wire/delimited.ts';
import { decodeNodeInfo, encodeNodeInfo } from '../../src/wire/node-info-codec.ts';
import { blockField, hex, unhex } from '../support/bytes.ts';
import { p2pThrow } from '../support/p2p-throw.ts';
import vectors from '../vectors/nodeinfo.json' with { type: 'json' };

type Fields = (typeof vectors.encodings)[number]['fields'];

function infoOf(fields: Fields): NodeInfo {
  return {
    protocolVersion: { p2p: BigInt(fields.p2p), block: BigInt(fields.block), app: BigInt(fields.app) },
    nodeId: fields.id,
    listenAddr: fields.listenAddr,
    network: fields.network,
    version: fields.version,
    channels: Array.from(unhex(fields.channels)),
    moniker: fields.moniker,
    other: { txIndex: fields.txIndex, rpcAddress: fields.rpcAddress },
    capabilities: [],
  };
}

const EMPTY = infoOf(vectors.encodings[0]!.fields);

const anyInfo: fc.Arbitrary<NodeInfo> = fc.record({
  protocolVersion: fc.record({
    p2p: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    block: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    app: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  }),
  nodeId: fc.string({ unit: 'grapheme' }),
  listenAddr: fc.string({ unit: 'grapheme' }),
  network: fc.string({ unit: 'grapheme' }),
  version: fc.string(),
  channels: fc.array(fc.integer({ min: 0, max: 255 })),
  moniker: fc.string({ unit: 'grapheme' }),
  other: fc.record({ txIndex: fc.string(), rpcAddress: fc.string() }),
  capabilities: fc.array(fc.string(), { maxLength: 64 }),
});

describe('the encoding of node information', () => {
  for (const row of vectors.encodings) {
    it(`is that of other implementations, in both directions: ${row.label}`, () => {
      const info = infoOf(row.fields);
      expect(hex(encodeNodeInfo(info))).to.equal(row.proto);
      expect(hex(encodeDelimited(encodeNodeInfo(info)))).to.equal(row.delimited);
      expect(decodeNodeInfo(unhex(row.proto))).to.deep.equal(info);
    });
  }

  it('reads back whatever it writes (TR-018)', () => {
    fc.assert(
      fc.property(anyInfo, (info) => {
        expect(decodeNodeInfo(encodeNodeInfo(info))).to.deep.equal(info);
      }),
    );
  });

  it('adds capabilities as field 100, and nothing when there are none', () => {
    const bytes = hex(encodeNodeInfo({ ...EMPTY, capabilities: ['a', 'bc'] }));
    expect(bytes).to.equal('0a004200' + 'a20601' + '61' + 'a20602' + '6263');
  });

  it('is not made from a version outside uint64 or a channel that is no byte', () => {
    for (const p2p of [-1n, 2n ** 64n]) {
      const info = { ...EMPTY, protocolVersion: { ...EMPTY.protocolVersion, p2p } };
      expect(p2pThrow(() => encodeNodeInfo(info)).code).to.equal('encode-failed');
    }
    for (const id of [-1, 256, 1.5, NaN]) {
      expect(p2pThrow(() => encodeNodeInfo({ ...EMPTY, channels: [id] })).code).to.equal('encode-failed');
    }
  });

  const accepted: readonly [string, string, Partial<NodeInfo>][] = [
    ['nothing at all', '', {}],
    ['only an unknown field', '4a0101', {}],
    ['a scalar twice, of which the last counts', '120161' + '120162', { nodeId: 'b' }],
    ['a text emptied by its repetition', '120161' + '1200', { nodeId: '' }],
    [
      'an embedded message in parts, which merge',
      '0a020808' + '0a02100b',
      { protocolVersion: { p2p: 8n, block: 11n, app: 0n } },
    ],
    ['an unknown field inside an embedded message', '42021801', {}],
  ];
  for (const [title, text, part] of accepted) {
    it(`is read from ${title}`, () => {
      expect(decodeNodeInfo(unhex(text))).to.deep.equal({ ...EMPTY, ...part });
    });
  }

  const refused: readonly [string, string][] = [
    ...[1, 2, 3, 4, 5, 6, 7, 8].map((field): [string, string] => [
      `a number as field ${field}`,
      `${hex(Uint8Array.of(field * 8))}01`,
    ]),
    ...[1, 2, 3].map((field): [string, string] => [
      `a text as version ${field}`,
      blockField(1, blockField(field, '')),
    ]),
    ...[1, 2].map((field): [string, string] => [
      `a number as field ${field} of the rest`,
      blockField(8, `${hex(Uint8Array.of(field * 8))}01`),
    ]),
    ['field number 0', '0001'],
    ['a field cut off', '120261'],
    ['a length over 64 bits', '12ffffffffffffffffffff01'],
    ['a group end outside a group', '4c'],
    ['text that is not UTF-8', '3a01ff'],
    ['a capability of another wire type', 'a006' + '01'],
    ['65 capabilities', 'a20600'.repeat(65)],
  ];
  for (const [title, text] of refused) {
    it(`is refused with ${title}`, () => {
      const error = p2pThrow(() => decodeNodeInfo(unhex(text)));
      expect(error).to.include({ code: 'handshake-failed', reason: 'bad-encoding', blame: 'peer' });
    });
  }

  it('never fails in any other way, whatever the bytes', () => {
    const base = unhex(vectors.encodings[1]!.proto);
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }), fc.nat(), (edits, length) => {
        const bytes = base.slice(0, 1 + (length % base.length));
        for (const [at, byte] of edits) bytes[at % bytes.length] = byte;
        try {
          decodeNodeInfo(bytes);
        } catch (error) {
          expect(error).to.be.instanceOf(P2PError).and.include({ code: 'handshake-failed' });
        }
      }),
    );
  });

  it('TR-140: is accepted with 10 240 bytes and refused by its length with 10 241', () => {
    expect(MAX_NODE_INFO_BYTES).to.equal(vectors.maxDelimitedPayload);
    const padding = MAX_NODE_INFO_BYTES - encodeNodeInfo({ ...EMPTY, moniker: 'x'.repeat(9000) }).length;
    const info = { ...EMPTY, moniker: 'x'.repeat(9000 + padding) };
    const body = encodeNodeInfo(info);
    expect(body.length).to.equal(10_240);
    const stream = encodeDelimited(body);
    const reader = new DelimitedReader(MAX_NODE_INFO_BYTES);
    expect(reader.push(stream, 0, stream.length)).to.equal(stream.length);
    expect(decodeNodeInfo(reader.message!)).to.deep.equal(info);
    const longer = encodeDelimited(encodeNodeInfo({ ...info, moniker: `${info.moniker}x` }));
    const error = p2pThrow(() => new DelimitedReader(MAX_NODE_INFO_BYTES).push(longer, 0, 2));
    expect(error).to.include({ code: 'handshake-failed', reason: 'message-too-large' });
  });
});
