/**
 * The supervision kernel. Every actor is created here, as the root of its own XState system on the one clock; every
 * event between actors goes through the one run queue; and everything that happens is written to the flight recorder.
 * A throw ends the actor it happened in, with a record, and reaches nobody else.
 */
import type { Clock } from '../core/env.ts';
import { asError, P2PError } from '../core/errors.ts';
import type { FlightEvent, RecordValue } from '../inspect/flight-record.ts';
import type { FlightRecorder } from '../inspect/flight-recorder.ts';
import {
  createActor,
  type Actor,
  type AnyStateMachine,
  type EventFromLogic,
  type InputFrom,
  type InspectionEvent,
  type SnapshotFrom,
} from '../machines/xstate.ts';

/** A running actor as its owner sees it. */
export interface Supervised<M extends AnyStateMachine> {
  /** Stable name, for example `router/peer/out#4`. */
  readonly path: string;
  /** Begins its life; called once, when whoever its effects talk to is ready. */
  start(): void;
  /** Queues an event; does nothing once the actor has ended. */
  send(event: EventFromLogic<M>): void;
  snapshot(): SnapshotFrom<M>;
  readonly alive: boolean;
  /** Ends the actor without asking its chart; `onEnd` is not called. */
  stop(): void;
}

/** What an actor does when its chart asks for it, by the names of the chart's actions. */
export type Effects<M extends AnyStateMachine> = Partial<
  Record<keyof NonNullable<Parameters<M['provide']>[0]['actions']>, () => void>
>;

export interface SuperviseOptions<M extends AnyStateMachine> {
  readonly path: string;
  readonly input: InputFrom<M>;
  /**
   * Each runs as a job of its own, after the step that asked for it. Every actor of a chart has to name the same ones:
   * the chart is prepared for them once, since XState takes longer to do that than to run it.
   */
  readonly effects?: Effects<M>;
  /** Shown with the start record. */
  readonly about?: RecordValue;
  /** Called once, after the effects of the final state, when the chart has ended. */
  readonly onEnd?: (snapshot: SnapshotFrom<M>) => void;
  /**
   * When a job done for the actor threw: the event that tells its chart, which then has to end by itself. Without it, and
   * for a second throw, the actor is ended.
   */
  readonly failWith?: (error: Error) => EventFromLogic<M>;
  /** Called once when the actor was ended by a throw of its chart or of a job done for it. */
  readonly onCrash?: (error: Error) => void;
}

interface Job {
  readonly actor: string;
  /** Record that led to this job; what the job that queued it wrote last. */
  cause: number;
  readonly run: () => void;
}

interface Entry {
  /** A job done for the actor threw. */
  fail(thrown: unknown): void;
}

export class Kernel {
  readonly clock: Clock;
  readonly recorder: FlightRecorder;
  readonly #queue: Job[] = [];
  readonly #actors = new Map<string, Entry>();
  #draining = false;
  #cause = 0;
  #crashes = 0;

  constructor(clock: Clock, recorder: FlightRecorder) {
    this.clock = clock;
    this.recorder = recorder;
    recorder.attach(clock);
  }

  /** Actors alive now, by path, in order of creation. */
  get actors(): readonly string[] {
    return [...this.#actors.keys()];
  }

  /** Throws so far, of actors and of jobs. */
  get crashes(): number {
    return this.#crashes;
  }

  /** Writes a record under the current cause. Decisions and transitions become the cause of what follows in this job. */
  record(event: FlightEvent): number {
    const seq = this.recorder.write(event, this.#cause);
    if (event.kind === 'decision' || event.kind === 'transition') this.#cause = seq;
    return seq;
  }

  /**
   * Runs `run` for `actor` when everything queued before it has run: at once when the queue is idle. A throw is recorded
   * and ends that actor.
   */
  post(actor: string, run: () => void): void {
    this.#queue.push({ actor, cause: this.#cause, run });
    if (this.#draining) return;
    this.#draining = true;
    this.#drain();
  }

  #drain(): void {
    try {
      for (let job = this.#queue.shift(); job !== undefined; job = this.#queue.shift()) this.#execute(job);
    } finally {
      this.#draining = false;
      this.#cause = 0;
    }
  }

  /**
   * Runs `run` now, as one turn: what it sends is handled when it has returned. A throw is the caller's. For calls from
   * outside that change the state of the router.
   */
  call<T>(run: () => T): T {
    if (this.#draining) return run();
    this.#draining = true;
    try {
      return run();
    } finally {
      this.#drain();
    }
  }

  /** Records a throw that ended nothing but what it happened in. */
  fault(actor: string, thrown: unknown): void {
    const error = asError(thrown);
    this.#crashes += 1;
    const code = error instanceof P2PError ? error.code : 'internal';
    this.record({ kind: 'crash', actor, code, message: error.message });
  }

  /** The implementation of a chart's action: `run` as a job of its own, after the step that asked for it. */
  effect(actor: string, run: () => void): () => void {
    return () => this.post(actor, run);
  }

  /** Creates and records an actor, not started yet. */
  supervise<M extends AnyStateMachine>(machine: M, options: SuperviseOptions<M>): Supervised<M> {
    const { path, input, effects, about, onEnd, failWith, onCrash } = options;
    let state = '';
    let ended = false;
    let failing = false;
    const inspect = (inspection: InspectionEvent): void => {
      state = this.#inspect(path, state, inspection);
    };
    const prepared = effects === undefined ? machine : withEffects(machine, Object.keys(effects));
    const actor: Actor<M> = createActor<M>(prepared, {
      id: path,
      input,
      inspect,
      clock: {
        setTimeout: (fire: () => void, delayMs: number) => {
          const elapsed = (): void => {
            if (!ended) fire();
          };
          return delayMs === Infinity
            ? undefined
            : this.clock.setTimer(() => this.post(path, elapsed), delayMs);
        },
        clearTimeout: (cancel: (() => void) | undefined) => cancel?.(),
      },
    });
    if (effects !== undefined) {
      const jobs: Readonly<Record<string, (() => void) | undefined>> = effects;
      PERFORMERS.set(actor, (name) => this.post(path, jobs[name]!));
    }
    const end = (): boolean => {
      if (ended) return false;
      ended = true;
      this.#actors.delete(path);
      return true;
    };
    const crash = (thrown: unknown): void => {
      const error = asError(thrown);
      if (!end()) return;
      this.fault(path, error);
      actor.stop();
      if (onCrash !== undefined) this.post('router', () => onCrash(error));
    };
    const fail = (thrown: unknown): void => {
      if (ended || failing || failWith === undefined) {
        crash(thrown);
        return;
      }
      failing = true;
      const error = asError(thrown);
      this.fault(path, error);
      this.post(path, () => {
        if (!ended) actor.send(failWith(error));
      });
    };
    this.#actors.set(path, { fail });
    actor.subscribe({
      error: crash,
      complete: () => {
        if (!end()) return;
        this.record({ kind: 'stop', actor: path, state });
        if (onEnd !== undefined) this.post('router', () => onEnd(actor.getSnapshot()));
      },
    });
    this.record({ kind: 'start', actor: path, chart: machine.id, ...(about === undefined ? {} : { about }) });
    return {
      path,
      start: () =>
        this.post(path, () => {
          if (!ended) actor.start();
        }),
      send: (event) => {
        if (ended) return;
        this.post(path, () => {
          if (!ended) actor.send(event);
        });
      },
      snapshot: () => actor.getSnapshot(),
      get alive() {
        return !ended;
      },
      stop: () => {
        if (!end()) return;
        this.record({ kind: 'stop', actor: path, state });
        actor.stop();
      },
    };
  }

  #execute(job: Job): void {
    this.#cause = job.cause;
    const queuedBefore = this.#queue.length;
    try {
      job.run();
    } catch (thrown) {
      const entry = this.#actors.get(job.actor);
      if (entry === undefined) this.fault(job.actor, thrown);
      else entry.fail(thrown);
    }
    for (const followUp of this.#queue.slice(queuedBefore)) followUp.cause = this.#cause;
  }

  /** Turns what XState tells of one actor into records; returns the name of the state it is in. Never throws. */
  #inspect(path: string, state: string, inspection: InspectionEvent): string {
    switch (inspection.type) {
      case '@xstate.action': {
        if (inspection.action.type !== 'xstate.raise') return state;
        const { delay: delayMs = Infinity, event } = inspection.action.params as {
          readonly delay?: number;
          readonly event?: { type: string };
        };
        if (delayMs !== Infinity) {
          const name = timerName(event?.type ?? '');
          this.record({ kind: 'timer', actor: path, op: 'set', name, delayMs });
        }
        return state;
      }
      case '@xstate.event': {
        const { type } = inspection.event;
        if (type.startsWith(AFTER))
          this.record({ kind: 'timer', actor: path, op: 'fire', name: timerName(type) });
        return state;
      }
      case '@xstate.microstep':
      case '@xstate.snapshot': {
        const snapshot = inspection.snapshot as { readonly value?: unknown };
        const to = stateName(snapshot.value);
        if (to !== state) {
          this.record({
            kind: 'transition',
            actor: path,
            event: eventName(inspection.event.type),
            from: state,
            to,
          });
        }
        return to;
      }
      case '@xstate.actor':
      case '@xstate.transition':
        return state;
    }
  }
}

/** How the effects of each actor are performed. */
const PERFORMERS = new WeakMap<object, (name: string) => void>();

/** Charts whose actions of the given names ask the actor they run in for its effect. */
const PREPARED = new WeakMap<AnyStateMachine, AnyStateMachine>();

function withEffects<M extends AnyStateMachine>(machine: M, names: readonly string[]): M {
  let prepared = PREPARED.get(machine);
  if (prepared === undefined) {
    const actions: Record<string, (args: { readonly self: object }) => void> = {};
    for (const name of names) actions[name] = ({ self }) => PERFORMERS.get(self)?.(name);
    prepared = machine.provide({ actions });
    PREPARED.set(machine, prepared);
  }
  return prepared as M;
}

const AFTER = 'xstate.after.';

/** `xstate.after.handshakeTimeout.peer.handshaking` → `handshakeTimeout`. */
function timerName(eventType: string): string {
  return eventType.slice(AFTER.length).split('.', 1)[0] ?? '';
}

/** Delayed transitions under the name of their delay, the first one as `start`; other events as they are. */
function eventName(eventType: string): string {
  if (eventType === 'xstate.init') return 'start';
  return eventType.startsWith(AFTER) ? `after ${timerName(eventType)}` : eventType;
}

/** A state value as text: `handshaking.judging`, or `running(dialing.waiting,evicting.watching)` for parallel regions. */
export function stateName(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return '';
  const parts = Object.entries(value).map(([key, inner]) => {
    const name = stateName(inner);
    if (name === '') return key;
    return name.includes(',') ? `${key}(${name})` : `${key}.${name}`;
  });
  return parts.join(',');
}
