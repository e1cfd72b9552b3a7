/**
 * An open channel as its user holds it, and what makes the channel chart act. Messages go straight to the outboxes of
 * the peers and come from the inbox; only opening and closing are events.
 */
import type { Observable } from 'rxjs';
import type { ChannelDescriptor, ChannelId, ChannelSettings, Codec } from '../core/channel.ts';
import type { Outcome } from '../core/codes.ts';
import type { Inbound } from '../core/envelope.ts';
import { P2PError } from '../core/errors.ts';
import type { NodeId } from '../core/node-id.ts';
import type { PeerUpdate } from '../core/peer-update.ts';
import { Ledger } from '../core/queue/accounting.ts';
import { Inbox } from '../core/queue/inbox.ts';
import { channelMachine } from '../machines/channel.machine.ts';
import type {
  AnyChannel,
  ChannelAccounting,
  ChannelHost,
  ChannelPeer,
  ChannelVisibility,
  PeerReport,
  ReportOutcome,
  RouterBooks,
} from './channel-host.ts';
import {
  ChannelSender,
  type BroadcastOptions,
  type BroadcastResult,
  type Outbound,
  type SendOptions,
} from './channel-sender.ts';
import type { Supervised } from './kernel.ts';
import {
  InboxConsumer,
  MessageIterator,
  observeMessages,
  type MessageConsumer,
  type MessageSource,
} from './message-consumer.ts';
import type { PeerLink } from './peer.actor.ts';
import { ReportingLedger } from './reporting-ledger.ts';

/** A typed lane to every peer that has it too. */
export class Channel<M> implements AnyChannel, MessageSource<M> {
  readonly id: ChannelId;
  readonly name: string;
  readonly settings: ChannelSettings;
  readonly sent: Ledger;
  readonly actor: Supervised<typeof channelMachine>;
  /** Resolves when the channel is closed. */
  readonly closed: Promise<void>;
  readonly #host: ChannelHost;
  readonly #codec: Codec<M>;
  readonly #sender: ChannelSender<M>;
  readonly #inbox: Inbox<Inbound<M>>;
  #resolveClosed: () => void = () => undefined;
  #visibleTo: ChannelVisibility = 'all-peers';
  #isConsumed = false;
  /** Whose messages the inbox is looking at. */
  #arrivingFrom: NodeId | undefined;
  #closeReason: 'channel_closed' | 'router_stopped' = 'channel_closed';
  #drains = true;
  #isReleased = false;

  constructor(
    host: ChannelHost,
    books: RouterBooks,
    descriptor: ChannelDescriptor<M>,
    settings: ChannelSettings,
  ) {
    const { codec } = descriptor;
    const { drops } = books;
    this.#host = host;
    this.#codec = codec;
    this.id = settings.id;
    this.name = settings.name;
    this.settings = settings;
    this.sent = new Ledger(books.out);
    this.#sender = new ChannelSender(host, { settings, codec, books: this.sent, drops });
    const ledger = new ReportingLedger(books.in, (reason, bytes) =>
      drops.note('in', settings.id, reason, bytes, this.#arrivingFrom),
    );
    this.#inbox = new Inbox({ settings, routerBudget: host.routerBudget, ledger });
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    this.actor = this.#supervise();
  }

  #supervise(): Supervised<typeof channelMachine> {
    const { kernel, drainTimeoutMs } = this.#host;
    const path = this.#path;
    const machine = channelMachine.provide({
      actions: {
        register: kernel.effect(path, () => this.#register()),
        beginDrain: kernel.effect(path, () => this.#beginDrain()),
        release: kernel.effect(path, () => this.#release()),
      },
    });
    return kernel.supervise(machine, {
      path,
      input: { id: this.id, name: this.name, drainTimeoutMs },
      about: { id: this.id },
      onCrash: () => this.#release(),
    });
  }

  #register(): void {
    this.#host.registerChannel(this);
    const isKnownToAll = [...this.#host.routes()].every(({ speaksControl }) => speaksControl);
    this.#visibleTo = isKnownToAll ? 'all-peers' : 'new-peers-only';
    this.actor.send({ type: 'channel.registered' });
    if (this.#sender.closed !== undefined) this.#sendClose(this.#drains);
  }

  get #path(): string {
    return `router/channel/${this.name}`;
  }

  /** `opening`, `open`, `draining` or `closed`. */
  get state(): 'opening' | 'open' | 'draining' | 'closed' {
    return this.actor.snapshot().value;
  }

  /** Whom opening the channel could be told to. */
  get visibleTo(): ChannelVisibility {
    return this.#visibleTo;
  }

  /** What the codec threw at the latest message that could not be encoded. */
  get encodeError(): Error | undefined {
    return this.#sender.encodeError;
  }

  /**
   * Queues a message for one peer, or says why not. Never waits.
   *
   * @throws only in a strict router: a TypeError for no recipient, no message or one of another type, and P2PError
   * `encode-failed`.
   */
  trySend(envelope: Outbound<M>): Outcome {
    return this.#sender.trySend(envelope);
  }

  /**
   * As `trySend`, but waits for room in the peer's lane. Resolves with `overflow` after the time-out, `aborted` on the
   * signal, `peer_gone` when the peer disconnects meanwhile. Waiters of one lane are served in the order they came.
   */
  send(envelope: Outbound<M>, options: SendOptions = {}): Promise<Outcome> {
    return this.#sender.send(envelope, options);
  }

  /** Queues a message for many peers; encodes it once. Never waits; one peer's full lane delays nobody. */
  broadcast(message: M, options: BroadcastOptions = {}): BroadcastResult {
    return this.#sender.broadcast(message, options);
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
  updates(): AsyncIterableIterator<PeerUpdate> {
    return this.#host.feed.iterate(this.id);
  }

  /** The same as `updates`, pushed. */
  get updates$(): Observable<PeerUpdate> {
    return this.#host.feed.observe(this.id);
  }

  /**
   * Messages as they come, peers in turn. Ends when the channel is closed and everything was read. Leaving the loop lets
   * another consumer go on with the next message.
   *
   * @throws P2PError `already-consuming` while another consumer is active.
   */
  receive(options: { readonly signal?: AbortSignal } = {}): AsyncIterableIterator<Inbound<M>> {
    return new MessageIterator(this.consume(), options.signal);
  }

  /** The same as `receive`, pushed: for about 8 ms per turn of the event loop, and not at all while nobody subscribes. */
  get messages$(): Observable<Inbound<M>> {
    return observeMessages(this, this.#host.clock, (error) => this.#consumerThrew(error));
  }

  /**
   * Messages without a promise for each: `take` them, and be told when there are more.
   *
   * @throws P2PError `already-consuming` while another consumer is active.
   */
  consume(): MessageConsumer<M> {
    if (this.#isConsumed) {
      throw new P2PError('already-consuming', `channel ${this.name} has a consumer already`);
    }
    this.#isConsumed = true;
    const release = (): void => {
      this.#isConsumed = false;
    };
    return new InboxConsumer(this.#inbox, release, (error) => this.#consumerThrew(error));
  }

  /** Our own reactor's fault: recorded and counted, and nothing else comes of it. */
  #consumerThrew(error: unknown): void {
    this.#host.kernel.fault(`${this.#path}/consumer`, error);
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

  arrived(link: PeerLink, bytes: Uint8Array, now: number): 'queued' | 'dropped' | 'undecodable' {
    const from = link.peer!;
    this.#arrivingFrom = from;
    let message: M;
    try {
      message = this.#codec.decode(bytes);
    } catch {
      this.#inbox.countLoss('decode_failed', bytes.length);
      return 'undecodable';
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
    if (result === 'queued') return result;
    if (result === 'evict_peer') this.#host.evictSlowPeer(link, 'receive');
    return 'dropped';
  }

  peerDown(peer: NodeId): void {
    this.#arrivingFrom = peer;
    this.#inbox.peerDown(peer);
    this.#arrivingFrom = undefined;
  }

  laneDrained(): void {
    if (this.#sender.closed === undefined) return;
    for (const link of this.#host.routes()) if (link.outbox.pending(this.id).messages > 0) return;
    this.actor.send({ type: 'channel.drained' });
  }

  /** The first call decides what becomes of the inbox; a later one without `drain` ends a drain that is under way. */
  end(reason: 'channel_closed' | 'router_stopped', drain: boolean): void {
    const isFirst = this.#sender.closed === undefined;
    if (isFirst) {
      this.#sender.close(reason);
      this.#closeReason = reason;
      this.#drains = drain;
    }
    if (isFirst || !drain) this.#sendClose(drain);
  }

  #sendClose(drain: boolean): void {
    this.actor.send({ type: 'channel.close', drain, reason: this.#closeReason });
  }

  #beginDrain(): void {
    for (const link of this.#host.routes()) link.outbox.closeLane(this.id, this.#closeReason, 'drain');
    this.laneDrained();
  }

  #release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#sender.close(this.#closeReason);
    for (const link of this.#host.routes()) link.outbox.closeLane(this.id, this.#closeReason, 'purge');
    this.#host.releaseChannel(this, this.#closeReason);
    this.#arrivingFrom = undefined;
    this.#inbox.close(this.#closeReason, this.#drains ? 'drain' : 'purge');
    this.#resolveClosed();
  }
}
