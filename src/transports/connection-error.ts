import { P2PError, endOfStream } from '../core/errors.ts';
import type { ConnectionEnd } from './transport.ts';

/** What a callback of the connection's owner threw, as the fault that ends the connection. */
export function callbackFailed(thrown: unknown): P2PError {
  if (thrown instanceof P2PError) return thrown;
  return new P2PError('internal', 'a callback of the connection threw', {
    reason: 'callback-threw',
    blame: 'local',
    cause: thrown,
  });
}

/** What an operation meets on a connection that has ended: the fault that ended it, else `eof`. */
export function endedError(end: ConnectionEnd): P2PError {
  return end.error ?? endOfStream('the connection');
}

/** A second handshake, or one on a connection that was started without. */
export function alreadyHandshaked(): P2PError {
  return new P2PError('already-handshaked', 'the connection has shaken hands already', { blame: 'local' });
}

/** A reason an abort signal gave, as something to throw. Callers get it back unchanged. */
export function abortReason(signal: AbortSignal): Error {
  return signal.reason as Error;
}
