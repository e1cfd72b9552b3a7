import { expect } from 'chai';
import fc from 'fast-check';
import { P2PError } from '../../src/core/errors.ts';
import {
  AUTH_SIG_MESSAGE_BYTES,
  EPHEMERAL_MESSAGE_BYTES,
  decodeAuthSigMessage,
  decodeEphemeralMessage,
  encodeAuthSigMessage,
  encodeEphemeralMessage,
} from '../../src/wire/handshake-messages.ts';
import { hex, unhex } from '../support/bytes.ts';
import { p2pThrow } from '../support/p2p-throw.ts';
import vectors from '../vectors/secret-connection.json' with { type: 'json' };
import transcripts from '../vectors/session-transcripts.json' with { type: 'json' };

const KEY = '675dd574ed7789310b3d2e7681f3790b466c773b1521fecf36577958371ea52f';
const SIGNATURE = 'ab'.repeat(64);

describe('the ephemeral key message', () => {
  const { ephemeralPublic, bytes } = vectors.ephemeralMessage;

  it('has the bytes of the vectors in both directions', () => {
    expect(hex(encodeEphemeralMessage(unhex(ephemeralPublic)))).to.equal(bytes);
    expect(bytes.length / 2).to.equal(EPHEMERAL_MESSAGE_BYTES);
    expect(hex(decodeEphemeralMessage(unhex(bytes).subarray(1)))).to.equal(ephemeralPublic);
  });

  it('is not encoded from anything but 32 bytes', () => {
    expect(p2pThrow(() => encodeEphemeralMessage(new Uint8Array(31))).code).to.equal('encode-failed');
  });

  it('yields bytes of their own', () => {
    const body = unhex(`0a20${KEY}`);
    const key = decodeEphemeralMessage(body);
    body.fill(0);
    expect(hex(key)).to.equal(KEY);
  });

  const accepted: readonly [string, string][] = [
    ['with an unknown field', `0a20${KEY}1001`],
    ['with a padded length', `0aa000${KEY}`],
    ['with the key given twice, of which the last counts', `0a20${'00'.repeat(32)}0a20${KEY}`],
  ];
  for (const [title, body] of accepted) {
    it(`is read ${title}`, () => {
      expect(hex(decodeEphemeralMessage(unhex(body)))).to.equal(KEY);
    });
  }

  const refused: readonly [string, string, string][] = [
    ['TR-084: a value of 31 bytes', `0a1f${KEY.slice(2)}`, 'ephemeral-key-size'],
    ['TR-084: a value of 33 bytes', `0a21${KEY}00`, 'ephemeral-key-size'],
    ['TR-084: an empty value', '0a00', 'ephemeral-key-size'],
    ['TR-084: no value', '', 'ephemeral-key-size'],
    ['TR-079: a value of another wire type', '0d0b64726f70'.slice(0, 10), 'bad-encoding'],
    ['TR-079: a value that is cut off', `0a20${KEY.slice(2)}`, 'bad-encoding'],
    ['TR-079: field number 0', '0200', 'bad-encoding'],
  ];
  for (const [title, body, reason] of refused) {
    it(`${title} is refused as ${reason}`, () => {
      const error = p2pThrow(() => decodeEphemeralMessage(unhex(body)));
      expect(error).to.include({ code: 'handshake-failed', reason, blame: 'peer' });
    });
  }
});

describe('the authentication message', () => {
  const body = (key: string, signature = `1240${SIGNATURE}`): Uint8Array => unhex(`${key}${signature}`);

  it('has the bytes of the vectors in both directions', () => {
    const { bytes } = vectors.authMessageLayout;
    expect(bytes.length / 2).to.equal(AUTH_SIG_MESSAGE_BYTES);
    const message = decodeAuthSigMessage(unhex(bytes).subarray(1));
    expect(hex(message.publicKey)).to.equal(transcripts.sessions[0]!.A.publicKey);
    expect(hex(message.signature)).to.equal(transcripts.sessions[0]!.A.signature);
    expect(hex(encodeAuthSigMessage(message))).to.equal(bytes);
  });

  it('reads back what it writes, into bytes of their own', () => {
    const fixed = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
    fc.assert(
      fc.property(fixed(32), fixed(64), (publicKey, signature) => {
        const bytes = encodeAuthSigMessage({ publicKey, signature });
        const message = decodeAuthSigMessage(bytes.subarray(1));
        bytes.fill(0xff);
        expect(message).to.deep.equal({ publicKey, signature });
      }),
    );
  });

  it('TR-076: is not encoded from a key or signature of another length', () => {
    const key = new Uint8Array(32);
    const signature = new Uint8Array(64);
    expect(p2pThrow(() => encodeAuthSigMessage({ publicKey: key.subarray(1), signature })).code).to.equal(
      'encode-failed',
    );
    expect(p2pThrow(() => encodeAuthSigMessage({ publicKey: key, signature: key })).code).to.equal(
      'encode-failed',
    );
  });

  it('hands on a signature of any length, which is then no proof (TR-085)', () => {
    const message = decodeAuthSigMessage(body(`0a220a20${KEY}`, `123f${SIGNATURE.slice(2)}`));
    expect(message.signature.length).to.equal(63);
    expect(decodeAuthSigMessage(body(`0a220a20${KEY}`, '')).signature.length).to.equal(0);
  });

  const accepted: readonly [string, string][] = [
    ['with an unknown field inside and outside', `0a240a20${KEY}7801` + `1801`],
    ['with the key message in two parts, which merge', `0a00` + `0a220a20${KEY}` + '0a00'],
    ['with a key of another kind before the Ed25519 one', `0a26` + `1202abcd` + `0a20${KEY}`],
  ];
  for (const [title, key] of accepted) {
    it(`is read ${title}`, () => {
      expect(hex(decodeAuthSigMessage(body(key)).publicKey)).to.equal(KEY);
    });
  }

  const refused: readonly [string, string, string][] = [
    ['TR-086: no key message', '', 'key-missing'],
    ['TR-086: an empty key message', '0a00', 'key-missing'],
    ['TR-086: only an unknown kind of key', '0a023200', 'key-missing'],
    ['TR-086: an Ed25519 key of 31 bytes', `0a210a1f${KEY.slice(2)}`, 'key-size'],
    ['TR-086: an Ed25519 key of 33 bytes', `0a230a21${KEY}00`, 'key-size'],
    ['TR-086: an empty Ed25519 key', '0a020a00', 'key-size'],
    ['TR-077: a secp256k1 key', `0a231221${KEY}02`, 'key-type'],
    ['TR-077: an sr25519 key', `0a221a20${KEY}`, 'key-type'],
    ['TR-077: an ML-DSA key', '0a022200', 'key-type'],
    ['TR-077: the last known kind of key', '0a022a00', 'key-type'],
    ['TR-077: another kind of key after the Ed25519 one', `0a240a20${KEY}1200`, 'key-type'],
    ['a key of another wire type', '0a020801', 'bad-encoding'],
    ['a key message of another wire type', '0801', 'bad-encoding'],
    ['a key that reaches out of its message', `0a040a20${KEY}`, 'bad-encoding'],
  ];
  for (const [title, key, reason] of refused) {
    it(`${title} is refused as ${reason}`, () => {
      const error = p2pThrow(() => decodeAuthSigMessage(body(key)));
      expect(error).to.include({ code: 'handshake-failed', reason, blame: 'peer' });
    });
  }

  it('never fails in any other way, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
        for (const decode of [decodeAuthSigMessage, decodeEphemeralMessage]) {
          try {
            decode(bytes);
          } catch (error) {
            expect(error).to.be.instanceOf(P2PError).and.include({ code: 'handshake-failed' });
          }
        }
      }),
    );
  });
});
