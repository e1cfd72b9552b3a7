import { createHash } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { PING_PACKET, PONG_PACKET } from '../../src/core/mconn/packet-writer.ts';
import { ephemeralKeysFromSeed, type EphemeralKeys } from '../../src/crypto/ephemeral-keys.ts';
import { FrameSealer, sealedBytes } from '../../src/crypto/frames.ts';
import { identityFromSeed } from '../../src/crypto/node-key.ts';
import { deriveSessionKeys } from '../../src/crypto/session-keys.ts';
import { UPSTREAM_HANDSHAKE_BYTES_MAX, encodeDelimited } from '../../src/wire/delimited.ts';
import { encodeAuthSigMessage, encodeEphemeralMessage } from '../../src/wire/handshake-messages.ts';
import { decodeNodeInfo, encodeNodeInfo } from '../../src/wire/node-info-codec.ts';
import { pexCodec } from '../../src/wire/pex-codec.ts';
import { cutMessage } from '../core/mconn/packets.ts';
import { cutAt, hex, pattern, unhex } from '../support/bytes.ts';
import { p2pThrow } from '../support/p2p-throw.ts';
import nodeInfos from '../vectors/nodeinfo.json' with { type: 'json' };
import vectors from '../vectors/secret-connection.json' with { type: 'json' };
import transcripts from '../vectors/session-transcripts.json' with { type: 'json' };
import { ReceivingSide } from './receiving-side.ts';

type Session = (typeof transcripts.sessions)[number];

const MESSAGE = pattern(3000, 7, 3);
const ADDRESSES = [{ id: '1', ip: '127.0.0.1', port: 9090 }];

function nodeInfoOf(label: string): Uint8Array {
  const row = nodeInfos.encodings.find((encoding) => encoding.label.startsWith(label));
  return encodeDelimited(encodeNodeInfo(decodeNodeInfo(unhex(row!.proto))));
}

/** What the sender of a step writes above the frames, and what its receiver then sees. */
const CONTENT: Readonly<Record<string, { plain: Uint8Array; events: readonly string[] }>> = {
  'NodeInfo A (delimited)': { plain: nodeInfoOf('node A'), events: [] },
  'NodeInfo B (delimited)': { plain: nodeInfoOf('node B'), events: [] },
  ping: { plain: PING_PACKET, events: ['ping'] },
  pong: { plain: PONG_PACKET, events: ['pong'] },
  'ping and pong in one flush': {
    plain: Buffer.concat([PING_PACKET, PONG_PACKET]),
    events: ['ping', 'pong'],
  },
  '3000-byte message on channel 0x22, payload limit 1024, three packets in one flush': {
    plain: Buffer.concat(cutMessage(0x22, MESSAGE, 1024)),
    events: [`34:${hex(MESSAGE)}`],
  },
  '3000-byte message on channel 0x22, payload limit 1400 (v0.35 default)': {
    plain: Buffer.concat(cutMessage(0x22, MESSAGE, 1400)),
    events: [`34:${hex(MESSAGE)}`],
  },
  'PexRequest on channel 0x00': {
    plain: Buffer.concat(cutMessage(0, pexCodec.encode({ type: 'request' }), 1024)),
    events: ['0:0a00'],
  },
  'PexAddrs on channel 0x00, one address': {
    plain: Buffer.concat(cutMessage(0, pexCodec.encode({ type: 'response', addresses: ADDRESSES }), 1024)),
    events: ['0:12130a110a013112093132372e302e302e31188247'],
  },
};

function ephemeralOf(side: { readonly ephemeralPrivate: string }): EphemeralKeys {
  return ephemeralKeysFromSeed(unhex(side.ephemeralPrivate));
}

/** Every write of one side, made by our own code from its keys and the meaning of each step. */
async function writesOf(session: Session, dir: string): Promise<{ label: string; wire: string }[]> {
  const [local, remote] = dir === 'A->B' ? [session.A, session.B] : [session.B, session.A];
  const own = ephemeralOf(local);
  const { sendKey, challenge } = deriveSessionKeys(own, unhex(remote.ephemeralPublic));
  const identity = identityFromSeed(unhex(local.ed25519Seed));
  const signature = await identity.sign(challenge);
  const auth = encodeAuthSigMessage({ publicKey: identity.publicKey, signature });
  const sealer = new FrameSealer(sendKey);
  return session.steps
    .filter((step) => step.dir === dir)
    .map(({ label }, index) => {
      if (index === 0) return { label, wire: hex(encodeEphemeralMessage(own.publicKey)) };
      const plain = index === 1 ? auth : CONTENT[label]!.plain;
      const wire = new Uint8Array(sealedBytes(plain.length));
      sealer.seal(plain, 0, plain.length, wire, 0);
      return { label, wire: hex(wire) };
    });
}

/** The receiver of one direction, and what it must have seen in the end. */
function receiverOf(
  session: Session,
  dir: string,
): { side: ReceivingSide; stream: Uint8Array; check: () => void } {
  const [local, remote] = dir === 'A->B' ? [session.B, session.A] : [session.A, session.B];
  const steps = session.steps.filter((step) => step.dir === dir);
  const side = new ReceivingSide(ephemeralOf(local));
  return {
    side,
    stream: unhex(steps.map(({ wire }) => wire).join('')),
    check: () => {
      expect(hex(side.keys!.challenge)).to.equal(session.challenge);
      expect(hex(side.remoteKey!)).to.equal(remote.publicKey);
      expect(side.nodeInfo!.nodeId).to.equal(remote.nodeId);
      expect(side.events).to.deep.equal(steps.flatMap(({ label }) => CONTENT[label]?.events ?? []));
      expect(side.end().code).to.equal('eof');
    },
  };
}

describe('whole recorded sessions', () => {
  for (const session of transcripts.sessions) {
    for (const [dir, totals] of [
      ['A->B', session.totals.aToB],
      ['B->A', session.totals.bToA],
    ] as const) {
      it(`TR-157: come out of our own pieces byte for byte, ${dir}: ${session.name}`, async () => {
        const writes = await writesOf(session, dir);
        const recorded = session.steps.filter((step) => step.dir === dir);
        expect(writes).to.deep.equal(recorded.map(({ label, wire }) => ({ label, wire })));
        const stream = unhex(writes.map(({ wire }) => wire).join(''));
        expect(stream.length).to.equal(totals.bytes);
        expect(createHash('sha256').update(stream).digest('hex')).to.equal(totals.sha256);
      });

      it(`TR-157, TR-071, TR-082: are understood, ${dir}: ${session.name}`, () => {
        const { side, stream, check } = receiverOf(session, dir);
        side.push(stream);
        check();
      });

      it(`TR-158, TR-089: are understood wherever the stream is cut, ${dir}: ${session.name}`, () => {
        fc.assert(
          fc.property(fc.array(fc.nat(), { maxLength: 40 }), (cuts) => {
            const { side, stream, check } = receiverOf(session, dir);
            for (const piece of cutAt(stream, cuts)) side.push(piece);
            check();
          }),
          { numRuns: 25 },
        );
      });

      it(`TR-089: are understood byte by byte, ${dir}: ${session.name}`, () => {
        const { side, stream, check } = receiverOf(session, dir);
        for (const byte of stream) side.push(Uint8Array.of(byte));
        check();
      });

      it(`TR-098: end in eof on a boundary and in a lost connection inside, ${dir}: ${session.name}`, () => {
        const { stream } = receiverOf(session, dir);
        for (let bytes = 0; bytes <= 35 + 3 * 1044; bytes += 1) {
          if (bytes > 40 && bytes % 29 > 0 && (bytes - 35) % 1044 > 0) continue;
          const { side } = receiverOf(session, dir);
          side.push(stream.subarray(0, bytes));
          const isBoundary = bytes <= 1 || (bytes >= 35 && (bytes - 35) % 1044 === 0);
          expect(side.end().code, `${bytes} bytes`).to.equal(isBoundary ? 'eof' : 'connection-lost');
        }
      });
    }
  }
});

describe('recorded handshakes', () => {
  const { local, rows, remote } = vectors.handshakeFailures;

  const outcomes: Readonly<
    Record<string, { readonly row: string; readonly code: string; readonly reason?: string }>
  > = {
    'remote closes before sending its ephemeral key': { row: 'TR-078', code: 'eof' },
    'ephemeral message is not a BytesValue: field 1 with wire type 5': {
      row: 'TR-079',
      code: 'handshake-failed',
      reason: 'bad-encoding',
    },
    'remote closes after its ephemeral key': { row: 'TR-080', code: 'eof' },
    'garbage instead of a sealed frame': { row: 'TR-081', code: 'protocol-violation', reason: 'frame-tag' },
    'signature bit flipped': { row: 'TR-085', code: 'handshake-failed', reason: 'bad-signature' },
    'signature of 63 bytes': { row: 'TR-085', code: 'handshake-failed', reason: 'bad-signature' },
    'valid signature, other public key': { row: 'TR-085', code: 'handshake-failed', reason: 'bad-signature' },
    'public key oneof missing': { row: 'TR-086', code: 'handshake-failed', reason: 'key-missing' },
    'ed25519 key of 31 bytes': { row: 'TR-086', code: 'handshake-failed', reason: 'key-size' },
    'secp256k1 key (33 bytes, field 2 of the oneof)': {
      row: 'TR-077',
      code: 'handshake-failed',
      reason: 'key-type',
    },
    'length prefix above 1 MiB': { row: 'TR-090', code: 'handshake-failed', reason: 'message-too-large' },
  };
  const side = (): ReceivingSide => new ReceivingSide(ephemeralOf(local), UPSTREAM_HANDSHAKE_BYTES_MAX);

  /** Feeds a stream and its end, in one piece or byte by byte. */
  const run = (bytes: Uint8Array, byByte: boolean): ReceivingSide => {
    const receiver = side();
    for (const piece of byByte ? Array.from(bytes, (byte) => Uint8Array.of(byte)) : [bytes])
      receiver.push(piece);
    if (receiver.remoteKey === undefined) throw receiver.end();
    return receiver;
  };

  for (const row of rows) {
    for (const byByte of [false, true]) {
      const how = byByte ? 'byte by byte' : 'in one piece';
      const outcome = outcomes[row.name];
      if (outcome !== undefined) {
        it(`${outcome.row}: fail as they must, ${how}: ${row.name}`, () => {
          const error = p2pThrow(() => run(unhex(row.remoteBytes), byByte));
          expect({ code: error.code, reason: error.reason }).to.deep.equal({
            code: outcome.code,
            reason: outcome.reason,
          });
        });
      } else {
        it(`TR-082, TR-087, TR-088: succeed, ${how}: ${row.name}`, () => {
          expect(row.error).to.equal(null);
          const receiver = run(unhex(row.remoteBytes), byByte);
          expect(hex(receiver.remoteKey!)).to.equal(transcripts.sessions[0]!.B.publicKey);
          expect(hex(Uint8Array.from(receiver.leftover))).to.equal(row.leftover ?? '');
        });
      }
    }
  }

  it('are all of the vectors, each with an outcome of its own', () => {
    expect(rows).to.have.length(14);
    expect(rows.filter(({ error }) => error !== null).map(({ name }) => name)).to.have.members(
      Object.keys(outcomes),
    );
    expect(remote.ephemeralPublic).to.equal(transcripts.sessions[0]!.B.ephemeralPublic);
  });
});
