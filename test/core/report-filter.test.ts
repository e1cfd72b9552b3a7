import { expect } from 'chai';
import { P2PError } from '../../src/core/errors.ts';
import { REPORTS_REMEMBERED_MAX } from '../../src/core/limits.ts';
import { parseNodeId } from '../../src/core/node-id.ts';
import { ReportFilter, isOwnDoing, type PeerReport } from '../../src/core/report-filter.ts';

const P = parseNodeId('a'.repeat(40));
const Q = parseNodeId('b'.repeat(40));
const report: PeerReport = { channelId: 1, peer: P, error: new Error('bad block'), fatal: false };

function circular(): Error {
  const error = new Error('round');
  error.cause = error;
  return error;
}

interface CauseRow {
  readonly title: string;
  readonly error: unknown;
  readonly isOwn: boolean;
}

const causes: readonly CauseRow[] = [
  { title: 'an AbortError', error: new DOMException('stop', 'AbortError'), isOwn: true },
  { title: 'the reason of an aborted signal', error: AbortSignal.abort().reason, isOwn: true },
  { title: 'a TimeoutError', error: new DOMException('late', 'TimeoutError'), isOwn: true },
  { title: 'an aborted operation of ours', error: new P2PError('aborted', 'stop'), isOwn: true },
  { title: 'a time-out of ours', error: new P2PError('timeout', 'late'), isOwn: true },
  {
    title: 'an error that an AbortError caused',
    error: new Error('request failed', {
      cause: new Error('inner', { cause: new DOMException('', 'AbortError') }),
    }),
    isOwn: true,
  },
  { title: 'any other error', error: new Error('bad block'), isOwn: false },
  { title: 'a text', error: 'AbortError', isOwn: false },
  { title: 'a protocol violation', error: new P2PError('protocol-violation', 'bad'), isOwn: false },
  { title: 'an error caused by itself', error: circular(), isOwn: false },
  { title: 'nothing', error: undefined, isOwn: false },
];

interface RepeatRow {
  readonly title: string;
  readonly second: Partial<PeerReport>;
  readonly after: number;
  readonly judged: 'pass' | 'repeat';
}

const repeats: readonly RepeatRow[] = [
  { title: 'the same within a second', second: {}, after: 999, judged: 'repeat' },
  { title: 'an equal error', second: { error: new Error('bad block') }, after: 0, judged: 'repeat' },
  { title: 'the same a second later', second: {}, after: 1_000, judged: 'pass' },
  { title: 'another error', second: { error: new Error('bad vote') }, after: 0, judged: 'pass' },
  {
    title: 'an error of another class',
    second: { error: new TypeError('bad block') },
    after: 0,
    judged: 'pass',
  },
  { title: 'another peer', second: { peer: Q }, after: 0, judged: 'pass' },
  { title: 'another channel', second: { channelId: 2 }, after: 0, judged: 'pass' },
  { title: 'a fatal one', second: { fatal: true }, after: 0, judged: 'pass' },
];

describe('the report filter', () => {
  for (const { title, error, isOwn } of causes) {
    it(`RT-156: ${isOwn ? 'ignores' : 'does not ignore'} ${title}`, () => {
      expect(isOwnDoing(error)).to.equal(isOwn);
      expect(new ReportFilter().judge({ ...report, error }, 0)).to.equal(isOwn ? 'ignore' : 'pass');
    });
  }

  for (const { title, second, after, judged } of repeats) {
    it(`RT-157: ${title}: ${judged}`, () => {
      const filter = new ReportFilter();
      expect(filter.judge(report, 5)).to.equal('pass');
      expect(filter.judge({ ...report, ...second }, 5 + after)).to.equal(judged);
    });
  }

  it('RT-157: lets one of 1 000 identical reports in a second through', () => {
    const filter = new ReportFilter();
    const judged = Array.from({ length: 1_000 }, (_, now) => filter.judge(report, now));
    expect(judged.filter((result) => result === 'pass')).to.have.length(1);
  });

  it('RT-157: lets an unending stream through once a second', () => {
    const filter = new ReportFilter();
    const judged = Array.from({ length: 500 }, (_, n) => filter.judge(report, n * 10));
    expect(judged.flatMap((result, n) => (result === 'pass' ? [n * 10] : []))).to.deep.equal([
      0, 1_000, 2_000, 3_000, 4_000,
    ]);
  });

  it('remembers a bounded number of reports, the latest', () => {
    const filter = new ReportFilter();
    const numbered = (n: number) => ({ ...report, error: new Error(String(n)) });
    for (let n = 0; n <= REPORTS_REMEMBERED_MAX; n++) filter.judge(numbered(n), 0);
    expect(filter.judge(numbered(1), 0)).to.equal('repeat');
    expect(filter.judge(numbered(0), 0)).to.equal('pass');
  });
});
