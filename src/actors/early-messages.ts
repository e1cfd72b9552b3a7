import type { ChannelId } from '../core/channel.ts';
import { EARLY_BYTES_MAX, EARLY_MESSAGES_MAX } from '../core/limits.ts';

export interface EarlyMessage {
  readonly channelId: ChannelId;
  readonly message: Uint8Array;
}

/**
 * What a remote that is entitled to send has sent before we routed its connection: it has heard our acceptance, or never
 * will hear one, while we still hold the connection for another one of the same peer. Bounded and in order.
 */
export class EarlyMessages {
  #messages: EarlyMessage[] = [];
  #bytes = 0;

  /** Keeps a message; false when there is no room. */
  offer(channelId: ChannelId, message: Uint8Array): boolean {
    if (this.#messages.length >= EARLY_MESSAGES_MAX || this.#bytes + message.length > EARLY_BYTES_MAX)
      return false;
    this.#messages.push({ channelId, message });
    this.#bytes += message.length;
    return true;
  }

  /** Takes everything out, in order. */
  take(): readonly EarlyMessage[] {
    const taken = this.#messages;
    this.#messages = [];
    this.#bytes = 0;
    return taken;
  }
}
