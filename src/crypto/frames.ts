import type { ProtocolFault } from '../core/codes.ts';
import { P2PError } from '../core/errors.ts';
import { EMPTY_FRAMES_MAX } from '../core/limits.ts';
import { AEAD_TAG_BYTES, nodeAead, type Aead, type AeadFactory } from './aead.ts';

/** Most data bytes in a frame of the secret connection. */
export const FRAME_DATA_BYTES = 1024;

/** A frame before sealing: length, data, padding. */
export const FRAME_PLAIN_BYTES = 4 + FRAME_DATA_BYTES;

/** A frame on the wire. */
export const SEALED_FRAME_BYTES = FRAME_PLAIN_BYTES + AEAD_TAG_BYTES;

export interface FrameOptions {
  /** Number of the first frame; default 0. */
  readonly counter?: bigint;
  /** Default: the platform's. */
  readonly aead?: AeadFactory;
}

/** Bytes on the wire for a write of `dataBytes`: whole frames, none for an empty write. */
export function sealedBytes(dataBytes: number): number {
  return Math.ceil(dataBytes / FRAME_DATA_BYTES) * SEALED_FRAME_BYTES;
}

/** Plain text of the frame being sealed or opened. Shared: nothing is kept in it between calls. */
const plain = new Uint8Array(FRAME_PLAIN_BYTES);

/**
 * The 12-byte nonce of one direction: four zero bytes, then the frame number, little-endian. The last number that may be
 * used is 2^64 − 2, as upstream dies when it would step past 2^64 − 1.
 */
class FrameNonce {
  readonly bytes = new Uint8Array(12);

  constructor(counter: bigint) {
    new DataView(this.bytes.buffer).setBigUint64(4, counter, true);
  }

  /** @throws P2PError `protocol-violation` with reason `nonce-exhausted`; nobody is to blame. */
  requireUsable(): void {
    for (let index = 4; index < 12; index++) if (this.bytes[index] !== 0xff) return;
    throw new P2PError('protocol-violation', 'the connection has used up its frame numbers', {
      reason: 'nonce-exhausted',
    });
  }

  advance(): void {
    let index = 4;
    while (++this.bytes[index]! > 0xff && index < 11) index += 1;
  }
}

/** Seals what one side sends. Not to be used by two writers at once. */
export class FrameSealer {
  readonly #aead: Aead;
  readonly #nonce: FrameNonce;

  /** @param key - 32 bytes, used by no other sealer. */
  constructor(key: Uint8Array, { counter = 0n, aead = nodeAead }: FrameOptions = {}) {
    this.#aead = aead(key);
    this.#nonce = new FrameNonce(counter);
  }

  /**
   * Seals `data[start … end)` into as many frames as it takes, all full but the last, padded with zeros, at `outOffset`
   * of `out`, which has room for `sealedBytes(end - start)`. Returns the number of bytes written; an empty range writes
   * nothing.
   *
   * @throws P2PError `protocol-violation` with reason `nonce-exhausted`; what was written before must not be sent then.
   */
  seal(data: Uint8Array, start: number, end: number, out: Uint8Array, outOffset: number): number {
    let at = outOffset;
    for (let from = start; from < end; from += FRAME_DATA_BYTES) {
      this.#nonce.requireUsable();
      fillPlain(data, from, Math.min(end, from + FRAME_DATA_BYTES));
      this.#aead.seal(this.#nonce.bytes, plain, out, at);
      this.#nonce.advance();
      at += SEALED_FRAME_BYTES;
    }
    return at - outOffset;
  }
}

/** Opens what the other side sealed. After a throw the connection is beyond repair and the opener must not be used. */
export class FrameOpener {
  readonly #aead: Aead;
  readonly #nonce: FrameNonce;
  #emptyRun = 0;

  /** @param key - 32 bytes. */
  constructor(key: Uint8Array, { counter = 0n, aead = nodeAead }: FrameOptions = {}) {
    this.#aead = aead(key);
    this.#nonce = new FrameNonce(counter);
  }

  /**
   * Opens the frame of `SEALED_FRAME_BYTES` at `offset` of `sealed` and writes its data at `outOffset` of `out`, which has
   * room for `FRAME_DATA_BYTES`. Returns the number of data bytes, which may be 0. Padding is ignored, since other
   * implementations leave old plain text there. `out` may be the same buffer as `sealed`, as long as `outOffset` is
   * not above `offset`.
   *
   * @throws P2PError `protocol-violation` with a `frame-*` fault as its `reason`, blaming the peer.
   */
  open(sealed: Uint8Array, offset: number, out: Uint8Array, outOffset: number): number {
    this.#nonce.requireUsable();
    if (!this.#aead.open(this.#nonce.bytes, sealed, offset, plain)) {
      throw violation('frame-tag', 'a frame failed to authenticate');
    }
    this.#nonce.advance();
    const dataBytes = (plain[0]! | (plain[1]! << 8) | (plain[2]! << 16) | (plain[3]! << 24)) >>> 0;
    if (dataBytes > FRAME_DATA_BYTES) throw violation('frame-length', `a frame claims ${dataBytes} bytes`);
    this.#countEmpty(dataBytes);
    out.set(plain.subarray(4, 4 + dataBytes), outOffset);
    return dataBytes;
  }

  #countEmpty(dataBytes: number): void {
    this.#emptyRun = dataBytes === 0 ? this.#emptyRun + 1 : 0;
    if (this.#emptyRun > EMPTY_FRAMES_MAX) {
      throw violation('frame-empty-run', `more than ${EMPTY_FRAMES_MAX} empty frames in a row`);
    }
  }
}

function fillPlain(data: Uint8Array, start: number, end: number): void {
  const dataBytes = end - start;
  plain[0] = dataBytes & 0xff;
  plain[1] = dataBytes >>> 8;
  plain[2] = 0;
  plain[3] = 0;
  plain.set(data.subarray(start, end), 4);
  plain.fill(0, 4 + dataBytes);
}

function violation(reason: ProtocolFault, message: string): P2PError {
  return new P2PError('protocol-violation', message, { reason, blame: 'peer' });
}
