import type { ChannelId } from '../../core/channel.ts';
import type { Clock } from '../../core/env.ts';
import type { NodeId } from '../../core/node-id.ts';
import type { RemoteHandshake } from '../transport.ts';

/** What travels from one end of a memory connection to the other. */
export type LinkItem =
  | { readonly kind: 'handshake'; readonly remote: RemoteHandshake }
  | { readonly kind: 'message'; readonly channelId: ChannelId; readonly message: Uint8Array }
  | { readonly kind: 'end' };

/** The end of a link that items arrive at. */
export interface LinkReceiver {
  /** Whether `receive` takes this item now. When not, the link waits for `resume`. */
  isReadyFor(item: LinkItem): boolean;
  receive(item: LinkItem): void;
}

export interface LinkSettings {
  readonly from: NodeId;
  readonly to: NodeId;
  /** Messages on the way at most. */
  readonly windowMessages: number;
  /** Bytes on the way at most; one message always fits an empty link. */
  readonly windowBytes: number;
  /** Milliseconds an item that is sent now takes. Items never overtake each other. */
  readonly latencyMs: () => number;
}

interface ItemOnTheWay {
  readonly item: LinkItem;
  readonly arrivesAt: number;
}

/**
 * One direction of a memory connection: a bounded queue of items on the way. This is where faults act: whatever delays,
 * drops or holds traffic does so between `send` and the arrival.
 */
export class MemoryLink {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly #clock: Clock;
  readonly #settings: LinkSettings;
  readonly #onTheWay: ItemOnTheWay[] = [];
  #receiver: LinkReceiver | undefined;
  #onRoom: () => void = () => undefined;
  #onDead: () => void = () => undefined;
  #messages = 0;
  #bytes = 0;
  #cancelArrival: (() => void) | undefined;
  #held = false;
  #dead = false;

  constructor(clock: Clock, settings: LinkSettings) {
    this.from = settings.from;
    this.to = settings.to;
    this.#clock = clock;
    this.#settings = settings;
  }

  /** Joins both ends: who takes what arrives, and what to call when there is room again and when the link is dead. */
  join(receiver: LinkReceiver, onRoom: () => void, onDead: () => void): void {
    this.#receiver = receiver;
    this.#onRoom = onRoom;
    this.#onDead = onDead;
  }

  /** Whether one message more may be sent. Never on a dead link, so that nothing is pulled only to be lost. */
  get hasRoom(): boolean {
    if (this.#dead) return false;
    if (this.#messages === 0) return true;
    const { windowMessages, windowBytes } = this.#settings;
    return this.#messages < windowMessages && this.#bytes < windowBytes;
  }

  /** Messages sent that have not arrived. */
  get messagesOnTheWay(): number {
    return this.#messages;
  }

  /** Puts an item on its way; the caller has looked at `hasRoom`. Its bytes belong to the link from now on. */
  send(item: LinkItem): void {
    if (this.#dead) return;
    this.#onTheWay.push({ item, arrivesAt: this.#clock.now() + this.#settings.latencyMs() });
    this.#count(item, 1);
    this.resume();
  }

  /** Looks again whether the receiver takes what has arrived. */
  resume(): void {
    const first = this.#onTheWay[0];
    if (first === undefined || this.#held || this.#cancelArrival !== undefined) return;
    const delay = first.arrivesAt - this.#clock.now();
    if (delay > 0) {
      this.#cancelArrival = this.#clock.setTimer(() => this.#arrive(), delay);
      return;
    }
    let isCancelled = false;
    this.#cancelArrival = () => {
      isCancelled = true;
    };
    this.#clock.defer(() => {
      if (!isCancelled) this.#arrive();
    });
  }

  /** Freezes the link: what is on the way waits, the window fills, and neither end learns of it. */
  hold(): void {
    this.#held = true;
    this.#stopArrival();
  }

  /** Ends `hold`. */
  release(): void {
    this.#held = false;
    this.resume();
  }

  /** Loses everything on the way. */
  drop(): void {
    this.#onTheWay.length = 0;
    this.#messages = 0;
    this.#bytes = 0;
    this.#stopArrival();
  }

  /** Loses everything on the way, and whatever is still sent. */
  kill(): void {
    if (this.#dead) return;
    this.#dead = true;
    this.drop();
    this.#onDead();
  }

  #arrive(): void {
    this.#cancelArrival = undefined;
    const hadRoom = this.hasRoom;
    const now = this.#clock.now();
    for (;;) {
      const first = this.#onTheWay[0];
      if (first === undefined || this.#held || first.arrivesAt > now) break;
      if (this.#receiver?.isReadyFor(first.item) !== true) {
        this.#announceRoom(hadRoom);
        return;
      }
      this.#onTheWay.shift();
      this.#count(first.item, -1);
      this.#receiver.receive(first.item);
    }
    this.#announceRoom(hadRoom);
    this.resume();
  }

  #announceRoom(hadRoom: boolean): void {
    if (!hadRoom && this.hasRoom) this.#onRoom();
  }

  #count(item: LinkItem, sign: 1 | -1): void {
    if (item.kind !== 'message') return;
    this.#messages += sign;
    this.#bytes += sign * item.message.length;
  }

  #stopArrival(): void {
    this.#cancelArrival?.();
    this.#cancelArrival = undefined;
  }
}
