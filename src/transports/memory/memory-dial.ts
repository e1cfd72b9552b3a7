import type { CancelTimer, Clock, Env } from '../../core/env.ts';
import { P2PError } from '../../core/errors.ts';
import type { NodeId } from '../../core/node-id.ts';
import { abortReason } from '../connection-error.ts';
import type { Connection } from '../transport.ts';
import type { Knock, MemoryFabric } from './memory-fabric.ts';

/**
 * One dial on its way: to the target, in its accept queue until it accepts, and back. It ends with a connection, with the
 * signal's reason, or refused because nobody listens.
 */
export class MemoryDial implements Knock {
  readonly connection: Promise<Connection>;
  readonly #fabric: MemoryFabric;
  readonly #env: Env;
  readonly #from: NodeId;
  readonly #to: NodeId;
  readonly #signal: AbortSignal;
  readonly #resolve: (connection: Connection) => void;
  readonly #reject: (error: Error) => void;
  readonly #onAbort = (): void => this.#abort();
  #dialled: Connection | undefined;
  #cancelTravel: CancelTimer = () => undefined;
  #isOver = false;

  constructor(fabric: MemoryFabric, env: Env, from: NodeId, to: NodeId, signal: AbortSignal) {
    this.#fabric = fabric;
    this.#env = env;
    this.#from = from;
    this.#to = to;
    this.#signal = signal;
    let resolve: (connection: Connection) => void = () => undefined;
    let reject: (error: Error) => void = () => undefined;
    this.connection = new Promise((settle, refuse) => {
      resolve = settle;
      reject = refuse;
    });
    this.#resolve = resolve;
    this.#reject = reject;
    signal.addEventListener('abort', this.#onAbort);
    this.#cancelTravel = after(env.clock, fabric.latencyMs(from, to), () => this.#arrive());
  }

  /** Whether nobody waits for the connection any more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Makes the connection and returns the target's end; the dialler gets the other one later. */
  answer(targetEnv: Env): Connection {
    const [dialled, accepted] = this.#fabric.connect(this.#from, this.#env, this.#to, targetEnv);
    this.#dialled = dialled;
    const latencyMs = this.#fabric.latencyMs(this.#to, this.#from);
    this.#cancelTravel = after(targetEnv.clock, latencyMs, () => {
      this.#finish();
      this.#resolve(dialled);
    });
    return accepted;
  }

  /** Nobody is there to accept. */
  refuse(): void {
    this.#finish();
    const message = `${this.#to} stopped listening`;
    this.#reject(new P2PError('dial-failed', message, { reason: 'eof' }));
  }

  #arrive(): void {
    const target = this.#fabric.listener(this.#to);
    if (target?.receive(this) !== true) this.refuse();
  }

  #abort(): void {
    this.#finish();
    this.#cancelTravel();
    this.#fabric.listener(this.#to)?.withdraw(this);
    this.#dialled?.close();
    this.#reject(abortReason(this.#signal));
  }

  #finish(): void {
    this.#isOver = true;
    this.#signal.removeEventListener('abort', this.#onAbort);
  }
}

/** Calls `run` after a delay; a delay of 0 is a later turn and no timer. */
function after(clock: Clock, delayMs: number, run: () => void): CancelTimer {
  if (delayMs > 0) return clock.setTimer(run, delayMs);
  let isCancelled = false;
  clock.defer(() => {
    if (!isCancelled) run();
  });
  return () => {
    isCancelled = true;
  };
}
