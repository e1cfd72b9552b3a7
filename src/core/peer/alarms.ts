import { lift } from './bans.ts';
import { wakeOnChance } from './behaviour.ts';
import { endDial, failDial } from './dialing.ts';
import { ALARM_KINDS, firstAlarm, type Alarm } from './peer-state.ts';
import type { PeerTable } from './peer-table.ts';
import { decayed } from './score-decay.ts';

/** Does everything that was due to happen by itself until now, earliest first. */
export function expireAlarms(table: PeerTable): void {
  for (;;) {
    const alarm = nextAlarm(table);
    if (alarm === undefined || alarm.atMs > table.nowMs) return;
    expire(table, alarm);
  }
}

function nextAlarm({ orders }: PeerTable): Alarm | undefined {
  if (orders.alarms.size === 0) return undefined;
  return ALARM_KINDS.map((kind) => firstAlarm(orders.alarms, kind))
    .filter((alarm) => alarm !== undefined)
    .reduce((a, b) => (b.atMs < a.atMs ? b : a));
}

/** Every branch takes its alarm away or moves it to later. */
function expire(table: PeerTable, { kind, id }: Alarm): void {
  switch (kind) {
    case 'dial':
      giveUpDial(table, id);
      break;
    case 'ban':
      lift(table, id);
      break;
    case 'parking':
      table.change(table.get(id)!, { inactive: false, activeAtMs: undefined });
      table.wakeDial();
      break;
    case 'decay':
      decay(table, id);
      break;
    case 'flap':
      forgiveFlap(table, id);
      break;
  }
}

/** A dial without a report counts as failed (E8). */
function giveUpDial(table: PeerTable, id: Alarm['id']): void {
  const peer = table.get(id)!;
  const { address } = peer.dial!;
  const ended = table.change(endDial(table, peer), { lateDial: address });
  failDial(table, ended, address, { cause: 'timeout' });
  table.wakeDial();
}

function decay(table: PeerTable, id: Alarm['id']): void {
  const peer = table.get(id)!;
  wakeOnChance(table, peer, table.change(peer, decayed(peer, table.settings)));
}

function forgiveFlap(table: PeerTable, id: Alarm['id']): void {
  const peer = table.get(id)!;
  const flaps = peer.flaps - 1;
  const forgiveMs = table.settings.flapDamping!.forgiveMs;
  table.change(peer, { flaps, forgiveAtMs: flaps > 0 ? peer.forgiveAtMs! + forgiveMs : undefined });
}
