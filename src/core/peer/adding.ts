import { acceptNodeAddress, type NodeAddress } from '../node-address.ts';
import {
  findAddress,
  newAddressInfo,
  strongerSource,
  withAddress,
  withoutAddress,
  type AddressInfo,
} from './address-info.ts';
import type { PeerEventOf, PeerResults, Plain, Refused } from './peer-event.ts';
import type { PeerInfo } from './peer-info.ts';
import { standingOf } from './peer-info.ts';
import type { PeerTable } from './peer-table.ts';
import { because } from './why.ts';

/** What is known of an address besides itself. */
export type AddressOrigin = Pick<AddressInfo, 'source' | 'tried' | 'bootstrap'>;

type AddressRefused = Refused<'InvalidAddress' | 'SelfAddress'>;

/** Remembers an address (Tendermint v0.35 PeerManager.Add). */
export function add(table: PeerTable, event: PeerEventOf<'add'>): PeerResults['add'] {
  const origin = { source: event.source, tried: event.verified ?? false, bootstrap: false };
  return addFrom(table, event.address, origin);
}

/** Remembers a configured address for good. */
export function addBootstrap(
  table: PeerTable,
  event: PeerEventOf<'addBootstrap'>,
): PeerResults['addBootstrap'] {
  return addFrom(table, event.address, { source: 'configured', tried: false, bootstrap: true });
}

function addFrom(table: PeerTable, given: NodeAddress, origin: AddressOrigin): PeerResults['add'] {
  const checked = usableAddress(table, given);
  if ('outcome' in checked) return checked;
  const { address } = checked;
  const peer = table.get(address.nodeId);
  if (peer === undefined) return addPeer(table, address, origin);
  const subject = standingOf(peer, table.settings);
  const known = findAddress(peer.addresses, address);
  if (known !== undefined) {
    strengthen(table, peer, known, origin);
    return { outcome: 'duplicate', why: because('duplicate-address', subject) };
  }
  if (peer.inactive) return { outcome: 'inactive', why: because('peer-inactive', subject) };
  const addresses = withRoom(table, peer, newAddressInfo(address, { ...origin, firstSeenMs: table.nowMs }));
  if (addresses === undefined) return addressLimit(table, peer);
  table.change(peer, { addresses });
  table.wakeDial();
  return { outcome: 'added', why: because('new-address', subject) };
}

/** An address in canonical form, or why it is not taken. */
export function usableAddress(
  table: PeerTable,
  given: NodeAddress,
): { readonly address: NodeAddress } | AddressRefused {
  const accepted = acceptNodeAddress(given);
  if (!accepted.ok) {
    const why = because('invalid-address', undefined, undefined, { fault: accepted.fault });
    return { outcome: 'refused', error: 'InvalidAddress', reason: accepted.fault, why };
  }
  const { address } = accepted;
  if (address.nodeId !== table.selfId) return { address };
  return { outcome: 'refused', error: 'SelfAddress', why: because('self-address') };
}

function addPeer(table: PeerTable, address: NodeAddress, origin: AddressOrigin): PeerResults['add'] {
  const newcomer = newcomerWith(table, address, origin);
  const subject = standingOf(newcomer, table.settings);
  if (table.wouldPrune(newcomer)) return storeFull(table, newcomer);
  table.insert(newcomer);
  table.wakeDial();
  return { outcome: 'added', why: because('new-peer', subject) };
}

export function addressLimit({ settings }: PeerTable, peer: PeerInfo): Plain<'address-limit'> {
  const inputs = { addresses: peer.addresses.length };
  const why = because('address-limit', standingOf(peer, settings), undefined, inputs);
  return { outcome: 'address-limit', why };
}

export function storeFull({ settings, orders }: PeerTable, newcomer: PeerInfo): Plain<'store-full'> {
  const inputs = { peers: orders.peers.size, maxPeers: settings.maxPeers };
  const why = because('store-full', standingOf(newcomer, settings), undefined, inputs);
  return { outcome: 'store-full', why };
}

/** A peer not in the table yet, with its first address. */
export function newcomerWith(table: PeerTable, address: NodeAddress, origin: AddressOrigin): PeerInfo {
  const info = newAddressInfo(address, { ...origin, firstSeenMs: table.nowMs });
  return table.preview(table.draft(address.nodeId), { addresses: [info] });
}

/** The addresses of a peer and one more, instead of the last that failed when there are too many; undefined: no room. */
export function withRoom(
  { settings }: PeerTable,
  { addresses }: PeerInfo,
  next: AddressInfo,
): readonly AddressInfo[] | undefined {
  const limit = settings.maxAddressesPerPeer;
  if (limit === 0 || addresses.length < limit) return withAddress(addresses, next);
  const worst = addresses.findLast(({ failures, bootstrap }) => failures > 0 && !bootstrap);
  return worst && withAddress(withoutAddress(addresses, worst.address), next);
}

/** Takes over what is known better now about where an address comes from. */
export function strengthen(
  table: PeerTable,
  peer: PeerInfo,
  known: AddressInfo,
  origin: AddressOrigin,
): PeerInfo {
  const source = strongerSource(known.source, origin.source);
  const tried = known.tried || origin.tried;
  const bootstrap = known.bootstrap || origin.bootstrap;
  if (source === known.source && tried === known.tried && bootstrap === known.bootstrap) return peer;
  return table.change(peer, {
    addresses: withAddress(peer.addresses, { ...known, source, tried, bootstrap }),
  });
}
