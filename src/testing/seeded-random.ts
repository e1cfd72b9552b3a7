import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import type { Random } from '../core/env.ts';
import { uniformBelow } from '../core/uniform.ts';

/**
 * Repeatable randomness for tests. Streams form a tree: a fork depends on the seed and on the labels that lead to it,
 * never on what was drawn before, so one consumer more does not shift the others. Not fit for real keys.
 */
export class SeededRandom implements Random {
  readonly #key: Uint8Array;
  readonly #state: Uint32Array;

  private constructor(key: Uint8Array) {
    this.#key = key;
    this.#state = initialState(key);
  }

  static from(seed: string | number): SeededRandom {
    return new SeededRandom(sha256(utf8ToBytes(`seed/${seed}`)));
  }

  below(n: number): number {
    return uniformBelow(n, () => this.#word());
  }

  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; at += 4) {
      const word = this.#word();
      for (let i = 0; i < 4 && at + i < length; i++) bytes[at + i] = word >>> (8 * i);
    }
    return bytes;
  }

  fork(label: string): SeededRandom {
    return new SeededRandom(sha256(concatBytes(this.#key, utf8ToBytes(`fork/${label}`))));
  }

  /** One step of xoshiro128** (Blackman and Vigna). */
  #word(): number {
    const state = this.#state;
    const a = state[0]!;
    const b = state[1]!;
    const c = state[2]!;
    const d = state[3]!;
    const result = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0;
    state[0] = a ^ d ^ b;
    state[1] = b ^ c ^ a;
    state[2] = c ^ a ^ (b << 9);
    state[3] = rotateLeft(d ^ b, 11);
    return result;
  }
}

function initialState(key: Uint8Array): Uint32Array {
  const digest = sha256(concatBytes(key, utf8ToBytes('draw')));
  const view = new DataView(digest.buffer, digest.byteOffset);
  return Uint32Array.from({ length: 4 }, (_, i) => view.getUint32(4 * i, true));
}

function rotateLeft(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
