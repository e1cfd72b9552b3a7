import { expect } from 'chai';
import { NODE_INFO_FAULTS } from '../../src/core/codes.ts';
import { compatibilityFault, validateNodeInfo, type NodeInfo } from '../../src/core/node-info.ts';
import { unhex } from '../support/bytes.ts';
import vectors from '../vectors/nodeinfo.json' with { type: 'json' };

const ID = '00112233445566778899aabbccddeeff00112233';
const { base } = vectors.validate;

const VALID: NodeInfo = {
  protocolVersion: { p2p: 8n, block: 11n, app: 1n },
  nodeId: ID,
  listenAddr: base.listenAddr,
  network: base.network,
  version: base.version,
  channels: Array.from(unhex(base.channels)),
  moniker: base.moniker,
  other: { txIndex: base.txIndex, rpcAddress: base.rpcAddress },
  capabilities: [],
};

const EMPTY: NodeInfo = {
  protocolVersion: { p2p: 0n, block: 0n, app: 0n },
  nodeId: '',
  listenAddr: '',
  network: '',
  version: '',
  channels: [],
  moniker: '',
  other: { txIndex: '', rpcAddress: '' },
  capabilities: [],
};

type Patch = (typeof vectors.validate.rows)[number]['patch'];

function patched(patch: Patch): NodeInfo {
  if (patch.all === 'zero') return EMPTY;
  return {
    ...VALID,
    listenAddr: patch.listenAddr ?? VALID.listenAddr,
    version: patch.version ?? VALID.version,
    channels: patch.channels === undefined ? VALID.channels : Array.from(unhex(patch.channels)),
    moniker: patch.moniker ?? VALID.moniker,
    other: {
      txIndex: patch.txIndex ?? VALID.other.txIndex,
      rpcAddress: patch.rpcAddress ?? VALID.other.rpcAddress,
    },
  };
}

/** The fault of a vector row, which names the member it changes. */
function expectedFault(patch: Patch): string {
  if (patch.all !== undefined) return 'node-id';
  if (patch.listenAddr !== undefined) return 'listen-address';
  if (patch.version !== undefined) return 'version';
  if (patch.channels !== undefined)
    return patch.channels.length > 32 ? 'too-many-channels' : 'duplicate-channel';
  if (patch.moniker !== undefined) return 'moniker';
  return patch.txIndex === undefined ? 'rpc-address' : 'tx-index';
}

describe('validating node information', () => {
  for (const { name, patch, ok } of vectors.validate.rows) {
    it(`TR-138: ${ok ? 'passes' : 'refuses'} ${name}`, () => {
      expect(validateNodeInfo(patched(patch))).to.equal(ok ? undefined : expectedFault(patch));
    });
  }

  const listenAddresses: readonly [string, boolean][] = [
    ['tcp://0.0.0.0:26656', true],
    ['mconn://example.com:26656', true],
    ['example.com:0', true],
    ['example.com.:1', true],
    ['localhost:1', true],
    ['ab.cd:1', true],
    ['node_1.local-net:65535', true],
    ['1.2.3.4:00080', true],
    ['[2001:db8::1]:26656', true],
    ['[fe80::1%eth0]:26656', true],
    ['[1.2.3.4]:26656', true],
    ['a://1.2.3.4:5://rest', true],
    ['example.com', false],
    ['example.com:', false],
    ['example.com:+1', false],
    ['example.com:-1', false],
    ['example.com:0x10', false],
    ['example.com:1a', false],
    ['example.com:99999999999999999999', false],
    [':1', false],
    ['[]:1', false],
    ['2001:db8::1:26656', false],
    ['[2001:db8::1]', false],
    ['[2001:db8::1]26656', false],
    ['[2001:db8::1:26656', false],
    ['[example.com]:1', false],
    ['1.2.3.256:1', false],
    ['127.1:1', false],
    ['2130706433:1', false],
    ['ex ample.com:1', false],
    ['-a.com:1', false],
    ['-a.:1', false],
    ['a-.:1', false],
    ['a..com:1', false],
    ['.:1', false],
    ['bücher.example:1', false],
    ['exa\u0000mple.com:1', false],
    [`${'a'.repeat(63)}.com:1`, true],
    [`${'a'.repeat(64)}.com:1`, false],
    [`${'a.'.repeat(126)}a:1`, true],
    [`${'a.'.repeat(126)}ab:1`, false],
    ['example.com:1\n', false],
    ['://', false],
  ];
  for (const [listenAddr, ok] of listenAddresses) {
    it(`${ok ? 'passes' : 'refuses'} the listen address ${JSON.stringify(listenAddr)}, without looking it up`, () => {
      expect(validateNodeInfo({ ...VALID, listenAddr })).to.equal(ok ? undefined : 'listen-address');
    });
  }

  const texts: readonly [string, boolean][] = [
    [' a', true],
    ['a ', true],
    ['~', true],
    ['!', true],
    ['a\tb', false],
    ['a\n', false],
    ['\u007f', false],
    ['a\u0000', false],
    ['\u00e9', false],
    ['\u202ea', false],
  ];
  for (const [text, ok] of texts) {
    it(`${ok ? 'passes' : 'refuses'} ${JSON.stringify(text)} as moniker, version and RPC address`, () => {
      expect(validateNodeInfo({ ...VALID, moniker: text })).to.equal(ok ? undefined : 'moniker');
      expect(validateNodeInfo({ ...VALID, version: text })).to.equal(ok ? undefined : 'version');
      const other = { ...VALID.other, rpcAddress: text };
      expect(validateNodeInfo({ ...VALID, other })).to.equal(ok ? undefined : 'rpc-address');
    });
  }

  for (const nodeId of ['', ID.slice(1), ID.toUpperCase(), `${ID.slice(1)}@`]) {
    it(`refuses the node id ${JSON.stringify(nodeId)}`, () => {
      expect(validateNodeInfo({ ...VALID, nodeId })).to.equal('node-id');
    });
  }

  it('tries the rules in their order: mending what it names leads to the next, and at last to valid', () => {
    const bad: NodeInfo = {
      ...VALID,
      nodeId: 'x',
      listenAddr: 'x',
      version: '\t',
      channels: [...Array(17).keys(), 0],
      moniker: '',
      other: { txIndex: 'x', rpcAddress: '\t' },
    };
    const mended: readonly Partial<NodeInfo>[] = [
      { nodeId: VALID.nodeId },
      { listenAddr: VALID.listenAddr },
      { version: VALID.version },
      { channels: [1, 1] },
      { channels: [1] },
      { moniker: VALID.moniker },
      { other: { txIndex: 'on', rpcAddress: '\t' } },
      { other: VALID.other },
    ];
    let info = bad;
    const faults = [validateNodeInfo(info)];
    for (const part of mended) {
      info = { ...info, ...part };
      faults.push(validateNodeInfo(info));
    }
    expect(faults).to.deep.equal([...Object.keys(NODE_INFO_FAULTS), undefined]);
  });

  it('says nothing of network and capabilities', () => {
    expect(validateNodeInfo({ ...VALID, network: '\t', capabilities: ['\t'] })).to.equal(undefined);
  });
});

describe('the compatibility of nodes', () => {
  interface Side {
    readonly p2p?: number;
    readonly block: number;
    readonly app?: number;
    readonly network: string;
    readonly channels: string;
  }

  function nodeOf(side: Side): NodeInfo {
    return {
      ...VALID,
      protocolVersion: { p2p: BigInt(side.p2p ?? 8), block: BigInt(side.block), app: BigInt(side.app ?? 1) },
      network: side.network,
      channels: Array.from(unhex(side.channels)),
    };
  }

  /** The fault of a vector row that is not compatible, by what differs. */
  function faultOf(ours: Side, theirs: Side): string {
    if (ours.block !== theirs.block) return 'incompatible_protocol';
    return ours.network === theirs.network ? 'no_common_channel' : 'incompatible_network';
  }

  for (const row of vectors.compatible.rows) {
    it(`TR-139: ${row.ok ? 'holds' : 'fails'} for: ${row.name}`, () => {
      const ours = row.ours ?? vectors.compatible.ours;
      const fault = compatibilityFault(nodeOf(ours), nodeOf(row.theirs));
      expect(fault).to.equal(row.ok ? undefined : faultOf(ours, row.theirs));
    });
  }

  it('is tried as block version, network, channels', () => {
    const ours = nodeOf({ block: 11, network: 'a', channels: '01' });
    const theirs = nodeOf({ block: 12, network: 'b', channels: '02' });
    expect(compatibilityFault(ours, theirs)).to.equal('incompatible_protocol');
    expect(compatibilityFault(ours, { ...theirs, protocolVersion: ours.protocolVersion })).to.equal(
      'incompatible_network',
    );
  });

  it('compares versions above 2^53', () => {
    const ours = { ...VALID, protocolVersion: { p2p: 8n, block: 2n ** 53n, app: 1n } };
    const theirs = { ...VALID, protocolVersion: { p2p: 8n, block: 2n ** 53n + 1n, app: 1n } };
    expect(compatibilityFault(ours, theirs)).to.equal('incompatible_protocol');
  });
});
