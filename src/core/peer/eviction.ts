import { positiveInteger, score } from './behaviour.ts';
import type { Eviction, PeerEventOf, PeerResults, Plain } from './peer-event.ts';
import { isStaying, standingOf, type PeerInfo } from './peer-info.ts';
import type { PeerTable } from './peer-table.ts';
import { rankOrder } from './rank-order.ts';
import { because, type Decision } from './why.ts';

/** Tells a connected peer that is staying to go; `evictNext` will name it. */
export function scheduleEviction(table: PeerTable, peer: PeerInfo, why: Decision): PeerInfo {
  const leaving = { phase: 'evict', sequence: table.takeSequence(), why } as const;
  table.wakeEvict();
  table.wakeDial();
  return table.change(peer, { connection: { ...peer.connection!, leaving } });
}

/** Whom to close now, first scheduled first (Tendermint v0.35 PeerManager.TryEvictNext). */
export function evictNext(table: PeerTable): Eviction | Plain<'none'> {
  const next = table.orders.evictions.minKey();
  if (next !== undefined) return handOut(table, table.get(next.id)!);
  const { settings, counters } = table;
  const surplus = counters.connected - counters.evicting - settings.maxConnected;
  const lowest = settings.maxConnected > 0 && surplus > 0 ? lowestStaying(table) : undefined;
  if (lowest === undefined) return { outcome: 'none', why: because('nothing-scheduled') };
  const why = because('over-capacity', standingOf(lowest, settings), undefined, { surplus });
  return handOut(table, scheduleEviction(table, lowest, why));
}

function handOut(table: PeerTable, peer: PeerInfo): Eviction {
  const connection = peer.connection!;
  const leaving = connection.leaving!;
  table.change(peer, { connection: { ...connection, leaving: { ...leaving, phase: 'evicting' } } });
  return { outcome: 'evict', peer: peer.id, why: leaving.why };
}

/** A safety net for a table above its limit, which no event brings about: it may look at every connection. */
function lowestStaying(table: PeerTable): PeerInfo | undefined {
  const { orders, settings } = table;
  const compare = rankOrder(settings);
  return [...orders.connected.keys()]
    .map((id) => orders.peers.get(id)!)
    .filter(isStaying)
    .sort((a, b) => compare(b.rank, a.rank))[0];
}

/** A connected peer has failed: it goes, and it costs points (Tendermint v0.35 PeerManager.Errored). */
export function errored(table: PeerTable, event: PeerEventOf<'errored'>): PeerResults['errored'] {
  const { cause, weight = 1 } = event;
  const peer = table.get(event.peer);
  const why = whyNotStaying(table, peer);
  if (peer === undefined || why !== undefined)
    return { outcome: 'ignored', why: why ?? because('unknown-peer') };
  const reason = because('errored', standingOf(peer, table.settings), undefined, { cause });
  score(table, scheduleEviction(table, peer, reason), -positiveInteger(weight));
  return { outcome: 'scheduled', why: reason };
}

/** Why a peer cannot be told to go; undefined when it can. */
export function whyNotStaying({ settings }: PeerTable, peer: PeerInfo | undefined): Decision | undefined {
  if (peer === undefined) return because('unknown-peer');
  if (peer.connection === undefined) return because('not-connected', standingOf(peer, settings));
  return isStaying(peer) ? undefined : because('already-leaving', standingOf(peer, settings));
}
