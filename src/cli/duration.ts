import { InvalidArgumentError } from 'commander';

/** Seconds of a flag as milliseconds. */
export function parseDuration(text: string): number {
  const ms = Math.round(Number(text) * 1000);
  if (/^\d*\.?\d+$/.test(text) && ms > 0 && ms < 2 ** 31) return ms;
  throw new InvalidArgumentError('It must be a number of seconds above 0.');
}
