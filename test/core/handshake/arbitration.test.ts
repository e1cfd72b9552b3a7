import { expect } from 'chai';
import {
  arbitrate,
  preferredDirection,
  type Arbitration,
  type Candidate,
  type Incumbent,
} from '../../../src/core/handshake/arbitration.ts';
import { settle } from '../../../src/core/handshake/settlement.ts';
import { GREATER, LESSER, seeded, simulate, type Outcome, type Schedule } from './two-nodes.ts';

const NOW = 100_000;
const context = { selfId: LESSER, now: NOW, supersedeAfterMs: 5_000 };

function incumbent(part: Partial<Incumbent>): Incumbent {
  return { direction: 'inbound', phase: 'ready', lastReceivedAt: NOW, ...part };
}

/** Seen from the node with the lesser id, so that the inbound direction is preferred. */
function candidate(direction: Candidate['direction']): Candidate {
  return { peer: GREATER, direction };
}

interface Row {
  readonly title: string;
  readonly incumbent?: Partial<Incumbent>;
  readonly candidate: Candidate;
  readonly supersedeAfterMs?: number;
  readonly result: Arbitration;
}

const duplicate: Arbitration = { outcome: 'reject', rule: 3, code: 'duplicate' };

const rows: readonly Row[] = [
  {
    title: 'admits a candidate that meets nobody',
    candidate: candidate('inbound'),
    result: { outcome: 'admit', rule: 0 },
  },
  {
    title: 'rejects a connection to ourselves, whatever else is open (rule 1)',
    incumbent: { phase: 'closing' },
    candidate: { peer: LESSER, direction: 'outbound' },
    result: { outcome: 'reject', rule: 1, code: 'self' },
  },
  {
    title: 'RT-129: waits up to 250 ms for a closing incumbent (rule 2)',
    incumbent: { phase: 'closing' },
    candidate: candidate('inbound'),
    result: { outcome: 'wait-for-incumbent', rule: 2, waitMs: 250 },
  },
  {
    title: 'RT-122: rejects a second inbound connection 1 s after the ready incumbent was heard (rule 3)',
    incumbent: { lastReceivedAt: NOW - 1_000 },
    candidate: candidate('inbound'),
    result: duplicate,
  },
  {
    title: 'rejects a candidate of the other direction just the same (rule 3)',
    incumbent: { direction: 'outbound', lastReceivedAt: NOW - 4_999 },
    candidate: candidate('inbound'),
    result: duplicate,
  },
  {
    title: 'RT-123: supersedes a ready incumbent that was silent for 6 s (rule 3)',
    incumbent: { lastReceivedAt: NOW - 6_000 },
    candidate: candidate('inbound'),
    result: { outcome: 'supersede', rule: 3 },
  },
  {
    title: 'supersedes after exactly the configured silence (rule 3)',
    incumbent: { lastReceivedAt: NOW - 5_000 },
    candidate: candidate('outbound'),
    result: { outcome: 'supersede', rule: 3 },
  },
  {
    title: 'never supersedes when that is switched off (rule 3)',
    incumbent: { lastReceivedAt: 0 },
    supersedeAfterMs: Infinity,
    candidate: candidate('inbound'),
    result: duplicate,
  },
  {
    title: 'probes a silent incumbent first where the transport has a ping (rule 3)',
    incumbent: { lastReceivedAt: NOW - 6_000, probe: 'possible' },
    candidate: candidate('inbound'),
    result: { outcome: 'probe-incumbent', rule: 3, waitMs: 1_000 },
  },
  {
    title: 'supersedes an incumbent that did not answer its probe (rule 3)',
    incumbent: { lastReceivedAt: NOW - 7_000, probe: 'unanswered' },
    candidate: candidate('inbound'),
    result: { outcome: 'supersede', rule: 3 },
  },
  {
    title: 'keeps an incumbent that answered its probe (rule 3)',
    incumbent: { lastReceivedAt: NOW, probe: 'unanswered' },
    candidate: candidate('inbound'),
    result: duplicate,
  },
  {
    title: 'lets the newer of two pending inbound connections win (rule 4)',
    incumbent: { phase: 'pending' },
    candidate: candidate('inbound'),
    result: { outcome: 'replace', rule: 4 },
  },
  {
    title: 'lets the newer of two outbound connections win over a held one (rule 4)',
    incumbent: { direction: 'outbound', phase: 'held' },
    candidate: candidate('outbound'),
    result: { outcome: 'replace', rule: 4 },
  },
  {
    title: 'RT-124: lets the connection dialled by the greater id go ahead (rule 5)',
    incumbent: { direction: 'outbound', phase: 'pending' },
    candidate: candidate('inbound'),
    result: { outcome: 'hold-incumbent', rule: 5 },
  },
  {
    title: 'RT-124: holds the connection dialled by the lesser id (rule 5)',
    incumbent: { direction: 'inbound', phase: 'pending' },
    candidate: candidate('outbound'),
    result: { outcome: 'hold', rule: 5 },
  },
];

describe('arbitrate', () => {
  for (const row of rows) {
    it(row.title, () => {
      const result = arbitrate(row.incumbent && incumbent(row.incumbent), row.candidate, {
        ...context,
        supersedeAfterMs: row.supersedeAfterMs ?? context.supersedeAfterMs,
      });
      expect(result).to.deep.equal(row.result);
    });
  }

  it('prefers the same connection at both ends', () => {
    expect(preferredDirection(LESSER, GREATER)).to.equal('inbound');
    expect(preferredDirection(GREATER, LESSER)).to.equal('outbound');
  });
});

describe('settle', () => {
  const held = incumbent({ direction: 'outbound', phase: 'held' });
  const pending = incumbent({ direction: 'inbound', phase: 'pending' });
  const ready = incumbent({});
  const silent = incumbent({ lastReceivedAt: 0, probe: 'possible' });
  const closing = incumbent({ phase: 'closing' });
  const nothing = { probe: [], supersede: [], replace: [], hold: [] };

  it('admits a candidate without incumbents and rejects ourselves', () => {
    expect(settle([], candidate('inbound'), context)).to.deep.equal({ ...nothing, candidate: 'admit' });
    expect(settle([], { peer: LESSER, direction: 'inbound' }, context)).to.include({
      candidate: 'reject',
      code: 'self',
    });
  });

  it('rejects at once when one incumbent stays, and touches no other', () => {
    const settlement = settle([closing, pending, ready], candidate('inbound'), context);
    expect(settlement).to.deep.equal({ ...nothing, candidate: 'reject', code: 'duplicate' });
  });

  it('waits for a closing incumbent before anything else is done', () => {
    const settlement = settle([pending, closing, silent], candidate('inbound'), context);
    expect(settlement).to.deep.equal({ ...nothing, candidate: 'wait-for-incumbent', waitMs: 250 });
  });

  it('names the incumbents to probe', () => {
    const settlement = settle([pending, silent], candidate('inbound'), context);
    expect(settlement).to.deep.equal({
      ...nothing,
      candidate: 'probe-incumbent',
      waitMs: 1_000,
      probe: [silent],
    });
  });

  it('replaces an older winner and leaves its loser held', () => {
    const settlement = settle([held, pending], candidate('inbound'), context);
    expect(settlement).to.deep.equal({ ...nothing, candidate: 'admit', replace: [pending], hold: [held] });
  });

  it('replaces an older loser and holds the newer one', () => {
    const settlement = settle([held, pending], candidate('outbound'), context);
    expect(settlement).to.deep.equal({ ...nothing, candidate: 'hold', replace: [held] });
  });

  it('RT-123: supersedes a dead incumbent without a ping', () => {
    const dead = incumbent({ lastReceivedAt: NOW - 6_000 });
    expect(settle([dead], candidate('inbound'), context)).to.deep.equal({
      ...nothing,
      candidate: 'admit',
      supersede: [dead],
    });
  });
});

const SEEDS = 25_000;

/** Latencies as real networks have them: equal, random, one slow direction, mostly quick with rare delays. */
function randomSchedule(seed: number): Schedule {
  const random = seeded(seed);
  const upTo = (limit: number) => Math.floor(random() * (limit + 1));
  const spread = [0, 5, 200, 1_000][upTo(3)]!;
  const equal = 1 + upTo(100);
  const kind = upTo(3);
  const latency = () => {
    if (kind === 0) return equal;
    if (kind === 1) return upTo(200);
    if (kind === 2) return random() < 0.5 ? upTo(5) : 150 + upTo(50);
    return random() < 0.9 ? upTo(10) : upTo(800);
  };
  return {
    dialsAt: [
      [upTo(spread), 3_000 + upTo(spread)],
      [upTo(spread), 3_000 + upTo(spread)],
    ],
    latency,
    judging: random() < 0.5 ? () => 0 : () => upTo(100),
    countsUnjudged: random() < 0.5,
    ...(random() < 0.5 ? { aId: GREATER, bId: LESSER } : {}),
  };
}

describe('two nodes that dial each other', () => {
  it('RT-124: keep the connection dialled by the greater id when they dial in the same instant', () => {
    for (const [aId, bId, dialler] of [
      [LESSER, GREATER, 1],
      [GREATER, LESSER, 0],
    ] as const) {
      const outcome = simulate({ dialsAt: [[0], [0]], latency: () => 50, judging: () => 0, aId, bId });
      expect(outcome.dialledBy).to.have.length(2);
      const [link] = outcome.ready[0];
      expect(outcome.dialledBy[link!]).to.equal(dialler);
      expect(outcome).to.deep.include({ ready: [[link], [link]], ups: [1, 1], downs: [0, 0], stuck: 0 });
    }
  });

  it(`RT-125: share exactly one connection and never lose it, over ${SEEDS} schedules`, () => {
    let simultaneous = 0;
    for (let seed = 0; seed < SEEDS; seed++) {
      const outcome = simulate(randomSchedule(seed));
      if (outcome.dialledBy.length > 1) simultaneous++;
      const isCalm =
        outcome.ups[0] === 1 && outcome.ups[1] === 1 && outcome.downs[0] === 0 && outcome.downs[1] === 0;
      expect(
        isShared(outcome) && isCalm && outcome.stuck === 0,
        `seed ${seed}: ${JSON.stringify(outcome)}`,
      ).to.equal(true);
    }
    expect(simultaneous).to.be.greaterThan(SEEDS / 3);
  });

  it('share exactly one connection in the end when dials are given up and repeated', () => {
    for (let seed = 0; seed < SEEDS / 5; seed++) {
      const random = seeded(seed + 1_000_000);
      let left = 3;
      const [[a], [b]] = randomSchedule(seed).dialsAt as [[number], [number]];
      const outcome = simulate({
        ...randomSchedule(seed),
        dialsAt: [
          [a, 4_000, 12_000],
          [b, 8_000, 16_000],
        ],
        givesUp: () => left-- > 0 && random() < 0.5,
      });
      expect(isShared(outcome) && outcome.stuck === 0, `seed ${seed}: ${JSON.stringify(outcome)}`).to.equal(
        true,
      );
    }
  });

  it('RT-126: never disagree, and use the other connection, when one link is cut', () => {
    let fellBack = 0;
    for (let seed = 0; seed < SEEDS / 5; seed++) {
      const random = seeded(seed + 2_000_000);
      const cut = { link: random() < 0.5 ? 0 : 1, at: Math.floor(random() * 1_000) };
      const outcome = simulate({ ...randomSchedule(seed), cut });
      const avoidsCut = !outcome.wasCut || outcome.ready[0][0] !== cut.link;
      if (outcome.wasCut && outcome.dialledBy.length === 2 && outcome.ups[0] === 1) fellBack++;
      expect(
        isShared(outcome) && avoidsCut && outcome.stuck === 0,
        `seed ${seed}: ${JSON.stringify({ cut, outcome })}`,
      ).to.equal(true);
    }
    expect(fellBack).to.be.greaterThan(100);
  });
});

function isShared({ ready: [atA, atB] }: Outcome): boolean {
  return atA.length === 1 && atB.length === 1 && atA[0] === atB[0];
}
