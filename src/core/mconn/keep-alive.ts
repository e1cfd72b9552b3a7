import { PING_INTERVAL_MS, PONG_TIMEOUT_MS } from '../limits.ts';

export interface KeepAliveSettings {
  /** Default 60 000. */
  readonly pingIntervalMs?: number;
  /** Default 45 000. */
  readonly pongTimeoutMs?: number;
}

/** What the time asks for: a ping to be sent, or the connection to be given up. */
export type KeepAliveStep = 'ping' | 'dead';

/**
 * Liveness of one connection as bookkeeping over instants of `Clock.now`, without timers. A ping goes out at every
 * interval, whatever else is sent. The remote is dead when a ping is unanswered and no byte of any kind has arrived for
 * the time-out; so traffic keeps a remote alive that is slow to answer, and an answered remote may be silent.
 */
export class KeepAlive {
  readonly #pingIntervalMs: number;
  readonly #pongTimeoutMs: number;
  #nextPingAt: number;
  /** Start of the silence that counts: the first unanswered ping, or a later byte. Undefined with no ping open. */
  #silentSince: number | undefined;

  /** @param now - when the connection was started. */
  constructor(now: number, settings: KeepAliveSettings = {}) {
    this.#pingIntervalMs = settings.pingIntervalMs ?? PING_INTERVAL_MS;
    this.#pongTimeoutMs = settings.pongTimeoutMs ?? PONG_TIMEOUT_MS;
    this.#nextPingAt = now + this.#pingIntervalMs;
  }

  /** Whether a ping is unanswered. */
  get pingOpen(): boolean {
    return this.#silentSince !== undefined;
  }

  /** Bytes of any kind have arrived. */
  received(now: number): void {
    if (this.#silentSince !== undefined && now > this.#silentSince) this.#silentSince = now;
  }

  /** A pong has arrived. Without an open ping it means nothing. */
  ponged(): void {
    this.#silentSince = undefined;
  }

  /** The one instant at which `step` may have something to say, unless bytes or a pong arrive before. */
  nextAt(): number {
    return Math.min(this.#nextPingAt, this.#deadAt());
  }

  /**
   * What is due at `now`. `ping` is recorded as sent; missed ones are not made up for. `dead` is said at every call from
   * then on. After a stall of the process let pending input be seen first (`Clock.defer`), or a living remote is judged
   * by our own silence.
   */
  step(now: number): KeepAliveStep | undefined {
    if (now >= this.#deadAt()) return 'dead';
    if (now < this.#nextPingAt) return undefined;
    this.#nextPingAt = now + this.#pingIntervalMs;
    this.#silentSince ??= now;
    return 'ping';
  }

  #deadAt(): number {
    return this.#silentSince === undefined ? Infinity : this.#silentSince + this.#pongTimeoutMs;
  }
}
