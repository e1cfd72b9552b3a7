import type { ErrorCode } from './codes.ts';

/** Who an error is to be held against. Only `peer` may cost a peer score. */
export type Blame = 'peer' | 'local' | 'nobody';

export interface P2PErrorDetails {
  /** The broken rule, when one code covers several. Stable, like the code. */
  readonly reason?: string;
  /** Default `nobody`. */
  readonly blame?: Blame;
  readonly cause?: unknown;
}

/**
 * A fault: a peer broke the protocol, a connection was lost, or input was bad. Callers branch on `code` (and
 * `reason`), never on the text. Expected refusals are returned values, not errors.
 */
export class P2PError extends Error {
  override readonly name = 'P2PError';
  readonly code: ErrorCode;
  readonly reason: string | undefined;
  readonly blame: Blame;

  constructor(code: ErrorCode, message: string, details: P2PErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.reason = details.reason;
    this.blame = details.blame ?? 'nobody';
  }
}

/** The error of a stream, listener or channel that ended as such things end. */
export function endOfStream(what: string): P2PError {
  return new P2PError('eof', `${what} has ended`);
}

/** Anything caught, as an Error. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

/** A caught error as reasons are written: its code with the broken rule in brackets, or its message. */
export function errorReason(thrown: unknown): string {
  const error = asError(thrown);
  if (!(error instanceof P2PError)) return error.message;
  return error.reason === undefined ? error.code : `${error.code}(${error.reason})`;
}
