import { expect } from 'chai';
import type { NodeAddress } from '../../../src/core/node-address.ts';
import { describeState } from '../../../src/core/peer/describe-state.ts';
import type { Ranking } from '../../../src/core/peer/ranking.ts';
import { DEFAULT_RANKING } from '../../../src/core/peer/ranking.ts';
import * as queries from '../../../src/core/peer/queries.ts';
import { stateViolations } from '../../../src/core/peer/invariants.ts';
import { address, digitOf, id, T0 } from './shorthand.ts';
import { after, newTable, take } from './table-builder.ts';

describe('values that go in and come out', () => {
  it('PM-272 are not shared: changing an address given or received changes nothing', () => {
    const given = { ...address('t:a:h:1') };
    const { state, effects } = take(newTable(), { type: 'add', address: given });
    given.hostname = 'other';
    const put = effects.find((effect) => effect.type === 'put')!;
    const received: NodeAddress[] = [put.record.addresses[0]!.address, queries.addresses(state, id('a'))[0]!];
    for (const known of received) {
      expect(() => Object.assign(known, { hostname: 'evil' })).to.throw(TypeError);
    }
    Object.assign(put.record.addresses[0]!, { dialFailures: 99 });
    expect(queries.score(state, id('a'))?.score).to.equal(0);
    expect(queries.addresses(state, id('a'))[0]!.hostname).to.equal('h');
  });

  it('PM-272 copy the channels of a peer', () => {
    const channels = [1];
    const { state, effects } = take(after(newTable(), { type: 'accepted', peer: id('a') }), {
      type: 'ready',
      peer: id('a'),
      channels,
    });
    channels.push(2);
    expect(queries.readyPeers(state)).to.deep.equal([{ peer: id('a'), direction: 'inbound', channels: [1] }]);
    const update = effects.find((effect) => effect.type === 'update')!;
    expect(() => (update.channels as number[]).push(3)).to.throw(TypeError);
  });

  it('PM-259 are the same state when nothing changed', () => {
    const state = after(newTable(), { type: 'accepted', peer: id('a') });
    expect(take(state, { type: 'accepted', peer: id('a') }).state).to.equal(state);
    expect(take(state, { type: 'evictNext' }).state).to.equal(state);
    expect(take(state, { type: 'evictNext' }, T0 + 1).state.orders).to.equal(state.orders);
  });

  it('take an address in any case', () => {
    const state = after(newTable(), { type: 'add', address: address('t:a:h') }, { type: 'dialNext' });
    const loud = { ...address('t:a:h'), protocol: 'TCP', hostname: 'H' };
    expect(take(state, { type: 'dialed', address: loud }).result.outcome).to.equal('connected');
    expect(take(state, { type: 'dialFailed', address: loud }).result.outcome).to.equal('recorded');
  });

  it('take an instant that is no number as the latest seen, and a fraction as the millisecond begun', () => {
    const state = take(newTable(), { type: 'dialNext' }, T0 + 5.9).state;
    expect(state.nowMs).to.equal(T0 + 5);
    expect(take(state, { type: 'dialNext' }, NaN).state.nowMs).to.equal(T0 + 5);
    expect(take(state, { type: 'dialNext' }, T0).state.nowMs).to.equal(T0 + 5);
  });
});

describe('what the state can be asked', () => {
  const busy = after(
    newTable({ maxConnected: 8, persistentPeers: [id('e')] }),
    { type: 'add', address: address('m:a') },
    { type: 'dialNext' },
    { type: 'dialed', address: address('m:a') },
    { type: 'ready', peer: id('a'), channels: [7] },
    { type: 'accepted', peer: id('b') },
    { type: 'accepted', peer: id('c') },
    { type: 'errored', peer: id('c'), cause: 'broken' },
    { type: 'evictNext' },
    { type: 'accepted', peer: id('d') },
    { type: 'errored', peer: id('d'), cause: 'broken' },
    { type: 'add', address: address('m:e') },
    { type: 'dialNext' },
    { type: 'add', address: address('m:f') },
    { type: 'inactivate', peer: id('f') },
    { type: 'ban', peer: id('1'), untilMs: T0 + 9, reason: 'spam' },
  );

  it('who is connected, how and in which phase', () => {
    const described = queries
      .connectedPeers(busy)
      .map(({ peer, direction, phase, score, persistent, sinceMs }) => {
        expect(sinceMs).to.equal(T0);
        return [digitOf(peer), direction, phase, score, persistent];
      });
    expect(described).to.deep.equal([
      ['a', 'outbound', 'ready', 0, false],
      ['b', 'inbound', 'connected', 0, false],
      ['c', 'inbound', 'evicting', -1, false],
      ['d', 'inbound', 'evict', -1, false],
    ]);
    expect(queries.connection(busy, id('b'))?.phase).to.equal('connected');
    expect(queries.connection(busy, id('f'))).to.equal(undefined);
    expect(queries.connection(busy, id('9'))).to.equal(undefined);
  });

  it('E9 who is up, for a new subscriber', () => {
    expect(queries.readyPeers(busy)).to.deep.equal([{ peer: id('a'), direction: 'outbound', channels: [7] }]);
  });

  it('how many there are of each', () => {
    expect(queries.tableSizes(busy)).to.deep.equal({
      peers: 6,
      addresses: 3,
      inactive: 1,
      banned: 1,
      connected: 4,
      inbound: 3,
      outbound: 1,
      ready: 1,
      dialing: 1,
      staying: 2,
      occupied: 5,
      leaving: 2,
    });
  });

  it('who is dialled, persistent, known or banned', () => {
    expect(queries.dialingPeers(busy)).to.deep.equal([id('e')]);
    expect([queries.isPersistent(busy, id('e')), queries.isPersistent(busy, id('a'))]).to.deep.equal([
      true,
      false,
    ]);
    expect([queries.isKnown(busy, id('f')), queries.isKnown(busy, id('1'))]).to.deep.equal([true, false]);
    const ban = { id: id('1'), untilMs: T0 + 9, reason: 'spam' };
    expect(queries.banOf(busy, id('1'), T0 + 8)).to.deep.equal(ban);
    expect(queries.banOf(busy, id('1'), T0 + 9)).to.equal(undefined);
    expect(queries.banOf(busy, id('a'), T0)).to.equal(undefined);
    expect(queries.bans(busy)).to.deep.equal([ban]);
  });

  it('the score of nobody', () => {
    expect(queries.score(busy, id('9'))).to.equal(undefined);
    expect(queries.lastDialed(busy, id('9'))).to.deep.equal({ atMs: undefined, succeeded: false });
  });

  it('the next instant, not one that has passed', () => {
    const cooling = after(
      newTable({ minRetryMs: 100 }),
      { type: 'add', address: address('m:a') },
      { type: 'dialFailed', address: address('m:a') },
    );
    expect(queries.nextDialAt(cooling, T0)).to.equal(T0 + 100);
    expect(queries.nextDialAt(cooling, T0 - 5000)).to.equal(T0 + 100);
    expect(queries.nextDialAt(cooling, T0 + 100)).to.equal(undefined);
  });

  it('the next instant, at once when something that happens by itself is overdue', () => {
    expect(queries.nextDialAt(busy, T0)).to.equal(T0 + 9);
    expect(queries.nextDialAt(busy, T0 + 50)).to.equal(T0 + 51);
  });

  it('everything at once, as plain data', () => {
    const described = describeState(busy);
    expect(JSON.parse(JSON.stringify(described.connected))).to.deep.equal({
      [id('a')]: 'outbound',
      [id('b')]: 'inbound',
      [id('c')]: 'inbound',
      [id('d')]: 'inbound',
    });
    expect(described).to.deep.include({ evict: [id('d')], evicting: [id('c')], dialing: [id('e')] });
  });
});

describe('a ranking of one’s own', () => {
  /** Ranks by node id alone, the other way round, and never upgrades. */
  const reversed: Ranking = {
    ...DEFAULT_RANKING,
    score: ({ mutable }) => mutable * 1.5,
    compareRank: (a, b) => (a.id < b.id ? 1 : a.id > b.id ? -1 : 0),
    upgradeCandidate: () => undefined,
    comparePrune: (a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0),
    prunesNewcomer: () => false,
  };

  it('decides scores, order, upgrades and pruning', () => {
    const options = { ranking: reversed, maxConnected: 1, maxConnectedUpgrade: 1, maxPeers: 2 };
    const state = after(
      newTable(options),
      { type: 'add', address: address('m:a') },
      { type: 'add', address: address('m:b') },
      { type: 'processPeerEvent', peer: id('b'), status: 'good', weight: 3 },
      { type: 'add', address: address('m:c') },
    );
    expect(queries.peers(state).map(digitOf)).to.deep.equal(['c', 'b']);
    expect(queries.score(state, id('b'))?.score).to.equal(4);
    const full = after(state, { type: 'accepted', peer: id('c') });
    expect(take(full, { type: 'dialNext' }).result.why.rule).to.equal('no-upgrade-victim');
    expect(stateViolations(full)).to.deep.equal([]);
  });

  it('may look past the lowest peer for one that gives way, over both directions', () => {
    const seen: string[] = [];
    const picky: Ranking = {
      ...DEFAULT_RANKING,
      upgradeCandidate: (_, lowestFirst) => {
        for (const peer of lowestFirst) seen.push(digitOf(peer.id));
        return undefined;
      },
    };
    const options = { ranking: picky, maxConnected: 4, maxConnectedUpgrade: 1 };
    const full = after(
      newTable({
        ...options,
        peerScores: [
          [id('a'), 2],
          [id('c'), 1],
        ],
      }),
      { type: 'add', address: address('m:a') },
      { type: 'dialNext' },
      { type: 'dialed', address: address('m:a') },
      { type: 'add', address: address('m:b') },
      { type: 'dialNext' },
      { type: 'dialed', address: address('m:b') },
      { type: 'accepted', peer: id('c') },
      { type: 'accepted', peer: id('d') },
    );
    seen.length = 0;
    expect(take(full, { type: 'accepted', peer: id('e') }).result.outcome).to.equal('refused');
    expect(seen).to.deep.equal(['d', 'b', 'c', 'a']);
  });

  it('gets its scores brought into range', () => {
    const wild = (score: number): number | undefined => {
      const state = after(newTable({ ranking: { ...DEFAULT_RANKING, score: () => score } }), {
        type: 'add',
        address: address('m:a'),
      });
      return queries.score(state, id('a'))?.score;
    };
    expect([1e9, -1e9, NaN, 2.7].map(wild)).to.deep.equal([32767, -32768, -32768, 2]);
  });
});

describe('a table above its limit', () => {
  it('is brought back by the evictor, the lowest ranked first', () => {
    const options = {
      peerScores: [
        [id('a'), 2],
        [id('b'), 1],
      ] as const,
    };
    const three = after(
      newTable(options),
      { type: 'accepted', peer: id('a') },
      { type: 'accepted', peer: id('b') },
      { type: 'accepted', peer: id('c') },
    );
    const above = { ...three, settings: { ...three.settings, maxConnected: 1 } };
    const first = take(above, { type: 'evictNext' });
    expect(first.result).to.deep.include({ outcome: 'evict', peer: id('c') });
    expect(first.result.why).to.deep.include({ rule: 'over-capacity', inputs: { surplus: 2 } });
    const second = take(first.state, { type: 'evictNext' });
    expect(second.result).to.deep.include({ outcome: 'evict', peer: id('b') });
    expect(take(second.state, { type: 'evictNext' }).result.outcome).to.equal('none');
  });
});
