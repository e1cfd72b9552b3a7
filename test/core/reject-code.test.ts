import { expect } from 'chai';
import { REJECTS, type RejectCode } from '../../src/core/codes.ts';
import {
  rejectConsequence,
  rejectFromNumber,
  rejectNumber,
  sentReject,
  type RejectConsequence,
} from '../../src/core/reject-code.ts';

interface Row {
  readonly code: RejectCode;
  readonly wire: number;
  /** When this node rejected, and when the remote did. */
  readonly means: readonly [RejectConsequence, RejectConsequence];
}

const rows: readonly Row[] = [
  { code: 'bad_node_info', wire: 1, means: ['hard', 'hard'] },
  { code: 'id_mismatch', wire: 2, means: ['hard', 'hard'] },
  { code: 'unexpected_peer', wire: 3, means: ['hard', 'hard'] },
  { code: 'self', wire: 4, means: ['hard', 'hard'] },
  { code: 'incompatible_protocol', wire: 5, means: ['park', 'park'] },
  { code: 'incompatible_network', wire: 6, means: ['park', 'park'] },
  { code: 'no_common_channel', wire: 7, means: ['park', 'park'] },
  { code: 'filtered', wire: 10, means: ['soft', 'soft'] },
  { code: 'duplicate', wire: 9, means: ['duplicate', 'duplicate'] },
  { code: 'at_capacity', wire: 10, means: ['soft', 'soft'] },
  { code: 'shutting_down', wire: 11, means: ['none', 'soft'] },
  { code: 'internal', wire: 12, means: ['none', 'soft'] },
  { code: 'protocol_violation', wire: 13, means: ['hard', 'hard'] },
  { code: 'evicted', wire: 14, means: ['none', 'soft'] },
  { code: 'superseded', wire: 15, means: ['duplicate', 'duplicate'] },
  { code: 'slow_peer', wire: 16, means: ['none', 'soft'] },
];

describe('reject codes', () => {
  for (const { code, wire, means } of rows) {
    it(`${code} is sent as ${wire} and means ${means.join(' here, ')} there`, () => {
      expect(rejectNumber(code)).to.equal(wire);
      expect([rejectConsequence(code, 'local'), rejectConsequence(code, 'remote')]).to.deep.equal(means);
      if (code !== 'filtered') expect(rejectFromNumber(wire)).to.equal(code);
    });
  }

  it('have one row each', () => {
    expect(rows.map(({ code }) => code)).to.have.members(Object.keys(REJECTS));
  });

  it('RT-084: an unknown number is read as internal', () => {
    for (const wire of [0, 17, 99, 2 ** 32 - 1]) expect(rejectFromNumber(wire)).to.equal('internal');
  });

  it('RT-085: a filtered peer hears that we are at capacity', () => {
    expect(sentReject('filtered')).to.equal('at_capacity');
    expect(sentReject('duplicate')).to.equal('duplicate');
  });

  it('number 8 is understood though never sent', () => {
    expect(rejectFromNumber(8)).to.equal('filtered');
  });
});
