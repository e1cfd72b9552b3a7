import type { CancelTimer, Clock } from '../../core/env.ts';
import { KeepAlive, type KeepAliveSettings } from '../../core/mconn/keep-alive.ts';

export interface LivenessEvents {
  /** A ping is to be sent now. */
  ping(): void;
  /** The remote showed no life for too long. Nothing follows. */
  dead(): void;
}

/** Runs the keep-alive of one connection on the clock, with one timer at most. */
export class Liveness {
  readonly #clock: Clock;
  readonly #events: LivenessEvents;
  readonly #keepAlive: KeepAlive;
  #cancelTimer: CancelTimer | undefined;
  #isStopped = false;

  constructor(clock: Clock, settings: KeepAliveSettings, events: LivenessEvents) {
    this.#clock = clock;
    this.#events = events;
    this.#keepAlive = new KeepAlive(clock.now(), settings);
    this.#arm();
  }

  /** Bytes of any kind have arrived. */
  received(now: number): void {
    this.#keepAlive.received(now);
  }

  ponged(): void {
    this.#keepAlive.ponged();
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancelTimer?.();
  }

  #arm(): void {
    const delay = this.#keepAlive.nextAt() - this.#clock.now();
    this.#cancelTimer = this.#clock.setTimer(() => this.#letInputBeSeen(), delay);
  }

  /** After a stall of this process what the remote has sent meanwhile counts, so it is read first. */
  #letInputBeSeen(): void {
    this.#clock.defer(() => {
      if (!this.#isStopped) this.#step();
    });
  }

  #step(): void {
    const step = this.#keepAlive.step(this.#clock.now());
    if (step === 'dead') {
      this.#isStopped = true;
      this.#events.dead();
      return;
    }
    this.#arm();
    if (step === 'ping') this.#events.ping();
  }
}
