import { createHash } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import {
  PING_PACKET,
  PONG_PACKET,
  maxPacketBytes,
  packetBodyBytes,
  packetBytes,
  packetDataBytesMax,
  packetOverhead,
  writePacket,
} from '../../../src/core/mconn/packet-writer.ts';
import { hex, pattern, unhex } from '../../support/bytes.ts';
import vectors from '../../vectors/mconn.json' with { type: 'json' };
import { cutMessage, packet } from './packets.ts';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** The data of a vector packet, which stands at its end. */
const DATA: Readonly<Record<string, Uint8Array>> = {
  '1a2208011a1e64617461207472616e736d6974746564206f766572207468652077697265': new TextEncoder().encode(
    'data transmitted over the wire',
  ),
  '1a0610011a020a00': unhex('0a00'),
  '1a09080110011a03616263': unhex('616263'),
  '1a0808800110011a0101': unhex('01'),
  '1a0808ff0110011a0101': unhex('01'),
};

describe('writing packets', () => {
  for (const row of vectors.packets) {
    it(`TR-118: gives the bytes of other implementations: ${row.name}`, () => {
      if (row.channel === undefined) {
        expect(hex(row.name === 'ping' ? PING_PACKET : PONG_PACKET)).to.equal(row.delimited);
        return;
      }
      const data = DATA[row.proto] ?? new Uint8Array(0);
      expect(hex(packet(row.channel, data, row.eof))).to.equal(row.delimited);
      expect(packetBodyBytes(row.channel, data.length, row.eof)).to.equal(row.proto.length / 2);
    });
  }

  for (const { maxPayload, limit } of vectors.maxPacketSize) {
    it(`limits packets to ${limit} bytes for payloads of ${maxPayload}`, () => {
      expect(maxPacketBytes(maxPayload)).to.equal(limit);
    });
  }

  for (const row of vectors.fragmentation) {
    it(`TR-122: cuts ${row.messageLength} bytes into ${row.packets.length} packets of at most ${row.maxPayload}`, () => {
      const packets = cutMessage(row.channel, pattern(row.messageLength, 7, 3), row.maxPayload);
      expect(packets.map((bytes) => ({ bytes: bytes.length, hash: sha256(bytes) }))).to.deep.equal(
        row.packets.map(({ delimitedLength, sha256OfDelimited }) => ({
          bytes: delimitedLength,
          hash: sha256OfDelimited,
        })),
      );
      const stream = Buffer.concat(packets);
      expect(stream.length).to.equal(row.streamLength);
      expect(sha256(stream)).to.equal(row.sha256OfStream);
    });
  }

  it('writes exactly what it says it needs, and nothing around it', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 255 }),
        fc.integer({ min: 0, max: 70_000 }),
        fc.boolean(),
        (channelId, length, eof) => {
          const bytes = packetBytes(channelId, length, eof);
          expect(bytes).to.be.at.most(packetOverhead(length) + length);
          expect(packetBytes(255, length, true)).to.equal(packetOverhead(length) + length);
          const out = new Uint8Array(bytes + 2).fill(0xee);
          const data = new Uint8Array(length + 2).fill(0x11);
          expect(writePacket(out, 1, channelId, data, 1, length + 1, eof)).to.equal(bytes);
          expect([out[0], out[bytes + 1]]).to.deep.equal([0xee, 0xee]);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('leaves a byte of payload to the longer numbers of channels from 128 on', () => {
    for (const payload of [1, 100, 127, 128, 1024, 1400, 16_384, 65_536]) {
      for (const channelId of [0, 1, 127, 128, 255]) {
        const data = packetDataBytesMax(channelId, payload);
        expect(packetBodyBytes(channelId, data, true)).to.be.at.most(maxPacketBytes(payload));
      }
    }
    expect(packetDataBytesMax(0x7f, 1024)).to.equal(1024);
    expect(packetDataBytesMax(0x80, 1024)).to.equal(1023);
    expect(packetBodyBytes(0x80, 1024, true)).to.be.above(maxPacketBytes(1024));
  });
});
