/**
 * An open channel as its user holds it, and what makes the channel chart act. Messages go straight to the outboxes of
 * the peers and come from the inbox; only opening and closing are events.
 */
import { Observable } from 'rxjs';
import type { ChannelDescriptor, ChannelId, ChannelSettings, Codec } from '../core/channel.ts';
import type { DropReason, Outcome } from '../core/codes.ts';
import type { Clock } from '../core/env.ts';
import type { Inbound } from '../core/envelope.ts';
import { P2PError } from '../core/errors.ts';
import type { NodeId } from '../core/node-id.ts';
import type { PeerUpdate } from '../core/peer-update.ts';
import { Ledger, type LedgerSnapshot } from '../core/queue/accounting.ts';
import type { Budget } from '../core/queue/budget.ts';
import { Inbox } from '../core/queue/inbox.ts';
import type { RoomResult } from '../core/queue/room-waiters.ts';
import { channelMachine } from '../machines/channel.machine.ts';
import type { Kernel, Supervised } from './kernel.ts';
import type { PeerLink } from './peer.actor.ts';

/** Messages an observable hands over before it lets the event loop turn. */
const OBSERVABLE_BATCH = 32;

/** How long `send` waits for room when nothing else is said, in milliseconds. */
const SEND_TIMEOUT_MS = 10_000;

/** How a message was lost on our side. */
export type Loss = Exclude<Outcome, 'queued'>;

export interface Outbound<M> {
  readonly to: NodeId;
  readonly message: M;
  /** How long the message may wait in the lane; default: as long as the channel allows. */
  readonly ttlMs?: number;
}

export interface SendOptions {
  /** How long to wait for room, in milliseconds; default 10 000. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface BroadcastOptions {
  /** Only these; default every peer that has the channel. */
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

/** What a reactor has to say of a peer. */
export interface PeerReport {
  readonly peer: NodeId;
  readonly error: unknown;
  /** Evict the peer whatever the capacity; default false. */
  readonly fatal?: boolean;
  /** Ban the peer for so long, in milliseconds; default not at all. */
  readonly banMs?: number;
}

export type ReportOutcome = 'noted' | 'evicting' | 'ignored' | 'no_such_peer';

export interface ChannelPeer {
  readonly id: NodeId;
  readonly direction: 'inbound' | 'outbound';
  /** `Clock.now` of its admission. */
  readonly since: number;
  readonly queued: number;
  readonly queuedBytes: number;
}

/** What a channel needs of the router that opened it. */
export interface ChannelHost {
  readonly kernel: Kernel;
  readonly clock: Clock;
  readonly selfId: NodeId;
  readonly strict: boolean;
  readonly drainTimeoutMs: number;
  readonly routerBudget: Budget;
  /** The routed connection of a peer. */
  route(peer: NodeId): PeerLink | undefined;
  routes(): Iterable<PeerLink>;
  /** Opens lanes to all peers and declares the id from now on. */
  registerChannel(channel: AnyChannel): void;
  releaseChannel(channel: AnyChannel, reason: 'channel_closed' | 'router_stopped'): void;
  evictSlowPeer(link: PeerLink, what: 'send' | 'receive'): void;
  report(channelId: ChannelId, report: PeerReport): ReportOutcome;
  praise(peer: NodeId): void;
  updates(channelId: ChannelId): AsyncIterable<PeerUpdate>;
  noteDrop(
    direction: 'in' | 'out',
    channelId: ChannelId,
    reason: Outcome | DropReason,
    bytes: number,
    peer: NodeId,
  ): void;
}

/** What the router does with a channel whatever its messages are. */
export interface AnyChannel {
  readonly id: ChannelId;
  readonly name: string;
  readonly settings: ChannelSettings;
  /** Collects the counts of all lanes of the channel. */
  readonly sent: Ledger;
  readonly actor: Supervised<typeof channelMachine>;
  /** Decodes and queues what arrived; false when it could not be decoded. */
  arrived(link: PeerLink, bytes: Uint8Array, now: number): boolean;
  peerDown(peer: NodeId): void;
  laneDrained(): void;
  end(reason: 'channel_closed' | 'router_stopped', drain: boolean): void;
  accounting(): ChannelAccounting;
}

export interface ChannelAccounting {
  readonly in: LedgerSnapshot;
  readonly out: LedgerSnapshot;
}

/** A typed lane to every peer that has it too. */
export class Channel<M> implements AnyChannel {
  readonly id: ChannelId;
  readonly name: string;
  readonly settings: ChannelSettings;
  readonly sent = new Ledger();
  readonly actor: Supervised<typeof channelMachine>;
  /** Resolves when the channel is closed. */
  readonly closed: Promise<void>;
  readonly #host: ChannelHost;
  readonly #codec: Codec<M>;
  readonly #inbox: Inbox<Inbound<M>>;
  #resolveClosed: () => void = () => undefined;
  #consumer: object | undefined;
  #accepting = true;
  #closeReason: 'channel_closed' | 'router_stopped' = 'channel_closed';
  #drains = true;

  constructor(host: ChannelHost, descriptor: ChannelDescriptor<M>, settings: ChannelSettings) {
    this.#host = host;
    this.#codec = descriptor.codec;
    this.id = settings.id;
    this.name = settings.name;
    this.settings = settings;
    this.#inbox = new Inbox({ settings, routerBudget: host.routerBudget });
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    const path = `router/channel/${this.name}`;
    const { kernel } = host;
    this.actor = kernel.supervise(
      channelMachine.provide({
        actions: {
          register: kernel.effect(path, () => {
            host.registerChannel(this);
            this.actor.send({ type: 'channel.registered' });
          }),
          beginDrain: kernel.effect(path, () => this.#beginDrain()),
          release: kernel.effect(path, () => this.#release()),
        },
      }),
      {
        path,
        input: { id: this.id, name: this.name, drainTimeoutMs: host.drainTimeoutMs },
        about: { id: this.id },
        onCrash: () => this.#release(),
      },
    );
  }

  /** `opening`, `open`, `draining` or `closed`. */
  get state(): 'opening' | 'open' | 'draining' | 'closed' {
    return this.actor.snapshot().value;
  }

  /**
   * Queues a message for one peer, or says why not. Never waits, never throws unless the router is `strict`.
   */
  trySend(envelope: Outbound<M>): Outcome {
    const link = this.#target(envelope.to);
    if (typeof link === 'string') return this.#lost(link, 0, envelope.to);
    const bytes = this.#encode(envelope.message);
    if (typeof bytes === 'string') return this.#lost(bytes, 0, envelope.to);
    return this.#offer(link, bytes, envelope.ttlMs);
  }

  /**
   * As `trySend`, but waits for room in the peer's lane. Resolves with `overflow` after the time-out, `aborted` on the
   * signal, `peer_gone` when the peer disconnects meanwhile. Waiters of one lane are served in the order they came.
   */
  async send(envelope: Outbound<M>, options: SendOptions = {}): Promise<Outcome> {
    if (options.signal?.aborted === true) return 'aborted';
    const link = this.#target(envelope.to);
    if (typeof link === 'string') return this.#lost(link, 0, envelope.to);
    const bytes = this.#encode(envelope.message);
    if (typeof bytes === 'string') return this.#lost(bytes, 0, envelope.to);
    if (bytes.length > this.settings.maxMessageBytes || link.outbox.hasRoom(this.id, bytes.length)) {
      return this.#offer(link, bytes, envelope.ttlMs);
    }
    if (this.settings.send.overflow !== 'reject') return this.#offer(link, bytes, envelope.ttlMs);
    return this.#sendWhenRoom(link, bytes, envelope.ttlMs, options);
  }

  #sendWhenRoom(
    link: PeerLink,
    bytes: Uint8Array,
    ttlMs: number | undefined,
    options: SendOptions,
  ): Promise<Outcome> {
    const { signal, timeoutMs = SEND_TIMEOUT_MS } = options;
    return new Promise((resolve) => {
      const cleanups: (() => void)[] = [];
      let settled = false;
      const settle = (outcome: Outcome): void => {
        if (settled) return;
        settled = true;
        for (const cleanup of cleanups) cleanup();
        resolve(outcome);
      };
      const onAbort = (): void => settle('aborted');
      signal?.addEventListener('abort', onAbort);
      cleanups.push(() => signal?.removeEventListener('abort', onAbort));
      cleanups.push(this.#host.clock.setTimer(() => settle('overflow'), timeoutMs));
      const onRoom = (result: RoomResult): void => {
        if (!settled) settle(result === 'room' ? this.#offer(link, bytes, ttlMs) : result);
      };
      const waiter = link.outbox.waitForRoom(this.id, bytes.length, onRoom);
      cleanups.push(() => waiter.cancel());
    });
  }

  /** Queues a message for many peers; encodes it once. Never waits; one peer's full lane delays nobody. */
  broadcast(message: M, options: BroadcastOptions = {}): BroadcastResult {
    const queued: NodeId[] = [];
    const skipped: { peer: NodeId; reason: Loss }[] = [];
    if (!this.#accepting) return { queued, skipped };
    const bytes = this.#encode(message);
    for (const peer of this.#recipients(options)) {
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

  #recipients({ to, except = [], filter }: BroadcastOptions): NodeId[] {
    const all = to === undefined ? [...this.#host.routes()].map((link) => link.peer!) : [...new Set(to)];
    return all.filter((peer) => {
      if (except.includes(peer)) return false;
      try {
        return filter === undefined || filter(peer);
      } catch {
        return false;
      }
    });
  }

  #target(to: NodeId | undefined): PeerLink | Loss {
    if (!this.#accepting) return this.#closeReason;
    if (to === undefined || to.length === 0) return 'no_recipient';
    if (to === this.#host.selfId) return 'self';
    const link = this.#host.route(to);
    if (link === undefined) return 'no_such_peer';
    return link.channels.has(this.id) ? link : 'peer_lacks_channel';
  }

  #encode(message: M): Uint8Array | Loss {
    if (message === null || message === undefined) return 'empty_message';
    try {
      return this.#codec.encode(message);
    } catch (error) {
      const outcome = error instanceof TypeError ? 'type_mismatch' : 'encode_failed';
      if (this.#host.strict) {
        throw new P2PError('encode-failed', `channel ${this.name} could not encode a message`, {
          cause: error,
        });
      }
      return outcome;
    }
  }

  #offer(link: PeerLink, bytes: Uint8Array, ttlMs: number | undefined): Outcome {
    const result = link.outbox.offer(this.id, bytes, this.#host.clock.now(), ttlMs);
    if (result === 'queued') {
      link.connection.wake();
      return result;
    }
    if (result === 'evict_peer') this.#host.evictSlowPeer(link, 'send');
    const outcome = result === 'evict_peer' ? 'overflow' : result;
    return this.#lost(outcome, bytes.length, link.peer!);
  }

  #lost<O extends Loss>(outcome: O, bytes: number, peer: NodeId): O {
    this.#host.noteDrop('out', this.id, outcome, bytes, peer);
    return outcome;
  }

  /** Says that a peer misbehaved; handled at once. */
  report(report: PeerReport): ReportOutcome {
    return this.#host.report(this.id, report);
  }

  /** Says that a peer did well: one point. */
  praise(peer: NodeId): void {
    this.#host.praise(peer);
  }

  /** Peers that have the channel, now. */
  peers(): readonly ChannelPeer[] {
    return [...this.#host.routes()]
      .filter((link) => link.channels.has(this.id))
      .map((link) => {
        const { messages, bytes } = link.outbox.pending(this.id);
        return {
          id: link.peer!,
          direction: link.direction,
          since: link.since,
          queued: messages,
          queuedBytes: bytes,
        };
      });
  }

  /** Peers with this channel coming up and going down, beginning with those that are up. */
  updates(): AsyncIterable<PeerUpdate> {
    return this.#host.updates(this.id);
  }

  /**
   * Messages as they come, peers in turn. Ends when the channel is closed. Leaving the loop lets another consumer go on
   * with the next message.
   *
   * @throws P2PError `already-consuming` while another consumer is active.
   */
  receive(options: { readonly signal?: AbortSignal } = {}): AsyncIterableIterator<Inbound<M>> {
    const release = this.#consume();
    const inbox = this.#inbox;
    const { signal } = options;
    let waiting: (() => void) | undefined;
    let done = false;
    const finish = (): void => {
      if (done) return;
      done = true;
      inbox.onAvailable = undefined;
      signal?.removeEventListener('abort', finish);
      release();
      waiting?.();
    };
    const next = async (): Promise<IteratorResult<Inbound<M>>> => {
      while (!done) {
        const item = inbox.take();
        if (item !== undefined) return { done: false, value: item };
        if (inbox.ended) break;
        await new Promise<void>((resolve) => {
          waiting = resolve;
          inbox.onAvailable = resolve;
        });
      }
      finish();
      return { done: true, value: undefined };
    };
    if (signal?.aborted === true) finish();
    else signal?.addEventListener('abort', finish);
    return {
      next,
      return: () => {
        finish();
        return Promise.resolve({ done: true, value: undefined });
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  /** The same as `receive`, pushed: at most 32 messages per turn of the event loop, and none while nobody subscribes. */
  get messages$(): Observable<Inbound<M>> {
    return new Observable<Inbound<M>>((subscriber) => {
      const release = this.#consume();
      const inbox = this.#inbox;
      const pump = (): void => {
        for (let count = 0; count < OBSERVABLE_BATCH && !subscriber.closed; count++) {
          const item = inbox.take();
          if (item === undefined) break;
          subscriber.next(item);
        }
        if (subscriber.closed) return;
        if (inbox.pendingMessages > 0) this.#host.clock.defer(pump);
        else if (inbox.ended) subscriber.complete();
      };
      inbox.onAvailable = () => this.#host.clock.defer(pump);
      this.#host.clock.defer(pump);
      return () => {
        inbox.onAvailable = undefined;
        release();
      };
    });
  }

  #consume(): () => void {
    if (this.#consumer !== undefined) {
      throw new P2PError('already-consuming', `channel ${this.name} has a consumer already`);
    }
    const token = {};
    this.#consumer = token;
    return () => {
      if (this.#consumer === token) this.#consumer = undefined;
    };
  }

  /**
   * Closes the channel: no more sends; with `drain` (the default) what is queued still leaves within the router's drain
   * time, and what has arrived can still be read. Idempotent.
   */
  close(options: { readonly drain?: boolean } = {}): Promise<void> {
    this.end('channel_closed', options.drain ?? true);
    return this.closed;
  }

  /** How many messages went where. */
  accounting(): ChannelAccounting {
    let messages = 0;
    let bytes = 0;
    for (const link of this.#host.routes()) {
      const pending = link.outbox.pending(this.id);
      messages += pending.messages;
      bytes += pending.bytes;
    }
    return { in: this.#inbox.accounting(), out: this.sent.snapshot({ messages, bytes }) };
  }

  arrived(link: PeerLink, bytes: Uint8Array, now: number): boolean {
    const from = link.peer!;
    let message: M;
    try {
      message = this.#codec.decode(bytes);
    } catch {
      this.#inbox.countLoss('decode_failed', bytes.length);
      this.#host.noteDrop('in', this.id, 'decode_failed', bytes.length, from);
      return false;
    }
    const item = {
      from,
      channelId: this.id,
      message,
      receivedAt: now,
      connectionId: link.id,
      bytes: bytes.length,
    };
    const result = this.#inbox.offer(from, Object.freeze(item), bytes.length);
    if (result === 'queued') return true;
    if (result === 'evict_peer') this.#host.evictSlowPeer(link, 'receive');
    this.#host.noteDrop('in', this.id, result === 'evict_peer' ? 'inbox_full' : result, bytes.length, from);
    return true;
  }

  peerDown(peer: NodeId): void {
    this.#inbox.peerDown(peer);
  }

  laneDrained(): void {
    if (this.#accepting) return;
    for (const link of this.#host.routes()) if (link.outbox.pending(this.id).messages > 0) return;
    this.actor.send({ type: 'channel.drained' });
  }

  end(reason: 'channel_closed' | 'router_stopped', drain: boolean): void {
    if (this.#accepting) {
      this.#accepting = false;
      this.#closeReason = reason;
      this.#drains = drain;
    }
    this.actor.send({ type: 'channel.close', drain, reason });
  }

  #beginDrain(): void {
    for (const link of this.#host.routes()) link.outbox.closeLane(this.id, this.#closeReason, 'drain');
    this.laneDrained();
  }

  #release(): void {
    this.#accepting = false;
    for (const link of this.#host.routes()) link.outbox.closeLane(this.id, this.#closeReason, 'purge');
    this.#host.releaseChannel(this, this.#closeReason);
    this.#inbox.close(this.#closeReason, this.#drains ? 'drain' : 'purge');
    this.#resolveClosed();
  }
}
