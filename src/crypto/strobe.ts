import { keccakP } from '@noble/hashes/sha3.js';

/** Bytes of the Keccak state that take input, at 128-bit security. */
const RATE = 166;

const FLAG_INBOUND = 0x01;
const FLAG_APPLICATION = 0x02;
const FLAG_CIPHER = 0x04;
const FLAG_META = 0x10;

const INITIAL_STATE = Uint8Array.of(1, RATE + 2, 1, 0, 1, 96, ...ascii('STROBEv1.0.2'));

/** Where a STROBE operation has left off; for comparison with recorded runs. */
export interface StrobePosition {
  readonly position: number;
  readonly operationStart: number;
}

/**
 * The part of STROBE-128 v1.0.2 that Merlin transcripts need, over Keccak-f[1600]. `more` continues the operation before
 * it, which must be of the same kind.
 */
export class Strobe {
  readonly #lanes = new Uint32Array(50);
  readonly #state = new Uint8Array(this.#lanes.buffer);
  #position = 0;
  /** One past where the current operation began; 0 once a permutation has come between. */
  #operationStart = 0;
  #flags = 0;

  constructor(protocol: Uint8Array) {
    this.#state.set(INITIAL_STATE);
    keccakP(this.#lanes);
    this.metaAd(protocol, false);
  }

  /** Absorbs framing data. */
  metaAd(data: Uint8Array, more: boolean): void {
    this.#begin(FLAG_META | FLAG_APPLICATION, more);
    this.#absorb(data);
  }

  /** Absorbs associated data. */
  ad(data: Uint8Array, more: boolean): void {
    this.#begin(FLAG_APPLICATION, more);
    this.#absorb(data);
  }

  /** Replaces state by a key. */
  key(data: Uint8Array): void {
    this.#begin(FLAG_APPLICATION | FLAG_CIPHER, false);
    for (const byte of data) {
      this.#state[this.#position] = byte;
      this.#step();
    }
  }

  /** Squeezes out `length` bytes, which are erased from the state. */
  prf(length: number): Uint8Array {
    this.#begin(FLAG_INBOUND | FLAG_APPLICATION | FLAG_CIPHER, false);
    const out = new Uint8Array(length);
    for (let index = 0; index < length; index++) {
      out[index] = this.#state[this.#position]!;
      this.#state[this.#position] = 0;
      this.#step();
    }
    return out;
  }

  /** A copy of the 200-byte state. */
  state(): Uint8Array {
    return this.#state.slice();
  }

  position(): StrobePosition {
    return { position: this.#position, operationStart: this.#operationStart };
  }

  #begin(flags: number, more: boolean): void {
    if (more) {
      if (flags !== this.#flags) throw new Error('a STROBE operation is continued by one of another kind');
      return;
    }
    const previousStart = this.#operationStart;
    this.#operationStart = this.#position + 1;
    this.#flags = flags;
    this.#absorb(Uint8Array.of(previousStart, flags));
    if ((flags & FLAG_CIPHER) !== 0 && this.#position !== 0) this.#run();
  }

  #absorb(data: Uint8Array): void {
    for (const byte of data) {
      this.#state[this.#position]! ^= byte;
      this.#step();
    }
  }

  #step(): void {
    this.#position += 1;
    if (this.#position === RATE) this.#run();
  }

  #run(): void {
    this.#state[this.#position]! ^= this.#operationStart;
    this.#state[this.#position + 1]! ^= 0x04;
    this.#state[RATE + 1]! ^= 0x80;
    keccakP(this.#lanes);
    this.#position = 0;
    this.#operationStart = 0;
  }
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
