import type { HandshakeFault } from '../core/codes.ts';
import { P2PError } from '../core/errors.ts';
import { FieldReader } from '../core/field-reader.ts';

/** What each side proves its identity with. */
export interface AuthSigMessage {
  /** Raw 32-byte Ed25519 key. */
  readonly publicKey: Uint8Array;
  /** Over the challenge, as received: a length other than 64 bytes means that it is invalid. */
  readonly signature: Uint8Array;
}

/** Length of the first message on the wire, in bytes, prefix included. */
export const EPHEMERAL_MESSAGE_BYTES = 35;

/** Length of the authentication message, in bytes, prefix included. */
export const AUTH_SIG_MESSAGE_BYTES = 103;

const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;

/** The ephemeral key as sent: a `google.protobuf.BytesValue` with its length in front. */
export function encodeEphemeralMessage(publicKey: Uint8Array): Uint8Array {
  requireLength('ephemeral key', publicKey, KEY_BYTES);
  return concat(Uint8Array.of(0x22, 0x0a, KEY_BYTES), publicKey);
}

/**
 * The ephemeral key in a message without its length. Upstream pads a short key and cuts a long one; here both are refused,
 * as no honest peer sends one.
 *
 * @throws P2PError `handshake-failed` with a `HandshakeFault` as its `reason`, blaming the peer.
 */
export function decodeEphemeralMessage(body: Uint8Array): Uint8Array {
  const reader = readerOf(body, 0, body.length);
  let key = body.subarray(0, 0);
  while (reader.next()) {
    if (reader.field === 1) key = readBlock(reader, body);
    else reader.skip();
  }
  if (key.length !== KEY_BYTES)
    throw refused('ephemeral-key-size', `an ephemeral key of ${key.length} bytes`);
  return new Uint8Array(key);
}

/** The authentication message as sent, with its length in front. */
export function encodeAuthSigMessage({ publicKey, signature }: AuthSigMessage): Uint8Array {
  requireLength('public key', publicKey, KEY_BYTES);
  requireLength('signature', signature, SIGNATURE_BYTES);
  const head = Uint8Array.of(AUTH_SIG_MESSAGE_BYTES - 1, 0x0a, 2 + KEY_BYTES, 0x0a, KEY_BYTES);
  return concat(head, publicKey, Uint8Array.of(0x12, SIGNATURE_BYTES), signature);
}

/**
 * An authentication message without its length. The signature is not checked.
 *
 * @throws P2PError `handshake-failed` with a `HandshakeFault` as its `reason`, blaming the peer.
 */
export function decodeAuthSigMessage(body: Uint8Array): AuthSigMessage {
  const reader = readerOf(body, 0, body.length);
  let signature = body.subarray(0, 0);
  const key: IdentityKey = { field: 0, bytes: signature };
  while (reader.next()) {
    if (reader.field === 1) readIdentityKey(reader, body, key);
    else if (reader.field === 2) signature = readBlock(reader, body);
    else reader.skip();
  }
  if (key.field === 0) throw refused('key-missing', 'there is no identity key of a known kind');
  if (key.field !== ED25519_FIELD) throw refused('key-type', 'the identity key is not Ed25519');
  if (key.bytes.length !== KEY_BYTES)
    throw refused('key-size', `an Ed25519 key of ${key.bytes.length} bytes`);
  return { publicKey: new Uint8Array(key.bytes), signature: new Uint8Array(signature) };
}

/** The oneof of key kinds: the number of the member that was set last, 0 when none was. */
interface IdentityKey {
  field: number;
  bytes: Uint8Array;
}

const ED25519_FIELD = 1;
const LAST_KEY_FIELD = 5;

function readIdentityKey(reader: FieldReader, body: Uint8Array, key: IdentityKey): void {
  const outerEnd = reader.enter();
  while (reader.next()) {
    if (reader.field > LAST_KEY_FIELD) {
      reader.skip();
    } else {
      key.field = reader.field;
      key.bytes = readBlock(reader, body);
    }
  }
  reader.leave(outerEnd);
}

function readBlock(reader: FieldReader, body: Uint8Array): Uint8Array {
  reader.block();
  return body.subarray(reader.blockStart, reader.blockEnd);
}

function readerOf(body: Uint8Array, start: number, end: number): FieldReader {
  const reader = new FieldReader((message) => refused('bad-encoding', message));
  reader.reset(body, start, end);
  return reader;
}

function requireLength(what: string, bytes: Uint8Array, length: number): void {
  if (bytes.length !== length) {
    throw new P2PError('encode-failed', `the ${what} has ${bytes.length} bytes instead of ${length}`);
  }
}

function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((bytes, part) => bytes + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

function refused(reason: HandshakeFault, message: string): P2PError {
  return new P2PError('handshake-failed', `key exchange: ${message}`, { reason, blame: 'peer' });
}
