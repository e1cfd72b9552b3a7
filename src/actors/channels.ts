import { channelSettings, type ChannelDescriptor, type ChannelId } from '../core/channel.ts';
import { FrameFaults } from '../core/frame-faults.ts';
import { P2PError } from '../core/errors.ts';
import type { NodeId } from '../core/node-id.ts';
import { Ledger, NO_MESSAGES, type LedgerSnapshot, type Tally } from '../core/queue/accounting.ts';
import { Channel } from './channel.actor.ts';
import type { AnyChannel, ChannelHost, RouterBooks } from './channel-host.ts';
import type { DropLog } from './drop-log.ts';
import type { PeerLink } from './peer.actor.ts';
import { ReportingLedger } from './reporting-ledger.ts';
import type { RoutingTable } from './routing-table.ts';

/** The most channels a node may declare: others refuse a longer list. */
const CHANNELS_MAX = 16;

/** The longest message taken on a channel that is not open, before it is dropped and counted; in bytes. */
const UNKNOWN_CHANNEL_MAX_BYTES = 1024 * 1024;

/** What the channels ask of the router beyond what it gives to each channel. */
export interface ChannelsHost {
  /** A peer that sends little but what nobody can read. */
  evictForFaults(link: PeerLink): void;
  demerit(peer: NodeId): void;
  /** Whether the router is running: channels opened or closed from now on are told to peers. */
  readonly announces: boolean;
}

/** The open channels of a router, and the way of a received message to the one it is for. */
export class Channels {
  readonly #host: ChannelsHost;
  readonly #table: RoutingTable;
  readonly #drops: DropLog;
  readonly #byId = new Map<ChannelId, AnyChannel>();
  readonly #names = new Set<string>();
  /** When we closed a channel last, by id. */
  readonly #closedAt = new Map<ChannelId, number>();
  readonly #faults = new WeakMap<PeerLink, FrameFaults>();
  /** Of all channels that ever were, closed ones included. */
  readonly #books: RouterBooks;
  #revision = 0;
  #received = 0;

  constructor(host: ChannelsHost, table: RoutingTable, drops: DropLog) {
    this.#host = host;
    this.#table = table;
    this.#drops = drops;
    this.#books = { in: new Ledger(), out: new Ledger(), drops };
  }

  /** Messages and bytes that connections took so far, on all channels, closed ones included. */
  get sent(): Tally {
    return this.#books.out.snapshot(NO_MESSAGES).delivered;
  }

  /** Messages handed to inboxes so far. */
  get received(): number {
    return this.#received;
  }

  /** Ids of open channels, in the order they were opened. */
  get ids(): readonly ChannelId[] {
    return [...this.#byId.keys()];
  }

  get open(): readonly AnyChannel[] {
    return [...this.#byId.values()];
  }

  get(id: ChannelId): AnyChannel | undefined {
    return this.#byId.get(id);
  }

  /** @throws P2PError `invalid-channel`, `channel-exists`, or `channel-name-exists`. */
  create<M>(host: ChannelHost, descriptor: ChannelDescriptor<M>): Channel<M> {
    const settings = channelSettings(descriptor);
    const { id, name } = settings;
    if (this.#byId.has(id)) {
      throw new P2PError('channel-exists', `channel ${id} is open already`, { reason: String(id) });
    }
    if (this.#names.has(name)) {
      throw new P2PError('channel-name-exists', `a channel named ${name} is open already`, { reason: name });
    }
    if (this.#byId.size >= CHANNELS_MAX) {
      throw new P2PError('invalid-channel', `more than ${CHANNELS_MAX} channels`, { reason: 'count' });
    }
    const channel = new Channel(host, this.#books, descriptor, settings);
    this.#byId.set(id, channel);
    this.#names.add(name);
    channel.actor.start();
    return channel;
  }

  /** Opens the lanes of a channel that was created, and declares it. */
  register(channel: AnyChannel): void {
    for (const link of this.#table.routes()) this.#openLane(link, channel);
    this.#tellPeers([channel.id], []);
  }

  #openLane(link: PeerLink, { id, settings, sent }: AnyChannel): void {
    const ledger = new ReportingLedger(sent, (reason, bytes) =>
      this.#drops.note('out', id, reason, bytes, link.peer),
    );
    link.outbox.openLane(settings, ledger);
  }

  release(channel: AnyChannel, now: number): void {
    if (this.#byId.get(channel.id) !== channel) return;
    this.#byId.delete(channel.id);
    this.#names.delete(channel.name);
    this.#closedAt.set(channel.id, now);
    this.#tellPeers([], [channel.id]);
  }

  #tellPeers(opened: readonly ChannelId[], closed: readonly ChannelId[]): void {
    if (!this.#host.announces) return;
    this.#revision += 1;
    for (const link of this.#table.routes()) link.sendChannelSetUpdate(opened, closed, this.#revision);
  }

  /** Opens a lane per channel for a connection that is being routed, and tells of what changed since its handshake. */
  openLanes(link: PeerLink): void {
    for (const channel of this.#byId.values()) this.#openLane(link, channel);
    const declared = link.sentNodeInfo?.channels ?? [];
    const opened = this.ids.filter((id) => !declared.includes(id));
    const closed = declared.filter((id) => !this.#byId.has(id));
    if (opened.length === 0 && closed.length === 0) return;
    this.#revision += 1;
    link.sendChannelSetUpdate(opened, closed, this.#revision);
  }

  receiveLimit(id: ChannelId): number {
    return this.#byId.get(id)?.settings.maxMessageBytes ?? UNKNOWN_CHANNEL_MAX_BYTES;
  }

  /** The data path: one whole message of a routed connection. */
  deliver(link: PeerLink, id: ChannelId, bytes: Uint8Array, now: number): void {
    const channel = this.#byId.get(id);
    if (channel === undefined) {
      this.#unknownChannel(link, id, bytes, now);
      return;
    }
    const arrival = channel.arrived(link, bytes, now);
    if (arrival === 'queued') this.#received += 1;
    else if (arrival === 'undecodable' && this.#faultsOf(link).decodeFailed(now) === 'evict') {
      this.#host.evictForFaults(link);
    }
  }

  #unknownChannel(link: PeerLink, id: ChannelId, bytes: Uint8Array, now: number): void {
    this.#books.in.offer(bytes.length);
    this.#books.in.drop('unknown_channel', bytes.length);
    this.#drops.note('in', id, 'unknown_channel', bytes.length, link.peer);
    if (this.#faultsOf(link).unknownChannel(this.#closedAt.get(id), now) === 'demerit')
      this.#host.demerit(link.peer!);
  }

  #faultsOf(link: PeerLink): FrameFaults {
    let faults = this.#faults.get(link);
    if (faults === undefined) this.#faults.set(link, (faults = new FrameFaults()));
    return faults;
  }

  peerDown(peer: NodeId): void {
    for (const channel of this.#byId.values()) channel.peerDown(peer);
  }

  laneDrained(id: ChannelId): void {
    this.#byId.get(id)?.laneDrained();
  }

  /** Counts of every open channel. */
  accounting(): Readonly<
    Record<string, { readonly id: ChannelId; readonly in: LedgerSnapshot; readonly out: LedgerSnapshot }>
  > {
    return Object.fromEntries(
      this.open.map((channel) => [channel.name, { id: channel.id, ...channel.accounting() }]),
    );
  }
}
