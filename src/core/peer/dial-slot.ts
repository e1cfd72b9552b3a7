import { classifyIp, ipHostKey, ipNetworkKey } from '../ip.ts';
import type { NodeAddress } from '../node-address.ts';
import type { AddressInfo } from './address-info.ts';
import type { PeerSettings } from './options.ts';
import type { Ranked } from './ranking.ts';

/** Persistent peers wait and are found apart from the others: limits that stop the others do not stop them. */
export const PERSISTENT_LANE = 0;
export const ORDINARY_LANE = 1;
export type Lane = typeof PERSISTENT_LANE | typeof ORDINARY_LANE;

/**
 * One way to dial a peer: its addresses on one host, due together when the first of them is. Without limits per host
 * and network a peer has one slot for all its addresses.
 */
export interface DialSlot extends Ranked {
  readonly lane: Lane;
  /** Where `maxPeersPerNetwork` counts the peer; UNLIMITED when it does not. */
  readonly network: string;
  /** Where `maxDialsPerHost` counts the dial; UNLIMITED when it does not. Lies within one network. */
  readonly host: string;
  /** When the slot may be dialled as far as back-off and cooldown go; finite. */
  readonly dueMs: number;
}

/** The group of everything that no limit counts. */
export const UNLIMITED = '';

const NO_SLOTS: readonly DialSlot[] = [];

/** What the slots of a peer depend on. */
export interface SlotInputs {
  readonly persistent: boolean;
  readonly addresses: readonly AddressInfo[];
  readonly cooldownUntilMs: number;
}

/** The slots of a peer; `before` itself when nothing in them changed. */
export function dialSlots(
  peer: SlotInputs,
  rank: Ranked,
  settings: PeerSettings,
  before: readonly DialSlot[],
): readonly DialSlot[] {
  const slots = isGrouped(settings) ? groupedSlots(peer, rank, settings) : singleSlot(peer, rank);
  const isSame = slots.length === before.length && slots.every((slot, at) => sameSlot(slot, before[at]!));
  return isSame ? before : slots;
}

function isGrouped({ maxDialsPerHost, maxPeersPerNetwork }: PeerSettings): boolean {
  return maxDialsPerHost > 0 || maxPeersPerNetwork > 0;
}

function singleSlot(peer: SlotInputs, rank: Ranked): readonly DialSlot[] {
  let retryAtMs = Infinity;
  for (const info of peer.addresses) retryAtMs = Math.min(retryAtMs, info.retryAtMs);
  return retryAtMs === Infinity ? NO_SLOTS : [newSlot(peer, rank, retryAtMs, UNLIMITED, UNLIMITED)];
}

function groupedSlots(peer: SlotInputs, rank: Ranked, settings: PeerSettings): readonly DialSlot[] {
  const byHost = new Map<string, DialSlot>();
  for (const { address, retryAtMs } of peer.addresses) {
    if (retryAtMs === Infinity) continue;
    const network = networkOf(address, peer.persistent, settings);
    const host = settings.maxDialsPerHost > 0 ? hostOf(address) : UNLIMITED;
    const known = byHost.get(network + host);
    if (known !== undefined && known.dueMs <= retryAtMs) continue;
    byHost.set(network + host, newSlot(peer, rank, retryAtMs, network, host));
  }
  return [...byHost.values()];
}

function newSlot(peer: SlotInputs, rank: Ranked, retryAtMs: number, network: string, host: string): DialSlot {
  const { id, score, tie } = rank;
  const dueMs = Math.max(peer.cooldownUntilMs, retryAtMs);
  return { id, score, tie, lane: peer.persistent ? PERSISTENT_LANE : ORDINARY_LANE, network, host, dueMs };
}

/** Where a peer reached by `address` counts for `maxPeersPerNetwork`. */
export function networkOf(address: NodeAddress, persistent: boolean, settings: PeerSettings): string {
  if (settings.maxPeersPerNetwork === 0 || persistent) return UNLIMITED;
  if (classifyIp(address.hostname) !== 'global') return UNLIMITED;
  const network = ipNetworkKey(address.hostname)!;
  return settings.exemptNetworks.has(network) ? UNLIMITED : network;
}

/** Where a dial of `address` counts for `maxDialsPerHost`: its host, or its node for addresses without one. */
export function hostOf(address: NodeAddress): string {
  return ipHostKey(address.hostname) ?? (address.hostname === '' ? address.nodeId : address.hostname);
}

function sameSlot(a: DialSlot, b: DialSlot): boolean {
  return (
    a.score === b.score &&
    a.dueMs === b.dueMs &&
    a.lane === b.lane &&
    a.network === b.network &&
    a.host === b.host
  );
}
