import { Observable } from 'rxjs';
import type { ChannelId } from '../core/channel.ts';
import type { NodeId } from '../core/node-id.ts';
import type { PeerUpdate } from '../core/peer-update.ts';
import { UpdateBuffer } from '../core/update-buffer.ts';

interface Subscription {
  readonly buffer: UpdateBuffer;
  /** Called when the buffer may hold something, and when the feed has ended. */
  onNews: () => void;
}

/** Tells subscribers which peers come up and go down. Nobody waits for a subscriber; a slow one gets the latest state. */
export class UpdateFeed {
  /** The `up` of every peer that is up. */
  readonly #current = new Map<NodeId, PeerUpdate>();
  readonly #subscriptions = new Set<Subscription>();
  #ended = false;

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
  iterate(channelId?: ChannelId): AsyncIterableIterator<PeerUpdate> {
    const subscription = this.#subscribe(channelId);
    let done = false;
    let wake: (() => void) | undefined;
    subscription.onNews = () => wake?.();
    const finish = (): void => {
      done = true;
      this.#subscriptions.delete(subscription);
      wake?.();
    };
    return {
      next: async () => {
        while (!done) {
          const update = subscription.buffer.take();
          if (update !== undefined) return { done: false, value: update };
          if (this.#ended) break;
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
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
  observe(channelId?: ChannelId): Observable<PeerUpdate> {
    return new Observable((subscriber) => {
      const subscription = this.#subscribe(channelId);
      const drain = (): void => {
        for (
          let update = subscription.buffer.take();
          update !== undefined;
          update = subscription.buffer.take()
        ) {
          if (subscriber.closed) return;
          subscriber.next(update);
        }
        if (this.#ended) subscriber.complete();
      };
      subscription.onNews = drain;
      drain();
      return () => this.#subscriptions.delete(subscription);
    });
  }

  #subscribe(channelId: ChannelId | undefined): Subscription {
    const options = channelId === undefined ? {} : { channelId };
    const buffer = new UpdateBuffer(this.#current.values(), options);
    const subscription: Subscription = { buffer, onNews: () => undefined };
    this.#subscriptions.add(subscription);
    return subscription;
  }
}
