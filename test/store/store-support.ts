import { expect } from 'chai';
import { parseNodeAddress } from '../../src/core/node-address.ts';
import { parseNodeId, type NodeId } from '../../src/core/node-id.ts';
import type { BanRecord, PeerRecord, StoreWrite } from '../../src/core/peer/peer-record.ts';
import type { PeerStore, StoredPeers, StoreFault } from '../../src/store/peer-store.ts';

export function nodeId(digit: string): NodeId {
  return parseNodeId(digit.repeat(40));
}

/** A peer with one address in memory and some history. */
export function peerRecord(digit: string, parts: Partial<PeerRecord> = {}): PeerRecord {
  const id = nodeId(digit);
  const addresses = [
    { address: parseNodeAddress(`memory:${id}`), dialFailures: 2, lastDialFailureMs: 1000, tried: true },
  ];
  return { id, addresses, lastConnectedMs: 1_700_000_000_001, inactive: false, ...parts };
}

export function ban(digit: string, untilMs = 5000): BanRecord {
  return { id: nodeId(digit), untilMs, reason: 'spam' };
}

export function put(record: PeerRecord): StoreWrite {
  return { type: 'put', record };
}

/** Everything reported to the store's listener so far. */
export function listen(store: PeerStore): StoreFault[] {
  const faults: StoreFault[] = [];
  store.onFault = (fault) => faults.push(fault);
  return faults;
}

/** Loads and expects that nothing was wrong. */
export async function loadClean(store: PeerStore): Promise<StoredPeers> {
  const stored = await store.load();
  expect(stored.faults).to.deep.equal([]);
  return stored;
}

/** The first digits of the ids of the stored peers, in the order of the store. */
export function digits({ records }: StoredPeers): string {
  return records.map(({ id }) => id[0]).join('');
}
