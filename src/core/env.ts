/**
 * The seams of the outside world: time, chance and names. Everything in the library gets them from one `Env`; the real
 * ones are in src/env, the simulated twins in src/testing.
 */

/** Ends a timer; does nothing when it has fired or was cancelled. */
export type CancelTimer = () => void;

/** The longest delay a timer can hold, in milliseconds; longer ones are clamped to it. */
export const TIMER_MAX_MS = 2 ** 31 - 1;

export interface Clock {
  /** Monotonic milliseconds since some fixed instant. Durations are differences of it. */
  now(): number;
  /** Wall-clock milliseconds since 1970, for stored and displayed instants only. */
  wall(): number;
  /** Calls `fire` once after `delayMs`, clamped to [0, TIMER_MAX_MS]. Timers never keep a process alive by themselves. */
  setTimer(fire: () => void, delayMs: number): CancelTimer;
  /** Calls `run` in a later turn of the event loop, after pending input was seen. */
  defer(run: () => void): void;
}

export interface Random {
  /** A uniform integer in [0, n). */
  below(n: number): number;
  /** Fresh bytes; fit for keys in the real environment. */
  bytes(length: number): Uint8Array;
  /** An independent stream; the same label always names the same stream of a seeded source. */
  fork(label: string): Random;
}

export interface Resolver {
  /**
   * The addresses of a host name in the platform's order, as IP texts. Rejects when there is none or `signal` aborts.
   */
  resolve(hostname: string, signal: AbortSignal): Promise<readonly string[]>;
}

export interface Env {
  readonly clock: Clock;
  readonly random: Random;
  readonly resolver: Resolver;
}
