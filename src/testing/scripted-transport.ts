import { formatEndpoint, type Endpoint } from '../core/endpoint.ts';
import type { Clock } from '../core/env.ts';
import { endOfStream, P2PError } from '../core/errors.ts';
import type { Connection, Transport, TransportFactory } from '../transports/transport.ts';
import { ScriptedConnection, type ScriptedConnectionOptions } from './scripted-connection.ts';

export interface ScriptedTransportOptions {
  /** Default `scripted`. */
  readonly name?: string;
  /** Default `scripted` and `memory`. */
  readonly protocols?: readonly string[];
  /** Where it listens; default one endpoint. None makes it dial-only. */
  readonly endpoints?: readonly Endpoint[];
}

/** What becomes of a dial: a connection, an error, or nothing until the test answers. */
export type DialAnswer = ScriptedConnection | Error | 'hang';

/** One dial of the router. */
export interface ScriptedDial {
  readonly endpoint: string;
  /** `Clock.now` of the call. */
  readonly at: number;
  readonly signal: AbortSignal;
  /** Whether the router still waits for it. */
  readonly isPending: boolean;
  /** Ends a dial that hangs, also one that the router gave up, if `stubborn`. */
  answer(outcome: ScriptedConnection | Error): void;
}

type AcceptStep = ScriptedConnection | Error;

const LISTENING: Endpoint = { protocol: 'scripted', ip: '10.0.0.1', port: 26656, path: '' };

/**
 * A transport that does what a test says, also what no real one would: it hangs, fails and comes late. Connections to be
 * accepted, errors and the end are queued; dials are answered by endpoint. Unlike a network it takes no time.
 */
export class ScriptedTransport implements Transport {
  readonly name: string;
  readonly protocols: readonly string[];
  /** What `RouterOptions.transports` takes. */
  readonly factory: TransportFactory = () => this;
  /** Every dial so far, in order. */
  readonly dials: ScriptedDial[] = [];
  /** Whether dials go on although the router has given them up, against the contract. */
  stubborn = false;
  /** How `close` ends: at once, never, or by rejecting against the contract. */
  closing: 'at-once' | 'hangs' | Error = 'at-once';
  readonly #clock: Clock;
  readonly #endpoints: readonly Endpoint[];
  readonly #steps: AcceptStep[] = [];
  readonly #answers = new Map<string, DialAnswer[]>();
  #otherwise: DialAnswer | (() => DialAnswer) = refused();
  #state: 'idle' | 'listening' | 'closed' = 'idle';
  #accepts = 0;
  #closes = 0;
  #waiting: { resolve(connection: Connection): void; reject(error: Error): void } | undefined;
  #listen: 'at-once' | 'held' | Error = 'at-once';
  #released: (() => void) | undefined;

  constructor(clock: Clock, options: ScriptedTransportOptions = {}) {
    this.#clock = clock;
    this.name = options.name ?? 'scripted';
    this.protocols = options.protocols ?? ['scripted', 'memory'];
    this.#endpoints = options.endpoints ?? [LISTENING];
  }

  // What a test does.

  /** Makes a connection; it does nothing until it is offered or answers a dial. */
  connection(options: ScriptedConnectionOptions = {}): ScriptedConnection {
    return new ScriptedConnection(this.#clock, options);
  }

  /** The next thing `accept` gives: a connection or an error. */
  offer(...steps: readonly AcceptStep[]): void {
    this.#steps.push(...steps);
    this.#serve();
  }

  /** The listener ends by itself: every `accept` from now on, and one that waits, is told so. */
  endListening(): void {
    this.#state = 'closed';
    this.#serve();
  }

  /** Answers the next dials of an endpoint (`mconn://10.0.0.7:26656`), one each. */
  answerDials(endpoint: string, ...answers: readonly DialAnswer[]): void {
    const queue = this.#answers.get(endpoint);
    if (queue === undefined) this.#answers.set(endpoint, [...answers]);
    else queue.push(...answers);
  }

  /** Answers every dial that nothing else is said of; by default they are refused. */
  answerOtherDials(answer: DialAnswer | (() => DialAnswer)): void {
    this.#otherwise = answer;
  }

  /** `listen` waits for `releaseListen`, or fails. */
  scriptListen(how: 'held' | Error): void {
    this.#listen = how;
  }

  releaseListen(): void {
    this.#released?.();
  }

  get isListening(): boolean {
    return this.#state === 'listening';
  }

  /** Calls of `accept` and `close` so far. */
  get accepts(): number {
    return this.#accepts;
  }

  get closes(): number {
    return this.#closes;
  }

  /** Dials the router still waits for. */
  get pendingDials(): readonly ScriptedDial[] {
    return this.dials.filter(({ isPending }) => isPending);
  }

  /** What was queued and never asked for, to find a script that does not fit. */
  get unused(): readonly string[] {
    const dials = [...this.#answers].flatMap(([endpoint, answers]) => answers.map(() => `dial ${endpoint}`));
    return [...this.#steps.map(() => 'accept'), ...dials];
  }

  // What the router does.

  endpoints(): readonly Endpoint[] {
    return this.#state === 'listening' ? this.#endpoints : [];
  }

  async listen(): Promise<void> {
    if (this.#listen instanceof Error) throw this.#listen;
    if (this.#listen === 'held') {
      await new Promise<void>((resolve) => {
        this.#released = resolve;
      });
    }
    this.#state = 'listening';
  }

  accept(): Promise<Connection> {
    this.#accepts += 1;
    if (this.#state === 'idle')
      return Promise.reject(new P2PError('not-listening', `${this.name} is not listening`));
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#serve();
    });
  }

  #serve(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    const isClosed = this.#state === 'closed';
    const step = isClosed ? endOfStream('the listener') : this.#steps.shift();
    if (step === undefined) return;
    this.#waiting = undefined;
    if (step instanceof Error) waiting.reject(step);
    else waiting.resolve(step);
  }

  dial(endpoint: Endpoint, signal: AbortSignal): Promise<Connection> {
    const text = formatEndpoint(endpoint);
    const { dial, connection } = this.#pendingDial(text, signal);
    this.dials.push(dial);
    const answer = this.#answers.get(text)?.shift() ?? this.#otherwise;
    const outcome = typeof answer === 'function' ? answer() : answer;
    if (outcome !== 'hang') dial.answer(outcome);
    return connection;
  }

  #pendingDial(
    endpoint: string,
    signal: AbortSignal,
  ): { readonly dial: ScriptedDial; readonly connection: Promise<Connection> } {
    let isSettled = false;
    let answer: ScriptedDial['answer'] = () => undefined;
    const connection = new Promise<Connection>((resolve, reject) => {
      answer = (outcome) => {
        isSettled = true;
        if (outcome instanceof Error) reject(outcome);
        else resolve(outcome);
      };
      if (!this.stubborn) signal.addEventListener('abort', () => answer(signal.reason as Error));
    });
    const dial: ScriptedDial = {
      endpoint,
      at: this.#clock.now(),
      signal,
      get isPending() {
        return !isSettled && !signal.aborted;
      },
      answer: (outcome) => answer(outcome),
    };
    return { dial, connection };
  }

  async close(): Promise<void> {
    this.#closes += 1;
    this.#state = 'closed';
    this.#serve();
    if (this.closing instanceof Error) throw this.closing;
    if (this.closing === 'hangs') await new Promise<void>(() => undefined);
  }
}

function refused(): Error {
  return new P2PError('dial-failed', 'nobody is there', { reason: 'ECONNREFUSED' });
}
