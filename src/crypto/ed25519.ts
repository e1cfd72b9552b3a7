import { verify as verifySignature } from 'node:crypto';
import { RAW_KEY_BYTES, ed25519PublicKey } from './raw-keys.ts';

/** Length of every signature, in bytes. */
export const SIGNATURE_BYTES = 64;

/**
 * The y-coordinates of the eight points of small order, as encoded without sign. Under such a key one signature fits every
 * message, and the platform accepts it.
 */
const SMALL_ORDER_Y: readonly string[] = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
];

/**
 * Whether a raw Ed25519 public key is fit to identify a node: 32 bytes, the one canonical encoding of its point, and not
 * a point of small order. Stricter than ZIP-215, which other implementations verify by; honest keys pass both.
 */
export function isSafePublicKey(publicKey: Uint8Array): boolean {
  if (publicKey.length !== RAW_KEY_BYTES) return false;
  const y = Buffer.from(publicKey);
  y[31]! &= 0x7f;
  return isCanonical(y) && !SMALL_ORDER_Y.includes(y.toString('hex'));
}

/**
 * Whether `signature` is a plain Ed25519 signature (RFC 8032) of `message` by the owner of a safe public key. A signature
 * or key of another length is simply invalid.
 */
export function verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== SIGNATURE_BYTES || !isSafePublicKey(publicKey)) return false;
  return verifySignature(null, message, ed25519PublicKey(publicKey), signature);
}

/** Whether a y-coordinate is below 2^255 − 19. */
function isCanonical(y: Uint8Array): boolean {
  if (y[31] !== 0x7f || y[0]! < 0xed) return true;
  for (let index = 1; index < 31; index++) if (y[index] !== 0xff) return true;
  return false;
}
