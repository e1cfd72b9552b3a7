import { P2PError } from '../../core/errors.ts';
import { MAX_NODE_INFO_BYTES } from '../../core/limits.ts';
import { provenKey } from '../../crypto/authentication.ts';
import { ephemeralKeysFromSeed } from '../../crypto/ephemeral-keys.ts';
import { FrameOpener, FrameSealer, sealedBytes } from '../../crypto/frames.ts';
import { deriveSessionKeys, type SessionKeys } from '../../crypto/session-keys.ts';
import { HANDSHAKE_BYTES_MAX, encodeDelimited } from '../../wire/delimited.ts';
import {
  decodeAuthSigMessage,
  decodeEphemeralMessage,
  encodeAuthSigMessage,
  encodeEphemeralMessage,
} from '../../wire/handshake-messages.ts';
import { decodeNodeInfo, encodeNodeInfo } from '../../wire/node-info-codec.ts';
import type { LocalHandshake, RemoteHandshake } from '../transport.ts';

/** What the handshake needs of a connection. */
export interface HandshakeWire {
  /** Writes bytes as they are. */
  write(bytes: Uint8Array): void;
  /** The body of the next message in delimited form. Never settles once the connection has ended. */
  nextMessage(maxBytes: number): Promise<Uint8Array>;
  /** Everything received from here on is sealed. */
  secure(opener: FrameOpener): void;
}

export interface HandshakeOutcome {
  readonly remote: RemoteHandshake;
  /** Seals everything that is sent from here on. */
  readonly sealer: FrameSealer;
}

/**
 * The handshake of a Tendermint TCP connection: ephemeral keys in the clear, proofs of identity, node information. Both
 * sides run the same program; each step sends first and then waits. Node information is told only to a proven identity.
 *
 * @param seed - 32 fresh random bytes.
 * @throws P2PError `handshake-failed` or `protocol-violation`, blaming the peer; `encode-failed` for what we cannot say
 * about ourselves; or whatever the identity's signer throws.
 */
export async function shakeHands(
  wire: HandshakeWire,
  { identity, nodeInfo }: LocalHandshake,
  seed: Uint8Array,
): Promise<HandshakeOutcome> {
  const localInfo = encodeDelimited(encodeNodeInfo(nodeInfo));
  const { sendKey, recvKey, challenge } = await agreeOnKeys(wire, seed);
  wire.secure(new FrameOpener(recvKey));
  const sealer = new FrameSealer(sendKey);

  const prove = async (): Promise<void> => {
    const signature = await identity.sign(challenge);
    sendSealed(wire, sealer, encodeAuthSigMessage({ publicKey: identity.publicKey, signature }));
  };
  const verify = async (): Promise<Uint8Array> => {
    return provenKey(decodeAuthSigMessage(await wire.nextMessage(HANDSHAKE_BYTES_MAX)), challenge);
  };
  const [publicKey] = await Promise.all([verify(), prove()]);

  sendSealed(wire, sealer, localInfo);
  const remoteInfo = decodeNodeInfo(await wire.nextMessage(MAX_NODE_INFO_BYTES));
  return { remote: { nodeInfo: remoteInfo, publicKey }, sealer };
}

async function agreeOnKeys(wire: HandshakeWire, seed: Uint8Array): Promise<SessionKeys> {
  const keys = ephemeralKeysFromSeed(seed);
  seed.fill(0);
  try {
    wire.write(encodeEphemeralMessage(keys.publicKey));
    const remoteKey = decodeEphemeralMessage(await wire.nextMessage(HANDSHAKE_BYTES_MAX));
    return deriveSessionKeys(keys, remoteKey);
  } finally {
    keys.privateKey.fill(0);
  }
}

function sendSealed(wire: HandshakeWire, sealer: FrameSealer, message: Uint8Array): void {
  const sealed = new Uint8Array(sealedBytes(message.length));
  sealer.seal(message, 0, message.length, sealed, 0);
  wire.write(sealed);
}

/** A fault met during the handshake, under the code that a handshake fails with; its reason and blame are kept. */
export function handshakeError(thrown: P2PError): P2PError {
  if (thrown.code !== 'protocol-violation') return thrown;
  const { message, reason, blame } = thrown;
  return new P2PError('handshake-failed', message, {
    blame,
    cause: thrown,
    ...(reason === undefined ? {} : { reason }),
  });
}
