import { nextDueMs, type QueueView } from './dial-queue.ts';
import { ORDINARY_LANE, PERSISTENT_LANE } from './dial-slot.ts';
import { firstAlarm, isHardFull, isOutFull, type AlarmKind, type CapacityView } from './peer-state.ts';

/**
 * The instant at which time alone may make `dialNext` succeed, later than `nowMs`; undefined when there is none. The
 * owner of the state keeps exactly one timer, on this.
 */
export function nextDialAt(
  view: QueueView & CapacityView & { readonly nowMs: number },
  nowMs: number,
): number | undefined {
  const sinceMs = Math.max(nowMs, view.nowMs);
  const isFull = isHardFull(view);
  const instants = [nextAlarmMs(view, sinceMs, isFull ? FREES_A_SLOT : OPENS_A_CHANCE)];
  if (!isFull) instants.push(nextDueMs(view, PERSISTENT_LANE, sinceMs));
  if (!isFull && !isOutFull(view)) instants.push(nextDueMs(view, ORDINARY_LANE, sinceMs));
  const next = Math.min(...instants.map((instant) => instant ?? Infinity));
  return next === Infinity ? undefined : next;
}

const FREES_A_SLOT: readonly AlarmKind[] = ['dial'];
const OPENS_A_CHANCE: readonly AlarmKind[] = ['dial', 'ban', 'parking', 'decay'];

/** The next instant at which the table changes by itself in a way that matters; one that has passed counts as now. */
function nextAlarmMs({ orders }: QueueView, nowMs: number, kinds: readonly AlarmKind[]): number | undefined {
  const instants = kinds.map((kind) => firstAlarm(orders.alarms, kind)?.atMs ?? Infinity);
  const next = Math.min(...instants);
  return next === Infinity ? undefined : Math.max(next, nowMs + 1);
}
