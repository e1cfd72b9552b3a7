import { expect } from 'chai';
import type { NodeId } from '../../../src/core/node-id.ts';
import { describeState } from '../../../src/core/peer/describe-state.ts';
import { construct } from '../../../src/core/peer/load.ts';
import type { PeerOptions } from '../../../src/core/peer/options.ts';
import type { AddressRecord, PeerRecord } from '../../../src/core/peer/peer-record.ts';
import { chanceOf } from './arbitraries.ts';
import { HIGHEST, LOWEST, take } from './table-builder.ts';
import { address, id, T0 } from './shorthand.ts';

function addressRecord(text: string, details: Partial<AddressRecord> = {}): AddressRecord {
  return { address: address(text), dialFailures: 0, tried: false, ...details };
}

function record(
  digit: string,
  addresses: readonly AddressRecord[] = [],
  details: Partial<PeerRecord> = {},
): PeerRecord {
  return { id: id(digit), addresses, inactive: false, ...details };
}

function load(records: readonly PeerRecord[], options: PeerOptions = {}, rng = LOWEST) {
  const input = { selfId: id('0'), options: { tieSalt: '', ...options }, stored: { records, bans: [] } };
  const loaded = construct(input, { now: T0, rng });
  if ('error' in loaded) throw new Error(loaded.error);
  return { ...loaded, described: describeState(loaded.state) };
}

describe('loading records', () => {
  it('takes over what is stored, in address order, and writes nothing', () => {
    const stored = [
      record(
        'a',
        [
          addressRecord('t:a:y', { dialFailures: 2, lastDialFailureMs: T0 - 50, source: 'configured' }),
          addressRecord('t:a:x', { lastDialSuccessMs: T0 - 99.5, firstSeenMs: T0 - 100.5, tried: true }),
        ],
        { lastConnectedMs: T0 - 7.5 },
      ),
    ];
    const { described, effects, faults } = load(stored, { minRetryMs: 100 });
    expect(effects).to.deep.equal([{ type: 'wakeDial' }]);
    expect(faults).to.deep.equal([]);
    expect(described.peers[0]).to.deep.include({
      score: -2,
      lastConnectedMs: T0 - 8,
      lastDisconnectedMs: undefined,
    });
    const [first, second] = described.peers[0]!.addresses;
    expect(first).to.deep.include({
      failures: 0,
      lastSuccessMs: T0 - 100,
      firstSeenMs: T0 - 101,
      tried: true,
    });
    expect(second).to.deep.include({ failures: 2, retryAtMs: T0 - 50 + 200, source: 'configured' });
  });

  it('draws the jitter of each address that failed, once', () => {
    const failed = { dialFailures: 1, lastDialFailureMs: T0 };
    const stored = [record('a', [addressRecord('m:a', failed), addressRecord('t:a:x')])];
    const { described } = load(stored, { minRetryMs: 100, retryJitterMs: 50 }, HIGHEST);
    expect(described.peers[0]!.addresses.map(({ retryAtMs }) => retryAtMs)).to.deep.equal([0, T0 + 149]);
  });

  it('counts a failure in the future as now, and one without an instant as long ago', () => {
    const future = { dialFailures: 1, lastDialFailureMs: T0 + 9999 };
    const stored = [
      record('a', [addressRecord('m:a', future)]),
      record('b', [addressRecord('m:b', { dialFailures: 1 })]),
    ];
    const { described } = load(stored, { minRetryMs: 100 });
    expect(described.peers.map(({ addresses }) => addresses[0]!.retryAtMs)).to.deep.equal([T0 + 100, 100]);
  });

  it('PM-268 leaves out and reports addresses that cannot be used', () => {
    const broken = { ...address('t:a:x'), hostname: 'ho st' };
    const stored = [
      record('a', [
        addressRecord('m:b'),
        { address: broken, dialFailures: 0, tried: false },
        addressRecord('m:a'),
      ]),
    ];
    const { described, faults } = load(stored);
    expect(described.peers[0]!.addresses.map((known) => known.address)).to.deep.equal([`memory:${id('a')}`]);
    expect(faults).to.deep.equal([
      { id: id('a'), fault: 'record-address' },
      { id: id('a'), fault: 'record-address' },
    ]);
  });

  it('keeps of two records of one address the one dialled later', () => {
    const twice = [
      addressRecord('t:a:x', { dialFailures: 1, lastDialFailureMs: T0 - 20 }),
      addressRecord('t:a:x', { dialFailures: 2, lastDialSuccessMs: T0 - 10 }),
      addressRecord('t:a:x', { dialFailures: 3, lastDialSuccessMs: T0 - 30 }),
      addressRecord('t:a:x', { dialFailures: 4 }),
    ];
    expect(load([record('a', twice)]).described.peers[0]!.addresses).to.have.length(1);
    expect(load([record('a', twice)]).described.peers[0]!.score).to.equal(-2);
  });

  it('PM-267 PM-269 deletes and reports records without a valid id, and deletes our own', () => {
    const ids = ['', 'foo', id('A').toUpperCase()] as NodeId[];
    const stored = [...ids.map((known) => ({ ...record('a'), id: known })), record('0'), record('b')];
    const { described, effects, faults } = load(stored);
    expect(described.peers.map((peer) => peer.id)).to.deep.equal([id('b')]);
    expect(faults).to.deep.equal(ids.map((known) => ({ id: known, fault: 'record-id' })));
    const deleted = [...ids, id('0')].map((peer) => ({ type: 'delete', peer }));
    expect(effects).to.deep.equal([...deleted, { type: 'wakeDial' }]);
  });

  it('takes the first of two records of one peer and reports the other', () => {
    const { described, effects, faults } = load([record('a', [addressRecord('m:a')]), record('a')]);
    expect(described.peers[0]!.addresses).to.have.length(1);
    expect(faults).to.deep.equal([{ id: id('a'), fault: 'record-repeated' }]);
    expect(effects).to.deep.equal([{ type: 'wakeDial' }]);
  });

  it('brings numbers outside their range into it', () => {
    const failures = [-1, 2.5, 2 ** 40, NaN].map((dialFailures, at) =>
      record(String(at + 1), [addressRecord(`m:${at + 1}`, { dialFailures })]),
    );
    const { described } = load(failures);
    const loaded = described.peers.map(({ addresses }) => addresses[0]!.failures);
    expect(loaded).to.deep.equal([0, 0, 2, 2 ** 32 - 1]);
    const scores = [99_999, -99_999, NaN, 2.5].map((mutableScore, at) =>
      record(String(at + 1), [], { mutableScore }),
    );
    const restored = load(scores, { scorePersistence: true }).described.peers.map(({ score }) => score);
    expect(restored).to.deep.equal([32766, 2, 0, -32768]);
  });

  it('counts no more failures than a record can hold', () => {
    const { state } = load([record('a', [addressRecord('m:a', { dialFailures: 2 ** 32 - 1 })])]);
    const { effects } = take(state, { type: 'dialFailed', address: address('m:a') });
    const put = effects.find((effect) => effect.type === 'put');
    expect(put?.record.addresses[0]!.dialFailures).to.equal(2 ** 32 - 1);
  });

  it('ignores stored scores unless scores are kept', () => {
    expect(load([record('a', [], { mutableScore: 5 })]).described.peers[0]!.score).to.equal(0);
  });

  it('deletes what the options of today prune', () => {
    const stored = [
      record('a', [], { lastConnectedMs: 5 }),
      record('b'),
      record('c', [], { lastConnectedMs: 4 }),
    ];
    const { described, effects } = load(stored, { maxConnected: 1, maxPeers: 1 });
    expect(described.peers.map((peer) => peer.id)).to.deep.equal([id('a')]);
    expect(effects).to.deep.equal([
      { type: 'delete', peer: id('b') },
      { type: 'delete', peer: id('c') },
      { type: 'wakeDial' },
    ]);
  });
});

describe('loading bans', () => {
  function loadBans(bans: readonly [digit: string, untilMs: number][], maxBans = 10) {
    const stored = {
      records: [record('a', [addressRecord('m:a')])],
      bans: bans.map(([digit, untilMs]) => ({ id: id(digit), untilMs, reason: 'spam' })),
    };
    const input = { selfId: id('0'), options: { tieSalt: '', maxBans }, stored };
    const loaded = construct(input, { now: T0, rng: LOWEST });
    if ('error' in loaded) throw new Error(loaded.error);
    const { effects, faults } = loaded;
    return { bans: describeState(loaded.state).bans.map((ban) => ban.id), effects, faults };
  }

  it('takes those that have not ended, oldest first', () => {
    const { bans, effects } = loadBans([
      ['c', T0 + 2],
      ['a', T0 + 1],
      ['b', T0],
    ]);
    expect(bans).to.deep.equal([id('a'), id('c')]);
    expect(effects).to.deep.equal([{ type: 'deleteBan', peer: id('b') }, { type: 'wakeDial' }]);
  });

  it('leaves out the oldest beyond the limit, our own, invalid and repeated ones', () => {
    const { bans, effects, faults } = loadBans(
      [
        ['0', T0 + 9],
        ['x', T0 + 8],
        ['b', T0 + 1],
        ['c', T0 + 2],
        ['c', T0 + 3],
        ['d', T0 + 4],
      ],
      5,
    );
    expect(bans).to.deep.equal([id('c'), id('d')]);
    expect(faults.map((fault) => fault.id)).to.deep.equal([id('x'), id('0')]);
    expect(effects).to.deep.equal([
      { type: 'deleteBan', peer: id('b') },
      { type: 'deleteBan', peer: id('x') },
      { type: 'deleteBan', peer: id('0') },
      { type: 'wakeDial' },
    ]);
  });
});

describe('constructing', () => {
  it('reports why the store failed', () => {
    const cause = new Error('disk');
    const input = { selfId: id('0'), options: {}, stored: { error: cause } };
    expect(construct(input, { now: T0, rng: LOWEST })).to.deep.equal({ error: 'StoreError', cause });
  });

  it('draws a tie salt of 128 bits when none is given', () => {
    const saltOf = (seed: number): string => {
      const input = { selfId: id('0'), options: {}, stored: { records: [], bans: [] } };
      const constructed = construct(input, { now: T0, rng: chanceOf(seed) });
      return 'error' in constructed ? '' : constructed.state.settings.tieSalt;
    };
    expect(saltOf(1)).to.match(/^[0-9a-f]{32}$/);
    expect(saltOf(2)).to.not.equal(saltOf(1));
    expect(saltOf(1)).to.equal(saltOf(1));
  });

  it('begins at a whole millisecond, not before 0', () => {
    const startOf = (now: number): number => {
      const input = { selfId: id('0'), options: {}, stored: { records: [], bans: [] } };
      const constructed = construct(input, { now, rng: LOWEST });
      return 'error' in constructed ? NaN : constructed.state.nowMs;
    };
    expect(startOf(12.9)).to.equal(12);
    expect(startOf(-5)).to.equal(0);
  });
});
