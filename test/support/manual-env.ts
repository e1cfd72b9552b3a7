import type { Env } from '../../src/core/env.ts';
import { realEnv } from '../../src/env/real-env.ts';
import { SimulatedClock } from '../../src/testing/simulated-clock.ts';

/** Real sockets with timers moved by hand: `advance` fires timers, while deferred calls run by themselves. */
export interface ManualEnv extends Env {
  advance(ms: number): Promise<void>;
  readonly timers: readonly string[];
}

/** @param seed - what `random.bytes` gives each time, for example an ephemeral key; random when absent. */
export function manualEnv(seed?: Uint8Array): ManualEnv {
  const { clock: realClock, random, resolver } = realEnv();
  const clock = new SimulatedClock();
  return {
    clock: {
      now: () => clock.now(),
      wall: () => clock.wall(),
      setTimer: (fire, delayMs) => clock.setTimer(fire, delayMs),
      defer: (run) => realClock.defer(run),
    },
    random: seed === undefined ? random : { ...random, bytes: () => new Uint8Array(seed) },
    resolver,
    advance: (ms) => clock.advance(ms),
    get timers() {
      return clock.pending().timers.map(({ label }) => label);
    },
  };
}
