/**
 * Peers and bans as the peer store keeps them. A peer record begins as Tendermint v0.35's `PeerInfo` and may go on with
 * fields of ours; records of Tendermint itself are read as they are. Ours end with a format and a checksum.
 */
import { P2PError } from '../core/errors.ts';
import { STORED_ADDRESSES_MAX } from '../core/limits.ts';
import { formatNodeAddress, parseNodeAddressResult, sameNodeAddress } from '../core/node-address.ts';
import { isNodeId, type NodeId } from '../core/node-id.ts';
import type { AddressRecord, AddressSource, BanRecord, PeerRecord } from '../core/peer/peer-record.ts';
import { peerchart } from './generated/codecs.js';
import { checkShape, type MessageShape } from './message-shape.ts';
import { isSealed, seal, sealFault, type SealFault } from './record-seal.ts';
import { fromTimestamp, toTimestamp } from './timestamp.ts';

type StoredPeer = peerchart.store.PeerRecord.$Properties;
type StoredAddress = peerchart.store.PeerAddressRecord.$Properties;

export type RecordFault = SealFault | 'record-undecodable' | 'record-id';

interface Unreadable {
  readonly ok: false;
  readonly fault: RecordFault;
  readonly message: string;
}

/** An address that was left out of a record, and why. */
export interface DroppedAddress {
  readonly text: string;
  readonly why: string;
}

export type DecodedPeer =
  | { readonly ok: true; readonly record: PeerRecord; readonly dropped: readonly DroppedAddress[] }
  | Unreadable;

export type DecodedBan = { readonly ok: true; readonly ban: BanRecord } | Unreadable;

const TIMESTAMP_SHAPE: MessageShape = { 1: 'number', 2: 'number' };
const ADDRESS_SHAPE: MessageShape = {
  1: 'block',
  2: { message: TIMESTAMP_SHAPE },
  3: { message: TIMESTAMP_SHAPE },
  4: 'number',
  100: 'block',
  101: { message: TIMESTAMP_SHAPE },
  102: 'number',
};
const PEER_SHAPE: MessageShape = {
  1: 'block',
  2: { message: ADDRESS_SHAPE, max: STORED_ADDRESSES_MAX },
  3: { message: TIMESTAMP_SHAPE },
  4: 'number',
  100: 'number',
  126: 'number',
};
const BAN_SHAPE: MessageShape = { 1: 'block', 2: { message: TIMESTAMP_SHAPE }, 3: 'block', 126: 'number' };

/** The bytes Tendermint v0.35 would store for a peer: nothing of what only we keep. */
export function encodePeerInfo(record: PeerRecord): Uint8Array {
  return peerchart.store.PeerRecord.encode(peerInfo(record, addressInfo)).finish();
}

/** A whole peer record with format and checksum. */
export function encodePeerRecord(record: PeerRecord): Uint8Array {
  const stored: StoredPeer = peerInfo(record, fullAddressInfo);
  if (record.mutableScore !== undefined) stored.mutableScore = record.mutableScore;
  return seal(peerchart.store.PeerRecord.encode(stored).finish());
}

function peerInfo(record: PeerRecord, address: (record: AddressRecord) => StoredAddress): StoredPeer {
  return {
    id: record.id,
    addressInfo: record.addresses.map(address),
    lastConnected: optionalTimestamp(record.lastConnectedMs),
    inactive: record.inactive,
  };
}

function addressInfo(record: AddressRecord): StoredAddress {
  return {
    address: formatNodeAddress(record.address),
    lastDialSuccess: optionalTimestamp(record.lastDialSuccessMs),
    lastDialFailure: optionalTimestamp(record.lastDialFailureMs),
    dialFailures: record.dialFailures,
  };
}

function fullAddressInfo(record: AddressRecord): StoredAddress {
  return {
    ...addressInfo(record),
    source: record.source ?? '',
    firstSeen: optionalTimestamp(record.firstSeenMs),
    tried: record.tried,
  };
}

function optionalTimestamp(ms: number | undefined): ReturnType<typeof toTimestamp> | null {
  return ms === undefined ? null : toTimestamp(ms);
}

/**
 * Reads a record stored under the key of `id`. Bad addresses are left out and listed; of addresses that are the same, the
 * one with the later dial stays.
 */
export function decodePeerRecord(bytes: Uint8Array, id: NodeId): DecodedPeer {
  const opened = open(bytes, PEER_SHAPE, () => peerchart.store.PeerRecord.decode(bytes));
  if ('fault' in opened) return opened;
  const { stored } = opened;
  if (stored.id !== id) return foreignId(stored.id, id);
  try {
    return readPeer(stored, id);
  } catch (error) {
    return undecodable(error);
  }
}

function readPeer(stored: StoredPeer, id: NodeId): DecodedPeer {
  const addresses: AddressRecord[] = [];
  const dropped: DroppedAddress[] = [];
  for (const info of stored.addressInfo ?? []) {
    const read = readAddress(info, id);
    if ('why' in read) dropped.push(read);
    else keepLater(addresses, read);
  }
  const lastConnectedMs = fromTimestamp(stored.lastConnected);
  const record: PeerRecord = {
    id,
    addresses,
    ...(lastConnectedMs !== undefined && { lastConnectedMs }),
    inactive: stored.inactive ?? false,
    ...(stored.mutableScore && { mutableScore: stored.mutableScore }),
  };
  return { ok: true, record, dropped };
}

function readAddress(info: StoredAddress, id: NodeId): AddressRecord | DroppedAddress {
  const text = info.address ?? '';
  const parsed = parseNodeAddressResult(text);
  if (!parsed.ok) return { text, why: parsed.fault };
  if (parsed.address.nodeId !== id) return { text, why: 'it belongs to another peer' };
  const lastDialSuccessMs = fromTimestamp(info.lastDialSuccess);
  const lastDialFailureMs = fromTimestamp(info.lastDialFailure);
  const firstSeenMs = fromTimestamp(info.firstSeen);
  const source = readSource(info.source ?? '');
  return {
    address: parsed.address,
    ...(lastDialSuccessMs !== undefined && { lastDialSuccessMs }),
    ...(lastDialFailureMs !== undefined && { lastDialFailureMs }),
    dialFailures: info.dialFailures ?? 0,
    ...(source !== undefined && { source }),
    ...(firstSeenMs !== undefined && { firstSeenMs }),
    tried: info.tried ?? false,
  };
}

function readSource(text: string): AddressSource | undefined {
  return text === 'configured' || text === 'self-declared' || isNodeId(text) ? text : undefined;
}

function keepLater(addresses: AddressRecord[], candidate: AddressRecord): void {
  const index = addresses.findIndex(({ address }) => sameNodeAddress(address, candidate.address));
  if (index < 0) addresses.push(candidate);
  else if (lastDialMs(candidate) > lastDialMs(addresses[index]!)) addresses[index] = candidate;
}

function lastDialMs({ lastDialSuccessMs = -Infinity, lastDialFailureMs = -Infinity }: AddressRecord): number {
  return Math.max(lastDialSuccessMs, lastDialFailureMs);
}

/** A ban with format and checksum. */
export function encodeBanRecord({ id, untilMs, reason }: BanRecord): Uint8Array {
  return seal(peerchart.store.BanRecord.encode({ id, until: toTimestamp(untilMs), reason }).finish());
}

/** Reads a ban stored under the key of `id`. */
export function decodeBanRecord(bytes: Uint8Array, id: NodeId): DecodedBan {
  const opened = open(bytes, BAN_SHAPE, () => peerchart.store.BanRecord.decode(bytes));
  if ('fault' in opened) return opened;
  const { stored } = opened;
  if (stored.id !== id) return foreignId(stored.id, id);
  try {
    return { ok: true, ban: { id, untilMs: fromTimestamp(stored.until) ?? 0, reason: stored.reason } };
  } catch (error) {
    return undecodable(error);
  }
}

/** The message in a record, if the record is whole. One with a part of a seal has lost the rest. */
function open<T extends { format: number; checksum: number }>(
  bytes: Uint8Array,
  shape: MessageShape,
  decode: () => T,
): { readonly stored: T } | Unreadable {
  const sealed = isSealed(bytes);
  const fault = sealed ? sealFault(bytes) : undefined;
  if (fault === 'record-checksum') return { ok: false, fault, message: 'the checksum is wrong' };
  if (fault === 'record-format') return { ok: false, fault, message: 'a newer version wrote it' };
  try {
    checkShape(bytes, shape, (message) => new P2PError('store-corrupt', message));
    const stored = decode();
    if (!sealed && (stored.format !== 0 || stored.checksum !== 0)) {
      return { ok: false, fault: 'record-checksum', message: 'format or checksum is missing' };
    }
    return { stored };
  } catch (error) {
    return undecodable(error);
  }
}

function undecodable(error: unknown): Unreadable {
  return {
    ok: false,
    fault: 'record-undecodable',
    message: error instanceof Error ? error.message : String(error),
  };
}

function foreignId(found: string, expected: NodeId): Unreadable {
  return { ok: false, fault: 'record-id', message: `the id is ${JSON.stringify(found)}, not ${expected}` };
}
