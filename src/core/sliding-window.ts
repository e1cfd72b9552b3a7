/** Tells when more than `limit` events fall within any span of `windowMs`. Takes no memory before the first event. */
export class SlidingWindow {
  readonly #limit: number;
  readonly #windowMs: number;
  /** The latest events as a ring, the next one to overwrite being the oldest. */
  readonly #instants: number[] = [];
  #next = 0;

  constructor(limit: number, windowMs: number) {
    this.#limit = limit;
    this.#windowMs = windowMs;
  }

  /** Counts an event. True when it is one too many; what follows is counted as it was before. */
  record(now: number): boolean {
    const oldest = this.#instants[this.#next];
    this.#instants[this.#next] = now;
    this.#next = (this.#next + 1) % this.#limit;
    return oldest !== undefined && now - oldest < this.#windowMs;
  }

  /** Forgets every event. */
  clear(): void {
    this.#instants.length = 0;
    this.#next = 0;
  }
}
