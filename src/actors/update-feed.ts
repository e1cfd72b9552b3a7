import type { Observable, Subscriber } from 'rxjs';
import type { ChannelId } from '../core/channel.ts';
import type { NodeId } from '../core/node-id.ts';
import type { PeerUpdate } from '../core/peer-update.ts';
import { UpdateBuffer, type UpdateBufferOptions } from '../core/update-buffer.ts';
import { ContainedObservable } from './contained-observable.ts';

interface Subscription {
  readonly buffer: UpdateBuffer;
  /** Called when the buffer may hold something, and when the feed has ended. */
  onNews: () => void;
}

/**
 * Tells subscribers which peers come up and go down. Nobody waits for a subscriber; a slow one gets the latest state. A
 * subscriber is called when the running code has finished, never from within it.
 */
export class UpdateFeed {
  /** The `up` of every peer that is up. */
  readonly #current = new Map<NodeId, PeerUpdate>();
  readonly #subscriptions = new Set<Subscription>();
  readonly #onThrow: (error: unknown) => void;
  #ended = false;

  /** @param onThrow told of what subscribers throw. */
  constructor(onThrow: (error: unknown) => void = () => undefined) {
    this.#onThrow = onThrow;
  }

  /** Subscribers now. */
  get size(): number {
    return this.#subscriptions.size;
  }

  /** The `up` of a peer that is up. */
  current(peer: NodeId): PeerUpdate | undefined {
    return this.#current.get(peer);
  }

  publish(update: PeerUpdate): void {
    if (update.status === 'up') this.#current.set(update.peer, update);
    else this.#current.delete(update.peer);
    for (const subscription of this.#subscriptions) {
      subscription.buffer.put(update);
      subscription.onNews();
    }
  }

  /** No update follows; iterations end once they have taken what is there. */
  end(): void {
    this.#ended = true;
    for (const subscription of this.#subscriptions) subscription.onNews();
  }

  /** Updates from now on, beginning with an `up` for each peer that is up. Ends with the router. */
  iterate(channelId?: ChannelId, options: UpdateBufferOptions = {}): AsyncIterableIterator<PeerUpdate> {
    const subscription = this.#subscribe(channelId, options);
    const waiting: (() => void)[] = [];
    let done = false;
    const wakeAll = (): void => {
      for (const wake of waiting.splice(0)) wake();
    };
    subscription.onNews = wakeAll;
    const finish = (): void => {
      done = true;
      this.#subscriptions.delete(subscription);
      wakeAll();
    };
    return {
      next: async () => {
        while (!done) {
          const update = subscription.buffer.take();
          if (update !== undefined) return { done: false, value: update };
          if (this.#ended) break;
          await new Promise<void>((resolve) => waiting.push(resolve));
        }
        finish();
        return { done: true, value: undefined };
      },
      return: () => {
        finish();
        return Promise.resolve({ done: true, value: undefined });
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  /** The same, pushed. A subscriber that throws loses its subscription and disturbs nobody. */
  observe(channelId?: ChannelId, options: UpdateBufferOptions = {}): Observable<PeerUpdate> {
    return new ContainedObservable<PeerUpdate>((subscriber) => {
      const subscription = this.#subscribe(channelId, options);
      let isDue = false;
      subscription.onNews = () => {
        if (isDue) return;
        isDue = true;
        void Promise.resolve().then(() => {
          isDue = false;
          this.#push(subscription, subscriber);
        });
      };
      subscription.onNews();
      return () => this.#subscriptions.delete(subscription);
    }, this.#onThrow);
  }

  #push({ buffer }: Subscription, subscriber: Subscriber<PeerUpdate>): void {
    while (!subscriber.closed) {
      const update = buffer.take();
      if (update === undefined) break;
      subscriber.next(update);
    }
    if (this.#ended) subscriber.complete();
  }

  #subscribe(channelId: ChannelId | undefined, options: UpdateBufferOptions): Subscription {
    const buffer = new UpdateBuffer(this.#current.values(), {
      ...options,
      ...(channelId === undefined ? {} : { channelId }),
    });
    const subscription: Subscription = { buffer, onNews: () => undefined };
    this.#subscriptions.add(subscription);
    return subscription;
  }
}
