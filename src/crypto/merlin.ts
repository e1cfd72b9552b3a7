import { Strobe } from './strobe.ts';

const PROTOCOL = new TextEncoder().encode('Merlin v1.0');
const encoder = new TextEncoder();

/**
 * A Merlin transcript: what was appended, in order and with labels, decides every challenge drawn from it. Sans-I/O and
 * deterministic. Source: merlin.cool; answers of the Rust and Go packages are in the tests.
 */
export class MerlinTranscript {
  readonly #strobe = new Strobe(PROTOCOL);

  constructor(label: string) {
    this.append('dom-sep', encoder.encode(label));
  }

  append(label: string, message: Uint8Array): void {
    this.#frame(label, message.length);
    this.#strobe.ad(message, false);
  }

  /** Draws `length` bytes; later appends and challenges depend on it. */
  challenge(label: string, length: number): Uint8Array {
    this.#frame(label, length);
    return this.#strobe.prf(length);
  }

  #frame(label: string, length: number): void {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, length, true);
    this.#strobe.metaAd(encoder.encode(label), false);
    this.#strobe.metaAd(bytes, true);
  }
}
