import { asError } from '../core/errors.ts';
import { TIMER_MAX_MS, type CancelTimer, type Clock } from '../core/env.ts';
import { TimerHeap, type SimulatedTimer } from './timer-heap.ts';

export interface SimulatedClockOptions {
  /** What `wall` shows at instant 0; default 2020-01-01T00:00:00Z. */
  readonly wallStartMs?: number;
  /** Timers and deferred calls that may run at one instant before it counts as a livelock; default 1,000,000. */
  readonly instantBudget?: number;
}

export interface RunLimit {
  /** Virtual milliseconds to give up after; default 600,000 (10 minutes). */
  readonly limitMs?: number;
}

/** What a simulated clock still has to do. */
export interface PendingWork {
  /** Live timers in the order they will fire; labels are function names unless `setTimer` was given one. */
  readonly timers: readonly { readonly label: string; readonly dueAt: number }[];
  /** Labels of the deferred calls, in order. */
  readonly deferred: readonly string[];
}

const WALL_START_MS = Date.UTC(2020, 0, 1);
const RUN_LIMIT_MS = 600_000;
const INSTANT_BUDGET = 1_000_000;
/** When this little of the budget is left, the names of who runs are collected. */
const SUSPECT_BUDGET = 256;

/**
 * A discrete-event clock. Time stands still until a test moves it, and then goes from one due instant to the next: the
 * timers of an instant fire in creation order, with promise continuations run after each, then everything they
 * deferred, until nothing is left to do at that instant. An error thrown by a timer or deferred call rejects the
 * running `advance`, `runUntil` or `runUntilIdle`. Only one of these runs at a time.
 */
export class SimulatedClock implements Clock {
  readonly #timers = new TimerHeap();
  readonly #wallStartMs: number;
  readonly #instantBudget: number;
  #deferred: Task[] = [];
  #now = 0;
  #running = false;
  #failures: Error[] = [];

  constructor(options: SimulatedClockOptions = {}) {
    this.#wallStartMs = options.wallStartMs ?? WALL_START_MS;
    this.#instantBudget = options.instantBudget ?? INSTANT_BUDGET;
  }

  now(): number {
    return this.#now;
  }

  wall(): number {
    return this.#wallStartMs + this.#now;
  }

  setTimer(fire: () => void, delayMs: number, label: string = nameOf(fire)): CancelTimer {
    const delay = delayMs > 0 ? Math.min(delayMs, TIMER_MAX_MS) : 0;
    const timer = this.#timers.add(this.#now + delay, fire, label);
    return () => this.#timers.cancel(timer);
  }

  defer(run: () => void, label: string = nameOf(run)): void {
    this.#deferred.push({ run, label });
  }

  /** Moves time on by `ms`, running everything due on the way. @throws RangeError when `ms` is negative. */
  async advance(ms: number): Promise<void> {
    await this.advanceTo(this.#now + ms);
  }

  /** Moves time to `instant`. @throws RangeError when that is in the past. */
  async advanceTo(instant: number): Promise<void> {
    if (!(instant >= this.#now)) throw new RangeError(`cannot go back from ${this.#now} to ${instant}`);
    await this.#exclusively(async () => {
      await this.#run(instant, never);
      this.#now = instant;
    });
  }

  /**
   * Runs until `predicate` holds, which is asked whenever pending work was done.
   *
   * @throws Error when it does not hold within the limit, or when nothing is left that could make it hold.
   */
  async runUntil(predicate: () => boolean, limit: RunLimit = {}): Promise<void> {
    const limitMs = limit.limitMs ?? RUN_LIMIT_MS;
    const deadline = this.#now + limitMs;
    await this.#exclusively(async () => {
      if (await this.#run(deadline, predicate)) return;
      const why = this.#timers.size === 0 ? 'nothing is left to happen' : `not within ${limitMs} ms`;
      throw new Error(`the awaited condition did not come about: ${why}${this.#describePending()}`);
    });
  }

  /**
   * Runs until no timer and no deferred call is left.
   *
   * @throws Error naming what is pending when that does not happen within the limit.
   */
  async runUntilIdle(limit: RunLimit = {}): Promise<void> {
    const limitMs = limit.limitMs ?? RUN_LIMIT_MS;
    const deadline = this.#now + limitMs;
    await this.#exclusively(async () => {
      await this.#run(deadline, never);
      if (this.#timers.size === 0) return;
      throw new Error(`still busy after ${limitMs} ms${this.#describePending()}`);
    });
  }

  /** Runs until `promise` settles, and gives its outcome. @throws Error when it does not settle within the limit. */
  async complete<T>(promise: Promise<T>, limit: RunLimit = {}): Promise<T> {
    let settled = false;
    const settle = (): void => {
      settled = true;
    };
    promise.then(settle, settle);
    await this.runUntil(() => settled, limit);
    return promise;
  }

  pending(): PendingWork {
    return {
      timers: this.#timers.inOrder().map(({ label, dueAt }) => ({ label, dueAt })),
      deferred: this.#deferred.map(({ label }) => label),
    };
  }

  /** Runs all there is up to `deadline`; true as soon as `isDone` holds. */
  async #run(deadline: number, isDone: () => boolean): Promise<boolean> {
    for (;;) {
      if (await this.#drainInstant(isDone)) return true;
      const next = this.#timers.nextDueAt();
      if (next > deadline) return false;
      this.#now = next;
    }
  }

  async #drainInstant(isDone: () => boolean): Promise<boolean> {
    const suspects = new Set<string>();
    let budget = this.#instantBudget;
    await this.#turn([]);
    for (;;) {
      if (isDone()) return true;
      const tasks = this.#takeTasks();
      if (tasks.length === 0) return false;
      budget -= tasks.length;
      if (budget < SUSPECT_BUDGET) for (const { label } of tasks) suspects.add(label);
      if (budget < 0) throw livelock(this.#now, suspects);
      await this.#turn(tasks);
    }
  }

  #takeTasks(): Task[] {
    const tasks = this.#deferred;
    this.#deferred = [];
    for (const timer of this.#timers.takeDue(this.#now)) tasks.push(new DueTimer(timer));
    return tasks;
  }

  /** Runs each task in a turn of its own, so that promise continuations run after each, as on the real event loop. */
  async #turn(tasks: readonly Task[]): Promise<void> {
    for (const task of tasks) setImmediate(() => this.#attempt(task));
    await new Promise<void>((resume) => setImmediate(resume));
    const failures = this.#failures;
    const [failure] = failures;
    if (failure === undefined) return;
    this.#failures = [];
    throw failures.length === 1 ? failure : new AggregateError(failures, 'several tasks failed in one turn');
  }

  #attempt(task: Task): void {
    try {
      task.run();
    } catch (thrown) {
      this.#failures.push(asError(thrown));
    }
  }

  async #exclusively(run: () => Promise<void>): Promise<void> {
    if (this.#running) throw new Error('the clock is being moved already');
    this.#running = true;
    try {
      await run();
    } finally {
      this.#running = false;
    }
  }

  #describePending(): string {
    const { timers, deferred } = this.pending();
    const lines = timers.slice(0, 20).map(({ label, dueAt }) => `\n  timer ${label} due at ${dueAt}`);
    return `; now ${this.#now}, ${timers.length} timers, ${deferred.length} deferred${lines.join('')}`;
  }
}

interface Task {
  readonly label: string;
  run(): void;
}

/** A timer taken from the heap to fire; another one of its instant may still cancel it. */
class DueTimer implements Task {
  readonly label: string;
  readonly #timer: SimulatedTimer;

  constructor(timer: SimulatedTimer) {
    this.label = timer.label;
    this.#timer = timer;
  }

  run(): void {
    const fire = this.#timer.fire;
    this.#timer.fire = undefined;
    fire?.();
  }
}

function livelock(instant: number, suspects: ReadonlySet<string>): Error {
  const names = [...suspects].slice(0, 20).join(', ');
  return new Error(`time stands still at ${instant}: ${names} keep making work for each other`);
}

function nameOf(run: () => void): string {
  return run.name === '' ? 'anonymous' : run.name;
}

function never(): boolean {
  return false;
}
