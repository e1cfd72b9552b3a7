import type { ChannelId } from '../channel.ts';
import type { Direction } from '../direction.ts';
import type { NodeAddress } from '../node-address.ts';
import type { NodeId } from '../node-id.ts';
import { nextDialAt as nextDialInstant } from './next-dial.ts';
import { scoreBreakdown, type PeerInfo } from './peer-info.ts';
import { occupiedCount, stayingCount, type PeerState } from './peer-state.ts';
import type { BanRecord } from './peer-record.ts';
import type { ScoreBreakdown } from './why.ts';

export type PeerStatus = 'up' | 'down';

/** A connected peer, as others may see it. */
export interface ConnectedPeer {
  readonly peer: NodeId;
  readonly direction: Direction;
  /** `connected` until it is ready, `ready` while it is up, then `evict` and `evicting` on its way out. */
  readonly phase: 'connected' | 'ready' | 'evict' | 'evicting';
  readonly sinceMs: number;
  readonly score: number;
  readonly persistent: boolean;
}

/** A peer that is up. */
export interface ReadyPeer {
  readonly peer: NodeId;
  readonly direction: Direction;
  readonly channels: readonly ChannelId[];
}

/** The outcome of the latest dial of a peer. */
export interface LastDialed {
  /** Undefined: never dialled. */
  readonly atMs: number | undefined;
  readonly succeeded: boolean;
}

/** Sizes of the table. */
export interface TableSizes {
  readonly peers: number;
  readonly addresses: number;
  readonly inactive: number;
  readonly banned: number;
  readonly connected: number;
  readonly inbound: number;
  readonly outbound: number;
  readonly ready: number;
  readonly dialing: number;
  readonly staying: number;
  /** Connected or dialled. */
  readonly occupied: number;
  /** Evictions scheduled and handed out. */
  readonly leaving: number;
}

/**
 * The instant at which time alone may make `dialNext` succeed, later than `nowMs`; undefined when there is none. The
 * owner of the state keeps exactly one timer, on this.
 */
export function nextDialAt(state: PeerState, nowMs: number): number | undefined {
  return nextDialInstant(state, nowMs);
}

export function isKnown(state: PeerState, peer: NodeId): boolean {
  return state.orders.peers.has(peer);
}

/** The addresses of a peer in the order they are tried; none for an unknown peer. */
export function addresses(state: PeerState, peer: NodeId): readonly NodeAddress[] {
  return (find(state, peer)?.addresses ?? []).map(({ address }) => address);
}

/** All known peers, best first. */
export function peers(state: PeerState): readonly NodeId[] {
  return [...state.orders.ranking.keys()].map(({ id }) => id);
}

export function scores(state: PeerState): ReadonlyMap<NodeId, number> {
  return new Map([...state.orders.ranking.keys()].map(({ id, score }) => [id, score]));
}

/** How a peer's score comes about; undefined for an unknown peer. */
export function score(state: PeerState, peer: NodeId): ScoreBreakdown | undefined {
  const info = find(state, peer);
  return info && scoreBreakdown(info, state.settings);
}

export function status(state: PeerState, peer: NodeId): PeerStatus {
  return find(state, peer)?.connection?.channels === undefined ? 'down' : 'up';
}

/** Known peers by the option `maxPeers`, 0 … 1 and above; 0 without that limit. */
export function peerRatio({ settings, orders }: PeerState): number {
  return settings.maxPeers === 0 ? 0 : orders.peers.size / settings.maxPeers;
}

/** Whether every ordinary slot has a connection: an error of a peer is then worth its slot. */
export function isFull({ settings, counters }: PeerState): boolean {
  return settings.maxConnected > 0 && counters.connected >= settings.maxConnected;
}

/** Whether every outgoing slot has a connection. */
export function isOutgoingFull({ settings, counters }: PeerState): boolean {
  const limit = settings.maxOutgoingConnections;
  return limit > 0 && counters.outbound >= limit;
}

/** The latest dial of a peer, over all its addresses; of a success and a failure at one instant, the success. */
export function lastDialed(state: PeerState, peer: NodeId): LastDialed {
  const known = find(state, peer)?.addresses ?? [];
  const success = latest(known.map(({ lastSuccessMs }) => lastSuccessMs));
  const failure = latest(known.map(({ lastFailureMs }) => lastFailureMs));
  if (success === undefined && failure === undefined) return { atMs: undefined, succeeded: false };
  const succeeded = (success ?? -Infinity) >= (failure ?? -Infinity);
  return { atMs: succeeded ? success : failure, succeeded };
}

function latest(instants: readonly (number | undefined)[]): number | undefined {
  const known = instants.filter((instant) => instant !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
}

/** The height a peer claimed; 0 when it claimed none. */
export function height(state: PeerState, peer: NodeId): number {
  return find(state, peer)?.height ?? 0;
}

/** The connected peers by id. */
export function connectedPeers(state: PeerState): readonly ConnectedPeer[] {
  return [...state.orders.connected.keys()].map((id) => connectedPeer(find(state, id)!));
}

/** A connected peer; undefined for any other. */
export function connection(state: PeerState, peer: NodeId): ConnectedPeer | undefined {
  const info = find(state, peer);
  return info?.connection && connectedPeer(info);
}

function connectedPeer({ id, connection, rank, persistent }: PeerInfo): ConnectedPeer {
  const { direction, sinceMs, channels, leaving } = connection!;
  const phase = leaving?.phase ?? (channels === undefined ? 'connected' : 'ready');
  return { peer: id, direction, phase, sinceMs, score: rank.score, persistent };
}

/** The peers that are up, by id: what a new subscriber is told first (E9). */
export function readyPeers(state: PeerState): readonly ReadyPeer[] {
  const ready: ReadyPeer[] = [];
  for (const id of state.orders.connected.keys()) {
    const { direction, channels } = find(state, id)!.connection!;
    if (channels !== undefined) ready.push({ peer: id, direction, channels });
  }
  return ready;
}

/** The peers being dialled, by id. */
export function dialingPeers(state: PeerState): readonly NodeId[] {
  return [...state.orders.dialing.keys()];
}

export function isPersistent(state: PeerState, peer: NodeId): boolean {
  return state.persistentPeers.has(peer);
}

/** The ban of a peer; undefined when there is none, or it has ended by `nowMs`. */
export function banOf(state: PeerState, peer: NodeId, nowMs: number): BanRecord | undefined {
  const ban = state.orders.bans.get(peer);
  if (ban === undefined || ban.untilMs <= Math.max(nowMs, state.nowMs)) return undefined;
  const { id, untilMs, reason } = ban;
  return { id, untilMs, reason };
}

/** All bans, oldest first. */
export function bans(state: PeerState): readonly BanRecord[] {
  return [...state.orders.banAges.keys()].map(({ id, untilMs, reason }) => ({ id, untilMs, reason }));
}

export function tableSizes(state: PeerState): TableSizes {
  const { counters, orders } = state;
  return {
    peers: orders.peers.size,
    addresses: counters.addresses,
    inactive: counters.inactive,
    banned: orders.bans.size,
    connected: counters.connected,
    inbound: counters.connected - counters.outbound,
    outbound: counters.outbound,
    ready: counters.ready,
    dialing: counters.dialing,
    staying: stayingCount(state),
    occupied: occupiedCount(state),
    leaving: counters.leaving,
  };
}

function find(state: PeerState, peer: NodeId): PeerInfo | undefined {
  return state.orders.peers.get(peer);
}
