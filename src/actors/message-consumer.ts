/**
 * Ways to take what a channel has received: one by one, as an async iterable, or pushed. All of them pull from the inbox,
 * so that a slow consumer delays nobody and what it does not take stays bounded.
 */
import type { Observable } from 'rxjs';
import type { Clock } from '../core/env.ts';
import type { Inbound } from '../core/envelope.ts';
import type { Inbox } from '../core/queue/inbox.ts';
import { ContainedObservable } from './contained-observable.ts';

/** Messages an observable hands over before it looks at the clock. */
const OBSERVABLE_BATCH = 32;

/**
 * Milliseconds after which an observable lets the event loop turn. One turn may read 2 MiB from a socket; a subscriber with
 * little to do must get through as many small messages, or the inbox would overflow although it is never idle.
 */
const OBSERVABLE_TURN_MS = 8;

/** The one consumer of a channel, as long as it holds it. */
export interface MessageConsumer<M> {
  /** The next message, peers in turn; undefined when none waits. */
  take(): Inbound<M> | undefined;
  /** Whether nothing will ever be there to take: all was taken of a closed channel, or the consumer has let go. */
  readonly ended: boolean;
  /** Called when there is something to take after there was nothing, and at the end. */
  onAvailable: (() => void) | undefined;
  /** Lets go of the channel: another consumer goes on with the next message. Idempotent. */
  release(): void;
}

/** Something that messages can be taken of, by one consumer at a time: a channel. */
export interface MessageSource<M> {
  /** @throws P2PError `already-consuming` while another consumer is active. */
  consume(): MessageConsumer<M>;
}

/** A consumer of one inbox. */
export class InboxConsumer<M> implements MessageConsumer<M> {
  onAvailable: (() => void) | undefined;
  readonly #inbox: Inbox<Inbound<M>>;
  readonly #onRelease: () => void;
  #isReleased = false;

  /** @param onThrow told of what `onAvailable` throws, which must not reach the peer whose message came. */
  constructor(inbox: Inbox<Inbound<M>>, onRelease: () => void, onThrow: (error: unknown) => void) {
    this.#inbox = inbox;
    this.#onRelease = onRelease;
    inbox.onAvailable = () => {
      try {
        this.onAvailable?.();
      } catch (thrown) {
        onThrow(thrown);
      }
    };
  }

  get ended(): boolean {
    return this.#isReleased || this.#inbox.ended;
  }

  take(): Inbound<M> | undefined {
    return this.#isReleased ? undefined : this.#inbox.take();
  }

  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#inbox.onAvailable = undefined;
    this.#onRelease();
  }
}

const END = Object.freeze({ done: true, value: undefined });

/** Messages as they come. Ends with the consumer; leaving the loop, or an abort, releases it. */
export class MessageIterator<M> implements AsyncIterableIterator<Inbound<M>, undefined> {
  readonly #consumer: MessageConsumer<M>;
  readonly #signal: AbortSignal | undefined;
  readonly #waiting: ((result: IteratorResult<Inbound<M>, undefined>) => void)[] = [];
  readonly #onAbort = (): void => this.#finish();

  constructor(consumer: MessageConsumer<M>, signal?: AbortSignal) {
    this.#consumer = consumer;
    this.#signal = signal;
    consumer.onAvailable = () => this.#serve();
    if (signal?.aborted === true) this.#finish();
    else signal?.addEventListener('abort', this.#onAbort);
  }

  next(): Promise<IteratorResult<Inbound<M>, undefined>> {
    const value = this.#waiting.length === 0 ? this.#consumer.take() : undefined;
    if (value !== undefined) return Promise.resolve({ done: false, value });
    if (this.#consumer.ended) {
      this.#finish();
      return Promise.resolve(END);
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  return(): Promise<IteratorResult<Inbound<M>, undefined>> {
    this.#finish();
    return Promise.resolve(END);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #serve(): void {
    while (this.#waiting.length > 0) {
      const value = this.#consumer.take();
      if (value === undefined) break;
      this.#waiting.shift()!({ done: false, value });
    }
    if (this.#consumer.ended) this.#finish();
  }

  #finish(): void {
    this.#consumer.release();
    this.#signal?.removeEventListener('abort', this.#onAbort);
    for (const resolve of this.#waiting.splice(0)) resolve(END);
  }
}

/**
 * The messages of a source, pushed while somebody subscribes. The event loop turns when all were taken, and after 8 ms,
 * which is looked at every 32 messages. A second subscriber gets the error `already-consuming`.
 *
 * @param onThrow told of what a subscriber throws; it loses its subscription, and the next one goes on.
 */
export function observeMessages<M>(
  source: MessageSource<M>,
  clock: Clock,
  onThrow: (error: unknown) => void,
): Observable<Inbound<M>> {
  return new ContainedObservable<Inbound<M>>((subscriber) => {
    const consumer = source.consume();
    let isDue = false;
    const schedule = (): void => {
      if (isDue) return;
      isDue = true;
      clock.defer(pump);
    };
    const pump = (): void => {
      isDue = false;
      const began = clock.now();
      for (let count = 1; ; count++) {
        const item = consumer.take();
        if (item === undefined) {
          if (consumer.ended) subscriber.complete();
          return;
        }
        subscriber.next(item);
        if (count % OBSERVABLE_BATCH === 0 && clock.now() - began >= OBSERVABLE_TURN_MS) break;
      }
      schedule();
    };
    consumer.onAvailable = schedule;
    schedule();
    return () => consumer.release();
  }, onThrow);
}
