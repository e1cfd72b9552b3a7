/**
 * Who is due, best first, past everybody whose host or network has its share. `due` holds all slots; a host that may
 * take a dial is represented by its best slot in `dueHosts`, a network that may take a peer by its best host in
 * `dueNetworks`, so that the answer is one look and every change touches three places at most.
 */
import type { NodeAddress } from '../node-address.ts';
import { hostOf, networkOf, ORDINARY_LANE, PERSISTENT_LANE, UNLIMITED } from './dial-slot.ts';
import type { DialSlot, Lane } from './dial-slot.ts';
import type { PeerSettings } from './options.ts';
import type { Order } from './order.ts';
import { FIRST, LAST, type MutableOrders, type Orders } from './peer-state.ts';

export interface QueueView {
  readonly settings: PeerSettings;
  readonly nowMs: number;
  readonly orders: Orders;
}

export interface Queue extends QueueView {
  /** The order of that name, for changing it. */
  edit<K extends keyof Orders>(name: K): MutableOrders[K];
}

/** The best slot of a lane that may be dialled now. */
export function bestSlot({ orders }: QueueView, lane: Lane): DialSlot | undefined {
  return firstOf(orders.dueNetworks, lane, UNLIMITED, UNLIMITED, (slot) => slot.lane === lane);
}

/** Whether a lane has due slots, those that have to wait for their host or network included. */
export function hasDueSlot({ orders }: QueueView, lane: Lane): boolean {
  return firstOf(orders.due, lane, UNLIMITED, UNLIMITED, (slot) => slot.lane === lane) !== undefined;
}

/** The earliest instant after `nowMs` at which a slot of a lane becomes due. */
export function nextDueMs({ orders }: QueueView, lane: Lane, nowMs: number): number | undefined {
  const next = orders.waiting.nextHigherKey(probe(lane, UNLIMITED, UNLIMITED, nowMs, LAST));
  return next?.lane === lane ? next.dueMs : undefined;
}

/** Whether an address may be dialled as far as its host and network go. */
export function isFree(view: QueueView, address: NodeAddress, persistent: boolean): boolean {
  const { settings } = view;
  const host = settings.maxDialsPerHost > 0 ? hostOf(address) : UNLIMITED;
  return hasHostRoom(view, host) && hasNetworkRoom(view, networkOf(address, persistent, settings));
}

export function addSlot(queue: Queue, slot: DialSlot): void {
  if (slot.dueMs > queue.nowMs) queue.edit('waiting').set(slot, undefined);
  else changeDue(queue, slot, () => queue.edit('due').set(slot, undefined));
}

export function removeSlot(queue: Queue, slot: DialSlot): void {
  if (slot.dueMs > queue.nowMs) queue.edit('waiting').delete(slot);
  else changeDue(queue, slot, () => queue.edit('due').delete(slot));
}

/**
 * Puts a changed slot in the place it had, when it is one that waits for the same instant as before: the most frequent
 * change by far, since most known peers wait.
 */
export function replaceWaiting(
  queue: Queue,
  before: readonly DialSlot[],
  after: readonly DialSlot[],
): boolean {
  const [was] = before;
  const [is] = after;
  const isOne = before.length === 1 && after.length === 1;
  if (!isOne || was === undefined || is === undefined || is.dueMs <= queue.nowMs) return false;
  const isSamePlace = was.dueMs === is.dueMs && was.lane === is.lane;
  if (!isSamePlace || was.host !== is.host || was.network !== is.network) return false;
  queue.edit('waiting').set(is, undefined);
  return true;
}

/** Moves the slots that have become due from those that wait. */
export function promoteDue(queue: Queue): void {
  for (const lane of [PERSISTENT_LANE, ORDINARY_LANE] as const) {
    for (;;) {
      const slot = firstOf(queue.orders.waiting, lane, UNLIMITED, UNLIMITED, (found) => found.lane === lane);
      if (slot === undefined || slot.dueMs > queue.nowMs) break;
      queue.edit('waiting').delete(slot);
      addSlot(queue, slot);
    }
  }
}

/** Counts one dial more (1) or less (−1) to the host of `address`. */
export function countHost(queue: Queue, address: NodeAddress, change: 1 | -1): void {
  if (queue.settings.maxDialsPerHost === 0) return;
  const host = hostOf(address);
  const had = hasHostRoom(queue, host);
  count(queue.edit('hostUse'), host, change);
  if (had === hasHostRoom(queue, host)) return;
  showHost(queue, probe(PERSISTENT_LANE, networkOf(address, true, queue.settings), host), !had);
  showHost(queue, probe(ORDINARY_LANE, networkOf(address, false, queue.settings), host), !had);
}

/** Counts one outbound peer more (1) or less (−1) to the network of `address`. */
export function countNetwork(queue: Queue, address: NodeAddress, persistent: boolean, change: 1 | -1): void {
  const network = networkOf(address, persistent, queue.settings);
  if (network === UNLIMITED) return;
  const had = hasNetworkRoom(queue, network);
  count(queue.edit('networkUse'), network, change);
  if (had === hasNetworkRoom(queue, network)) return;
  const best = bestOfNetwork(queue, probe(ORDINARY_LANE, network, UNLIMITED));
  if (best === undefined) return;
  if (had) queue.edit('dueNetworks').delete(best);
  else queue.edit('dueNetworks').set(best, undefined);
}

function count(use: MutableOrders['hostUse'], group: string, change: 1 | -1): void {
  const next = (use.get(group) ?? 0) + change;
  if (next === 0) use.delete(group);
  else use.set(group, next);
}

function hasHostRoom({ settings, orders }: QueueView, host: string): boolean {
  return host === UNLIMITED || (orders.hostUse.get(host) ?? 0) < settings.maxDialsPerHost;
}

function hasNetworkRoom({ settings, orders }: QueueView, network: string): boolean {
  return network === UNLIMITED || (orders.networkUse.get(network) ?? 0) < settings.maxPeersPerNetwork;
}

/** Makes a change to the due slots of one host, and passes on what it means for the host's best. */
function changeDue(queue: Queue, group: DialSlot, change: () => void): void {
  const before = bestOfHost(queue, group);
  change();
  const after = bestOfHost(queue, group);
  if (before !== after && hasHostRoom(queue, group.host)) replaceHost(queue, group, before, after);
}

/** Lets a host with its share gone back in (true), or takes one that has its share out (false). */
function showHost(queue: Queue, group: DialSlot, isShown: boolean): void {
  const best = bestOfHost(queue, group);
  if (isShown) replaceHost(queue, group, undefined, best);
  else replaceHost(queue, group, best, undefined);
}

function replaceHost(
  queue: Queue,
  group: DialSlot,
  before: DialSlot | undefined,
  after: DialSlot | undefined,
): void {
  const bestBefore = bestOfNetwork(queue, group);
  if (before !== undefined) queue.edit('dueHosts').delete(before);
  if (after !== undefined) queue.edit('dueHosts').set(after, undefined);
  const bestAfter = bestOfNetwork(queue, group);
  if (bestBefore === bestAfter || !hasNetworkRoom(queue, group.network)) return;
  if (bestBefore !== undefined) queue.edit('dueNetworks').delete(bestBefore);
  if (bestAfter !== undefined) queue.edit('dueNetworks').set(bestAfter, undefined);
}

function bestOfHost({ orders }: QueueView, { lane, network, host }: DialSlot): DialSlot | undefined {
  const isSameHost = (slot: DialSlot): boolean =>
    slot.lane === lane && slot.network === network && slot.host === host;
  return firstOf(orders.due, lane, network, host, isSameHost);
}

function bestOfNetwork({ orders }: QueueView, { lane, network }: DialSlot): DialSlot | undefined {
  const isSameNetwork = (slot: DialSlot): boolean => slot.lane === lane && slot.network === network;
  return firstOf(orders.dueHosts, lane, network, UNLIMITED, isSameNetwork);
}

/** The first slot from the beginning of a group on, when it passes `belongs`. */
function firstOf(
  order: Order<DialSlot>,
  lane: Lane,
  network: string,
  host: string,
  belongs: (slot: DialSlot) => boolean,
): DialSlot | undefined {
  const first = order.nextHigherKey(probe(lane, network, host));
  return first !== undefined && belongs(first) ? first : undefined;
}

/** A slot of nobody, to look for others behind it. */
function probe(lane: Lane, network: string, host: string, dueMs = -1, id = FIRST): DialSlot {
  return { id, score: 0, tie: 0, lane, network, host, dueMs };
}
