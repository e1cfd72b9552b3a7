import { sameNodeAddress, type NodeAddress } from '../node-address.ts';
import { findAddress, newAddressInfo } from './address-info.ts';
import { addressLimit, newcomerWith, storeFull, strengthen, usableAddress, withRoom } from './adding.ts';
import { scheduleEviction, whyNotStaying } from './eviction.ts';
import type { PeerEventOf, PeerResults } from './peer-event.ts';
import { standingOf, type PeerInfo } from './peer-info.ts';
import type { PeerTable } from './peer-table.ts';
import { because } from './why.ts';

/** What an operator's address is known as. */
const CONFIGURED = { source: 'configured', tried: false, bootstrap: false } as const;

/** Makes an address due at once, and its peer with it. The limits on dials and connections still hold. */
export function dial(table: PeerTable, event: PeerEventOf<'dial'>): PeerResults['dial'] {
  const checked = usableAddress(table, event.address);
  if ('outcome' in checked) return checked;
  const { address } = checked;
  const id = address.nodeId;
  const ban = table.orders.bans.get(id);
  if (ban !== undefined) {
    const inputs = { untilMs: ban.untilMs, reason: ban.reason };
    return { outcome: 'refused', error: 'Banned', why: because('banned', undefined, undefined, inputs) };
  }
  const peer = table.get(id);
  const known = peer && findAddress(peer.addresses, address);
  if (peer === undefined) return dialNewPeer(table, newcomerWith(table, address, CONFIGURED));
  if (known !== undefined) return makeDue(table, strengthen(table, peer, known, CONFIGURED), address);
  const next = newAddressInfo(address, { ...CONFIGURED, firstSeenMs: table.nowMs });
  const addresses = withRoom(table, peer, next);
  if (addresses !== undefined) return makeDue(table, table.change(peer, { addresses }), address);
  return addressLimit(table, peer);
}

function dialNewPeer(table: PeerTable, newcomer: PeerInfo): PeerResults['dial'] {
  const subject = standingOf(newcomer, table.settings);
  if (table.wouldPrune(newcomer)) return storeFull(table, newcomer);
  table.insert(newcomer);
  table.wakeDial();
  return { outcome: 'due', why: because('now-due', subject) };
}

/** Clears what holds back one address and its peer; its failures still count in the score. */
function makeDue(table: PeerTable, peer: PeerInfo, address: NodeAddress): PeerResults['dial'] {
  const addresses = peer.addresses.map((info) =>
    sameNodeAddress(info.address, address) && info.retryAtMs !== 0 ? { ...info, retryAtMs: 0 } : info,
  );
  table.change(peer, { addresses, cooldownUntilMs: 0, inactive: false, activeAtMs: undefined });
  table.wakeDial();
  const subject = standingOf(peer, table.settings);
  if (peer.connection !== undefined)
    return { outcome: 'already-connected', why: because('already-connected', subject) };
  if (peer.dial !== undefined)
    return { outcome: 'already-dialing', why: because('already-dialing', subject) };
  return { outcome: 'due', why: because('now-due', subject) };
}

/** Tells a connected peer to go, at no cost to its score. */
export function disconnect(table: PeerTable, event: PeerEventOf<'disconnect'>): PeerResults['disconnect'] {
  const peer = table.get(event.peer);
  const whyNot = whyNotStaying(table, peer);
  if (peer === undefined || whyNot !== undefined) {
    return { outcome: 'ignored', why: whyNot ?? because('unknown-peer') };
  }
  const why = because('requested', standingOf(peer, table.settings));
  scheduleEviction(table, peer, why);
  return { outcome: 'scheduled', why };
}

/** Gives a peer the role of a persistent one or takes it away, also before the peer is known. */
export function setPersistent(
  table: PeerTable,
  event: PeerEventOf<'setPersistent'>,
): PeerResults['setPersistent'] {
  const { peer: id, persistent } = event;
  if (id === table.selfId) {
    return { outcome: 'refused', error: 'SelfConnection', why: because('self-connection') };
  }
  const peer = table.get(id);
  const subject = peer && standingOf(peer, table.settings);
  const { persistentPeers, settings } = table;
  if (persistentPeers.has(id) === persistent)
    return { outcome: 'ignored', why: because('no-change', subject) };
  const isFull = settings.maxConnected > 0 && persistentPeers.size >= settings.maxConnected;
  if (persistent && isFull) {
    const inputs = { persistent: persistentPeers.size, maxConnected: settings.maxConnected };
    const why = because('persistent-limit', subject, undefined, inputs);
    return { outcome: 'refused', error: 'PersistentLimit', why };
  }
  const others = [...persistentPeers].filter((other) => other !== id);
  table.persistentPeers = new Set(persistent ? [...others, id] : others);
  if (peer !== undefined) changeRole(table, peer, persistent);
  table.wakeDial();
  return { outcome: 'set', why: because(persistent ? 'now-persistent' : 'no-longer-persistent', subject) };
}

function changeRole(table: PeerTable, peer: PeerInfo, persistent: boolean): void {
  const awake = persistent ? { inactive: false, activeAtMs: undefined } : {};
  table.change(peer, { persistent, ...awake });
}
