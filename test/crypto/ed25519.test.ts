import { sign, verify as platformVerify } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { provenKey } from '../../src/crypto/authentication.ts';
import { isSafePublicKey, verify } from '../../src/crypto/ed25519.ts';
import { ed25519PrivateKey, ed25519PublicKey, rawPublicKey } from '../../src/crypto/raw-keys.ts';
import { unhex } from '../support/bytes.ts';
import { p2pThrow } from '../support/p2p-throw.ts';
import transcripts from '../vectors/session-transcripts.json' with { type: 'json' };

/** The eight points of small order, and every encoding of them that is not canonical. */
const SMALL_ORDER = [
  '0100000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000080',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0000000000000000000000000000000000000000000000000000000000000080',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
];

const { A: signer, challenge: challengeHex } = transcripts.sessions[0]!;
const publicKey = unhex(signer.publicKey);
const challenge = unhex(challengeHex);
const signature = unhex(signer.signature);

describe('Ed25519 signatures', () => {
  for (const session of transcripts.sessions) {
    for (const side of [session.A, session.B]) {
      it(`of the recorded handshake verify: ${side.nodeId}, ${session.name}`, () => {
        expect(verify(unhex(side.publicKey), unhex(session.challenge), unhex(side.signature))).to.equal(true);
      });
    }
  }

  it('of any key over any message verify, and of no other message', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.uint8Array(), (seed, message) => {
        const key = ed25519PrivateKey(seed);
        const made = sign(null, message, key);
        expect(verify(rawPublicKey(key), message, made)).to.equal(true);
        expect(verify(rawPublicKey(key), Uint8Array.of(...message, 0), made)).to.equal(false);
      }),
      { numRuns: 20 },
    );
  });

  it('TR-085: with any bit flipped are invalid', () => {
    for (let bit = 0; bit < 512; bit += 37) {
      const flipped = signature.slice();
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      expect(verify(publicKey, challenge, flipped), `bit ${bit}`).to.equal(false);
    }
  });

  for (const length of [0, 63, 65]) {
    it(`TR-085: of ${length} bytes are invalid`, () => {
      const bytes = new Uint8Array(length);
      bytes.set(signature.subarray(0, length));
      expect(verify(publicKey, challenge, bytes)).to.equal(false);
    });
  }

  it('TR-085: under another key are invalid', () => {
    expect(verify(unhex(transcripts.sessions[0]!.B.publicKey), challenge, signature)).to.equal(false);
  });

  it('with a scalar above the group order are invalid', () => {
    const order = 2n ** 252n + 27742317777372353535851937790883648493n;
    let scalar = order;
    for (let index = 31; index >= 0; index--) scalar += BigInt(signature[32 + index]!) << BigInt(8 * index);
    const malleated = signature.slice();
    for (let index = 0; index < 32; index++)
      malleated[32 + index] = Number((scalar >> BigInt(8 * index)) & 0xffn);
    expect(verify(publicKey, challenge, malleated)).to.equal(false);
  });

  for (const key of SMALL_ORDER) {
    it(`under the small-order key ${key} are invalid`, () => {
      const forged = unhex(`01${'00'.repeat(63)}`);
      expect(isSafePublicKey(unhex(key))).to.equal(false);
      for (let message = 0; message < 16; message++) {
        expect(verify(unhex(key), Uint8Array.of(message), forged)).to.equal(false);
      }
    });
  }

  it('would be taken by the platform for any message under the neutral point', () => {
    const forged = unhex(`01${'00'.repeat(63)}`);
    const neutral = unhex(`01${'00'.repeat(31)}`);
    expect(platformVerify(null, challenge, ed25519PublicKey(neutral), forged)).to.equal(true);
    expect(verify(neutral, challenge, forged)).to.equal(false);
  });

  it('are judged only under canonical keys of 32 bytes', () => {
    expect(isSafePublicKey(publicKey)).to.equal(true);
    expect(isSafePublicKey(publicKey.subarray(1))).to.equal(false);
    expect(isSafePublicKey(Uint8Array.of(...publicKey, 0))).to.equal(false);
    for (let low = 0xed; low <= 0xff; low++) {
      const key = new Uint8Array(32).fill(0xff);
      key[0] = low;
      key[31] = 0x7f;
      expect(isSafePublicKey(key), low.toString(16)).to.equal(false);
    }
    const largest = new Uint8Array(32).fill(0xff);
    largest[0] = 0xeb;
    largest[31] = 0x7f;
    expect(isSafePublicKey(largest)).to.equal(true);
    for (let index = 1; index < 31; index++) {
      const key = new Uint8Array(32).fill(0xff);
      key[31] = 0x7f;
      key[index] = 0xfe;
      expect(isSafePublicKey(key), `byte ${index}`).to.equal(true);
    }
  });
});

describe('the proof of an identity', () => {
  it('yields the key whose owner signed our challenge', () => {
    expect(provenKey({ publicKey, signature }, challenge)).to.deep.equal(publicKey);
  });

  it('TR-085: fails for a signature of another challenge', () => {
    const error = p2pThrow(() => provenKey({ publicKey, signature }, new Uint8Array(32)));
    expect(error).to.include({ code: 'handshake-failed', reason: 'bad-signature', blame: 'peer' });
  });
});
