import { expect } from 'chai';
import fc from 'fast-check';
import { ephemeralKeysFromSeed } from '../../src/crypto/ephemeral-keys.ts';
import {
  deriveChallenge,
  deriveDirectionKeys,
  deriveSessionKeys,
  sharedSecret,
} from '../../src/crypto/session-keys.ts';
import { hex, unhex } from '../support/bytes.ts';
import { p2pThrow } from '../support/p2p-throw.ts';
import golden from '../vectors/derive-secrets.json' with { type: 'json' };
import transcripts from '../vectors/session-transcripts.json' with { type: 'json' };
import vectors from '../vectors/secret-connection.json' with { type: 'json' };

const seed = fc.uint8Array({ minLength: 32, maxLength: 32 });

describe('session keys', () => {
  golden.rows.forEach((row, index) => {
    it(`TR-075: are those of golden row ${index + 1}`, () => {
      const { sendKey, recvKey } = deriveDirectionKeys(unhex(row.dhSecret), row.localIsLower);
      expect({ sendKey: hex(sendKey), recvKey: hex(recvKey) }).to.deep.equal({
        sendKey: row.sendKey,
        recvKey: row.recvKey,
      });
    });
  });

  it('TR-075: are checked against all 32 golden rows', () => {
    expect(golden.rows).to.have.length(32);
  });

  for (const session of transcripts.sessions) {
    for (const [local, remote] of [
      [session.A, session.B],
      [session.B, session.A],
    ] as const) {
      it(`are those of the recorded handshake, seen from ${local.nodeId}: ${session.name}`, () => {
        const own = ephemeralKeysFromSeed(unhex(local.ephemeralPrivate));
        expect(hex(own.publicKey)).to.equal(local.ephemeralPublic);
        expect(hex(sharedSecret(own, unhex(remote.ephemeralPublic)))).to.equal(session.sharedSecret);
        const keys = deriveSessionKeys(own, unhex(remote.ephemeralPublic));
        expect(hex(keys.sendKey)).to.equal(local.sendKey);
        expect(hex(keys.recvKey)).to.equal(local.recvKey);
        expect(hex(keys.challenge)).to.equal(session.challenge);
      });
    }

    it(`have the challenge of the recorded transcript: ${session.name}`, () => {
      const lower = session.A.localIsLower ? session.A : session.B;
      const upper = session.A.localIsLower ? session.B : session.A;
      const challenge = deriveChallenge(
        unhex(lower.ephemeralPublic),
        unhex(upper.ephemeralPublic),
        unhex(session.sharedSecret),
      );
      expect(hex(challenge)).to.equal(session.challenge);
    });
  }

  it('are the same for both ends, crosswise, and leave the ephemeral keys alone', () => {
    fc.assert(
      fc.property(seed, seed, (left, right) => {
        fc.pre(hex(left) !== hex(right));
        const a = ephemeralKeysFromSeed(left);
        const b = ephemeralKeysFromSeed(right);
        fc.pre(hex(a.publicKey) !== hex(b.publicKey));
        const ofA = deriveSessionKeys(a, b.publicKey);
        const ofB = deriveSessionKeys(b, a.publicKey);
        expect(ofA).to.deep.equal({ sendKey: ofB.recvKey, recvKey: ofB.sendKey, challenge: ofB.challenge });
        expect(ofA.sendKey).to.not.deep.equal(ofA.recvKey);
        expect(a.privateKey).to.deep.equal(left);
      }),
      { numRuns: 30 },
    );
  });

  it('do not share bytes with the seed they come from', () => {
    const bytes = new Uint8Array(32).fill(7);
    const keys = ephemeralKeysFromSeed(bytes);
    bytes.fill(0);
    expect(keys.privateKey).to.deep.equal(new Uint8Array(32).fill(7));
  });

  for (const point of vectors.lowOrderPoints.points) {
    for (const topBit of [0x00, 0x80]) {
      it(`TR-083: are refused for the low-order point ${point}${topBit === 0 ? '' : ' with its top bit set'}`, () => {
        const remote = unhex(point);
        remote[31]! |= topBit;
        const own = ephemeralKeysFromSeed(new Uint8Array(32).fill(1));
        const error = p2pThrow(() => deriveSessionKeys(own, remote));
        expect(error).to.include({ code: 'handshake-failed', reason: 'low-order-point', blame: 'peer' });
      });
    }
  }

  it('are refused when our own key comes back', () => {
    const own = ephemeralKeysFromSeed(new Uint8Array(32).fill(1));
    const error = p2pThrow(() => deriveSessionKeys(own, own.publicKey.slice()));
    expect(error).to.include({ code: 'handshake-failed', reason: 'reflection', blame: 'peer' });
  });
});
