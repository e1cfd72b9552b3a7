import type { HandshakeFault } from '../core/codes.ts';
import { P2PError, endOfStream } from '../core/errors.ts';
import { UvarintReader, uvarintBytes, writeUvarint } from '../core/uvarint.ts';

export { HANDSHAKE_BYTES_MAX } from '../core/limits.ts';

/** Upstream's limit of the ephemeral key and authentication messages, in bytes of the body. */
export const UPSTREAM_HANDSHAKE_BYTES_MAX = 1_048_576;

/** `body` with its length in front. */
export function encodeDelimited(body: Uint8Array): Uint8Array {
  const out = new Uint8Array(uvarintBytes(body.length) + body.length);
  out.set(body, writeUvarint(out, 0, body.length));
  return out;
}

/**
 * Reads one length-delimited message from bytes that arrive in pieces, and never a byte behind it. The body is
 * allocated once its length is known to be within the limit.
 */
export class DelimitedReader {
  readonly #maxBytes: number;
  readonly #length = new UvarintReader();
  #body: Uint8Array | undefined;
  #filled = 0;

  /** @param maxBytes - longest body accepted; equal is allowed. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The body once all of it has arrived, owned by the caller; undefined before. */
  get message(): Uint8Array | undefined {
    return this.#body?.length === this.#filled ? this.#body : undefined;
  }

  /**
   * Takes what belongs to the message from `chunk[start … end)` and returns how many bytes that were. The rest belongs
   * to the next phase of the stream.
   *
   * @throws P2PError `handshake-failed` with reason `message-too-large` or `bad-length`, blaming the peer.
   */
  push(chunk: Uint8Array, start: number, end: number): number {
    let at = start;
    while (this.#body === undefined && at < end) this.#pushLength(chunk[at++]!);
    if (this.#body !== undefined) {
      const part = chunk.subarray(at, Math.min(end, at + this.#body.length - this.#filled));
      this.#body.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
    }
    return at - start;
  }

  /**
   * What an end of the stream at this point means: `eof` before the first byte of the length or of the body, as upstream
   * has it, else `connection-lost`.
   */
  endError(): P2PError {
    const isBeforeBody = this.#body !== undefined && this.#filled === 0;
    if (this.#length.bytes === 0 || isBeforeBody) return endOfStream('the stream');
    return new P2PError('connection-lost', 'the stream ended inside a message', { reason: 'unexpected-eof' });
  }

  #pushLength(byte: number): void {
    const done = this.#length.push(byte);
    if (done === undefined) throw refused('bad-length', 'the length of a message exceeds 64 bits');
    if (!done) return;
    const { value } = this.#length;
    if (value > this.#maxBytes) {
      throw refused('message-too-large', `message exceeds its limit (${value} > ${this.#maxBytes} bytes)`);
    }
    this.#body = new Uint8Array(value);
  }
}

function refused(reason: HandshakeFault, message: string): P2PError {
  return new P2PError('handshake-failed', message, { reason, blame: 'peer' });
}
