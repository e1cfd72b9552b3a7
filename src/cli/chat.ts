import { protobufCodec, type Channel, type Inbound, type NodeId, type Router } from '../index.ts';
import { peerchart } from './generated/chat.js';

/** A numbered message. */
export interface ChatMessage {
  readonly sequence: number;
  readonly text: string;
}

/** The name of the chat channel, also in statistics. */
export const CHAT_CHANNEL_NAME = 'chat';

const CHAT_CHANNEL = {
  id: 0x42,
  name: CHAT_CHANNEL_NAME,
  codec: protobufCodec<ChatMessage>(peerchart.chat.ChatMessage),
  maxMessageBytes: 4096,
} as const;

export interface ChatOptions {
  /** Time between two broadcasts, in milliseconds; 0 sends nothing. */
  readonly intervalMs: number;
  /** What each message says beside its number. */
  readonly text: string;
  /** Called with every message that arrives. */
  readonly onMessage?: (inbound: Inbound<ChatMessage>) => void;
}

/** Sends a numbered message to everybody, again and again, and listens to what others send. */
export class Chat {
  /** Who has sent anything. */
  readonly receivedFrom = new Set<NodeId>();
  readonly #channel: Channel<ChatMessage>;
  readonly #options: ChatOptions;
  #timer: NodeJS.Timeout | undefined;
  #sequence = 0;

  /** Opens the channel; messages move from `start` on. */
  constructor(router: Router, options: ChatOptions) {
    this.#channel = router.openChannel(CHAT_CHANNEL);
    this.#options = options;
  }

  start(): void {
    const { intervalMs } = this.#options;
    void this.#listen();
    if (intervalMs > 0) this.#timer = setInterval(() => this.#say(), intervalMs);
  }

  /** Sends no more. What arrives is still read until the router closes the channel. */
  stop(): void {
    clearInterval(this.#timer);
  }

  #say(): void {
    this.#sequence += 1;
    this.#channel.broadcast({ sequence: this.#sequence, text: this.#options.text });
  }

  async #listen(): Promise<void> {
    for await (const inbound of this.#channel.receive()) {
      this.receivedFrom.add(inbound.from);
      this.#options.onMessage?.(inbound);
    }
  }
}
