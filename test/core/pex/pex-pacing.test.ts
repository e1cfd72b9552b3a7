import { expect } from 'chai';
import { parseNodeId, type NodeId } from '../../../src/core/node-id.ts';
import { PexPacing, type PexSituation } from '../../../src/core/pex/pex-pacing.ts';

const SPACING_MS = 10_000;

/** A settled router: nothing to learn, nobody missing. */
const settled: PexSituation = { known: 100, capacity: 1_000, connected: 5, wanted: 5 };
const lonely: PexSituation = { ...settled, connected: 1 };
const empty: PexSituation = { ...settled, known: 0, connected: 1 };
const full: PexSituation = { ...settled, known: 950 };

function peer(n: number): NodeId {
  return parseNodeId(n.toString(16).padStart(40, '0'));
}

interface Ask {
  readonly at: number;
  readonly peer: NodeId;
}

/** Drives pacing through virtual time as its owner would, with one answer a given time after each request. */
class Driver {
  readonly asks: Ask[] = [];
  readonly silent: Ask[] = [];
  now = 0;
  readonly pacing: PexPacing;
  readonly #answerAfterMs: (id: NodeId) => number;
  readonly #added: number;
  #answers: Ask[] = [];

  constructor(situation: PexSituation, answerAfterMs: (id: NodeId) => number = () => 100, added = 0) {
    this.pacing = new PexPacing(situation);
    this.#answerAfterMs = answerAfterMs;
    this.#added = added;
  }

  up(...peers: readonly number[]): this {
    for (const n of peers) this.pacing.up(peer(n), SPACING_MS, this.now);
    return this;
  }

  until(end: number): this {
    for (;;) {
      const answerAt = this.#answers[0]?.at ?? Infinity;
      const next = Math.min(answerAt, this.pacing.nextAt() ?? Infinity);
      if (next > end) break;
      this.now = Math.max(this.now, next);
      if (answerAt === next) this.#answer();
      else this.#step();
    }
    this.now = end;
    return this;
  }

  #answer(): void {
    const answer = this.#answers.shift()!;
    this.pacing.answered(answer.peer, this.now);
    this.pacing.learned(this.#added, this.now);
  }

  #step(): void {
    const { ask, silent } = this.pacing.step(this.now);
    for (const id of silent) this.silent.push({ at: this.now, peer: id });
    if (ask === undefined) return;
    this.asks.push({ at: this.now, peer: ask });
    this.#answers.push({ at: this.now + this.#answerAfterMs(ask), peer: ask });
    this.#answers.sort((a, b) => a.at - b.at);
  }
}

const never = () => Infinity;

describe('PEX pacing', () => {
  it('PX-015: has no timer without a peer, and a peer coming up arms it', () => {
    const { pacing } = new Driver(empty);
    expect(pacing.nextAt()).to.equal(undefined);
    pacing.up(peer(1), SPACING_MS, 500);
    expect(pacing.nextAt()).to.equal(1_500);
    pacing.down(peer(1), 600);
    expect(pacing.nextAt()).to.equal(undefined);
  });

  it('PX-015: waits for nothing but an answer while its only peer is asked', () => {
    const driver = new Driver(empty, never).up(1).until(1_000);
    expect(driver.asks).to.deep.equal([{ at: 1_000, peer: peer(1) }]);
    expect(driver.pacing.nextAt()).to.equal(11_000);
  });

  interface IntervalRow {
    readonly title: string;
    readonly situation: PexSituation;
    readonly firstAt: number;
  }
  const intervals: readonly IntervalRow[] = [
    { title: 'an empty store asks after 1 s', situation: empty, firstAt: 1_000 },
    { title: 'a router that lacks peers asks after 5 s', situation: lonely, firstAt: 5_000 },
    { title: 'a settled one follows the formula, clamped', situation: settled, firstAt: 600_000 },
    {
      title: 'a settled one with few addresses follows the formula',
      situation: { ...settled, known: 9 },
      firstAt: 101_000,
    },
    { title: 'PX-014: a store 95 % full asks after the maximum', situation: full, firstAt: 600_000 },
    {
      title: 'PX-014: a small store counts as full at 95 %',
      situation: { ...settled, known: 19, capacity: 20 },
      firstAt: 600_000,
    },
    { title: 'urgency outweighs a full store', situation: { ...full, connected: 0 }, firstAt: 5_000 },
    {
      title: 'a store without limit is never full',
      situation: { ...settled, known: 9, capacity: Infinity },
      firstAt: 101_000,
    },
  ];
  for (const { title, situation, firstAt } of intervals) {
    it(title, () => {
      expect(new Driver(situation).up(1).pacing.nextAt()).to.equal(firstAt);
    });
  }

  it('PX-019: asks within 5 s when peers are lost at the maximum interval', () => {
    const driver = new Driver(settled).up(1, 2).until(600_000);
    expect(driver.asks).to.have.length(1);
    driver.until(650_000).pacing.down(peer(2), 650_000);
    expect(driver.pacing.nextAt()).to.equal(1_200_000);
    driver.pacing.observe(lonely, 650_000);
    driver.until(655_000);
    expect(driver.asks).to.have.length(2);
  });

  it('PX-061: asks sooner when the store shrinks from 96 % to half', () => {
    const driver = new Driver({ ...settled, known: 24, capacity: 25 }).up(1);
    expect(driver.pacing.nextAt()).to.equal(600_000);
    driver.pacing.observe({ ...settled, known: 12, capacity: 25 }, 30_000);
    expect(driver.pacing.nextAt()).to.equal(170_000);
  });

  it('is never postponed by what happens before the next request', () => {
    const driver = new Driver({ ...settled, known: 9 }).up(1, 2);
    expect(driver.pacing.nextAt()).to.equal(51_000);
    driver.pacing.observe(full, 10_000);
    driver.pacing.down(peer(2), 20_000);
    driver.pacing.learned(0, 30_000);
    expect(driver.pacing.nextAt()).to.equal(51_000);
  });

  it('PX-020: keeps its interval while answers nobody asked for come in every 50 ms', () => {
    const driver = new Driver(empty, undefined, 0).up(1, 2, 3);
    for (let at = 50; at <= 3_000; at += 50) {
      driver.until(at);
      expect(driver.pacing.answered(peer(9), at)).to.equal('unsolicited');
    }
    expect(driver.asks.map(({ at }) => at)).to.deep.equal([1_000, 2_000, 3_000]);
  });

  it('PX-021: asks its only peer every 10 s at most', () => {
    const driver = new Driver(empty).up(1).until(60_000);
    const instants = driver.asks.map(({ at }) => at);
    expect(instants).to.deep.equal([1_000, 11_000, 21_000, 31_000, 41_000, 51_000]);
  });

  it('asks each peer no more often than it likes', () => {
    const driver = new Driver(empty);
    driver.pacing.up(peer(1), 30_000, 0);
    driver.pacing.up(peer(2), 10_000, 0);
    driver.until(63_000);
    const at = (n: number) => driver.asks.filter((ask) => ask.peer === peer(n)).map((ask) => ask.at);
    expect(at(1)).to.deep.equal([1_000, 31_000, 61_000]);
    expect(at(2)).to.deep.equal([2_000, 12_000, 22_000, 32_000, 42_000, 52_000, 62_000]);
  });

  it('does not ask a peer again sooner because it came back', () => {
    const driver = new Driver(empty).up(1).until(1_000);
    driver.pacing.down(peer(1), 1_500);
    driver.pacing.up(peer(1), SPACING_MS, 2_000);
    expect(driver.pacing.nextAt()).to.equal(11_000);
  });

  it('PX-023: asks ten peers once each, the one asked longest ago first', () => {
    const order = [7, 3, 10, 1, 9, 2, 8, 4, 6, 5];
    const driver = new Driver(empty).up(...order).until(10_000);
    expect(driver.asks.map((ask) => ask.peer)).to.deep.equal([1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map(peer));
    driver.until(20_000);
    expect(driver.asks.slice(10).map((ask) => ask.peer)).to.deep.equal(
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map(peer),
    );
    driver.up(11).until(21_000);
    expect(driver.asks.at(-1)!.peer).to.equal(peer(11));
  });

  it('PX-024: lets a silent peer rest for 60 s while others are asked', () => {
    const driver = new Driver(empty, (id) => (id === peer(1) ? Infinity : 100)).up(1, 2).until(82_000);
    const first = driver.asks.filter((ask) => ask.peer === peer(1)).map(({ at }) => at);
    expect(first).to.deep.equal([1_000, 71_000]);
    expect(driver.silent).to.deep.equal([
      { at: 11_000, peer: peer(1) },
      { at: 81_000, peer: peer(1) },
    ]);
    expect(driver.asks.filter((ask) => ask.peer === peer(2))).to.have.length.greaterThan(6);
  });

  it('PX-025: takes an answer after 12 s once, and does not end the rest', () => {
    const driver = new Driver(empty, never).up(1).until(13_000);
    expect(driver.pacing.answered(peer(1), 13_000)).to.equal('late');
    expect(driver.pacing.answered(peer(1), 13_001)).to.equal('unsolicited');
    driver.until(71_000);
    expect(driver.asks.map(({ at }) => at)).to.deep.equal([1_000, 71_000]);
  });

  it('PX-025: takes an overdue answer as late even before its silence was noticed', () => {
    const driver = new Driver(empty, never).up(1).until(1_000);
    expect(driver.pacing.answered(peer(1), 11_000)).to.equal('late');
    expect(driver.pacing.answered(peer(1), 11_000)).to.equal('unsolicited');
    expect(driver.pacing.step(11_000).silent).to.deep.equal([peer(1)]);
  });

  it('takes an answer after the rest for unsolicited', () => {
    for (const [at, answer] of [
      [669_999, 'late'],
      [670_000, 'unsolicited'],
    ] as const) {
      const driver = new Driver(settled, never).up(1).until(at);
      expect(driver.asks).to.have.length(1);
      expect(driver.pacing.answered(peer(1), at)).to.equal(answer);
    }
  });

  it('PX-026: takes the second answer to one request for unsolicited', () => {
    const driver = new Driver(empty, never).up(1).until(1_000);
    expect(driver.pacing.answered(peer(1), 1_100)).to.equal('expected');
    expect(driver.pacing.answered(peer(1), 1_200)).to.equal('unsolicited');
  });

  it('PX-027: takes the answer to a request of an earlier connection for unsolicited', () => {
    const driver = new Driver(empty, never).up(1).until(1_000);
    driver.pacing.down(peer(1), 1_100);
    expect(driver.pacing.answered(peer(1), 1_150)).to.equal('unsolicited');
    driver.pacing.up(peer(1), SPACING_MS, 1_200);
    expect(driver.pacing.answered(peer(1), 1_300)).to.equal('unsolicited');
  });

  it('PX-027: forgets a silent peer that has gone', () => {
    const driver = new Driver(empty, never).up(1).until(1_000);
    driver.pacing.down(peer(1), 1_100);
    driver.until(100_000);
    expect(driver.silent).to.deep.equal([]);
  });

  it('follows the mean of the last eight responses', () => {
    const driver = new Driver({ ...settled, known: 26 }).up(1);
    for (let round = 0; round < 8; round++) driver.pacing.learned(100, 0);
    for (let round = 0; round < 8; round++) driver.pacing.learned(round < 4 ? 0 : 4, 0);
    driver.until(2_000);
    expect(driver.asks).to.have.length(1);
    expect(driver.pacing.nextAt()! - driver.asks[0]!.at).to.equal(1_000 + 81_000);
  });

  it('PX-062: asks in the same order in two runs, whatever the order of arrival', () => {
    const run = (...order: number[]) => new Driver(lonely).up(...order).until(120_000).asks;
    expect(run(3, 1, 2)).to.deep.equal(run(2, 3, 1));
  });

  it('ignores peers it does not know, and a second arrival', () => {
    const driver = new Driver(empty).up(1, 1);
    driver.pacing.down(peer(2), 0);
    expect(driver.pacing.answered(peer(2), 0)).to.equal('unsolicited');
    driver.until(60_000);
    expect(driver.asks).to.have.length(6);
  });
});
