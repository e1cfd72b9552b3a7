import { expect } from 'chai';
import type { Direction } from '../../../src/core/direction.ts';
import { judgeHandshake, type HandshakeJudgement } from '../../../src/core/handshake/judge.ts';
import type { NodeInfo } from '../../../src/core/node-info.ts';
import { identityOf, nodeInfoOf, nonsenseNodeInfo } from '../../support/nodes.ts';

const self = identityOf('self');
const peer = identityOf('peer');
const stranger = identityOf('stranger');

const nothing: NodeInfo = {
  ...nonsenseNodeInfo(),
  nodeId: '',
  listenAddr: '',
  protocolVersion: { p2p: 0n, block: 0n, app: 0n },
  channels: [],
};

interface Row {
  readonly title: string;
  readonly direction: Direction;
  readonly dialled?: typeof peer.nodeId;
  readonly ours?: Partial<NodeInfo>;
  readonly key?: Uint8Array;
  readonly info?: NodeInfo;
  readonly theirs?: Partial<NodeInfo>;
  readonly result: HandshakeJudgement;
}

const proven = { peer: peer.nodeId, blame: 'peer' } as const;
const badInfo = { accept: false, code: 'bad_node_info', ...proven } as const;

const rows: readonly Row[] = [
  {
    title: 'RT-035: an inbound connection with valid information and key is accepted',
    direction: 'inbound',
    result: { accept: true, peer: peer.nodeId },
  },
  {
    title: 'RT-094: an outbound connection to the node that was dialled is accepted',
    direction: 'outbound',
    dialled: peer.nodeId,
    result: { accept: true, peer: peer.nodeId },
  },
  {
    title: 'RT-036, RT-092: empty information without a key is held against the host alone',
    direction: 'inbound',
    key: new Uint8Array(0),
    info: nothing,
    result: { accept: false, code: 'id_mismatch', blame: 'host' },
  },
  {
    title: 'RT-096: empty information without a key is held against the dialled address',
    direction: 'outbound',
    dialled: peer.nodeId,
    key: new Uint8Array(0),
    info: nothing,
    result: { accept: false, code: 'id_mismatch', blame: 'address' },
  },
  {
    title: 'RT-037: information of a peer with our own key is refused and held against nobody',
    direction: 'inbound',
    key: self.publicKey,
    result: { accept: false, code: 'id_mismatch', peer: self.nodeId, blame: 'nobody' },
  },
  {
    title: 'RT-097: our own key behind a dialled address is held against the address',
    direction: 'outbound',
    dialled: peer.nodeId,
    key: self.publicKey,
    result: { accept: false, code: 'id_mismatch', peer: self.nodeId, blame: 'address' },
  },
  {
    title: 'a peer that claims the id of another is refused and held to what it proved',
    direction: 'inbound',
    info: nodeInfoOf(stranger),
    result: { accept: false, code: 'id_mismatch', ...proven },
  },
  {
    title: 'RT-038: our own information with our own key is ourselves',
    direction: 'inbound',
    key: self.publicKey,
    info: nodeInfoOf(self),
    result: { accept: false, code: 'self', peer: self.nodeId, blame: 'nobody' },
  },
  {
    title: 'RT-120: meeting ourselves behind a dialled address comes before expecting somebody else',
    direction: 'outbound',
    dialled: peer.nodeId,
    key: self.publicKey,
    info: nodeInfoOf(self),
    result: { accept: false, code: 'self', peer: self.nodeId, blame: 'address' },
  },
  {
    title:
      'RT-098: another node than the dialled one is held against the address, however bad its information',
    direction: 'outbound',
    dialled: stranger.nodeId,
    theirs: { moniker: '' },
    result: { accept: false, code: 'unexpected_peer', peer: peer.nodeId, blame: 'address' },
  },
  {
    title: 'RT-039: another network is incompatible, inbound',
    direction: 'inbound',
    theirs: { network: 'other' },
    result: { accept: false, code: 'incompatible_network', ...proven },
  },
  {
    title: 'RT-099: another network is incompatible, outbound',
    direction: 'outbound',
    dialled: peer.nodeId,
    theirs: { network: 'other' },
    result: { accept: false, code: 'incompatible_network', ...proven },
  },
  {
    title: 'RT-069: 17 channels are too many',
    direction: 'inbound',
    theirs: { channels: Array.from({ length: 17 }, (_, id) => id) },
    result: { ...badInfo, reason: 'too-many-channels' },
  },
  {
    title: 'RT-070: a channel may be listed once',
    direction: 'inbound',
    theirs: { channels: [1, 2, 1] },
    result: { ...badInfo, reason: 'duplicate-channel' },
  },
  {
    title: 'RT-071: a moniker is needed',
    direction: 'inbound',
    theirs: { moniker: '' },
    result: { ...badInfo, reason: 'moniker' },
  },
  {
    title: 'RT-071: a moniker has no tab',
    direction: 'inbound',
    theirs: { moniker: 'a\tb' },
    result: { ...badInfo, reason: 'moniker' },
  },
  {
    title: 'RT-072: a listen address has a host and a port',
    direction: 'inbound',
    theirs: { listenAddr: 'nope' },
    result: { ...badInfo, reason: 'listen-address' },
  },
  {
    title: 'RT-073: tx_index is on, off or empty',
    direction: 'inbound',
    theirs: { other: { txIndex: 'maybe', rpcAddress: '' } },
    result: { ...badInfo, reason: 'tx-index' },
  },
  {
    title: 'RT-074: a version is ASCII',
    direction: 'inbound',
    theirs: { version: '1.0–beta' },
    result: { ...badInfo, reason: 'version' },
  },
  {
    title: 'RT-091: bad information on an outbound connection is held against the proven id, not the address',
    direction: 'outbound',
    dialled: peer.nodeId,
    theirs: { moniker: ' ' },
    result: { ...badInfo, reason: 'moniker' },
  },
  {
    title: 'bad information comes before incompatibility',
    direction: 'inbound',
    theirs: { moniker: '', network: 'other' },
    result: { ...badInfo, reason: 'moniker' },
  },
  {
    title: 'RT-075: another block protocol version is incompatible',
    direction: 'inbound',
    theirs: { protocolVersion: { p2p: 8n, block: 12n, app: 1n } },
    result: { accept: false, code: 'incompatible_protocol', ...proven },
  },
  {
    title: 'other p2p and app versions are compatible',
    direction: 'inbound',
    theirs: { protocolVersion: { p2p: 9n, block: 11n, app: 7n } },
    result: { accept: true, peer: peer.nodeId },
  },
  {
    title: 'RT-076: channels 1 and 2 have nothing in common with channel 3',
    direction: 'inbound',
    ours: { channels: [1, 2] },
    theirs: { channels: [3] },
    result: { accept: false, code: 'no_common_channel', ...proven },
  },
  {
    title: 'RT-077: a node without channels accepts everybody',
    direction: 'inbound',
    ours: { channels: [] },
    theirs: { channels: [3] },
    result: { accept: true, peer: peer.nodeId },
  },
  {
    title: 'RT-078: a node with channels refuses one without',
    direction: 'inbound',
    ours: { channels: [1] },
    theirs: { channels: [] },
    result: { accept: false, code: 'no_common_channel', ...proven },
  },
];

describe('judging a handshake', () => {
  for (const row of rows) {
    it(row.title, () => {
      const judgement = judgeHandshake({
        self: { id: self.nodeId, nodeInfo: nodeInfoOf(self, row.ours) },
        direction: row.direction,
        expectedId: row.dialled,
        remote: { publicKey: row.key ?? peer.publicKey, nodeInfo: row.info ?? nodeInfoOf(peer, row.theirs) },
      });
      expect(judgement).to.deep.equal(row.result);
    });
  }
});
