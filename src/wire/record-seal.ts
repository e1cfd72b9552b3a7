import { crc32c } from '../core/crc32c.ts';

/** Version of the record layout that this code writes; it reads all up to it. */
export const RECORD_FORMAT = 1;

/** Fields `format = 126` (a number below 128) and `checksum = 127` (fixed32), which end every record we write. */
const FORMAT_TAG = [0xf0, 0x07] as const;
const CHECKSUM_TAG = [0xfd, 0x07] as const;
const SEAL_BYTES = 9;
const CHECKSUM_BYTES = 4;

export type SealFault = 'record-checksum' | 'record-format';

/** Appends format and checksum to the other fields of a record. */
export function seal(fields: Uint8Array): Uint8Array {
  const sealed = new Uint8Array(fields.length + SEAL_BYTES);
  sealed.set(fields);
  sealed.set([...FORMAT_TAG, RECORD_FORMAT, ...CHECKSUM_TAG], fields.length);
  const checked = sealed.length - CHECKSUM_BYTES;
  viewOf(sealed).setUint32(checked, checksumOf(sealed), true);
  return sealed;
}

/** Whether a record ends as ours do. Nothing else in a record can look like it, since texts are UTF-8 and times small. */
export function isSealed(record: Uint8Array): boolean {
  const at = record.length - SEAL_BYTES;
  return (
    at >= 0 &&
    record[at] === FORMAT_TAG[0] &&
    record[at + 1] === FORMAT_TAG[1] &&
    record[at + 3] === CHECKSUM_TAG[0] &&
    record[at + 4] === CHECKSUM_TAG[1]
  );
}

/** Why a sealed record must not be read: it is damaged, or newer than this code. */
export function sealFault(record: Uint8Array): SealFault | undefined {
  const stored = viewOf(record).getUint32(record.length - CHECKSUM_BYTES, true);
  if (stored !== checksumOf(record)) return 'record-checksum';
  return record[record.length - SEAL_BYTES + 2]! > RECORD_FORMAT ? 'record-format' : undefined;
}

/** Over every byte before the checksum field, its tag excluded. */
function checksumOf(sealed: Uint8Array): number {
  return crc32c(sealed.subarray(0, sealed.length - CHECKSUM_BYTES - CHECKSUM_TAG.length));
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
