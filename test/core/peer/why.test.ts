import { expect } from 'chai';
import fc from 'fast-check';
import { WHYS, type Why } from '../../../src/core/codes.ts';
import { step } from '../../../src/core/peer/peer-core.ts';
import { because, explain, type ScoreBreakdown, type Standing } from '../../../src/core/peer/why.ts';
import { aimed, anyOptions, chanceOf, EVENT_TYPES, ticksOf } from './arbitraries.ts';
import { id, T0 } from './shorthand.ts';
import { after, newTable, take } from './table-builder.ts';
import { address } from './shorthand.ts';

const EARNED: ScoreBreakdown = {
  score: 0,
  rule: 'earned',
  fixed: 0,
  persistent: false,
  mutable: 0,
  failures: 0,
};
const A: Standing = { peer: id('a'), score: EARNED };
const B: Standing = {
  peer: id('b'),
  score: { ...EARNED, score: 32767, rule: 'persistent', persistent: true },
};

describe('explaining a decision', () => {
  it('says in one line who was evicted for whom', () => {
    expect(explain(because('upgraded', A, B))).to.equal('evicted aaaa… (score 0) for bbbb… (persistent)');
  });

  it('fills in the facts', () => {
    const why = because('store-full', A, undefined, { peers: 4, maxPeers: 4 });
    expect(explain(why)).to.equal(
      'did not add aaaa… (score 0): 4 of 4 peers are known, and none ranks lower',
    );
  });

  it('says something also when nobody is known', () => {
    expect(explain(because('no-upgrade-victim', A))).to.equal(
      'the table is full and nobody gives way to aaaa… (score 0); nobody came closest',
    );
    expect(explain(because('ban-lifted'))).to.equal('lifted the ban of the peer');
    expect(explain(because('banned'))).to.equal('the peer is banned until ?: ?');
  });

  it('has a line for every rule', () => {
    const lines = (Object.keys(WHYS) as Why[]).map((rule) => explain(because(rule, A, B)));
    expect(lines.every((line) => /^\S.*\S$/.test(line))).to.equal(true);
  });

  it('finds every fact it names, in whatever happens', () => {
    const ticks = fc.array(ticksOf(EVENT_TYPES), { minLength: 1, maxLength: 200, size: 'max' });
    fc.assert(
      fc.property(anyOptions, ticks, fc.nat(), (options, chosen, seed) => {
        let state = newTable(options);
        let nowMs = T0;
        const rng = chanceOf(seed);
        for (const tick of chosen) {
          nowMs += tick.waitMs;
          const taken = step(state, aimed(state, tick, nowMs), { now: nowMs, rng });
          state = taken.state;
          expect(explain(taken.result.why)).to.not.include('?');
        }
      }),
      { numRuns: 100 },
    );
  }).timeout(60_000);
});

describe('the why of a decision', () => {
  it('of an upgrade names both peers with how their scores come about', () => {
    const options = { maxConnected: 1, maxConnectedUpgrade: 1, persistentPeers: [id('b')] };
    const full = after(
      newTable(options),
      { type: 'accepted', peer: id('a') },
      { type: 'processPeerEvent', peer: id('a'), status: 'good', weight: 3 },
      { type: 'add', address: address('m:b') },
    );
    const { state, result } = take(full, { type: 'dialNext' });
    const standingA = { peer: id('a'), score: { ...EARNED, score: 3, mutable: 3 } };
    expect(result.why).to.deep.equal({ rule: 'upgrade', subject: B, other: standingA });
    const connected = take(state, { type: 'dialed', address: address('m:b') });
    expect(connected.result.why).to.deep.equal({
      rule: 'upgrade',
      subject: B,
      other: standingA,
      inputs: { staying: 1, connected: 2 },
    });
    const evicted = take(connected.state, { type: 'evictNext' });
    expect(evicted.result).to.deep.equal({
      outcome: 'evict',
      peer: id('a'),
      why: { rule: 'upgraded', subject: standingA, other: B },
    });
  });

  it('of nobody to dial says who came closest, and when to look again', () => {
    const options = { maxConnected: 1, maxConnectedUpgrade: 1, minRetryMs: 100 };
    const full = after(
      newTable(options),
      { type: 'accepted', peer: id('a') },
      { type: 'add', address: address('m:b') },
      { type: 'add', address: address('m:c') },
      { type: 'dialFailed', address: address('m:c') },
    );
    expect(take(full, { type: 'dialNext' }).result).to.deep.equal({
      outcome: 'none',
      nextDialAtMs: T0 + 100,
      why: {
        rule: 'no-upgrade-victim',
        subject: { peer: id('b'), score: EARNED },
        other: A,
        inputs: { staying: 1, pending: 0, occupied: 1, nextDialAtMs: T0 + 100 },
      },
    });
  });

  it('of a report says what it did to the score', () => {
    const known = after(newTable(), { type: 'add', address: address('m:a') });
    const report = { type: 'processPeerEvent', peer: id('a'), status: 'bad', weight: 2 } as const;
    expect(take(known, report).result).to.deep.equal({
      outcome: 'scored',
      before: 0,
      after: { ...EARNED, score: -2, mutable: -2 },
      why: { rule: 'bad-behaviour', subject: A, inputs: { points: -2 } },
    });
  });

  it('of an error carries its cause to the eviction', () => {
    const gone = after(
      newTable(),
      { type: 'accepted', peer: id('a') },
      { type: 'errored', peer: id('a'), cause: 'slow' },
    );
    const { result } = take(gone, { type: 'evictNext' });
    expect(result.why).to.deep.equal({ rule: 'errored', subject: A, inputs: { cause: 'slow' } });
    expect(explain(result.why)).to.equal('evicted aaaa… (score 0) after an error: slow');
  });
});
