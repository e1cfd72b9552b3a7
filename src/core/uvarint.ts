/**
 * Unsigned LEB128, the length prefix and field encoding of Protocol Buffers. Readers accept what Go's decoders accept:
 * padded forms of up to ten bytes, nothing longer, nothing above 64 bits.
 */

/** Longest encoding of a 64-bit value. */
export const UVARINT_BYTES_MAX = 10;

/** Bytes that `writeUvarint` takes for `value`, an integer from 0 to 2^53 − 1. */
export function uvarintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes += 1;
  return bytes;
}

/** Writes `value`, an integer from 0 to 2^53 − 1, at `offset` and returns the number of bytes written. */
export function writeUvarint(out: Uint8Array, offset: number, value: number): number {
  let at = offset;
  let rest = value;
  while (rest >= 0x80) {
    out[at++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  out[at++] = rest;
  return at - offset;
}

/**
 * Reads one value from bytes that arrive in pieces. Reusable: `reset` begins the next one. Values above 2^53 lose low
 * bits, so they are fit for comparison with a limit only.
 */
export class UvarintReader {
  /** The value so far; final once `push` has returned true. */
  value = 0;
  /** Bytes taken so far. */
  bytes = 0;
  #scale = 1;

  reset(): void {
    this.value = 0;
    this.bytes = 0;
    this.#scale = 1;
  }

  /**
   * Takes the next byte.
   *
   * @returns true when it was the last one, false when more follow, undefined when the encoding is longer than 64 bits.
   */
  push(byte: number): boolean | undefined {
    if (this.bytes === UVARINT_BYTES_MAX - 1 && byte > 1) return undefined;
    this.value += (byte & 0x7f) * this.#scale;
    this.#scale *= 0x80;
    this.bytes += 1;
    return byte < 0x80;
  }
}
