import type { ChannelId } from '../channel.ts';
import type { NodeAddress } from '../node-address.ts';
import type { NodeId } from '../node-id.ts';
import { NO_COUNTERS, tally, type Counters } from './counters.ts';
import { addSlot, countHost, countNetwork, removeSlot, replaceWaiting } from './dial-queue.ts';
import type { PeerSettings } from './options.ts';
import type { Chance, Effect } from './peer-event.ts';
import {
  changedPeer,
  isBootstrap,
  isDialable,
  isEvictable,
  isPrunable,
  newPeer,
  peerRecord,
  samePeerRecord,
  type PeerChange,
  type PeerInfo,
} from './peer-info.ts';
import type { StoreWrite } from './peer-record.ts';
import { emptyOrders } from './peer-state.ts';
import type { Alarm, Ban, MutableOrders, Orders, PeerState } from './peer-state.ts';
import { pruneOrder, tieOf } from './rank-order.ts';
import type { Forgettable } from './ranking.ts';

/**
 * A state at work: one step changes it and reads it back. Every change of a peer goes through here, so that the orders
 * and counters always agree with the peers, and the writes with what changed.
 */
export class PeerTable implements PeerState {
  readonly selfId: NodeId;
  readonly settings: PeerSettings;
  readonly rng: Chance;
  nowMs: number;
  persistentPeers: ReadonlySet<NodeId>;
  bootstrapPeers: readonly NodeId[];
  nextSequence: number;
  counters: Counters;
  readonly #before: PeerState;
  readonly #orders: MutableOrders;
  readonly #owned = new Set<keyof Orders>();
  /** The peers touched, as they were before; undefined for those that were not known. */
  readonly #touched = new Map<NodeId, PeerInfo | undefined>();
  readonly #writes: StoreWrite[] = [];
  readonly #updates: Effect[] = [];
  #wakesDial = false;
  #wakesEvict = false;
  /** The peer that this step has made known. */
  #newcomer: NodeId | undefined;

  constructor(before: PeerState, nowMs: number, rng: Chance) {
    this.#before = before;
    this.#orders = { ...(before.orders as MutableOrders) };
    this.selfId = before.selfId;
    this.settings = before.settings;
    this.persistentPeers = before.persistentPeers;
    this.bootstrapPeers = before.bootstrapPeers;
    this.nextSequence = before.nextSequence;
    this.counters = before.counters;
    this.nowMs = nowMs;
    this.rng = rng;
  }

  get orders(): Orders {
    return this.#orders;
  }

  edit<K extends keyof Orders>(name: K): MutableOrders[K] {
    if (!this.#owned.has(name)) {
      this.#orders[name] = this.#orders[name].clone() as MutableOrders[K];
      this.#owned.add(name);
    }
    return this.#orders[name];
  }

  get(id: NodeId): PeerInfo | undefined {
    return this.#orders.peers.get(id);
  }

  /** A peer that is not in the table yet, configured as the settings say. */
  draft(id: NodeId): PeerInfo {
    const { settings, persistentPeers, orders } = this;
    return newPeer(id, tieOf(settings.tieSalt, id), settings, {
      persistent: persistentPeers.has(id),
      banned: orders.bans.has(id),
    });
  }

  /** `peer` with a change that is not made yet. */
  preview(peer: PeerInfo, change: PeerChange): PeerInfo {
    return changedPeer(peer, change, this.settings);
  }

  insert(peer: PeerInfo): PeerInfo {
    this.#newcomer = peer.id;
    this.#replace(undefined, peer);
    return peer;
  }

  /** Puts a peer in the table that is stored already. */
  load(peer: PeerInfo): void {
    this.#touched.set(peer.id, peer);
    this.#replace(undefined, peer);
  }

  change(peer: PeerInfo, change: PeerChange): PeerInfo {
    const next = changedPeer(peer, change, this.settings);
    this.#replace(peer, next);
    return next;
  }

  remove(peer: PeerInfo): void {
    this.#replace(peer, undefined);
  }

  /** Whether a peer that is not in the table yet would be the first to be forgotten (D12). */
  wouldPrune(newcomer: PeerInfo): boolean {
    const { settings, orders } = this;
    if (settings.maxPeers === 0 || orders.peers.size < settings.maxPeers || !isPrunable(newcomer))
      return false;
    const first = orders.prunable.minKey();
    if (first === undefined || pruneOrder(settings)(newcomer.rank, first) < 0) return true;
    return settings.ranking.prunesNewcomer(newcomer.rank, first);
  }

  write(write: StoreWrite): void {
    this.#writes.push(write);
  }

  updateUp(peer: NodeId, channels: readonly ChannelId[]): void {
    this.#updates.push({ type: 'update', peer, status: 'up', channels });
  }

  updateDown(peer: NodeId): void {
    this.#updates.push({ type: 'update', peer, status: 'down' });
  }

  wakeDial(): void {
    this.#wakesDial = true;
  }

  wakeEvict(): void {
    this.#wakesEvict = true;
  }

  takeSequence(): number {
    return this.nextSequence++;
  }

  /** Forgets surplus peers and closes the step. The table must not be used afterwards. */
  finish(): { state: PeerState; effects: readonly Effect[] } {
    this.#prune();
    return { state: this.#state(), effects: this.#effects() };
  }

  #prune(): void {
    const { maxPeers, ranking } = this.settings;
    if (maxPeers === 0) return;
    while (this.orders.peers.size > maxPeers) {
      const first = this.orders.prunable.minKey();
      if (first === undefined) return;
      this.remove(this.get(this.#pruneVictim(first, ranking.prunesNewcomer.bind(ranking)))!);
    }
  }

  #pruneVictim(first: Forgettable, prunesNewcomer: (a: Forgettable, b: Forgettable) => boolean): NodeId {
    const newcomer = this.#newcomer === undefined ? undefined : this.get(this.#newcomer);
    if (newcomer === undefined || !isPrunable(newcomer)) return first.id;
    return prunesNewcomer(newcomer.rank, first) ? newcomer.id : first.id;
  }

  #state(): PeerState {
    const { selfId, settings, nowMs, persistentPeers, bootstrapPeers, nextSequence, counters } = this;
    if (this.#owned.size === 0 && this.#isUnchanged()) return this.#before;
    const orders = this.#owned.size === 0 ? this.#before.orders : this.#orders;
    return { selfId, settings, nowMs, persistentPeers, bootstrapPeers, nextSequence, counters, orders };
  }

  #isUnchanged(): boolean {
    const before = this.#before;
    return (
      this.nowMs === before.nowMs &&
      this.persistentPeers === before.persistentPeers &&
      this.bootstrapPeers === before.bootstrapPeers
    );
  }

  #effects(): readonly Effect[] {
    const effects: Effect[] = [...this.#recordWrites(), ...this.#writes, ...this.#updates];
    if (this.#wakesDial) effects.push({ type: 'wakeDial' });
    if (this.#wakesEvict) effects.push({ type: 'wakeEvict' });
    return effects;
  }

  #recordWrites(): StoreWrite[] {
    const writes: StoreWrite[] = [];
    for (const [id, before] of this.#touched) {
      const after = this.get(id);
      if (after === undefined) {
        if (before !== undefined) writes.push({ type: 'delete', peer: id });
      } else if (before === undefined || !samePeerRecord(before, after)) {
        writes.push({ type: 'put', record: peerRecord(after) });
      }
    }
    return writes;
  }

  #replace(before: PeerInfo | undefined, after: PeerInfo | undefined): void {
    const { id } = (after ?? before)!;
    if (!this.#touched.has(id)) this.#touched.set(id, before);
    if (after === undefined) this.edit('peers').delete(id);
    else this.edit('peers').set(id, after);
    this.#replaceRank(before, after);
    this.#replaceMarks(before, after);
    this.#replaceAlarms(before, after);
    this.#replaceSlots(before, after);
    this.#count(before, after);
  }

  #replaceRank(before: PeerInfo | undefined, after: PeerInfo | undefined): void {
    this.#replaceIn('ranking', before?.rank, after?.rank);
    const was = before && isPrunable(before) ? before.rank : undefined;
    this.#replaceIn('prunable', was, after && isPrunable(after) ? after.rank : undefined);
    for (const direction of ['inbound', 'outbound'] as const) {
      const order = direction === 'inbound' ? 'evictableInbound' : 'evictableOutbound';
      this.#replaceIn(order, evictableRank(before, direction), evictableRank(after, direction));
    }
    if (before?.connection?.leaving?.phase === 'evict') {
      this.edit('evictions').delete({ id: before.id, sequence: before.connection.leaving.sequence });
    }
    if (after?.connection?.leaving?.phase === 'evict') {
      const { sequence } = after.connection.leaving;
      this.edit('evictions').set({ id: after.id, sequence }, undefined);
    }
  }

  #replaceIn(
    name: 'ranking' | 'prunable' | 'evictableInbound' | 'evictableOutbound',
    before: Forgettable | undefined,
    after: Forgettable | undefined,
  ): void {
    if (before === after) return;
    const order = this.edit(name);
    if (before !== undefined) order.delete(before);
    if (after !== undefined) order.set(after, undefined);
  }

  #replaceMarks(before: PeerInfo | undefined, after: PeerInfo | undefined): void {
    this.#mark('connected', before?.connection !== undefined, after?.connection !== undefined, before, after);
    this.#mark('dialing', before?.dial !== undefined, after?.dial !== undefined, before, after);
    if (before && after && isBootstrap(before) === isBootstrap(after)) return;
    if (before && isBootstrap(before))
      this.bootstrapPeers = this.bootstrapPeers.filter((id) => id !== before.id);
    if (after && isBootstrap(after)) this.bootstrapPeers = [...this.bootstrapPeers, after.id];
  }

  #mark(
    name: 'connected' | 'dialing',
    was: boolean,
    is: boolean,
    before: PeerInfo | undefined,
    after: PeerInfo | undefined,
  ): void {
    if (was === is) return;
    if (is) this.edit(name).set(after!.id, undefined);
    else this.edit(name).delete(before!.id);
  }

  #replaceAlarms(before: PeerInfo | undefined, after: PeerInfo | undefined): void {
    for (const kind of ['dial', 'parking', 'decay', 'flap'] as const) {
      const was = before && alarmAt(before, kind);
      const is = after && alarmAt(after, kind);
      if (was === is) continue;
      if (was !== undefined) this.edit('alarms').delete({ id: before!.id, kind, atMs: was });
      if (is !== undefined) this.edit('alarms').set({ id: after!.id, kind, atMs: is }, undefined);
    }
  }

  #replaceSlots(before: PeerInfo | undefined, after: PeerInfo | undefined): void {
    const was = before && isDialable(before) ? before.slots : NONE;
    const is = after && isDialable(after) ? after.slots : NONE;
    if (was !== is && !replaceWaiting(this, was, is)) {
      for (const slot of was) removeSlot(this, slot);
      for (const slot of is) addSlot(this, slot);
    }
    this.#replaceGroups(before, after);
  }

  #replaceGroups(before: PeerInfo | undefined, after: PeerInfo | undefined): void {
    if (before?.dial?.address !== after?.dial?.address) {
      if (before?.dial !== undefined) countHost(this, before.dial.address, -1);
      if (after?.dial !== undefined) countHost(this, after.dial.address, 1);
    }
    const was = before && outboundAddress(before);
    const is = after && outboundAddress(after);
    if (was === is && before?.persistent === after?.persistent) return;
    if (was !== undefined) countNetwork(this, was, before!.persistent, -1);
    if (is !== undefined) countNetwork(this, is, after!.persistent, 1);
  }

  #count(before: PeerInfo | undefined, after: PeerInfo | undefined): void {
    const counters = { ...this.counters };
    if (before !== undefined) tally(counters, before, this.settings, -1);
    if (after !== undefined) tally(counters, after, this.settings, 1);
    this.counters = counters;
  }

  addBan(ban: Ban): void {
    this.edit('bans').set(ban.id, ban);
    this.edit('banAges').set(ban, undefined);
    this.edit('alarms').set(banAlarm(ban), undefined);
  }

  removeBan(ban: Ban): void {
    this.edit('bans').delete(ban.id);
    this.edit('banAges').delete(ban);
    this.edit('alarms').delete(banAlarm(ban));
  }
}

const NONE: PeerInfo['slots'] = [];

function evictableRank(
  peer: PeerInfo | undefined,
  direction: 'inbound' | 'outbound',
): Forgettable | undefined {
  return peer && isEvictable(peer) && peer.connection?.direction === direction ? peer.rank : undefined;
}

/** Where we went, or are going, to reach the peer. */
function outboundAddress(peer: PeerInfo): NodeAddress | undefined {
  return peer.dial?.address ?? peer.connection?.address;
}

function alarmAt(peer: PeerInfo, kind: 'dial' | 'parking' | 'decay' | 'flap'): number | undefined {
  if (kind === 'dial') return peer.dial?.deadlineMs;
  if (kind === 'parking') return peer.activeAtMs;
  return kind === 'decay' ? peer.decayAtMs : peer.forgiveAtMs;
}

function banAlarm({ id, untilMs }: Ban): Alarm {
  return { id, kind: 'ban', atMs: untilMs };
}

/** A state in which nobody is known. */
export function emptyState(selfId: NodeId, settings: PeerSettings, nowMs: number): PeerState {
  return {
    selfId,
    settings,
    nowMs,
    persistentPeers: settings.persistentPeers,
    bootstrapPeers: [],
    nextSequence: 1,
    counters: NO_COUNTERS,
    orders: emptyOrders(settings),
  };
}
