/** 32 random bits as an integer in [0, 2^32). */
export type DrawWord = () => number;

const WORD = 2 ** 32;

/**
 * A uniform integer in [0, n) from random words, without the bias of a plain remainder: draws outside the largest
 * multiple of `n` are thrown away.
 *
 * @throws RangeError unless `n` is an integer from 1 to 2^53 − 1.
 */
export function uniformBelow(n: number, draw: DrawWord): number {
  if (!Number.isSafeInteger(n) || n < 1) throw new RangeError(`not a positive integer: ${n}`);
  if (n <= WORD) return belowLimit(n, WORD, draw);
  return belowLimit(n, 2 ** 53, () => (draw() >>> 11) * WORD + draw());
}

function belowLimit(n: number, span: number, draw: DrawWord): number {
  const limit = span - (span % n);
  for (;;) {
    const value = draw();
    if (value < limit) return value % n;
  }
}
