/** Buffers kept for the next write; more are left to the garbage collector. */
const SPARE_MAX = 16;

/**
 * Reused buffers for sealed frames, shared by all connections. The kernel usually takes a write at once and one buffer
 * serves everybody; a buffer that a socket still holds must not come back before the socket has drained.
 */
export class SealedBuffers {
  readonly #bytes: number;
  readonly #spare: Uint8Array[] = [];

  /** @param bytes - length of every buffer. */
  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  borrow(): Uint8Array {
    return this.#spare.pop() ?? new Uint8Array(this.#bytes);
  }

  giveBack(buffer: Uint8Array): void {
    if (this.#spare.length < SPARE_MAX) this.#spare.push(buffer);
  }
}
