import { expect } from 'chai';
import fc from 'fast-check';
import { P2PError } from '../../../src/core/errors.ts';
import { RECEIVE_PAYLOAD_BYTES } from '../../../src/core/limits.ts';
import { PacketParser } from '../../../src/core/mconn/packet-parser.ts';
import {
  PING_PACKET,
  PONG_PACKET,
  maxPacketBytes,
  packetBodyBytes,
} from '../../../src/core/mconn/packet-writer.ts';
import { blockField, cutAt, hex, pattern, unhex } from '../../support/bytes.ts';
import { p2pThrow } from '../../support/p2p-throw.ts';
import vectors from '../../vectors/mconn.json' with { type: 'json' };
import { cutMessage, packet, recordingParser } from './packets.ts';

const LIMIT = maxPacketBytes(1024);

/** What is parsed from a stream that comes in one piece. */
function parse(stream: Uint8Array, limit = LIMIT): string[] {
  const { parser, packets } = recordingParser(limit);
  parser.push(stream, 0, stream.length);
  expect(parser.atBoundary).to.equal(true);
  return packets;
}

/** The fault of a stream, and what was parsed before it. */
function refuse(stream: Uint8Array, limit = LIMIT): { error: P2PError; packets: string[] } {
  const { parser, packets } = recordingParser(limit);
  const error = p2pThrow(() => {
    parser.push(stream, 0, stream.length);
  });
  return { error, packets };
}

/** A packet with the given hex body. */
function body(text: string): Uint8Array {
  return unhex(blockField(1, text).slice(2));
}

const anyPacket: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.constant(PING_PACKET),
  fc.constant(PONG_PACKET),
  fc
    .tuple(fc.nat(255), fc.uint8Array({ maxLength: 1023 }), fc.boolean())
    .map(([channelId, data, eof]) => packet(channelId, data, eof)),
);

describe('parsing packets', () => {
  for (const row of vectors.packets) {
    it(`TR-118: reads the bytes of other implementations: ${row.name}`, () => {
      const [parsed] = parse(unhex(row.delimited));
      if (row.channel === undefined) expect(parsed).to.equal(row.name);
      else expect(parsed).to.match(new RegExp(`^${row.channel}:[0-9a-f]*${row.eof ? '\\.' : ''}$`));
    });
  }

  const accepted: Readonly<Record<string, string>> = {
    '040a007801': 'ping',
    '82000a00': 'ping',
    '040a001200': 'pong',
    '0d1a0b08818080801010011a0161': '1:61.',
  };
  for (const row of vectors.accept) {
    if (row.bytes === undefined) continue;
    it(`accepts what upstream does: ${row.name}`, () => {
      expect(parse(unhex(row.bytes))).to.deep.equal([accepted[row.bytes]]);
    });
  }

  it('accepts a packet whose data exceeds the payload but not the packet limit', () => {
    expect(packetBodyBytes(0, 1026, true)).to.equal(LIMIT);
    expect(parse(packet(0, pattern(1026), true))).to.deep.equal([`0:${hex(pattern(1026))}.`]);
    expect(refuse(packet(0, pattern(1027), true)).error.reason).to.equal('packet-too-large');
  });

  const reasons: Readonly<Record<string, string>> = {
    '0102030405': 'bad-encoding',
    '160a00120178220b088092b8c398feffffff012a021200': 'bad-encoding',
    '00': 'unknown-message-type',
    '022200': 'unknown-message-type',
    '0b1a0908810810011a023432': 'unknown-channel',
    '121a1008ffffffffffffffffff0110011a0178': 'unknown-channel',
    ee08: 'packet-too-large',
    ffffffffffffffffffff01: 'bad-encoding',
    '050d00000000': 'bad-encoding',
  };
  for (const row of vectors.reject) {
    const text = row.bytes ?? row.prefixBytes;
    it(`TR-111, TR-115, TR-116, TR-119, TR-120: refuses what upstream does, as ${reasons[text]}: ${row.name}`, () => {
      const { error, packets } = refuse(unhex(text));
      expect(error).to.include({ code: 'protocol-violation', reason: reasons[text], blame: 'peer' });
      expect(packets).to.deep.equal([]);
    });
  }

  it('TR-114: delivers a packet with 1024 data bytes under a limit of 1024', () => {
    expect(parse(packet(1, pattern(1024), true))).to.deep.equal([`1:${hex(pattern(1024))}.`]);
  });

  it('TR-115: refuses a packet with 1124 data bytes from its length alone', () => {
    const { error } = refuse(packet(1, pattern(1124), true).subarray(0, 2));
    expect(error.reason).to.equal('packet-too-large');
    expect(error.message).to.contain('1134 > 1034');
  });

  it('TR-119: delivers on channel 1 and then refuses channel 1025 without truncating it', () => {
    const stream = Buffer.concat([packet(1, unhex('3432'), true), unhex('0b1a0908810810011a023432')]);
    const { error, packets } = refuse(stream);
    expect(packets).to.deep.equal(['1:3432.']);
    expect(error.reason).to.equal('unknown-channel');
    expect(error.message).to.contain('0x401');
  });

  it('TR-155: reads packets of 1400 data bytes by our default, which a limit for 1024 refuses', () => {
    const stream = packet(0x20, pattern(1400), true);
    expect(parse(stream, maxPacketBytes(RECEIVE_PAYLOAD_BYTES))).to.deep.equal([`32:${hex(pattern(1400))}.`]);
    expect(refuse(stream).error.reason).to.equal('packet-too-large');
  });

  it('TR-156: delivers a message without data as an empty one', () => {
    expect(parse(unhex('061a04087f1001'))).to.deep.equal(['127:.']);
  });

  const bodies: readonly [string, string, string][] = [
    ['a message without channel and data', '1a00', '0:'],
    ['fields in any order', '1a071a016110010805', '5:61.'],
    ['a field given twice, of which the last counts', '1a0c08011a0161080210011a0162', '2:62.'],
    ['data emptied by its repetition', '1a051a01611a00', '0:'],
    ['any non-zero number as EOF', '1a081080808080808001', '0:.'],
    ['a zero as EOF', '1a021000', '0:'],
    ['unknown fields in a message', '1a0a' + '220100' + '0801' + '2d00000000', '1:'],
    ['unknown fields in a ping', '0a020801', 'ping'],
    ['unknown fields before and after', '2a00' + '1200' + 'f80101', 'pong'],
    ['an unknown group around what looks like a ping', '3b0a003c1200', 'pong'],
    ['a message after a ping', '0a001a020801', '1:'],
    ['a ping after a message', '1a0208010a00', 'ping'],
    ['a message after a message, without what the first one said', '1a0408011001' + '1a031a0161', '0:61'],
    ['padded numbers', '1a898000' + '08818000' + '1081808000', '1:.'],
  ];
  for (const [title, text, parsed] of bodies) {
    it(`reads ${title}`, () => {
      expect(parse(body(text))).to.deep.equal([parsed]);
    });
  }

  const faults: readonly [string, string, string][] = [
    ['channel 256', '1a03088002', 'unknown-channel'],
    ['channel 2^31', '1a06088080808008', 'unknown-channel'],
    ['channel 2^32 + 256', '1a06088082808010', 'unknown-channel'],
    ['a channel as a block', '1a020a00', 'bad-encoding'],
    ['EOF as a block', '1a021200', 'bad-encoding'],
    ['data as a number', '1a021801', 'bad-encoding'],
    ['a message as a number', '1801', 'bad-encoding'],
    ['a ping that is cut off', '0a01', 'bad-encoding'],
    ['a ping with field number 0 in it', '0a020001', 'bad-encoding'],
    ['data that reaches out of its message', '1a031a026161', 'bad-encoding'],
    ['a group end outside a group', '0a000c', 'bad-encoding'],
    ['a ping followed by a broken field', '0a0008', 'bad-encoding'],
  ];
  for (const [title, text, reason] of faults) {
    it(`refuses ${title} as ${reason}`, () => {
      const { error, packets } = refuse(body(text));
      expect(error).to.include({ code: 'protocol-violation', reason, blame: 'peer' });
      expect(packets).to.deep.equal([]);
    });
  }

  it('gives the same packets wherever the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.array(anyPacket, { maxLength: 12 }),
        fc.array(fc.nat(), { maxLength: 30 }),
        (packets, cuts) => {
          const stream = Buffer.concat(packets);
          const { parser, packets: parsed } = recordingParser(LIMIT);
          for (const piece of cutAt(stream, cuts)) {
            const framed = Uint8Array.of(0xff, ...piece, 0xff);
            parser.push(framed, 1, framed.length - 1);
            framed.fill(0xff);
          }
          expect(parsed).to.deep.equal(parse(stream));
          expect(parsed).to.have.length(packets.length);
          expect(parser.atBoundary).to.equal(true);
        },
      ),
    );
  });

  it('gives the same packets byte by byte, and is at a boundary only between them', () => {
    const stream = Buffer.concat([PING_PACKET, ...cutMessage(0x80, pattern(3000), 1000), PONG_PACKET]);
    const { parser, packets } = recordingParser(LIMIT);
    stream.forEach((_, index) => {
      const before = packets.length;
      parser.push(stream, index, index + 1);
      expect(parser.atBoundary).to.equal(packets.length > before);
    });
    expect(packets).to.deep.equal(parse(stream));
  });

  it('hands over the bytes of an uncut packet where they lie', () => {
    const stream = packet(1, unhex('616263'), true);
    const seen: Uint8Array[] = [];
    const handler = {
      ping: () => undefined,
      pong: () => undefined,
      message: (_channelId: number, bytes: Uint8Array) => void seen.push(bytes),
    };
    new PacketParser(handler, LIMIT).push(stream, 0, stream.length);
    expect(seen).to.have.length(1);
    expect(seen[0]).to.equal(stream);
  });

  it('lets what the handler throws through', () => {
    const handler = {
      ping: () => {
        throw new Error('enough');
      },
      pong: () => undefined,
      message: () => undefined,
    };
    const parser = new PacketParser(handler, LIMIT);
    expect(() => parser.push(PING_PACKET, 0, 3)).to.throw('enough');
  });

  it('never fails in any other way than it says, whatever the bytes', () => {
    const base = Buffer.concat([PING_PACKET, ...cutMessage(3, pattern(100), 40), PONG_PACKET]);
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }), (edits) => {
        const bytes = Uint8Array.from(base);
        for (const [at, byte] of edits) bytes[at % bytes.length] = byte;
        try {
          recordingParser(LIMIT).parser.push(bytes, 0, bytes.length);
        } catch (error) {
          expect(error).to.be.instanceOf(P2PError).and.include({ code: 'protocol-violation', blame: 'peer' });
        }
      }),
    );
  });
});
