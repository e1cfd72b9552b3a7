import { normalizeIp } from '../ip.ts';
import { PEX_ACCEPT_ADDRESSES_MAX, PEX_ADDRESS_LENGTH_MAX, PEX_PER_TARGET_MAX } from '../limits.ts';
import {
  formatNodeAddress,
  nodeAddressFault,
  parseNodeAddressResult,
  type NodeAddress,
} from '../node-address.ts';
import type { NodeId } from '../node-id.ts';
import type { PexAddress, PexUrl } from './pex-message.ts';
import { addressReach, isBelieved, peerReach } from './pex-reach.ts';

export interface PexIntakeContext {
  readonly selfId: NodeId;
  /** Where the source is connected from; empty for a transport without IP addresses. */
  readonly sourceIp: string;
  /** Whether nothing is to be learnt about a peer: private, banned or parked. */
  isWithheld(id: NodeId): boolean;
}

export type PexIntake =
  | {
      readonly ok: true;
      /** What is worth handing to the store, in the order received, without duplicates. */
      readonly addresses: readonly NodeAddress[];
      /** Entries that are no address. */
      readonly bad: number;
      /** Entries that are, but are not for us. */
      readonly ignored: number;
      /** What the source has earned: 1 when more than half of its entries were bad. */
      readonly strikes: 0 | 1;
    }
  /** A fault of the whole message: nothing is used and the source is to be reported as fatal. */
  | { readonly ok: false; readonly fault: 'too-many-addresses'; readonly count: number };

/** Reads the entries of a response that matches a request. */
export function readPexEntries(
  entries: readonly (PexAddress | PexUrl)[],
  context: PexIntakeContext,
): PexIntake {
  if (entries.length > PEX_ACCEPT_ADDRESSES_MAX) {
    return { ok: false, fault: 'too-many-addresses', count: entries.length };
  }
  const source = peerReach(context.sourceIp);
  const perTarget = new Map<NodeId, number>();
  const addresses = new Map<string, NodeAddress>();
  let bad = 0;
  for (const entry of entries) {
    const address = 'url' in entry ? readUrl(entry) : readIpEntry(entry);
    if (address === undefined) {
      bad++;
      continue;
    }
    const { nodeId } = address;
    const taken = perTarget.get(nodeId) ?? 0;
    const text = formatNodeAddress(address);
    if (nodeId === context.selfId || context.isWithheld(nodeId)) continue;
    if (!isBelieved(addressReach(address), source)) continue;
    if (taken >= PEX_PER_TARGET_MAX || addresses.has(text)) continue;
    perTarget.set(nodeId, taken + 1);
    addresses.set(text, address);
  }
  return {
    ok: true,
    addresses: [...addresses.values()],
    bad,
    ignored: entries.length - bad - addresses.size,
    strikes: 2 * bad > entries.length ? 1 : 0,
  };
}

function readUrl({ url }: PexUrl): NodeAddress | undefined {
  if (url.length > PEX_ADDRESS_LENGTH_MAX) return undefined;
  const result = parseNodeAddressResult(url);
  return result.ok ? result.address : undefined;
}

function readIpEntry({ id, ip, port }: PexAddress): NodeAddress | undefined {
  if (port === 0 || ip.length > PEX_ADDRESS_LENGTH_MAX || ip.includes('%')) return undefined;
  const hostname = normalizeIp(ip);
  if (hostname === undefined) return undefined;
  const parts = { protocol: 'mconn', nodeId: id.toLowerCase(), hostname, port, path: '' };
  return nodeAddressFault(parts) === undefined ? { ...parts, nodeId: parts.nodeId as NodeId } : undefined;
}
