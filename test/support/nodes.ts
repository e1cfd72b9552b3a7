import { identityFromSeed } from '../../src/crypto/node-key.ts';
import type { NodeInfo } from '../../src/core/node-info.ts';
import { SeededRandom } from '../../src/testing/seeded-random.ts';

export type TestIdentity = ReturnType<typeof identityFromSeed>;

/** The same identity for the same label, always. */
export function identityOf(label: string): TestIdentity {
  return identityFromSeed(SeededRandom.from(`identity/${label}`).bytes(32));
}

/** Node information with every field set to something of its own. */
export function nodeInfoOf(identity: TestIdentity, changes: Partial<NodeInfo> = {}): NodeInfo {
  return {
    protocolVersion: { p2p: 8n, block: 11n, app: 1n },
    nodeId: identity.nodeId,
    listenAddr: 'tcp://0.0.0.0:26656',
    network: 'test-network',
    version: '1.2.3',
    channels: [0x01, 0x20, 0xef],
    moniker: 'node',
    other: { txIndex: 'on', rpcAddress: 'tcp://127.0.0.1:26657' },
    capabilities: ['peerchart/1'],
    ...changes,
  };
}

/** Node information in which nothing is as it should be; no transport may care. */
export function nonsenseNodeInfo(): NodeInfo {
  return {
    protocolVersion: { p2p: 0n, block: 2n ** 64n - 1n, app: 0n },
    nodeId: 'nodeid',
    listenAddr: 'listenaddr',
    network: '',
    version: '\t',
    channels: [1, 1],
    moniker: '',
    other: { txIndex: 'txindex', rpcAddress: '' },
    capabilities: [],
  };
}
