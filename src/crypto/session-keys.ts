import { diffieHellman, hkdfSync } from 'node:crypto';
import type { HandshakeFault } from '../core/codes.ts';
import { P2PError } from '../core/errors.ts';
import type { EphemeralKeys } from './ephemeral-keys.ts';
import { MerlinTranscript } from './merlin.ts';
import { x25519PrivateKey, x25519PublicKey } from './raw-keys.ts';

/** What both ends of a connection agree on before either has said who it is. */
export interface SessionKeys {
  /** 32 bytes; seals what we send. */
  readonly sendKey: Uint8Array;
  /** 32 bytes; opens what we receive. */
  readonly recvKey: Uint8Array;
  /** 32 bytes both ends sign to prove their identity. */
  readonly challenge: Uint8Array;
}

const KEY_BYTES = 32;
const HKDF_INFO = 'TENDERMINT_SECRET_CONNECTION_KEY_AND_CHALLENGE_GEN';
const HKDF_BYTES = 96;

/**
 * Derives the keys and the challenge of a secret connection from both ephemeral keys (Tendermint `MakeSecretConnection`).
 *
 * @param remotePublicKey - 32 bytes as received.
 * @throws P2PError `handshake-failed` with reason `low-order-point` or `reflection`, blaming the peer.
 */
export function deriveSessionKeys(own: EphemeralKeys, remotePublicKey: Uint8Array): SessionKeys {
  const order = Buffer.compare(own.publicKey, remotePublicKey);
  if (order === 0) throw refused('reflection', 'the remote sent our own ephemeral key');
  const secret = sharedSecret(own, remotePublicKey);
  const isLower = order < 0;
  const keys = {
    ...deriveDirectionKeys(secret, isLower),
    challenge: isLower
      ? deriveChallenge(own.publicKey, remotePublicKey, secret)
      : deriveChallenge(remotePublicKey, own.publicKey, secret),
  };
  secret.fill(0);
  return keys;
}

/** The keys of both directions for a shared secret; `isLower` says whether our ephemeral public key is the lesser one. */
export function deriveDirectionKeys(
  secret: Uint8Array,
  isLower: boolean,
): { readonly sendKey: Uint8Array; readonly recvKey: Uint8Array } {
  const okm = new Uint8Array(hkdfSync('sha256', secret, new Uint8Array(0), HKDF_INFO, HKDF_BYTES));
  const first = okm.slice(0, KEY_BYTES);
  const second = okm.slice(KEY_BYTES, 2 * KEY_BYTES);
  okm.fill(0);
  return isLower ? { sendKey: second, recvKey: first } : { sendKey: first, recvKey: second };
}

/** The challenge of two ephemeral public keys in ascending order and their shared secret. */
export function deriveChallenge(lower: Uint8Array, upper: Uint8Array, secret: Uint8Array): Uint8Array {
  const transcript = new MerlinTranscript('TENDERMINT_SECRET_CONNECTION_TRANSCRIPT_HASH');
  transcript.append('EPHEMERAL_LOWER_PUBLIC_KEY', lower);
  transcript.append('EPHEMERAL_UPPER_PUBLIC_KEY', upper);
  transcript.append('DH_SECRET', secret);
  return transcript.challenge('SECRET_CONNECTION_MAC', KEY_BYTES);
}

/**
 * X25519 of our private and the remote public key.
 *
 * @throws P2PError `handshake-failed` with reason `low-order-point`.
 */
export function sharedSecret(own: EphemeralKeys, remotePublicKey: Uint8Array): Uint8Array {
  let secret = new Uint8Array(KEY_BYTES);
  let cause: unknown;
  try {
    const privateKey = x25519PrivateKey(own.privateKey);
    const publicKey = x25519PublicKey(remotePublicKey);
    secret = new Uint8Array(diffieHellman({ privateKey, publicKey }));
  } catch (error) {
    cause = error;
  }
  // The platform throws for such points; another one may return zeros.
  if (secret.every((byte) => byte === 0)) {
    throw refused('low-order-point', 'the remote ephemeral key has low order', cause);
  }
  return secret;
}

function refused(reason: HandshakeFault, message: string, cause?: unknown): P2PError {
  return new P2PError('handshake-failed', message, { reason, blame: 'peer', cause });
}
