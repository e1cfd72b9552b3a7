import type { NodeId } from '../node-id.ts';
import type { Counters } from './counters.ts';
import type { DialSlot } from './dial-slot.ts';
import type { PeerSettings } from './options.ts';
import {
  compareText,
  createOrder,
  createOrderedMap,
  type Compare,
  type MutableOrder,
  type MutableOrderedMap,
  type Order,
  type OrderedMap,
} from './order.ts';
import type { PeerInfo } from './peer-info.ts';
import type { BanRecord } from './peer-record.ts';
import { pruneOrder, rankOrder, type RankSettings } from './rank-order.ts';
import type { Forgettable, Ranked } from './ranking.ts';

/**
 * All the core knows, as one value. A step never changes it: it makes a new one that shares what stayed the same. Read
 * it through the functions of queries.ts; its parts may change from version to version.
 */
export interface PeerState {
  readonly selfId: NodeId;
  readonly settings: PeerSettings;
  /** The latest instant seen. */
  readonly nowMs: number;
  /** Configured and added at run time; also peers that are not known yet. */
  readonly persistentPeers: ReadonlySet<NodeId>;
  /** Peers with a bootstrap address, in the order they were added. */
  readonly bootstrapPeers: readonly NodeId[];
  /** The next place in the orders of evictions and bans. */
  readonly nextSequence: number;
  readonly counters: Counters;
  readonly orders: Orders;
}

export interface Ban extends BanRecord {
  readonly sequence: number;
}

/** An instant at which the table changes by itself. */
export interface Alarm {
  readonly atMs: number;
  readonly kind: AlarmKind;
  readonly id: NodeId;
}

/** A dial has gone unreported, a ban or a parking ends, a score halves, a flap is forgiven. */
export type AlarmKind = 'dial' | 'ban' | 'parking' | 'decay' | 'flap';

export const ALARM_KINDS: readonly AlarmKind[] = ['dial', 'ban', 'parking', 'decay', 'flap'];

/** An eviction that waits for `evictNext`. */
export interface ScheduledEviction {
  readonly sequence: number;
  readonly id: NodeId;
}

/** The table, and everybody it concerns in the order the questions are asked. */
export interface Orders {
  readonly peers: OrderedMap<NodeId, PeerInfo>;
  /** All peers, best first. */
  readonly ranking: Order<Ranked>;
  /** Peers that may be forgotten, first to go first. */
  readonly prunable: Order<Forgettable>;
  /** Connected peers that may give way, best first. */
  readonly evictableInbound: Order<Ranked>;
  readonly evictableOutbound: Order<Ranked>;
  readonly connected: Order<NodeId>;
  readonly dialing: Order<NodeId>;
  readonly evictions: Order<ScheduledEviction>;
  /** Slots of dialable peers that are not due yet, by lane and instant. */
  readonly waiting: Order<DialSlot>;
  /** Slots of dialable peers that are due, by lane, network and host, best first. */
  readonly due: Order<DialSlot>;
  /** The best due slot of each host that has not its share, by lane and network, best first. */
  readonly dueHosts: Order<DialSlot>;
  /** The best due slot of each network that has not its share, by lane, best first. */
  readonly dueNetworks: Order<DialSlot>;
  /** Dials in flight by host. */
  readonly hostUse: OrderedMap<string, number>;
  /** Outbound peers and dials by network. */
  readonly networkUse: OrderedMap<string, number>;
  /** By kind, earliest first. */
  readonly alarms: Order<Alarm>;
  readonly bans: OrderedMap<NodeId, Ban>;
  /** Oldest first. */
  readonly banAges: Order<Ban>;
}

/** `Orders` for the one who changes them. */
export type MutableOrders = {
  -readonly [K in keyof Orders]: Orders[K] extends OrderedMap<infer Key, infer Value>
    ? MutableOrderedMap<Key, Value>
    : Orders[K] extends Order<infer Item>
      ? MutableOrder<Item>
      : never;
};

export function emptyOrders(settings: RankSettings): MutableOrders {
  const compareRank = rankOrder(settings);
  return {
    peers: createOrderedMap(),
    ranking: createOrder(compareRank),
    prunable: createOrder(pruneOrder(settings)),
    evictableInbound: createOrder(compareRank),
    evictableOutbound: createOrder(compareRank),
    connected: createOrder<NodeId>(compareText),
    dialing: createOrder<NodeId>(compareText),
    evictions: createOrder<ScheduledEviction>((a, b) => a.sequence - b.sequence),
    waiting: createOrder(compareWaiting),
    due: createOrder<DialSlot>((a, b) => compareGroup(a, b) || compareSlots(a, b, compareRank)),
    dueHosts: createOrder<DialSlot>((a, b) => compareNetwork(a, b) || compareSlots(a, b, compareRank)),
    dueNetworks: createOrder<DialSlot>((a, b) => a.lane - b.lane || compareSlots(a, b, compareRank)),
    hostUse: createOrderedMap(),
    networkUse: createOrderedMap(),
    alarms: createOrder<Alarm>(
      (a, b) => compareText(a.kind, b.kind) || a.atMs - b.atMs || compareText(a.id, b.id),
    ),
    bans: createOrderedMap(),
    banAges: createOrder<Ban>((a, b) => a.sequence - b.sequence),
  };
}

/** The id of a probe that comes before every slot of its group, and of one that comes behind all of its instant. */
export const FIRST = '' as NodeId;
export const LAST = '~' as NodeId;

function compareWaiting(a: DialSlot, b: DialSlot): number {
  return a.lane - b.lane || a.dueMs - b.dueMs || compareText(a.id, b.id) || compareGroup(a, b);
}

function compareNetwork(a: DialSlot, b: DialSlot): number {
  return a.lane - b.lane || compareText(a.network, b.network);
}

function compareGroup(a: DialSlot, b: DialSlot): number {
  return compareNetwork(a, b) || compareText(a.host, b.host);
}

function compareSlots(a: DialSlot, b: DialSlot, compareRank: Compare<Ranked>): number {
  if (a.id === FIRST || b.id === FIRST) return a.id === b.id ? 0 : a.id === FIRST ? -1 : 1;
  return compareRank(a, b) || compareGroup(a, b);
}

/** The earliest alarm of a kind. */
export function firstAlarm(alarms: Order<Alarm>, kind: AlarmKind): Alarm | undefined {
  const first = alarms.nextHigherKey({ kind, atMs: -1, id: FIRST });
  return first?.kind === kind ? first : undefined;
}

/** What the capacity rules look at: a state, or a table at work. */
export type CapacityView = Pick<PeerState, 'settings' | 'counters'>;

/** Connected peers that are not on their way out. */
export function stayingCount({ counters }: CapacityView): number {
  return counters.connected - counters.leaving;
}

/** Peers that take a slot: connected, dialled, or both. */
export function occupiedCount({ counters }: CapacityView): number {
  return counters.connected + counters.dialing - counters.dialingConnected;
}

/** No dial may start, not even an upgrade. */
export function isHardFull(view: CapacityView): boolean {
  return isLimited(view) && occupiedCount(view) >= slotsOf(view);
}

/** No connection may be taken in, not even an upgrade. */
export function areConnectionsFull(view: CapacityView): boolean {
  return isLimited(view) && view.counters.connected >= slotsOf(view);
}

/** A connection more must be an upgrade. */
export function isTableFull(view: CapacityView): boolean {
  return isLimited(view) && stayingCount(view) >= view.settings.maxConnected;
}

/** A dial more must be an upgrade: dials under way have taken the ordinary slots that are left. */
export function isTableReserved(view: CapacityView): boolean {
  return isLimited(view) && stayingCount(view) + view.counters.pendingPlain >= view.settings.maxConnected;
}

/** Only persistent peers may be dialled. */
export function isOutFull({ settings, counters }: CapacityView): boolean {
  const outgoing = counters.outbound + counters.dialing - counters.dialingConnected;
  return settings.maxOutgoingConnections > 0 && outgoing >= settings.maxOutgoingConnections;
}

/** An inbound connection more must displace another. */
export function isIncomingFull({ settings, counters }: CapacityView): boolean {
  const limit = settings.maxIncomingConnections;
  return limit > 0 && counters.inboundStaying >= limit;
}

function isLimited({ settings }: CapacityView): boolean {
  return settings.maxConnected > 0;
}

function slotsOf({ settings }: CapacityView): number {
  return settings.maxConnected + settings.maxConnectedUpgrade;
}
