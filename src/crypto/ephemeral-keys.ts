import { rawPublicKey, x25519PrivateKey } from './raw-keys.ts';

/** An X25519 key pair for one connection. */
export interface EphemeralKeys {
  /** 32 bytes, little-endian u-coordinate. */
  readonly publicKey: Uint8Array;
  /** 32 bytes, the scalar before clamping. Secret; wipe it once the session keys are derived. */
  readonly privateKey: Uint8Array;
}

/** The key pair of a private scalar: 32 fresh random bytes of the caller. The bytes are copied. */
export function ephemeralKeysFromSeed(seed: Uint8Array): EphemeralKeys {
  const privateKey = new Uint8Array(seed);
  return { publicKey: rawPublicKey(x25519PrivateKey(privateKey)), privateKey };
}
