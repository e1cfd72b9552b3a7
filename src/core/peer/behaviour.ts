import type { PeerEventOf, PeerResults } from './peer-event.ts';
import { scoreBreakdown, standingOf, type PeerInfo } from './peer-info.ts';
import type { PeerTable } from './peer-table.ts';
import { earned } from './score-decay.ts';
import { because } from './why.ts';

/** Scores reported behaviour (Tendermint v0.35 PeerManager.processPeerEvent). */
export function processPeerEvent(
  table: PeerTable,
  event: PeerEventOf<'processPeerEvent'>,
): PeerResults['processPeerEvent'] {
  const peer = table.get(event.peer);
  if (peer === undefined) return { outcome: 'ignored', why: because('unknown-peer') };
  const points = signedPoints(event);
  const subject = standingOf(peer, table.settings);
  if (points === 0) {
    return {
      outcome: 'ignored',
      why: because('ignored-report', subject, undefined, { status: event.status }),
    };
  }
  const next = score(table, peer, points);
  return {
    outcome: 'scored',
    before: peer.rank.score,
    after: scoreBreakdown(next, table.settings),
    why: because(points > 0 ? 'good-behaviour' : 'bad-behaviour', subject, undefined, { points }),
  };
}

/** Gives or takes points; a chance it opens wakes the dialer (D6). */
export function score(table: PeerTable, peer: PeerInfo, points: number): PeerInfo {
  const next = table.change(peer, earned(peer, points, table.settings, table.nowMs));
  wakeOnChance(table, peer, next);
  return next;
}

/** Wakes the dialer when a connected peer fell, so that others may displace it, or another rose. */
export function wakeOnChance(table: PeerTable, before: PeerInfo, after: PeerInfo): void {
  const rise = after.rank.score - before.rank.score;
  if (after.connection === undefined ? rise > 0 : rise < 0) table.wakeDial();
}

function signedPoints({ status, weight = 1 }: PeerEventOf<'processPeerEvent'>): number {
  const points = positiveInteger(weight);
  if (status === 'good') return points;
  return status === 'bad' ? -points : 0;
}

/** A weight as it counts: 0 unless it is a positive integer. */
export function positiveInteger(weight: number): number {
  return Number.isSafeInteger(weight) && weight > 0 ? weight : 0;
}

/** Parks a peer that proved incompatible (Tendermint v0.35 PeerManager.Inactivate). */
export function inactivate(table: PeerTable, event: PeerEventOf<'inactivate'>): PeerResults['inactivate'] {
  const peer = table.get(event.peer);
  if (peer === undefined) return { outcome: 'ignored', why: because('unknown-peer') };
  const subject = standingOf(peer, table.settings);
  if (peer.persistent) return { outcome: 'ignored', why: because('peer-persistent', subject) };
  const { inactiveTtlMs } = table.settings;
  const activeAtMs = inactiveTtlMs > 0 ? table.nowMs + inactiveTtlMs : undefined;
  table.change(peer, { inactive: true, activeAtMs });
  return { outcome: 'inactivated', why: because('incompatible', subject) };
}

/** Notes the height a peer claims (Tendermint v0.35.0 PeerManager.SetHeight). */
export function setHeight(table: PeerTable, event: PeerEventOf<'setHeight'>): PeerResults['setHeight'] {
  const peer = table.get(event.peer);
  if (peer === undefined) return { outcome: 'ignored', why: because('unknown-peer') };
  table.change(peer, { height: event.height });
  return {
    outcome: 'set',
    why: because('height-noted', standingOf(peer, table.settings), undefined, { height: event.height }),
  };
}
