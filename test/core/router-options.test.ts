import { expect } from 'chai';
import { routerLimits, type RouterLimitOptions, type RouterLimits } from '../../src/core/router-options.ts';
import { p2pThrow } from '../support/p2p-throw.ts';

const defaults: RouterLimits = {
  scheduler: 'drr',
  resolveTimeoutMs: 5_000,
  dialTimeoutMs: 3_000,
  attemptTimeoutMs: 20_000,
  handshakeTimeoutMs: 10_000,
  filterTimeoutMs: 2_000,
  drainTimeoutMs: 2_000,
  probationMs: 500,
  supersedeAfterMs: 5_000,
  inbound: { maxPerIp: 16, windowMs: 100, burstPerIp: 4, maxPendingHandshakes: 64, maxAccepted: Infinity },
  dial: { maxConcurrent: 64, minIntervalMs: 0, jitterMs: 0 },
  budgets: { peerBytes: 4_194_304, routerBytes: 268_435_456 },
  strict: false,
};

type Timeout = Extract<keyof RouterLimitOptions, `${string}TimeoutMs`> | 'supersedeAfterMs';

const timeouts: readonly Timeout[] = [
  'resolveTimeoutMs',
  'dialTimeoutMs',
  'attemptTimeoutMs',
  'handshakeTimeoutMs',
  'filterTimeoutMs',
  'drainTimeoutMs',
  'supersedeAfterMs',
];

interface AcceptedRow {
  readonly title: string;
  readonly options: RouterLimitOptions;
  readonly limits: Partial<RouterLimits>;
}

const accepted: readonly AcceptedRow[] = [
  { title: 'RT-001: a missing scheduler means drr', options: {}, limits: { scheduler: 'drr' } },
  { title: 'RT-003: drr may be named', options: { scheduler: 'drr' }, limits: { scheduler: 'drr' } },
  {
    title: 'RT-007: an inbound window of 0 means the default',
    options: { inbound: { windowMs: 0 } },
    limits: { inbound: defaults.inbound },
  },
  {
    title: 'an inbound window of 1 ms is the shortest',
    options: { inbound: { windowMs: 1 } },
    limits: { inbound: { ...defaults.inbound, windowMs: 1 } },
  },
  {
    title: 'RT-009: a per-IP limit of 0 means the default',
    options: { inbound: { maxPerIp: 0 } },
    limits: { inbound: defaults.inbound },
  },
  {
    title: 'counts may be without limit',
    options: {
      inbound: {
        maxPerIp: Infinity,
        burstPerIp: Infinity,
        maxPendingHandshakes: Infinity,
        maxAccepted: Infinity,
      },
      budgets: { peerBytes: Infinity, routerBytes: Infinity },
    },
    limits: {
      inbound: {
        maxPerIp: Infinity,
        windowMs: 100,
        burstPerIp: Infinity,
        maxPendingHandshakes: Infinity,
        maxAccepted: Infinity,
      },
      budgets: { peerBytes: Infinity, routerBytes: Infinity },
    },
  },
  {
    title: 'the number of concurrent dials may come from a function',
    options: { dial: { maxConcurrent: () => 7, minIntervalMs: 50, jitterMs: 10 } },
    limits: { dial: { maxConcurrent: 7, minIntervalMs: 50, jitterMs: 10 } },
  },
  { title: 'a probation of 0 announces at once', options: { probationMs: 0 }, limits: { probationMs: 0 } },
  { title: 'strict may be set', options: { strict: true }, limits: { strict: true } },
];

interface RefusedRow {
  readonly title: string;
  readonly options: unknown;
  readonly reason: string;
  readonly shown: string;
}

const refused: readonly RefusedRow[] = [
  { title: 'RT-003', options: { scheduler: 'priority' }, reason: 'scheduler', shown: 'priority' },
  { title: 'RT-003', options: { scheduler: 'wdrr' }, reason: 'scheduler', shown: 'wdrr' },
  { title: 'RT-004', options: { scheduler: 'fast' }, reason: 'scheduler', shown: 'fast' },
  { title: 'RT-008', options: { inbound: { windowMs: 0.5 } }, reason: 'inbound.windowMs', shown: '0.5' },
  { title: 'window', options: { inbound: { windowMs: -1 } }, reason: 'inbound.windowMs', shown: '-1' },
  { title: 'window', options: { inbound: { windowMs: NaN } }, reason: 'inbound.windowMs', shown: 'NaN' },
  {
    title: 'window',
    options: { inbound: { windowMs: Infinity } },
    reason: 'inbound.windowMs',
    shown: 'Infinity',
  },
  { title: 'count', options: { inbound: { maxPerIp: -1 } }, reason: 'inbound.maxPerIp', shown: '-1' },
  { title: 'count', options: { inbound: { maxPerIp: 1.5 } }, reason: 'inbound.maxPerIp', shown: '1.5' },
  { title: 'count', options: { inbound: { burstPerIp: 0 } }, reason: 'inbound.burstPerIp', shown: '0' },
  {
    title: 'count',
    options: { inbound: { maxPendingHandshakes: 0 } },
    reason: 'inbound.maxPendingHandshakes',
    shown: '0',
  },
  { title: 'count', options: { inbound: { maxAccepted: '9' } }, reason: 'inbound.maxAccepted', shown: '9' },
  { title: 'count', options: { dial: { maxConcurrent: 0 } }, reason: 'dial.maxConcurrent', shown: '0' },
  {
    title: 'count',
    options: { dial: { maxConcurrent: () => -2 } },
    reason: 'dial.maxConcurrent',
    shown: '-2',
  },
  { title: 'delay', options: { dial: { minIntervalMs: -5 } }, reason: 'dial.minIntervalMs', shown: '-5' },
  { title: 'delay', options: { dial: { jitterMs: NaN } }, reason: 'dial.jitterMs', shown: 'NaN' },
  { title: 'delay', options: { probationMs: 2 ** 31 }, reason: 'probationMs', shown: '2147483648' },
  { title: 'budget', options: { budgets: { peerBytes: 0 } }, reason: 'budgets.peerBytes', shown: '0' },
  { title: 'budget', options: { budgets: { routerBytes: -1 } }, reason: 'budgets.routerBytes', shown: '-1' },
  { title: 'flag', options: { strict: 'yes' }, reason: 'strict', shown: 'yes' },
  ...timeouts.flatMap((timeout) => [
    ...[0, -1, NaN].map((value) => ({
      title: 'RT-010',
      options: { [timeout]: value },
      reason: timeout,
      shown: String(value),
    })),
    { title: 'RT-011', options: { [timeout]: 2_147_483_648 }, reason: timeout, shown: '2147483648' },
    { title: 'timeout', options: { [timeout]: '5000' }, reason: timeout, shown: '5000' },
  ]),
];

describe('router limits', () => {
  it('RT-001, RT-007, RT-009: fill in every default, frozen to the last part', () => {
    for (const limits of [
      routerLimits(),
      routerLimits({}),
      routerLimits({ inbound: {}, dial: {}, budgets: {} }),
    ]) {
      expect(limits).to.deep.equal(defaults);
      for (const part of [limits, limits.inbound, limits.dial, limits.budgets]) expect(part).to.be.frozen;
    }
  });

  it('allow sixteen more inbound connections than the peer table has slots', () => {
    expect(routerLimits({}, 64).inbound.maxAccepted).to.equal(80);
    expect(routerLimits({ inbound: { maxAccepted: 3 } }, 64).inbound.maxAccepted).to.equal(3);
  });

  for (const { title, options, limits } of accepted) {
    it(title, () => {
      expect(routerLimits(options)).to.deep.equal({ ...defaults, ...limits });
    });
  }

  for (const timeout of timeouts) {
    it(`RT-011, RT-012: ${timeout} may be all that a timer holds, or Infinity`, () => {
      expect(routerLimits({ [timeout]: 2_147_483_647 })[timeout]).to.equal(2_147_483_647);
      expect(routerLimits({ [timeout]: Infinity })[timeout]).to.equal(Infinity);
    });
  }

  for (const { title, options, reason, shown } of refused) {
    it(`${title}: ${reason} = ${shown} is refused by its name and value`, () => {
      const error = p2pThrow(() => routerLimits(options as RouterLimitOptions));
      expect(error).to.include({ code: 'invalid-option', reason });
      expect(error.message).to.include(reason).and.include(shown);
    });
  }

  it('RT-006: the environment does not choose a scheduler', () => {
    process.env['TM_QUEUE'] = process.env['PEERCHART_SCHEDULER'] = 'fifo';
    try {
      expect(routerLimits().scheduler).to.equal('drr');
    } finally {
      delete process.env['TM_QUEUE'];
      delete process.env['PEERCHART_SCHEDULER'];
    }
  });

  it('RT-015: reads a frozen options object twice and leaves it alone', () => {
    const options = Object.freeze({
      dialTimeoutMs: 10,
      inbound: Object.freeze({ windowMs: 0, maxPerIp: 2 }),
      dial: Object.freeze({ maxConcurrent: 3 }),
    });
    const before = JSON.stringify(options);
    expect(routerLimits(options)).to.deep.equal(routerLimits(options));
    expect(JSON.stringify(options)).to.equal(before);
  });
});
