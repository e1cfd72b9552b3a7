import { expect } from 'chai';
import { attribute, type Attribution, type FaultEvent } from '../../src/core/error-attribution.ts';

interface Row {
  readonly title: string;
  readonly event: FaultEvent;
  readonly result: readonly [Attribution['to'], Attribution['effect'], number];
}

const rows: readonly Row[] = [
  { title: 'RT-095: a failed dial', event: 'outbound-failed', result: ['address', 'dial-failure', 0] },
  {
    title: 'RT-092: garbage before authentication',
    event: 'inbound-unauthenticated',
    result: ['host', 'count', 0],
  },
  {
    title: 'RT-098: a wrong key behind an address',
    event: 'wrong-identity',
    result: ['address', 'dial-failure', 0],
  },
  { title: 'RT-091: bad node information', event: 'bad-node-info', result: ['peer', 'demerit', 1] },
  { title: 'RT-093: an incompatible peer', event: 'incompatible', result: ['peer', 'park', 0] },
  { title: 'RT-140: a clean end', event: 'closed-by-remote', result: ['peer', 'down', 0] },
  { title: 'RT-141: a broken connection', event: 'connection-error', result: ['peer', 'down', 1] },
  { title: 'RT-144: an oversize message', event: 'protocol-violation', result: ['peer', 'evict', 10] },
  { title: 'RT-145: an undecodable message', event: 'undecodable-message', result: ['peer', 'drop', 0] },
  { title: 'RT-147: a message on an unknown channel', event: 'unknown-channel', result: ['peer', 'drop', 0] },
  {
    title: 'RT-149: a message on a channel we have and the peer did not declare',
    event: 'undeclared-channel',
    result: ['nobody', 'deliver', 0],
  },
  { title: 'RT-151: a report', event: 'report', result: ['peer', 'demerit', 1] },
  { title: 'RT-154: a fatal report', event: 'fatal-report', result: ['peer', 'evict', 0] },
  { title: 'a reactor that throws', event: 'reactor-threw', result: ['us', 'count', 0] },
  {
    title: 'a message of ours that cannot be encoded',
    event: 'local-encoding',
    result: ['us', 'tell-sender', 0],
  },
  { title: 'RT-090: a cancellation', event: 'cancelled', result: ['nobody', 'none', 0] },
];

describe('error attribution', () => {
  for (const { title, event, result } of rows) {
    it(`${title}: ${result.join(', ')}`, () => {
      const { to, effect, demerit } = attribute(event);
      expect([to, effect, demerit]).to.deep.equal(result);
    });
  }

  it('never takes points from anybody but a proven peer', () => {
    for (const { event } of rows) {
      const { to, demerit } = attribute(event);
      if (demerit > 0) expect(to).to.equal('peer');
    }
  });
});
