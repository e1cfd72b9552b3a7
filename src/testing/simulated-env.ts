import type { Env } from '../core/env.ts';
import { SeededRandom } from './seeded-random.ts';
import { SimulatedClock, type SimulatedClockOptions } from './simulated-clock.ts';
import { SimulatedResolver } from './simulated-resolver.ts';

export interface SimulatedEnvOptions extends SimulatedClockOptions {
  /** Everything random follows from it; default `peerchart`. */
  readonly seed?: string | number;
}

/** The outside world of a test: nothing in it happens by itself, and one seed always gives the same run. */
export interface SimulatedEnv extends Env {
  readonly clock: SimulatedClock;
  readonly random: SeededRandom;
  readonly resolver: SimulatedResolver;
  /** The environment of one node: the same time and names, a random stream of its own. */
  fork(label: string): SimulatedEnv;
}

export function simulatedEnv(options: SimulatedEnvOptions = {}): SimulatedEnv {
  const clock = new SimulatedClock(options);
  return envAround(clock, SeededRandom.from(options.seed ?? 'peerchart'), new SimulatedResolver(clock));
}

function envAround(clock: SimulatedClock, random: SeededRandom, resolver: SimulatedResolver): SimulatedEnv {
  return { clock, random, resolver, fork: (label) => envAround(clock, random.fork(label), resolver) };
}
