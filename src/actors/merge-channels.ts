import type { Inbound } from '../core/envelope.ts';
import { MessageIterator, type MessageConsumer, type MessageSource } from './message-consumer.ts';

/** What the messages of a channel are. */
type MessageOf<S> = S extends MessageSource<infer M> ? M : never;

/**
 * The messages of several channels in one loop, one message of each channel in turn, so that a flood on one does not
 * delay the others. `channelId` tells them apart. Ends when all channels are closed. The loop is the one consumer of every
 * channel until it ends.
 *
 * @throws P2PError `already-consuming` when a channel has another consumer; then no channel is held.
 */
export function mergeChannels<const S extends readonly MessageSource<unknown>[]>(
  ...channels: S
): AsyncIterableIterator<Inbound<MessageOf<S[number]>>> {
  const consumers: MessageConsumer<unknown>[] = [];
  try {
    for (const channel of channels) consumers.push(channel.consume());
  } catch (error) {
    for (const consumer of consumers) consumer.release();
    throw error;
  }
  return new MessageIterator(new MergedConsumer(consumers as MessageConsumer<MessageOf<S[number]>>[]));
}

class MergedConsumer<M> implements MessageConsumer<M> {
  onAvailable: (() => void) | undefined;
  readonly #consumers: readonly MessageConsumer<M>[];
  /** Whose turn it is. */
  #turn = 0;

  constructor(consumers: readonly MessageConsumer<M>[]) {
    this.#consumers = consumers;
    for (const consumer of consumers) consumer.onAvailable = () => this.onAvailable?.();
  }

  get ended(): boolean {
    return this.#consumers.every(({ ended }) => ended);
  }

  take(): Inbound<M> | undefined {
    for (let count = 0; count < this.#consumers.length; count++) {
      const consumer = this.#consumers[this.#turn]!;
      this.#turn = (this.#turn + 1) % this.#consumers.length;
      const item = consumer.take();
      if (item !== undefined) return item;
    }
    return undefined;
  }

  release(): void {
    for (const consumer of this.#consumers) consumer.release();
  }
}
