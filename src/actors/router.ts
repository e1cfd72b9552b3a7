import type { Observable } from 'rxjs';
import type { ChannelDescriptor, ChannelId } from '../core/channel.ts';
import { P2PError } from '../core/errors.ts';
import { parseNodeAddress, type NodeAddress } from '../core/node-address.ts';
import { parseNodeId, type NodeId } from '../core/node-id.ts';
import type { PeerEvent, PeerResult, PeerResults } from '../core/peer/peer-event.ts';
import { tableSizes } from '../core/peer/queries.ts';
import type { PeerUpdate } from '../core/peer-update.ts';
import type { FlightRecorder } from '../inspect/flight-recorder.ts';
import type { Channel } from './channel.actor.ts';
import type { PeerDecisions } from './peer-decisions.ts';
import { peerView, type PeerView } from './peer-view.ts';
import { RouterSupervisor } from './router.actor.ts';
import { routerConfig, type RouterOptions } from './router-config.ts';
import type { RouterStats } from './router-stats.ts';

/** How long a ban lasts when nothing else is said, in milliseconds: 24 h. */
const BAN_MS = 24 * 3_600_000;

/**
 * One node of a network. Open channels, start it, send and receive, watch peers, stop it. Single-use.
 *
 * @throws P2PError `invalid-option`, `invalid-address` or `invalid-node-id`, naming the option and the value.
 */
export function createRouter(options: RouterOptions): Router {
  return new Router(options);
}

export class Router {
  readonly #supervisor: RouterSupervisor;

  constructor(options: RouterOptions) {
    this.#supervisor = new RouterSupervisor(routerConfig(options));
  }

  /** The id others know this node by. */
  get id(): NodeId {
    return this.#supervisor.selfId;
  }

  /** `idle`, `starting`, `running`, `draining`, `stopped` or `failed`. */
  get state(): string {
    return this.#supervisor.state;
  }

  /** The history of everything that happened in this router. */
  get recorder(): FlightRecorder {
    return this.#supervisor.kernel.recorder;
  }

  /**
   * Resolves when everything is released: with the error that made the router fail, or with nothing after `stop`. A
   * router that failed to start is released when `start` rejects.
   */
  get closed(): Promise<Error | undefined> {
    return this.#supervisor.closed;
  }

  /** Where this node listens, as addresses with its id; empty before `start`. */
  get addresses(): readonly NodeAddress[] {
    return this.#supervisor.addresses;
  }

  /**
   * Opens the store and the listeners, and begins to dial and accept.
   *
   * @throws P2PError what the store or a transport failed with, `already-started`, or `stopped`.
   */
  start(): Promise<void> {
    return this.#supervisor.start();
  }

  /** Says goodbye, flushes, closes and releases everything. Idempotent, in any state; never rejects. */
  stop(): Promise<void> {
    return this.#supervisor.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /**
   * Opens a typed channel. Peers connected already are told; those of another implementation learn of it when they
   * connect next.
   *
   * @throws P2PError `invalid-channel`, `channel-exists`, `channel-name-exists`, or `stopped`.
   */
  openChannel<M>(descriptor: ChannelDescriptor<M>): Channel<M> {
    return this.#supervisor.openChannel(descriptor);
  }

  /** Peers coming up and going down, beginning with an `up` for each that is up. Ends with the router. */
  updates(channelId?: ChannelId): AsyncIterableIterator<PeerUpdate> {
    return this.#supervisor.feed.iterate(channelId);
  }

  /** The same as `updates`, pushed. */
  get updates$(): Observable<PeerUpdate> {
    return this.#supervisor.feed.observe();
  }

  /** Every connection, also those that shake hands or are closing. */
  peers(): readonly PeerView[] {
    const { decisions, table } = this.#supervisor;
    return decisions === undefined ? [] : table.links.map((link) => peerView(link, decisions.state));
  }

  /** Counts and sizes, read from the live structures. */
  stats(): RouterStats {
    const { decisions, table, channels, connections, dialing, accepting, kernel, routerBudget, drops } =
      this.#supervisor;
    const sizes = decisions === undefined ? undefined : tableSizes(decisions.state);
    const accounting = channels.accounting();
    return {
      ...connections.counts,
      ...(decisions?.counts ?? { dials: 0, dialFailures: 0, upgrades: 0, evictions: 0 }),
      state: this.state,
      connectedPeers: table.routeCount,
      connectedPeersMax: connections.routedMax,
      knownPeers: sizes?.peers ?? 0,
      knownAddresses: sizes?.addresses ?? 0,
      dialing,
      accepting,
      messagesSent: channels.sent.messages,
      messagesReceived: channels.received,
      messagesDropped: drops.total,
      drops: drops.totals,
      crashes: kernel.crashes,
      queuedBytes: routerBudget.used,
      actors: kernel.actors.length,
      channels: accounting,
    };
  }

  /** Paths of the actors alive now. */
  actors(): readonly string[] {
    return this.#supervisor.kernel.actors;
  }

  // Operations of the running node. Each is an event of the core, so that a replay sees it.

  /** Dials an address as soon as the limits allow, whatever its back-off. */
  dial(address: string | NodeAddress): PeerResults['dial'] {
    return this.#apply({ type: 'dial', address: toAddress(address) });
  }

  /** Closes the connection to a peer without holding it against the peer. */
  disconnect(peer: string): PeerResults['disconnect'] {
    return this.#apply({ type: 'disconnect', peer: parseNodeId(peer) });
  }

  /** Refuses a peer and does not dial it for a time, 24 h unless said otherwise. */
  ban(
    peer: string,
    options: { readonly durationMs?: number; readonly reason?: string } = {},
  ): PeerResults['ban'] {
    const { durationMs = BAN_MS, reason = 'requested' } = options;
    const untilMs = this.#running().now + durationMs;
    return this.#apply({ type: 'ban', peer: parseNodeId(peer), untilMs, reason });
  }

  unban(peer: string): PeerResults['unban'] {
    return this.#apply({ type: 'unban', peer: parseNodeId(peer) });
  }

  /** Makes a peer one that is always wanted, or an ordinary one. */
  setPersistent(peer: string, persistent = true): PeerResults['setPersistent'] {
    return this.#apply({ type: 'setPersistent', peer: parseNodeId(peer), persistent });
  }

  /** Adds an address that is never forgotten. */
  addBootstrap(address: string | NodeAddress): PeerResults['addBootstrap'] {
    return this.#apply({ type: 'addBootstrap', address: toAddress(address) });
  }

  /** Resolves when everything known so far about peers is in the store. */
  flush(): Promise<void> {
    return this.#supervisor.config.store.flush();
  }

  #apply<E extends PeerEvent>(event: E): PeerResult<E> {
    const decisions = this.#running();
    return this.#supervisor.kernel.call(() => decisions.apply(event));
  }

  #running(): PeerDecisions {
    const { decisions } = this.#supervisor;
    if (decisions !== undefined && this.state === 'running') return decisions;
    throw new P2PError('not-running', `the router is ${this.state}`, { reason: this.state });
  }
}

function toAddress(address: string | NodeAddress): NodeAddress {
  return typeof address === 'string' ? parseNodeAddress(address) : address;
}
