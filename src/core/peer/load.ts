import type { ConstructFault } from '../codes.ts';
import { acceptNodeAddress, sameNodeAddress, type NodeAddress } from '../node-address.ts';
import { isNodeId } from '../node-id.ts';
import { compareAddresses, FAILURES_MAX, newAddressInfo, type AddressInfo } from './address-info.ts';
import { peerSettings, type PeerOptions } from './options.ts';
import { compareText } from './order.ts';
import type { Effect, StepEnv } from './peer-event.ts';
import type { AddressRecord, BanRecord, PeerRecord } from './peer-record.ts';
import { emptyState, PeerTable } from './peer-table.ts';
import type { PeerState } from './peer-state.ts';
import { clamp, EARNED_SCORE_MAX, SCORE_MIN } from './ranking.ts';
import { retryDelay } from './retry-delay.ts';
import { decayAt } from './score-decay.ts';

/** What the store held, that there is none, or why it could not be read. */
export type Stored =
  | { readonly records: readonly PeerRecord[]; readonly bans: readonly BanRecord[] }
  | 'absent'
  | { readonly error: unknown };

export interface ConstructInput {
  readonly selfId: string;
  readonly options: PeerOptions;
  readonly stored: Stored;
}

export type Constructed =
  | {
      readonly state: PeerState;
      readonly effects: readonly Effect[];
      /** What was left out of the records, each with its reason. */
      readonly faults: readonly RecordFault[];
    }
  | { readonly error: ConstructFault; readonly cause?: unknown };

/** A stored record, or an address in one, that cannot be used. */
export interface RecordFault {
  readonly id: string;
  readonly fault: 'record-id' | 'record-repeated' | 'record-address' | 'ban-id';
}

/** The table as it was stored, under the options of today (Tendermint v0.35 NewPeerManager). */
export function construct({ selfId, options, stored }: ConstructInput, env: StepEnv): Constructed {
  if (selfId === '') return { error: 'no-self-id' };
  if (!isNodeId(selfId)) return { error: 'invalid-self-id' };
  const settings = peerSettings(options);
  if (typeof settings === 'string') return { error: settings };
  if (stored === 'absent') return { error: 'no-store' };
  if ('error' in stored) return { error: 'StoreError', cause: stored.error };
  const salted = { ...settings, tieSalt: options.tieSalt ?? drawSalt(env) };
  const empty = emptyState(selfId, salted, Math.max(0, Math.floor(env.now)));
  const table = new PeerTable(empty, empty.nowMs, env.rng);
  const faults: RecordFault[] = [];
  loadBans(table, stored.bans, faults);
  for (const record of stored.records) loadPeer(table, record, faults);
  table.wakeDial();
  return { ...table.finish(), faults };
}

/** A secret that orders peers of equal score as no other node does. */
function drawSalt({ rng }: StepEnv): string {
  const words = Array.from({ length: 4 }, () => rng.below(2 ** 32));
  return words.map((word) => word.toString(16).padStart(8, '0')).join('');
}

/** The ban that ends first counts as the oldest. */
function loadBans(table: PeerTable, bans: readonly BanRecord[], faults: RecordFault[]): void {
  const sorted = [...bans].sort((a, b) => a.untilMs - b.untilMs || compareText(a.id, b.id));
  for (const [at, { id, untilMs, reason }] of sorted.entries()) {
    if (table.orders.bans.has(id)) continue;
    const isUsable = isNodeId(id) && id !== table.selfId;
    if (!isUsable) faults.push({ id, fault: 'ban-id' });
    const isSurplus = sorted.length - at > table.settings.maxBans;
    if (isUsable && !isSurplus && untilMs > table.nowMs) {
      table.addBan({ id, untilMs, reason, sequence: table.takeSequence() });
    } else {
      table.write({ type: 'deleteBan', peer: id });
    }
  }
}

function loadPeer(table: PeerTable, record: PeerRecord, faults: RecordFault[]): void {
  const { id } = record;
  if (!isNodeId(id) || id === table.selfId) {
    if (id !== table.selfId) faults.push({ id, fault: 'record-id' });
    table.write({ type: 'delete', peer: id });
    return;
  }
  if (table.get(id) !== undefined) {
    faults.push({ id, fault: 'record-repeated' });
    return;
  }
  const { settings, nowMs } = table;
  const draft = table.draft(id);
  const inactive = record.inactive && !draft.persistent;
  const mutableScore = settings.scorePersistence ? storedScore(record.mutableScore) : 0;
  const addresses = loadAddresses(table, record, draft.persistent, faults);
  table.load(
    table.preview(draft, {
      addresses,
      inactive,
      activeAtMs: inactive && settings.inactiveTtlMs > 0 ? nowMs + settings.inactiveTtlMs : undefined,
      lastConnectedMs: instant(record.lastConnectedMs),
      mutableScore,
      savedScore: mutableScore,
      decayAtMs: decayAt(undefined, mutableScore, settings, nowMs),
    }),
  );
}

function loadAddresses(
  table: PeerTable,
  { id, addresses }: PeerRecord,
  persistent: boolean,
  faults: RecordFault[],
): readonly AddressInfo[] {
  const loaded: AddressInfo[] = [];
  for (const record of addresses) {
    const accepted = acceptNodeAddress(record.address);
    if (!accepted.ok || accepted.address.nodeId !== id) {
      faults.push({ id, fault: 'record-address' });
      continue;
    }
    const info = loadAddress(table, accepted.address, record, persistent);
    const twin = loaded.findIndex(({ address }) => sameNodeAddress(address, info.address));
    if (twin < 0) loaded.push(info);
    else if (lastDialMs(info) > lastDialMs(loaded[twin]!)) loaded[twin] = info;
  }
  return loaded.sort(compareAddresses);
}

function loadAddress(
  { settings, nowMs, rng }: PeerTable,
  address: NodeAddress,
  record: AddressRecord,
  persistent: boolean,
): AddressInfo {
  const failures = Math.floor(clamp(record.dialFailures, 0, FAILURES_MAX)) || 0;
  const lastFailureMs = instant(record.lastDialFailureMs);
  const delayMs = retryDelay(failures, persistent, settings, rng);
  const failedAtMs = Math.min(lastFailureMs ?? 0, nowMs);
  return {
    ...newAddressInfo(address, {
      source: record.source,
      firstSeenMs: instant(record.firstSeenMs),
      tried: record.tried,
      bootstrap: false,
    }),
    lastSuccessMs: instant(record.lastDialSuccessMs),
    lastFailureMs,
    failures,
    retryAtMs: failures === 0 ? 0 : failedAtMs + delayMs,
  };
}

function lastDialMs({ lastSuccessMs, lastFailureMs }: AddressInfo): number {
  return Math.max(lastSuccessMs ?? -1, lastFailureMs ?? -1);
}

/** Instants are whole milliseconds. */
function instant(storedMs: number | undefined): number | undefined {
  return storedMs === undefined ? undefined : Math.floor(storedMs);
}

function storedScore(score = 0): number {
  return Math.trunc(clamp(score, SCORE_MIN, EARNED_SCORE_MAX)) || 0;
}
