import type { CancelTimer, Clock } from '../core/env.ts';
import { P2PError } from '../core/errors.ts';

/** Why a signal aborts when nothing else is said. One for all: the platform's own reason takes a stack trace each time. */
const DISPOSED = new P2PError('aborted', 'what this was for is gone');

/**
 * Everything one peer, dial or router holds: sockets, timers, listeners, registrations. XState runs no exit action on
 * stop, so nothing is released by a chart; the owner disposes the scope, once, in the reverse order of acquisition.
 */
export class Scope {
  readonly #releases = new Set<() => void>();
  readonly #abort = new AbortController();
  readonly #onFault: (error: unknown) => void;

  /** @param onFault told of a release that threw; the others still run. */
  constructor(onFault: (error: unknown) => void) {
    this.#onFault = onFault;
  }

  /** Aborts when the scope is disposed. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get disposed(): boolean {
    return this.#abort.signal.aborted;
  }

  /** Keeps `release` for disposal, or runs it at once when that has happened. Returns a way to forget it. */
  add(release: () => void): () => void {
    if (this.disposed) {
      this.#run(release);
      return () => undefined;
    }
    this.#releases.add(release);
    return () => this.#releases.delete(release);
  }

  /** A timer that ends with the scope. */
  timer(clock: Clock, fire: () => void, delayMs: number): CancelTimer {
    if (this.disposed) return () => undefined;
    const cancel = clock.setTimer(() => {
      this.#releases.delete(cancel);
      fire();
    }, delayMs);
    this.#releases.add(cancel);
    return () => {
      this.#releases.delete(cancel);
      cancel();
    };
  }

  dispose(reason: unknown = DISPOSED): void {
    if (this.disposed) return;
    const releases = [...this.#releases].reverse();
    this.#releases.clear();
    this.#abort.abort(reason);
    for (const release of releases) this.#run(release);
  }

  #run(release: () => void): void {
    try {
      release();
    } catch (error) {
      this.#onFault(error);
    }
  }
}
