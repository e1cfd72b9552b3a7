/** What a terminal or a supervisor sends to end a process. */
const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Signals within this time are one request: npm passes on a Ctrl-C that the terminal has sent to everybody already. */
const SAME_REQUEST_MS = 300;

/** Exit code of a process that was interrupted, by the convention of shells. */
const EXIT_INTERRUPTED = 130;

/** When to stop: asked by a signal, by the end of the time, or by the program itself. */
export class StopSignal {
  readonly #abort = new AbortController();
  readonly #timer: NodeJS.Timeout | undefined;
  #isSettled = false;

  /** @param durationMs stop by itself after so many milliseconds; undefined: never. */
  constructor(durationMs?: number) {
    if (durationMs !== undefined) this.#timer = setTimeout(() => this.stop(), durationMs);
    for (const name of STOP_SIGNALS) process.on(name, this.#requested);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Resolves when it is time to stop. */
  get stopped(): Promise<void> {
    if (this.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      this.signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  /** Asks to stop. The first request counts. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#abort.abort();
  }

  /** Gives the signals back to the process. */
  dispose(): void {
    clearTimeout(this.#timer);
    for (const name of STOP_SIGNALS) process.off(name, this.#requested);
  }

  /** The first request stops in good order; one that comes later ends the process at once. */
  readonly #requested = (): void => {
    if (this.#isSettled) process.exit(EXIT_INTERRUPTED);
    this.stop();
    setTimeout(() => {
      this.#isSettled = true;
    }, SAME_REQUEST_MS).unref();
  };
}
