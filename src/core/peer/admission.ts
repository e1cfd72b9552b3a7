import { canonicalNodeAddress, type NodeAddress } from '../node-address.ts';
import type { NodeId } from '../node-id.ts';
import { allCleared, cleared, findAddress, withAddress, type AddressInfo } from './address-info.ts';
import { endDial, isLateReport, releaseClaim } from './dialing.ts';
import { scheduleEviction } from './eviction.ts';
import type { Connected, PeerEventOf, PeerResults, Refused } from './peer-event.ts';
import { standingOf, type EstablishedConnection, type PeerInfo } from './peer-info.ts';
import { areConnectionsFull, isIncomingFull, isTableFull, stayingCount } from './peer-state.ts';
import type { PeerTable } from './peer-table.ts';
import { closestVictim, findVictim, newcomerOf, type VictimScope } from './upgrade.ts';
import { because, type Decision, type DecisionInput } from './why.ts';

type RefusedAs<T extends 'dialed' | 'accepted'> = Extract<PeerResults[T], { readonly outcome: 'refused' }>;

/** A dial has succeeded (Tendermint v0.35 PeerManager.Dialed). Ends the dial whatever the answer is. */
export function dialed(table: PeerTable, event: PeerEventOf<'dialed'>): PeerResults['dialed'] {
  const address = canonicalNodeAddress(event.address);
  const found = table.get(address.nodeId);
  table.wakeDial();
  if (found !== undefined && isLateReport(found, address)) return dialedLate(table, found);
  const isOutstanding = found?.dial !== undefined;
  const peer = found && endDial(table, found);
  const refusal = dialedRefusal(table, address.nodeId, peer, isOutstanding);
  if (refusal !== undefined) return refusal;
  if (peer === undefined) return refuse('UnknownPeer', because('unknown-peer'));
  const newcomer = table.preview(peer, { addresses: withSuccess(peer.addresses, address, table.nowMs) });
  const isUpgrade = isTableFull(table);
  const victim = isUpgrade ? findVictim(table, newcomerOf(newcomer)) : undefined;
  if (isUpgrade && victim === undefined) return refuseFull(table, newcomer);
  return admit(table, peer, newcomer, victim, address);
}

function dialedLate(table: PeerTable, peer: PeerInfo): RefusedAs<'dialed'> {
  table.change(peer, { lateDial: undefined });
  const subject = standingOf(peer, table.settings);
  if (peer.connection !== undefined) return refuse('AlreadyConnected', because('already-connected', subject));
  return refuse('DialTimedOut', because('late-report', subject));
}

function dialedRefusal(
  table: PeerTable,
  id: NodeId,
  peer: PeerInfo | undefined,
  isOutstanding: boolean,
): RefusedAs<'dialed'> | undefined {
  const refusal = commonRefusal(table, id, peer);
  if (refusal !== undefined || isOutstanding || !isTableFull(table)) return refusal;
  const subject = peer && standingOf(peer, table.settings);
  return refuse('MaxConnected', because('table-full', subject, undefined, slotInputs(table)));
}

/** An inbound connection was authenticated (Tendermint v0.35 PeerManager.Accepted). It teaches no address. */
export function accepted(table: PeerTable, event: PeerEventOf<'accepted'>): PeerResults['accepted'] {
  const known = table.get(event.peer);
  const refusal = commonRefusal(table, event.peer, known);
  if (refusal !== undefined) return refusal;
  const peer = known ?? table.draft(event.peer);
  const newcomer = table.preview(peer, { addresses: allCleared(peer.addresses) });
  const own = known?.dial?.victim;
  const isIncomingLimited = isIncomingFull(table) && !newcomer.persistent;
  if (!isIncomingLimited && !isTableFull(table)) return admit(table, known, newcomer, undefined, undefined);
  const victim = findVictim(table, newcomerOf(newcomer), { own, inboundOnly: isIncomingLimited });
  if (victim !== undefined) return admit(table, known, newcomer, victim, undefined);
  return isIncomingLimited ? refuseIncoming(table, newcomer) : refuseFull(table, newcomer, { own });
}

function commonRefusal(
  table: PeerTable,
  id: NodeId,
  peer: PeerInfo | undefined,
): Refused<'SelfConnection' | 'AlreadyConnected' | 'Banned' | 'MaxConnected'> | undefined {
  if (id === table.selfId) return refuse('SelfConnection', because('self-connection'));
  const subject = peer && standingOf(peer, table.settings);
  if (peer?.connection !== undefined)
    return refuse('AlreadyConnected', because('already-connected', subject));
  const ban = table.orders.bans.get(id);
  if (ban !== undefined) {
    const { untilMs, reason } = ban;
    return refuse('Banned', because('banned', subject, undefined, { untilMs, reason }));
  }
  if (!areConnectionsFull(table)) return undefined;
  return refuse('MaxConnected', because('connections-full', subject, undefined, slotInputs(table)));
}

/**
 * Takes a connection in.
 *
 * @param known the peer as it stands in the table; undefined when it is new.
 * @param newcomer the same with its addresses as the success leaves them.
 * @param address the address dialled; undefined for an inbound connection.
 */
function admit(
  table: PeerTable,
  known: PeerInfo | undefined,
  newcomer: PeerInfo,
  victim: PeerInfo | undefined,
  address: NodeAddress | undefined,
): Connected {
  const { settings, nowMs } = table;
  const direction = address === undefined ? 'inbound' : 'outbound';
  const connection: EstablishedConnection = {
    direction,
    sinceMs: nowMs,
    address: address && Object.freeze({ ...address }),
    channels: undefined,
    leaving: undefined,
  };
  const change = {
    addresses: newcomer.addresses,
    connection,
    inactive: false,
    activeAtMs: undefined,
    lastConnectedMs: nowMs,
  };
  if (known === undefined) table.insert(table.preview(newcomer, change));
  else table.change(releaseClaim(table, known), change);
  const subject = standingOf(newcomer, settings);
  const other = victim && standingOf(victim, settings);
  if (victim !== undefined) {
    scheduleEviction(table, table.get(victim.id)!, because('upgraded', other, subject));
  }
  const why = because(victim === undefined ? 'slot-free' : 'upgrade', subject, other, slotInputs(table));
  table.wakeDial();
  return { outcome: 'connected', direction, ...(victim !== undefined && { victim: victim.id }), why };
}

/** `addresses` after a dial of `address` has succeeded. The others keep what they failed. */
function withSuccess(
  addresses: readonly AddressInfo[],
  address: NodeAddress,
  nowMs: number,
): readonly AddressInfo[] {
  const known = findAddress(addresses, address);
  if (known === undefined) return addresses;
  return withAddress(addresses, { ...cleared(known), wrongIds: 0, lastSuccessMs: nowMs, tried: true });
}

function refuse<Code extends Refused['error']>(error: Code, why: Decision): Refused<Code> {
  return { outcome: 'refused', error, why };
}

/** Names the peer that came closest to giving way. */
function refuseFull(table: PeerTable, newcomer: PeerInfo, scope?: VictimScope): Refused<'MaxConnected'> {
  const closest = closestVictim(table, newcomerOf(newcomer), scope);
  return refuse(
    'MaxConnected',
    because('no-upgrade-victim', standingOf(newcomer, table.settings), closest, slotInputs(table)),
  );
}

function refuseIncoming(table: PeerTable, newcomer: PeerInfo): Refused<'MaxIncoming'> {
  const inputs = { inbound: table.counters.inboundStaying };
  const subject = standingOf(newcomer, table.settings);
  const closest = closestVictim(table, newcomerOf(newcomer), { inboundOnly: true });
  return refuse('MaxIncoming', because('incoming-full', subject, closest, inputs));
}

function slotInputs(table: PeerTable): Readonly<Record<string, DecisionInput>> {
  return { staying: stayingCount(table), connected: table.counters.connected };
}
