import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';

/** Length of every raw key here, in bytes. */
export const RAW_KEY_BYTES = 32;

/** Header that turns a raw Ed25519 seed into PKCS #8 (RFC 8410). */
const ED25519_PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

/**
 * The Ed25519 private key of a 32-byte seed. Takes a way that is slow, but leaves no copy of the seed behind; for keys
 * that are imported once.
 */
export function ed25519PrivateKey(seed: Uint8Array): KeyObject {
  const der = Buffer.concat([ED25519_PKCS8, seed]);
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  der.fill(0);
  return key;
}

export function ed25519PublicKey(raw: Uint8Array): KeyObject {
  return publicKey('Ed25519', raw);
}

/**
 * The X25519 private key of a 32-byte scalar, ten times as fast as from DER. The platform wants the public part to be
 * there but makes its own, so it is empty here.
 */
export function x25519PrivateKey(scalar: Uint8Array): KeyObject {
  return createPrivateKey({ key: { kty: 'OKP', crv: 'X25519', x: '', d: base64url(scalar) }, format: 'jwk' });
}

export function x25519PublicKey(raw: Uint8Array): KeyObject {
  return publicKey('X25519', raw);
}

/** The 32 raw bytes of the public key that belongs to a private or public key of either kind. */
export function rawPublicKey(key: KeyObject): Uint8Array {
  const { x } = (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'jwk' });
  return new Uint8Array(Buffer.from(x ?? '', 'base64url'));
}

function publicKey(crv: string, raw: Uint8Array): KeyObject {
  return createPublicKey({ key: { kty: 'OKP', crv, x: base64url(raw) }, format: 'jwk' });
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url');
}
