import { isNodeId, type NodeId } from '../core/node-id.ts';

/**
 * Keys are a kind, an id with 00 and ff escaped, and an end mark, so that they sort as the ids do. The kind of peers and
 * the encoding are those of Tendermint v0.35's peer store (Google's orderedcode), so that its files can be read.
 */
export const RECORD_KINDS = { peer: 0x81, ban: 0x82, quarantine: 0x83 } as const;

export type RecordKind = 'peer' | 'ban';

const ESCAPES: Readonly<Record<number, readonly number[]>> = { 0x00: [0x00, 0xff], 0xff: [0xff, 0x00] };
const END = [0x00, 0x01] as const;

/** The key of a record. */
export function recordKey(kind: RecordKind, id: string): Uint8Array {
  const bytes: number[] = [RECORD_KINDS[kind]];
  for (const byte of new TextEncoder().encode(id)) bytes.push(...(ESCAPES[byte] ?? [byte]));
  return Uint8Array.from([...bytes, ...END]);
}

/** The node id in a key of `recordKey`, or undefined when it is no such key. */
export function recordKeyId(key: Uint8Array): NodeId | undefined {
  const end = key.length - END.length;
  if (end < 1 || key[end] !== END[0] || key[end + 1] !== END[1]) return undefined;
  const id = String.fromCharCode(...key.subarray(1, end));
  return isNodeId(id) ? id : undefined;
}

/** Where a damaged record is kept: its whole key behind a kind of its own. */
export function quarantineKey(key: Uint8Array): Uint8Array {
  return Uint8Array.from([RECORD_KINDS.quarantine, ...key]);
}

/** A key as text, for reports and maps. */
export function keyText(key: Uint8Array): string {
  return Array.from(key, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
