import type { NodeId } from '../node-id.ts';
import { scheduleEviction } from './eviction.ts';
import type { PeerEventOf, PeerResults } from './peer-event.ts';
import { isStaying, standingOf } from './peer-info.ts';
import type { PeerTable } from './peer-table.ts';
import { because } from './why.ts';

/** Refuses a peer until an instant; a connected one is told to go. Replaces an earlier ban. */
export function ban(table: PeerTable, event: PeerEventOf<'ban'>): PeerResults['ban'] {
  const { peer: id, reason } = event;
  if (id === table.selfId) {
    return { outcome: 'refused', error: 'SelfConnection', why: because('self-connection') };
  }
  const untilMs = endOf(event.untilMs);
  const peer = table.get(id);
  const subject = peer && standingOf(peer, table.settings);
  const inputs = { untilMs, reason };
  if (!(untilMs > table.nowMs)) {
    return { outcome: 'ignored', why: because('ban-expired', subject, undefined, inputs) };
  }
  const why = because('banned', subject, undefined, inputs);
  const earlier = table.orders.bans.get(id);
  if (earlier !== undefined) table.removeBan(earlier);
  table.addBan({ id, untilMs, reason, sequence: table.takeSequence() });
  table.write({ type: 'putBan', ban: { id, untilMs, reason } });
  if (peer !== undefined) {
    const marked = table.change(peer, { banned: true });
    if (isStaying(marked)) scheduleEviction(table, marked, why);
  }
  forgetOldest(table);
  return { outcome: 'banned', why: because('ban-added', subject, undefined, inputs) };
}

/** An end as it can be stored; NaN is in the past. */
function endOf(untilMs: number): number {
  return Math.min(Math.floor(untilMs), Number.MAX_SAFE_INTEGER);
}

function forgetOldest(table: PeerTable): void {
  while (table.orders.bans.size > table.settings.maxBans) lift(table, table.orders.banAges.minKey()!.id);
}

export function unban(table: PeerTable, event: PeerEventOf<'unban'>): PeerResults['unban'] {
  if (!table.orders.bans.has(event.peer)) return { outcome: 'ignored', why: because('not-banned') };
  lift(table, event.peer);
  return { outcome: 'unbanned', why: because('ban-lifted') };
}

/** Ends a ban before or at its time. */
export function lift(table: PeerTable, id: NodeId): void {
  table.removeBan(table.orders.bans.get(id)!);
  table.write({ type: 'deleteBan', peer: id });
  const peer = table.get(id);
  if (peer !== undefined) table.change(peer, { banned: false });
  table.wakeDial();
}
