import type { Env } from '../core/env.ts';
import { realClock } from './real-clock.ts';
import { realRandom } from './real-random.ts';
import { realResolver } from './real-resolver.ts';

/** The outside world as the platform gives it. */
export function realEnv(): Env {
  return { clock: realClock(), random: realRandom(), resolver: realResolver() };
}
