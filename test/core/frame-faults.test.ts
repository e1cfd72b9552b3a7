import { expect } from 'chai';
import { FrameFaults } from '../../src/core/frame-faults.ts';

function every(ms: number, count: number, from = 0): number[] {
  return Array.from({ length: count }, (_, n) => from + n * ms);
}

interface DecodeRow {
  readonly title: string;
  readonly at: readonly number[];
  /** Indices of the failures that evict. */
  readonly evicts: readonly number[];
}

const decodeRows: readonly DecodeRow[] = [
  { title: 'RT-145: one undecodable message is dropped', at: [0], evicts: [] },
  { title: 'RT-146: the sixth within 60 s evicts', at: every(10_000, 6), evicts: [5] },
  { title: 'RT-146: six at once evict', at: [7, 7, 7, 7, 7, 7], evicts: [5] },
  { title: 'RT-146: six in 60 s and no less do not', at: [...every(1, 5), 60_000], evicts: [] },
  { title: 'RT-146: six in just under 60 s do', at: [...every(1, 5), 59_999], evicts: [5] },
  { title: 'RT-146: one every 12 s never does', at: every(12_000, 50), evicts: [] },
  {
    title: 'RT-146: the window slides',
    at: [0, 50_000, 50_001, 50_002, 50_003, 60_001, 60_002],
    evicts: [6],
  },
];

interface UnknownRow {
  readonly title: string;
  readonly at: readonly number[];
  readonly closedAt?: number;
  readonly demerits: readonly number[];
}

const unknownRows: readonly UnknownRow[] = [
  { title: 'RT-147: one message on an unknown channel is dropped', at: [0], demerits: [] },
  { title: 'RT-148: 100 within 60 s cost nothing', at: every(1, 100), demerits: [] },
  { title: 'RT-148: 101 within 60 s cost one demerit', at: every(1, 101), demerits: [100] },
  { title: 'RT-148: 150 within 60 s cost no more', at: every(1, 150), demerits: [100] },
  { title: 'RT-148: 202 within 60 s are two times 101', at: every(1, 202), demerits: [100, 201] },
  { title: 'RT-148: 101 in 60 s and no less cost nothing', at: every(600, 101), demerits: [] },
  {
    title: 'RT-148: messages within 5 s of our closing the channel are free',
    at: every(1, 4_999, 10_000),
    closedAt: 10_000,
    demerits: [],
  },
  {
    title: 'RT-148: later ones are not',
    at: [...every(1, 1_000, 10_000), ...every(1, 101, 15_000)],
    closedAt: 10_000,
    demerits: [1_100],
  },
];

describe('faults in the messages of a connection', () => {
  for (const { title, at, evicts } of decodeRows) {
    it(title, () => {
      const faults = new FrameFaults();
      const results = at.map((now) => faults.decodeFailed(now));
      expect(results.flatMap((result, index) => (result === 'evict' ? [index] : []))).to.deep.equal(evicts);
    });
  }

  for (const { title, at, closedAt, demerits } of unknownRows) {
    it(title, () => {
      const faults = new FrameFaults();
      const results = at.map((now) => faults.unknownChannel(closedAt, now));
      expect(results.flatMap((result, index) => (result === 'demerit' ? [index] : []))).to.deep.equal(
        demerits,
      );
    });
  }

  it('of the two kinds are counted apart', () => {
    const faults = new FrameFaults();
    for (let n = 0; n < 100; n++) faults.unknownChannel(undefined, 0);
    for (let n = 0; n < 5; n++) expect(faults.decodeFailed(0)).to.equal('drop');
    expect(faults.unknownChannel(undefined, 0)).to.equal('demerit');
    expect(faults.decodeFailed(0)).to.equal('evict');
  });
});
