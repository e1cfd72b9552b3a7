import type { ChannelId } from '../channel.ts';
import type { Direction } from '../direction.ts';
import type { NodeAddress } from '../node-address.ts';
import type { NodeId } from '../node-id.ts';
import { addressRecord, countedFailures, sameAddressRecord, type AddressInfo } from './address-info.ts';
import { dialSlots, type DialSlot } from './dial-slot.ts';
import type { PeerSettings } from './options.ts';
import type { PeerRecord } from './peer-record.ts';
import { clamp, SCORE_MAX, SCORE_MIN, type Forgettable } from './ranking.ts';
import type { Decision, ScoreBreakdown, Standing } from './why.ts';

/** Everything known about one peer. Never changed: a change makes a new value (Tendermint v0.35 `peerInfo`). */
export interface PeerInfo extends PeerFacts {
  /** The peer's place in the orders; a new value only when the place may change. */
  readonly rank: Forgettable;
  /** The peer's places among those that may be dialled; a new value only when they change. */
  readonly slots: readonly DialSlot[];
}

/** What was told or decided, as opposed to what follows from it. Instants are on the core's clock. */
export interface PeerFacts {
  readonly id: NodeId;
  /** In address order. */
  readonly addresses: readonly AddressInfo[];
  /** From the options; 0 when there is none. */
  readonly fixedScore: number;
  readonly persistent: boolean;
  /** Sum of behaviour, −32768 … 32766. */
  readonly mutableScore: number;
  /** The behaviour score as stored; 0 unless scores are stored. */
  readonly savedScore: number;
  readonly height: number;
  /** Found incompatible: not dialled, not advertised. */
  readonly inactive: boolean;
  readonly banned: boolean;
  /** Undefined: never. */
  readonly lastConnectedMs: number | undefined;
  /** Undefined: never. */
  readonly lastDisconnectedMs: number | undefined;
  /** Not dialled before this; 0 when nothing holds the peer back. */
  readonly cooldownUntilMs: number;
  /** Short connections in a row that lengthen the next cooldown. */
  readonly flaps: number;
  /** Set while a dial is outstanding. */
  readonly dial: OutstandingDial | undefined;
  /** The address of a dial that was given up and whose outcome is still to come. */
  readonly lateDial: NodeAddress | undefined;
  /** Set while connected. */
  readonly connection: EstablishedConnection | undefined;
  /** Who is dialled to take this connected peer's slot. */
  readonly claimant: NodeId | undefined;
  /** When an inactive peer becomes active again; undefined: not by time. */
  readonly activeAtMs: number | undefined;
  /** When the behaviour score halves next; undefined: not. */
  readonly decayAtMs: number | undefined;
  /** When one flap is forgiven next; undefined: not. */
  readonly forgiveAtMs: number | undefined;
}

export interface OutstandingDial {
  readonly address: NodeAddress;
  /** The connected peer that gives way when this dial succeeds; undefined for a plain dial. */
  readonly victim: NodeId | undefined;
  readonly sinceMs: number;
  /** When the dial counts as failed; undefined: never. */
  readonly deadlineMs: number | undefined;
}

export interface EstablishedConnection {
  readonly direction: Direction;
  readonly sinceMs: number;
  /** The address dialled; undefined for an inbound connection. */
  readonly address: NodeAddress | undefined;
  /** The channels announced with `up`; undefined until the peer is ready. */
  readonly channels: readonly ChannelId[] | undefined;
  /** Undefined while the connection is to stay. */
  readonly leaving: Leaving | undefined;
}

export interface Leaving {
  /** `evict`: waits for `evictNext`. `evicting`: handed out, waits for `disconnected`. */
  readonly phase: 'evict' | 'evicting';
  /** Place in the order of evictions. */
  readonly sequence: number;
  readonly why: Decision;
}

export type PeerChange = Partial<Omit<PeerFacts, 'id' | 'fixedScore'>>;

const NO_SLOTS: readonly DialSlot[] = [];

/** A peer of which nothing is known yet. */
export function newPeer(id: NodeId, tie: number, settings: PeerSettings, facts: PeerChange): PeerInfo {
  const peer: PeerFacts = {
    id,
    addresses: [],
    fixedScore: Math.max(settings.peerScores.get(id) ?? 0, 0),
    persistent: false,
    mutableScore: 0,
    savedScore: 0,
    height: 0,
    inactive: false,
    banned: false,
    lastConnectedMs: undefined,
    lastDisconnectedMs: undefined,
    cooldownUntilMs: 0,
    flaps: 0,
    dial: undefined,
    lateDial: undefined,
    connection: undefined,
    claimant: undefined,
    activeAtMs: undefined,
    decayAtMs: undefined,
    forgiveAtMs: undefined,
    ...facts,
  };
  const score = scoreOf(peer, settings);
  const rank: Forgettable = { id, score, tie, lastConnectedMs: peer.lastConnectedMs };
  return { ...peer, rank, slots: dialSlots(peer, rank, settings, NO_SLOTS) };
}

/** `peer` with a change, and all that follows from it. */
export function changedPeer(peer: PeerInfo, change: PeerChange, settings: PeerSettings): PeerInfo {
  const next: Mutable<PeerInfo> = { ...peer, ...change };
  const score = scoreOf(next, settings);
  const { id, lastConnectedMs, addresses, cooldownUntilMs, persistent } = next;
  const isSameScore = score === peer.rank.score;
  if (!isSameScore || lastConnectedMs !== peer.rank.lastConnectedMs) {
    next.rank = { id, score, tie: peer.rank.tie, lastConnectedMs };
  }
  const isSameWait = addresses === peer.addresses && cooldownUntilMs === peer.cooldownUntilMs;
  if (!isSameScore || !isSameWait || persistent !== peer.persistent) {
    next.slots = dialSlots(next, next.rank, settings, peer.slots);
  }
  return next;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export function scoreOf(peer: PeerFacts, settings: PeerSettings): number {
  const score = settings.ranking.score({
    fixed: peer.fixedScore,
    persistent: peer.persistent,
    mutable: peer.mutableScore,
    failures: countedFailures(peer.addresses, settings.scoreByBestAddress),
  });
  return Number.isNaN(score) ? SCORE_MIN : Math.floor(clamp(score, SCORE_MIN, SCORE_MAX));
}

/** How a peer's score comes about. */
export function scoreBreakdown(peer: PeerFacts, settings: PeerSettings): ScoreBreakdown {
  return {
    score: scoreOf(peer, settings),
    rule: peer.fixedScore > 0 ? 'fixed' : peer.persistent ? 'persistent' : 'earned',
    fixed: peer.fixedScore,
    persistent: peer.persistent,
    mutable: peer.mutableScore,
    failures: countedFailures(peer.addresses, settings.scoreByBestAddress),
  };
}

export function standingOf(peer: PeerFacts, settings: PeerSettings): Standing {
  return { peer: peer.id, score: scoreBreakdown(peer, settings) };
}

/** Neither connected nor being dialled. */
export function isIdle(peer: PeerFacts): boolean {
  return peer.dial === undefined && peer.connection === undefined;
}

/** Whether the peer may be dialled once it is due. */
export function isDialable(peer: PeerFacts): boolean {
  return isIdle(peer) && !peer.inactive && !peer.banned;
}

export function isBootstrap(peer: PeerFacts): boolean {
  return peer.addresses.some(({ bootstrap }) => bootstrap);
}

/** Whether the peer may be forgotten to make room. */
export function isPrunable(peer: PeerFacts): boolean {
  return isIdle(peer) && !peer.persistent && !isBootstrap(peer);
}

/** Connected, and not on its way out. */
export function isStaying(peer: PeerFacts): boolean {
  return peer.connection !== undefined && peer.connection.leaving === undefined;
}

/** Whether the peer may give way to a better one. */
export function isEvictable(peer: PeerFacts): boolean {
  return isStaying(peer) && peer.claimant === undefined;
}

/** Whether others may be told about the peer. */
export function isAdvertisable(peer: PeerFacts, settings: PeerSettings): boolean {
  return !peer.inactive && !peer.banned && !settings.privatePeers.has(peer.id);
}

/** The addresses of an advertisable peer that others may be told. */
export function advertisedAddresses(peer: PeerFacts, settings: PeerSettings): readonly AddressInfo[] {
  if (!settings.advertiseVerifiedOnly) return peer.addresses;
  return peer.addresses.filter(({ failures }) => failures === 0);
}

export function peerRecord(peer: PeerFacts): PeerRecord {
  return {
    id: peer.id,
    addresses: peer.addresses.map(addressRecord),
    ...(peer.lastConnectedMs !== undefined && { lastConnectedMs: peer.lastConnectedMs }),
    inactive: peer.inactive,
    ...(peer.savedScore !== 0 && { mutableScore: peer.savedScore }),
  };
}

/** Whether both have the same record. */
export function samePeerRecord(a: PeerFacts, b: PeerFacts): boolean {
  return (
    a.lastConnectedMs === b.lastConnectedMs &&
    a.inactive === b.inactive &&
    a.savedScore === b.savedScore &&
    sameAddressRecords(a.addresses, b.addresses)
  );
}

function sameAddressRecords(a: readonly AddressInfo[], b: readonly AddressInfo[]): boolean {
  if (a === b) return true;
  return a.length === b.length && a.every((info, at) => sameAddressRecord(info, b[at]!));
}
