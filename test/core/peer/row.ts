import type { RowOptions } from './shorthand.ts';

/** A command and the answer it must get. */
export type Expectation = readonly [command: string, answer: string];

/**
 * One row of the behaviour table as data. Commands are lines such as `add m:a`, `dialNext` or `clock +100`; the row
 * interpreter lists them. Answers are compared as text.
 */
export interface Row {
  /** Row number, for example PM-037. */
  readonly no: string;
  /** What the row is about, as a sentence. */
  readonly title: string;
  readonly options?: RowOptions;
  /** The digit of our own id; default 0. */
  readonly self?: string;
  /** What `rng.below(n)` returns: a sequence, then 0; or always n − 1. Default always 0. */
  readonly rng?: readonly number[] | 'max';
  /** How the state is reached; none of these may be refused. */
  readonly given?: readonly string[];
  readonly then: readonly Expectation[];
  /** What of the row is for the core's owner to do, and tested there. */
  readonly shell?: string;
}
