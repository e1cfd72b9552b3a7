import { formatNodeAddress, sameNodeAddress, type NodeAddress } from '../node-address.ts';
import { compareText } from './order.ts';
import type { AddressRecord, AddressSource } from './peer-record.ts';

/** What we know of one address of a peer (Tendermint v0.35 `peerAddressInfo`). Instants are on the core's clock. */
export interface AddressInfo {
  readonly address: NodeAddress;
  /** Undefined: never. */
  readonly lastSuccessMs: number | undefined;
  /** Undefined: never. */
  readonly lastFailureMs: number | undefined;
  /** Since the last success, 0 … FAILURES_MAX. */
  readonly failures: number;
  /** When the address may be dialled again; 0 without failures, NEVER_RETRY when not at all. Drawn once per failure. */
  readonly retryAtMs: number;
  /** Undefined: unknown. */
  readonly source: AddressSource | undefined;
  readonly firstSeenMs: number | undefined;
  /** Whether an outbound handshake with this address has ever succeeded. */
  readonly tried: boolean;
  /** Configured for the start of the node: never removed. Not stored. */
  readonly bootstrap: boolean;
  /** Times in a row that somebody else answered. Not stored. */
  readonly wrongIds: number;
}

/** The most failures counted: what the stored field can hold. */
export const FAILURES_MAX = 2 ** 32 - 1;

export function newAddressInfo(
  address: NodeAddress,
  known: Pick<AddressInfo, 'source' | 'firstSeenMs' | 'tried' | 'bootstrap'>,
): AddressInfo {
  return {
    address: Object.freeze({ ...address }),
    lastSuccessMs: undefined,
    lastFailureMs: undefined,
    failures: 0,
    retryAtMs: 0,
    source: known.source,
    firstSeenMs: known.firstSeenMs,
    tried: known.tried,
    bootstrap: known.bootstrap,
    wrongIds: 0,
  };
}

/** Fewer failures first, then the later success, then the text form by code units. */
export function compareAddresses(a: AddressInfo, b: AddressInfo): number {
  if (a.failures !== b.failures) return a.failures - b.failures;
  if (a.lastSuccessMs !== b.lastSuccessMs) return (b.lastSuccessMs ?? -1) - (a.lastSuccessMs ?? -1);
  return compareText(formatNodeAddress(a.address), formatNodeAddress(b.address));
}

export function findAddress(
  addresses: readonly AddressInfo[],
  address: NodeAddress,
): AddressInfo | undefined {
  return addresses.find((known) => sameNodeAddress(known.address, address));
}

/** `addresses` with `next` in its place, instead of the entry for the same address if there is one. */
export function withAddress(addresses: readonly AddressInfo[], next: AddressInfo): readonly AddressInfo[] {
  const others = withoutAddress(addresses, next.address);
  const at = others.findIndex((other) => compareAddresses(next, other) < 0);
  return at < 0 ? [...others, next] : [...others.slice(0, at), next, ...others.slice(at)];
}

export function withoutAddress(
  addresses: readonly AddressInfo[],
  address: NodeAddress,
): readonly AddressInfo[] {
  return addresses.filter((known) => !sameNodeAddress(known.address, address));
}

/** Everything that held an address back is forgotten. */
export function cleared(info: AddressInfo): AddressInfo {
  if (info.failures === 0 && info.retryAtMs === 0) return info;
  return { ...info, failures: 0, retryAtMs: 0, wrongIds: 0 };
}

/** `addresses` with the failures of all forgotten, in address order; the same value when there were none. */
export function allCleared(addresses: readonly AddressInfo[]): readonly AddressInfo[] {
  if (addresses.every((info) => cleared(info) === info)) return addresses;
  return addresses.map(cleared).sort(compareAddresses);
}

/** The failures that count in a score: their sum, or those of the best address. */
export function countedFailures(addresses: readonly AddressInfo[], bestOnly: boolean): number {
  if (addresses.length === 0) return 0;
  if (bestOnly) return addresses[0]!.failures;
  let sum = 0;
  for (const { failures } of addresses) sum += failures;
  return sum;
}

export function addressRecord(info: AddressInfo): AddressRecord {
  return {
    address: info.address,
    ...(info.lastSuccessMs !== undefined && { lastDialSuccessMs: info.lastSuccessMs }),
    ...(info.lastFailureMs !== undefined && { lastDialFailureMs: info.lastFailureMs }),
    dialFailures: info.failures,
    ...(info.source !== undefined && { source: info.source }),
    ...(info.firstSeenMs !== undefined && { firstSeenMs: info.firstSeenMs }),
    tried: info.tried,
  };
}

/** Whether both have the same record. */
export function sameAddressRecord(a: AddressInfo, b: AddressInfo): boolean {
  return (
    a.address === b.address &&
    a.lastSuccessMs === b.lastSuccessMs &&
    a.lastFailureMs === b.lastFailureMs &&
    a.failures === b.failures &&
    a.source === b.source &&
    a.firstSeenMs === b.firstSeenMs &&
    a.tried === b.tried
  );
}

/** Whom to believe more about an address: the operator, then the peer itself, then others. */
export function strongerSource(
  a: AddressSource | undefined,
  b: AddressSource | undefined,
): AddressSource | undefined {
  return trust(b) > trust(a) ? b : a;
}

function trust(source: AddressSource | undefined): number {
  if (source === undefined) return 0;
  if (source === 'configured') return 3;
  return source === 'self-declared' ? 2 : 1;
}
