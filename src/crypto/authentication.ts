import type { HandshakeFault } from '../core/codes.ts';
import { P2PError } from '../core/errors.ts';
import type { AuthSigMessage } from '../wire/handshake-messages.ts';
import { verify } from './ed25519.ts';

/**
 * The identity key that a remote's authentication message proves over our challenge.
 *
 * @throws P2PError `handshake-failed` with reason `bad-signature`, blaming the peer.
 */
export function provenKey({ publicKey, signature }: AuthSigMessage, challenge: Uint8Array): Uint8Array {
  if (verify(publicKey, challenge, signature)) return publicKey;
  const reason: HandshakeFault = 'bad-signature';
  throw new P2PError('handshake-failed', 'the signature of the challenge is invalid', {
    reason,
    blame: 'peer',
  });
}
