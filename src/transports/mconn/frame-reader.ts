import { SEALED_FRAME_BYTES, type FrameOpener } from '../../crypto/frames.ts';

/** Where plain bytes go. */
export interface PlainSink {
  /** `all`: whatever comes. `some`: `take` may stop anywhere. `nothing`: bytes wait in the reader until `resume`. */
  readonly wants: 'all' | 'some' | 'nothing';
  /** Takes bytes from `bytes[start … end)` and returns how many. They are valid during the call only. */
  take(bytes: Uint8Array, start: number, end: number): number;
}

const NOTHING = new Uint8Array(0);

/**
 * The one owner of what has arrived and was not used yet, from the first clear byte to the packets. Clear bytes go to the
 * sink as they are; after `secure` bytes are sealed frames. As long as the sink may stop, frames are opened one by one as
 * it wants them; later all whole frames of a chunk are opened at once, in place. What came before a broken frame always
 * reaches the sink first, so the outcome does not depend on how the stream was cut.
 */
export class FrameReader {
  #sink: PlainSink | undefined;
  #opener: FrameOpener | undefined;
  /** Bytes of a chunk that were neither handed over nor opened. */
  #rest: Uint8Array = NOTHING;
  /** Opened bytes that were not handed over. */
  #plain: Uint8Array = NOTHING;
  /** A frame of which only a part has arrived; made when it is first needed. */
  #partial: Uint8Array | undefined;
  #partialBytes = 0;

  /** Sets where bytes go from now on. Call `resume` then. */
  direct(sink: PlainSink): void {
    this.#sink = sink;
  }

  /** Says that every byte not handed over yet belongs to a sealed frame. */
  secure(opener: FrameOpener): void {
    this.#opener = opener;
  }

  /** Whether bytes wait for the sink; then the stream should not be read on. */
  get isHoldingBack(): boolean {
    return this.#rest.length > 0 || this.#plain.length > 0;
  }

  /** Whether the stream may end here, as far as frames go. */
  get atBoundary(): boolean {
    return this.#partialBytes === 0;
  }

  /**
   * Takes the next bytes of the stream. They belong to the reader, which overwrites them.
   *
   * @throws P2PError `protocol-violation` for a bad frame, blaming the peer; or whatever the sink throws. The reader must
   * not be used after a throw.
   */
  push(chunk: Uint8Array): void {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    this.resume();
  }

  /** Offers the sink what it did not want before. Throws as `push` does. */
  resume(): void {
    while (this.#advance());
  }

  /** Forgets everything, sink included. */
  clear(): void {
    this.#sink = undefined;
    this.#rest = NOTHING;
    this.#plain = NOTHING;
    this.#partial = undefined;
    this.#partialBytes = 0;
  }

  /** Does the next thing there is to do; false when there is none. */
  #advance(): boolean {
    const sink = this.#sink;
    if (sink === undefined || sink.wants === 'nothing') return false;
    if (this.#plain.length > 0) {
      const plain = this.#plain;
      this.#plain = NOTHING;
      const taken = sink.take(plain, 0, plain.length);
      if (taken < plain.length) this.#plain = plain.subarray(taken);
      return true;
    }
    if (this.#rest.length === 0) return false;
    if (this.#opener === undefined) this.#handOverClear(sink);
    else if (this.#partialBytes > 0 || this.#rest.length < SEALED_FRAME_BYTES)
      this.#openPartial(this.#opener);
    else if (sink.wants === 'all') this.#openAll(sink, this.#opener);
    else this.#openOne(this.#opener);
    return true;
  }

  #handOverClear(sink: PlainSink): void {
    const rest = this.#rest;
    const taken = sink.take(rest, 0, rest.length);
    this.#rest = rest.subarray(taken);
  }

  #openOne(opener: FrameOpener): void {
    const rest = this.#rest;
    this.#plain = rest.subarray(0, opener.open(rest, 0, rest, 0));
    this.#rest = rest.subarray(SEALED_FRAME_BYTES);
  }

  /** Opens every whole frame in place and hands them over as one piece. */
  #openAll(sink: PlainSink, opener: FrameOpener): void {
    const chunk = this.#rest;
    let at = 0;
    let plainBytes = 0;
    try {
      while (chunk.length - at >= SEALED_FRAME_BYTES) {
        plainBytes += opener.open(chunk, at, chunk, plainBytes);
        at += SEALED_FRAME_BYTES;
      }
    } finally {
      this.#rest = chunk.subarray(at);
      sink.take(chunk, 0, plainBytes);
    }
  }

  /** Completes the cut-off frame as far as the chunk goes, and opens it once it is whole. */
  #openPartial(opener: FrameOpener): void {
    const rest = this.#rest;
    this.#partial ??= new Uint8Array(SEALED_FRAME_BYTES);
    const bytes = Math.min(rest.length, SEALED_FRAME_BYTES - this.#partialBytes);
    this.#partial.set(rest.subarray(0, bytes), this.#partialBytes);
    this.#partialBytes += bytes;
    this.#rest = rest.subarray(bytes);
    if (this.#partialBytes < SEALED_FRAME_BYTES) return;
    this.#partialBytes = 0;
    this.#plain = this.#partial.subarray(0, opener.open(this.#partial, 0, this.#partial, 0));
  }
}
