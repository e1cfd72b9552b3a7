import { canonicalNodeAddress, sameNodeAddress, type NodeAddress } from '../node-address.ts';
import { FAILURES_MAX, findAddress, withAddress, withoutAddress, type AddressInfo } from './address-info.ts';
import { bestSlot, hasDueSlot, isFree } from './dial-queue.ts';
import { ORDINARY_LANE, PERSISTENT_LANE, type DialSlot } from './dial-slot.ts';
import { nextDialAt } from './next-dial.ts';
import type { DialFailure, DialOffer, NoDial, PeerEventOf } from './peer-event.ts';
import { isIdle, standingOf, type PeerInfo } from './peer-info.ts';
import { isHardFull, isOutFull, isTableReserved, occupiedCount, stayingCount } from './peer-state.ts';
import type { PeerTable } from './peer-table.ts';
import { rankOrder } from './rank-order.ts';
import { NEVER_RETRY, retryDelay } from './retry-delay.ts';
import { closestVictim, findVictim, newcomerOf } from './upgrade.ts';
import { because, type Decision, type Standing } from './why.ts';

/** Whom to dial now, if anybody (Tendermint v0.35 PeerManager.TryDialNext). */
export function dialNext(table: PeerTable): DialOffer | NoDial {
  if (isHardFull(table)) return noDial(table, 'hard-full');
  const candidates = dueCandidates(table);
  for (const candidate of candidates) {
    if (!isTableReserved(table)) return offer(table, candidate, undefined);
    const victim = findVictim(table, newcomerOf(candidate));
    if (victim !== undefined) return offer(table, candidate, victim);
  }
  const [best] = candidates;
  if (best === undefined) return noDial(table, whyNobodyIsDue(table));
  const closest = closestVictim(table, newcomerOf(best));
  return noDial(table, 'no-upgrade-victim', standingOf(best, table.settings), closest);
}

/** The best due peer of each lane that may be dialled, better one first. */
function dueCandidates(table: PeerTable): readonly PeerInfo[] {
  const lanes = isOutFull(table) ? [PERSISTENT_LANE] : [PERSISTENT_LANE, ORDINARY_LANE];
  return lanes
    .map((lane) => bestSlot(table, lane as DialSlot['lane']))
    .filter((slot) => slot !== undefined)
    .sort(rankOrder(table.settings))
    .map(({ id }) => table.get(id)!);
}

function whyNobodyIsDue(table: PeerTable): 'outgoing-full' | 'network-full' | 'no-candidate' {
  const hasOrdinary = hasDueSlot(table, ORDINARY_LANE);
  if (hasOrdinary && isOutFull(table)) return 'outgoing-full';
  return hasOrdinary || hasDueSlot(table, PERSISTENT_LANE) ? 'network-full' : 'no-candidate';
}

function noDial(
  table: PeerTable,
  rule: 'hard-full' | 'outgoing-full' | 'network-full' | 'no-candidate' | 'no-upgrade-victim',
  subject?: Standing,
  other?: Standing,
): NoDial {
  const nextDialAtMs = nextDialAt(table, table.nowMs);
  const inputs = {
    staying: stayingCount(table),
    pending: table.counters.pendingPlain,
    occupied: occupiedCount(table),
    ...(nextDialAtMs !== undefined && { nextDialAtMs }),
  };
  return { outcome: 'none', nextDialAtMs, why: because(rule, subject, other, inputs) };
}

function offer(table: PeerTable, peer: PeerInfo, victim: PeerInfo | undefined): DialOffer {
  const { settings, nowMs } = table;
  const isOpen = (info: AddressInfo): boolean =>
    info.retryAtMs <= nowMs && isFree(table, info.address, peer.persistent);
  const { address } = peer.addresses.find(isOpen)!;
  const why = because(
    victim === undefined ? 'best-candidate' : 'upgrade',
    standingOf(peer, settings),
    victim && standingOf(victim, settings),
  );
  const deadlineMs = settings.dialTimeoutMs > 0 ? nowMs + settings.dialTimeoutMs : undefined;
  table.change(peer, { dial: { address, victim: victim?.id, sinceMs: nowMs, deadlineMs } });
  if (victim === undefined) return { outcome: 'dial', peer: peer.id, address, why };
  table.change(victim, { claimant: peer.id });
  return { outcome: 'dial', peer: peer.id, address, victim: victim.id, why };
}

/** A dial ended without a connection (Tendermint v0.35 PeerManager.DialFailed). */
export function dialFailed(table: PeerTable, event: PeerEventOf<'dialFailed'>): DialFailure {
  const address = canonicalNodeAddress(event.address);
  table.wakeDial();
  const peer = table.get(address.nodeId);
  if (peer === undefined) return nothingRecorded('ignored', because('unknown-address'));
  if (isLateReport(peer, address)) {
    table.change(peer, { lateDial: undefined });
    return nothingRecorded('late', because('late-report', standingOf(peer, table.settings)));
  }
  return failDial(table, endDial(table, peer), address, event);
}

/** Whether a report is about a dial that was given up, rather than about the outstanding one. */
export function isLateReport({ dial, lateDial }: PeerInfo, address: NodeAddress): boolean {
  if (lateDial === undefined || !sameNodeAddress(lateDial, address)) return false;
  return dial === undefined || !sameNodeAddress(dial.address, address);
}

/** Removes the dialing mark and the claim of a peer; the peer itself when it has neither. */
export function endDial(table: PeerTable, peer: PeerInfo): PeerInfo {
  if (peer.dial === undefined) return peer;
  const current = releaseClaim(table, peer);
  return table.change(current, { dial: undefined });
}

/** Gives up the claim of a peer that is being dialled; its dial goes on as a plain one. */
export function releaseClaim(table: PeerTable, peer: PeerInfo): PeerInfo {
  if (peer.dial?.victim === undefined) return peer;
  table.change(table.get(peer.dial.victim)!, { claimant: undefined });
  return table.change(peer, { dial: { ...peer.dial, victim: undefined } });
}

/** Records a failure of one address and draws when it is due again. */
export function failDial(
  table: PeerTable,
  peer: PeerInfo,
  address: NodeAddress,
  failure: Omit<PeerEventOf<'dialFailed'>, 'type' | 'address'>,
): DialFailure {
  const known = findAddress(peer.addresses, address);
  const subject = standingOf(peer, table.settings);
  if (known === undefined) return nothingRecorded('ignored', because('unknown-address', subject));
  const { cause } = failure;
  const failed = failure.soft === true ? known : countFailure(known, cause, table.nowMs);
  const inputs = { failures: failed.failures, ...(cause !== undefined && { cause }) };
  if (isWornOut(table, peer, failed)) return dropAddress(table, peer, address, inputs);
  const retryAtMs = drawRetry(table, peer, failed, failure);
  table.change(peer, { addresses: withAddress(peer.addresses, { ...failed, retryAtMs }) });
  const isForGood = retryAtMs === NEVER_RETRY;
  return {
    outcome: 'recorded',
    retryAtMs: isForGood ? undefined : retryAtMs,
    why: because(isForGood ? 'retries-disabled' : 'back-off', subject, undefined, inputs),
  };
}

function countFailure(known: AddressInfo, cause: string | undefined, nowMs: number): AddressInfo {
  return {
    ...known,
    failures: Math.min(known.failures + 1, FAILURES_MAX),
    wrongIds: cause === 'wrong-id' ? known.wrongIds + 1 : 0,
    lastFailureMs: nowMs,
  };
}

function drawRetry(
  { settings, nowMs, rng }: PeerTable,
  { persistent }: PeerInfo,
  { failures }: AddressInfo,
  { soft = false, retryAfterMs }: Pick<PeerEventOf<'dialFailed'>, 'soft' | 'retryAfterMs'>,
): number {
  const asked = atLeast(retryAfterMs);
  if (soft && asked > 0 && settings.minRetryMs === 0) return nowMs + asked;
  const wait = Math.max(retryDelay(Math.max(failures, 1), persistent, settings, rng), asked);
  return wait === NEVER_RETRY ? NEVER_RETRY : Math.min(nowMs + wait, Number.MAX_SAFE_INTEGER);
}

function atLeast(retryAfterMs = 0): number {
  return retryAfterMs > 0 && Number.isFinite(retryAfterMs) ? Math.ceil(retryAfterMs) : 0;
}

/** Whether an address has failed for the last time: by E1, or because somebody else lives there. */
function isWornOut({ settings }: PeerTable, peer: PeerInfo, info: AddressInfo): boolean {
  if (info.bootstrap || peer.persistent) return false;
  const { addressFailureLimit, wrongIdLimit } = settings;
  return (
    (addressFailureLimit > 0 && info.failures >= addressFailureLimit) ||
    (wrongIdLimit > 0 && info.wrongIds >= wrongIdLimit)
  );
}

function dropAddress(
  table: PeerTable,
  peer: PeerInfo,
  address: NodeAddress,
  inputs: NonNullable<Decision['inputs']>,
): DialFailure {
  const subject = standingOf(peer, table.settings);
  const addresses = withoutAddress(peer.addresses, address);
  if (addresses.length === 0 && isIdle(peer)) {
    table.remove(peer);
    return nothingRecorded('peer-dropped', because('peer-dropped', subject, undefined, inputs));
  }
  table.change(peer, { addresses });
  return nothingRecorded('address-dropped', because('address-dropped', subject, undefined, inputs));
}

function nothingRecorded(outcome: DialFailure['outcome'], why: Decision): DialFailure {
  return { outcome, retryAtMs: undefined, why };
}
