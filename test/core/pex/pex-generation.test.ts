import { expect } from 'chai';
import { pexDialect, type PexDialect, type PexPeerTraits } from '../../../src/core/pex/pex-generation.ts';

interface Row {
  readonly title: string;
  readonly peer: PexPeerTraits;
  readonly perPeerMinMs?: number;
  readonly dialect: PexDialect;
}

const comet: PexPeerTraits = {
  channels: [0x40, 0x20, 0x21, 0x22, 0x23, 0x30, 0x38, 0x60, 0x61, 0x00],
  capabilities: [],
};
const v35: PexPeerTraits = { ...comet, channels: [...comet.channels, 0x62, 0x63] };
const peerchart: PexPeerTraits = { channels: [0x00], capabilities: ['peerchart/1'] };

const rows: readonly Row[] = [
  {
    title: 'PX-052: speaks v2 to peerchart, known addresses or not',
    peer: peerchart,
    dialect: { generation: 2, spacingMs: 10_000 },
  },
  { title: 'speaks v2 to Tendermint v0.35', peer: v35, dialect: { generation: 2, spacingMs: 10_000 } },
  {
    title: 'knows Tendermint v0.35 by its light-block channel alone',
    peer: { channels: [0x62], capabilities: [] },
    dialect: { generation: 2, spacingMs: 10_000 },
  },
  {
    title: 'knows Tendermint v0.35 by its params channel alone',
    peer: { channels: [0x63], capabilities: [] },
    dialect: { generation: 2, spacingMs: 10_000 },
  },
  {
    title: 'speaks v1 to Tendermint v0.34 and CometBFT, at three times the spacing they demand',
    peer: comet,
    dialect: { generation: 1, spacingMs: 30_000 },
  },
  {
    title: 'speaks v1 to a node without channels',
    peer: { channels: [], capabilities: [] },
    dialect: { generation: 1, spacingMs: 30_000 },
  },
  {
    title: 'never asks peerchart more often than every 3 s, whatever is configured',
    peer: peerchart,
    perPeerMinMs: 1,
    dialect: { generation: 2, spacingMs: 3_000 },
  },
  {
    title: 'never asks Tendermint v0.35 more often than every 600 ms',
    peer: v35,
    perPeerMinMs: 1,
    dialect: { generation: 2, spacingMs: 600 },
  },
  {
    title: 'keeps a longer spacing that is configured',
    peer: comet,
    perPeerMinMs: 45_000,
    dialect: { generation: 1, spacingMs: 45_000 },
  },
];

describe('the PEX dialect', () => {
  for (const { title, peer, perPeerMinMs, dialect } of rows) {
    it(title, () => {
      expect(pexDialect(peer, perPeerMinMs)).to.deep.equal(dialect);
    });
  }
});
