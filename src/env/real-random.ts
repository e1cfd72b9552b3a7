import { randomBytes, randomFillSync } from 'node:crypto';
import type { Random } from '../core/env.ts';
import { uniformBelow } from '../core/uniform.ts';

const POOL_WORDS = 256;

/** Cryptographic randomness of the operating system. Every fork is as independent of the others as two draws are. */
export function realRandom(): Random {
  const pool = new Uint32Array(POOL_WORDS);
  let used = POOL_WORDS;

  function drawWord(): number {
    if (used === POOL_WORDS) {
      randomFillSync(pool);
      used = 0;
    }
    const word = pool[used]!;
    pool[used++] = 0;
    return word;
  }

  return {
    below: (n) => uniformBelow(n, drawWord),
    bytes: (length) => new Uint8Array(randomBytes(length)),
    fork: realRandom,
  };
}
