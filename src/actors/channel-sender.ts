/** The sending half of a channel: from a message and its recipients to the lanes of their outboxes. */
import type { ChannelId, ChannelSettings, Codec } from '../core/channel.ts';
import type { Outcome } from '../core/codes.ts';
import type { Clock } from '../core/env.ts';
import { asError, P2PError } from '../core/errors.ts';
import type { NodeId } from '../core/node-id.ts';
import type { Ledger } from '../core/queue/accounting.ts';
import type { RoomResult } from '../core/queue/room-waiters.ts';
import type { DropLog } from './drop-log.ts';
import type { PeerLink } from './peer.actor.ts';

/** How long `send` waits for room when nothing else is said, in milliseconds. */
const SEND_TIMEOUT_MS = 10_000;

/** How a message was lost on our side. */
export type Loss = Exclude<Outcome, 'queued'>;

/** Losses that only a mistake in the calling program brings about; thrown when the router is strict. */
const MISTAKES: ReadonlySet<Loss> = new Set<Loss>([
  'no_recipient',
  'empty_message',
  'type_mismatch',
  'encode_failed',
]);

export interface Outbound<M> {
  readonly to: NodeId;
  readonly message: M;
  /** How long the message may wait in the lane; default: as long as the channel allows. */
  readonly ttlMs?: number;
}

export interface SendOptions {
  /** How long to wait for room, in milliseconds; default 10 000. Infinity waits as long as the connection lives. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface BroadcastOptions {
  /** Only these, each once; default every peer. */
  readonly to?: readonly NodeId[];
  /** Not these. */
  readonly except?: readonly NodeId[];
  /** Only peers for which this returns true. A throw counts as false. */
  readonly filter?: (peer: NodeId) => boolean;
  /** As in `Outbound`. */
  readonly ttlMs?: number;
}

export interface BroadcastResult {
  readonly queued: readonly NodeId[];
  readonly skipped: readonly { readonly peer: NodeId; readonly reason: Loss }[];
}

/** What sending needs of the router. */
export interface SenderHost {
  readonly clock: Clock;
  readonly selfId: NodeId;
  readonly strict: boolean;
  /** The routed connection of a peer. */
  route(peer: NodeId): PeerLink | undefined;
  routes(): Iterable<PeerLink>;
  evictSlowPeer(link: PeerLink, what: 'send' | 'receive'): void;
}

export interface SenderOptions<M> {
  readonly settings: ChannelSettings;
  readonly codec: Codec<M>;
  /** Collects the counts of the channel. */
  readonly books: Ledger;
  readonly drops: DropLog;
}

export class ChannelSender<M> {
  readonly #host: SenderHost;
  readonly #id: ChannelId;
  readonly #settings: ChannelSettings;
  readonly #codec: Codec<M>;
  readonly #books: Ledger;
  readonly #drops: DropLog;
  /** Why nothing is sent any more. */
  #closed: 'channel_closed' | 'router_stopped' | undefined;
  #encodeError: Error | undefined;

  constructor(host: SenderHost, { settings, codec, books, drops }: SenderOptions<M>) {
    this.#host = host;
    this.#id = settings.id;
    this.#settings = settings;
    this.#codec = codec;
    this.#books = books;
    this.#drops = drops;
  }

  get closed(): 'channel_closed' | 'router_stopped' | undefined {
    return this.#closed;
  }

  /** What the codec threw latest. */
  get encodeError(): Error | undefined {
    return this.#encodeError;
  }

  /** From now on every message is refused with this outcome; the first call counts. */
  close(reason: 'channel_closed' | 'router_stopped'): void {
    this.#closed ??= reason;
  }

  trySend({ to, message, ttlMs }: Outbound<M>): Outcome {
    const link = this.#target(to);
    if (typeof link === 'string') return this.#lost(link, 0, to);
    const bytes = this.#encode(message);
    if (typeof bytes === 'string') return this.#lost(bytes, 0, to);
    return this.#offer(link, bytes, ttlMs);
  }

  async send({ to, message, ttlMs }: Outbound<M>, options: SendOptions): Promise<Outcome> {
    if (options.signal?.aborted === true) return this.#lost('aborted', 0, to);
    const link = this.#target(to);
    if (typeof link === 'string') return this.#lost(link, 0, to);
    const bytes = this.#encode(message);
    if (typeof bytes === 'string') return this.#lost(bytes, 0, to);
    const mayWait =
      this.#settings.send.overflow === 'reject' && bytes.length <= this.#settings.maxMessageBytes;
    if (!mayWait || link.outbox.hasRoom(this.#id, bytes.length)) return this.#offer(link, bytes, ttlMs);
    return this.#offerWhenRoom(link, bytes, ttlMs, options);
  }

  #offerWhenRoom(
    link: PeerLink,
    bytes: Uint8Array,
    ttlMs: number | undefined,
    { signal, timeoutMs = SEND_TIMEOUT_MS }: SendOptions,
  ): Promise<Outcome> {
    return new Promise((resolve) => {
      const cleanups: (() => void)[] = [];
      let settled = false;
      const settle = (outcome: () => Outcome): void => {
        if (settled) return;
        settled = true;
        for (const cleanup of cleanups) cleanup();
        resolve(outcome());
      };
      const giveUp = (outcome: Loss): void => settle(() => this.#lost(outcome, bytes.length, link.peer));
      const onAbort = (): void => giveUp('aborted');
      const onRoom = (result: RoomResult): void => {
        if (result === 'room') settle(() => this.#offer(link, bytes, ttlMs));
        else giveUp(result);
      };
      signal?.addEventListener('abort', onAbort);
      cleanups.push(() => signal?.removeEventListener('abort', onAbort));
      if (timeoutMs !== Infinity) {
        cleanups.push(this.#host.clock.setTimer(() => giveUp('overflow'), timeoutMs));
      }
      const waiter = link.outbox.waitForRoom(this.#id, bytes.length, onRoom);
      cleanups.push(() => waiter.cancel());
    });
  }

  broadcast(message: M, options: BroadcastOptions): BroadcastResult {
    const queued: NodeId[] = [];
    const skipped: { peer: NodeId; reason: Loss }[] = [];
    const recipients = this.#recipients(options);
    const bytes = this.#closed ?? this.#encode(message);
    for (const peer of recipients) {
      const outcome = this.#sendEncoded(peer, bytes, options.ttlMs);
      if (outcome === 'queued') queued.push(peer);
      else skipped.push({ peer, reason: outcome });
    }
    return { queued, skipped };
  }

  #sendEncoded(peer: NodeId, bytes: Uint8Array | Loss, ttlMs: number | undefined): Outcome {
    if (typeof bytes === 'string') return this.#lost(bytes, 0, peer);
    const link = this.#target(peer);
    return typeof link === 'string' ? this.#lost(link, 0, peer) : this.#offer(link, bytes, ttlMs);
  }

  /** Who the message goes to, as things stand when the call is made. */
  #recipients({ to, except = [], filter }: BroadcastOptions): NodeId[] {
    const all = to === undefined ? [...this.#host.routes()].map((link) => link.peer!) : new Set(to);
    const excluded = new Set(except);
    return [...all].filter((peer) => {
      if (excluded.has(peer)) return false;
      try {
        return filter === undefined || filter(peer);
      } catch {
        return false;
      }
    });
  }

  #target(to: NodeId | undefined): PeerLink | Loss {
    if (this.#closed !== undefined) return this.#closed;
    if (to === undefined || to.length === 0) return this.#mistake('no_recipient');
    if (to === this.#host.selfId) return 'self';
    const link = this.#host.route(to);
    if (link === undefined) return 'no_such_peer';
    return link.channels.has(this.#id) ? link : 'peer_lacks_channel';
  }

  #encode(message: M): Uint8Array | Loss {
    if (message === null || message === undefined) return this.#mistake('empty_message');
    let bytes: unknown;
    try {
      bytes = this.#codec.encode(message);
    } catch (thrown) {
      this.#encodeError = asError(thrown);
      return this.#mistake(isTypeError(thrown) ? 'type_mismatch' : 'encode_failed', thrown);
    }
    if (!(bytes instanceof Uint8Array)) {
      this.#encodeError = new TypeError(`the codec of channel ${this.#settings.name} returned no bytes`);
      return this.#mistake('encode_failed', this.#encodeError);
    }
    // A codec of plain bytes may hand back what the caller goes on to use.
    return Object.is(bytes, message) ? bytes.slice() : bytes;
  }

  /** @throws what the mistake deserves, in a strict router. */
  #mistake<L extends Loss>(loss: L, cause?: unknown): L {
    if (!this.#host.strict || !MISTAKES.has(loss)) return loss;
    const message = `channel ${this.#settings.name}: ${loss.replaceAll('_', ' ')}`;
    if (loss === 'encode_failed') throw new P2PError('encode-failed', message, { blame: 'local', cause });
    throw new TypeError(message, { cause });
  }

  /** The outbox counts what it refuses. */
  #offer(link: PeerLink, bytes: Uint8Array, ttlMs: number | undefined): Outcome {
    const result = link.outbox.offer(this.#id, bytes, this.#host.clock.now(), ttlMs);
    if (result === 'queued') {
      link.connection.wake();
      return result;
    }
    if (result === 'peer_lacks_channel') return this.#lost(result, bytes.length, link.peer);
    if (result !== 'evict_peer') return result;
    this.#host.evictSlowPeer(link, 'send');
    return 'overflow';
  }

  #lost<O extends Loss>(outcome: O, bytes: number, peer: NodeId | undefined): O {
    this.#books.offer(bytes);
    this.#books.drop(outcome, bytes);
    this.#drops.note('out', this.#id, outcome, bytes, peer);
    return outcome;
  }
}

/** Whether a codec refused a message for its type; codecs of generated classes wrap what those throw. */
function isTypeError(thrown: unknown): boolean {
  return thrown instanceof TypeError || (thrown instanceof P2PError && thrown.cause instanceof TypeError);
}
