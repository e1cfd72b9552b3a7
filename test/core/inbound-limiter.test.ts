import { expect } from 'chai';
import fc from 'fast-check';
import type { RefusalCode } from '../../src/core/codes.ts';
import { InboundLimiter, type InboundPass } from '../../src/core/inbound-limiter.ts';
import { INBOUND_KEYS_MAX } from '../../src/core/limits.ts';
import type { RouterLimits } from '../../src/core/router-options.ts';

const unlimited: RouterLimits['inbound'] = {
  maxPerIp: Infinity,
  windowMs: 100,
  burstPerIp: Infinity,
  maxPendingHandshakes: Infinity,
  maxAccepted: Infinity,
};

const IP = '10.0.0.7';

function limiterWith(limits: Partial<RouterLimits['inbound']>): InboundLimiter {
  return new InboundLimiter({ ...unlimited, ...limits });
}

function outcome(limiter: InboundLimiter, ip: string, now: number): 'admitted' | RefusalCode {
  const admission = limiter.admit(ip, now);
  return admission.admitted ? 'admitted' : admission.code;
}

function pass(limiter: InboundLimiter, ip: string, now: number): InboundPass {
  const admission = limiter.admit(ip, now);
  if (!admission.admitted) throw new Error(admission.code);
  return admission;
}

/** How many of `count` connections at one instant get in, and why the others do not. */
function burst(limiter: InboundLimiter, count: number, ip: string, now: number): Record<string, number> {
  const counts: Record<string, number> = {};
  for (let n = 0; n < count; n++) {
    const result = outcome(limiter, ip, now);
    counts[result] = (counts[result] ?? 0) + 1;
  }
  return counts;
}

function ipv4(n: number): string {
  return `${11 + (n >> 24)}.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`;
}

describe('the inbound limiter', () => {
  it('RT-054: knows nobody at first', () => {
    const limiter = limiterWith({});
    expect([limiter.activeHosts, limiter.trackedHosts, limiter.accepted, limiter.handshaking]).to.deep.equal([
      0, 0, 0, 0,
    ]);
  });

  it('RT-055: counts one host however often it connects', () => {
    const limiter = limiterWith({ maxPerIp: 10 });
    expect(burst(limiter, 101, IP, 0)).to.deep.equal({ admitted: 10, per_ip: 91 });
    expect([limiter.activeHosts, limiter.accepted]).to.deep.equal([1, 10]);
  });

  it('RT-056: counts each of 100 hosts', () => {
    const limiter = limiterWith({});
    for (let n = 0; n < 100; n++) limiter.admit(ipv4(n), 0);
    expect(limiter.activeHosts).to.equal(100);
  });

  it('RT-057: counts none after 100 hosts came and went', () => {
    const limiter = limiterWith({});
    for (let n = 0; n < 100; n++) limiter.release(pass(limiter, ipv4(n), 0), 0);
    expect([limiter.activeHosts, limiter.accepted, limiter.handshaking]).to.deep.equal([0, 0, 0]);
  });

  it('RT-058: admits a host again after its window', () => {
    const limiter = limiterWith({ maxPerIp: 10, burstPerIp: 1, windowMs: 1 });
    expect([outcome(limiter, IP, 0), outcome(limiter, IP, 2)]).to.deep.equal(['admitted', 'admitted']);
  });

  it('RT-059: refuses a host that comes back within its window, and admits it after', () => {
    const limiter = limiterWith({ burstPerIp: 1 });
    limiter.release(pass(limiter, IP, 0), 0);
    expect([0, 99, 100].map((now) => outcome(limiter, IP, now))).to.deep.equal(['rate', 'rate', 'admitted']);
  });

  it('RT-060: admits a burst of four of twenty, and four more after four windows', () => {
    const limiter = limiterWith({ maxPerIp: 16, burstPerIp: 4 });
    expect(burst(limiter, 20, IP, 0)).to.deep.equal({ admitted: 4, rate: 16 });
    expect(burst(limiter, 20, IP, 400)).to.deep.equal({ admitted: 4, rate: 16 });
    expect(burst(limiter, 20, IP, 499)).to.deep.equal({ rate: 20 });
    expect(burst(limiter, 20, IP, 500)).to.deep.equal({ admitted: 1, rate: 19 });
  });

  it('RT-060: holds the rate while connections stay open, and then the number', () => {
    const limiter = limiterWith({ maxPerIp: 6, burstPerIp: 4 });
    burst(limiter, 4, IP, 0);
    expect(burst(limiter, 5, IP, 10_000)).to.deep.equal({ admitted: 2, per_ip: 3 });
  });

  it('takes no token for a refusal', () => {
    const limiter = limiterWith({ maxPerIp: 1, burstPerIp: 2, windowMs: 1_000 });
    const first = pass(limiter, IP, 0);
    expect(burst(limiter, 50, IP, 0)).to.deep.equal({ per_ip: 50 });
    limiter.release(first, 0);
    expect(outcome(limiter, IP, 0)).to.equal('admitted');
  });

  it('RT-061: forgets a million hosts that came and went, and never remembers more than its limit', () => {
    const limiter = limiterWith({ maxPerIp: 16, burstPerIp: 4 });
    let most = 0;
    for (let n = 0; n < 1_000_000; n++) {
      const now = Math.floor(n / 5_000);
      limiter.release(pass(limiter, ipv4(n), now), now);
      most = Math.max(most, limiter.trackedHosts);
    }
    expect(most).to.be.at.most(INBOUND_KEYS_MAX);
    limiter.sweep(1_000);
    expect(limiter.trackedHosts).to.equal(0);
  });

  it('RT-061: forgets the host touched longest ago at its limit', () => {
    const limiter = limiterWith({ burstPerIp: 1, windowMs: 1_000_000 });
    for (let n = 0; n <= INBOUND_KEYS_MAX; n++) limiter.release(pass(limiter, ipv4(n), 0), 0);
    expect(limiter.trackedHosts).to.equal(INBOUND_KEYS_MAX);
    expect([outcome(limiter, ipv4(1), 1), outcome(limiter, ipv4(0), 1)]).to.deep.equal(['rate', 'admitted']);
  });

  it('survives more open hosts than it can remember', () => {
    const limiter = limiterWith({});
    const passes = Array.from({ length: INBOUND_KEYS_MAX + 10 }, (_, n) => pass(limiter, ipv4(n), 0));
    expect(limiter.trackedHosts).to.equal(INBOUND_KEYS_MAX);
    for (const each of passes) limiter.release(each, 1);
    limiter.sweep(2);
    expect([limiter.trackedHosts, limiter.accepted]).to.deep.equal([0, 0]);
  });

  it('RT-062: gives the addresses of one IPv6 /64 one budget', () => {
    const limiter = limiterWith({ burstPerIp: 2 });
    expect(outcome(limiter, '2001:db8:0:1::1', 0)).to.equal('admitted');
    expect(outcome(limiter, '2001:db8:0:1:ffff::2', 0)).to.equal('admitted');
    expect(outcome(limiter, '2001:db8:0:1::3', 0)).to.equal('rate');
    expect(outcome(limiter, '2001:db8:0:2::1', 0)).to.equal('admitted');
  });

  it('counts IPv4-mapped IPv6 as IPv4', () => {
    const limiter = limiterWith({ maxPerIp: 1 });
    expect([outcome(limiter, IP, 0), outcome(limiter, `::ffff:${IP}`, 0)]).to.deep.equal([
      'admitted',
      'per_ip',
    ]);
  });

  it('RT-063: exempts transports without IP addresses from the limits per host', () => {
    const limiter = limiterWith({ maxPerIp: 16, burstPerIp: 4 });
    expect(burst(limiter, 120, '', 0)).to.deep.equal({ admitted: 120 });
    expect([limiter.accepted, limiter.trackedHosts]).to.deep.equal([120, 0]);
  });

  it('RT-044: refuses the third of three running handshakes, and admits again when one is over', () => {
    const limiter = limiterWith({ maxPendingHandshakes: 2 });
    const first = pass(limiter, ipv4(1), 0);
    pass(limiter, ipv4(2), 0);
    expect(outcome(limiter, ipv4(3), 0)).to.equal('handshake_backlog');
    limiter.handshakeEnded(first);
    limiter.handshakeEnded(first);
    expect([outcome(limiter, ipv4(3), 0), outcome(limiter, ipv4(4), 0)]).to.deep.equal([
      'admitted',
      'handshake_backlog',
    ]);
    expect(limiter.accepted).to.equal(3);
  });

  it('RT-045: refuses at the most accepted connections, with IP addresses or without', () => {
    const limiter = limiterWith({ maxAccepted: 2, maxPendingHandshakes: 1 });
    const first = pass(limiter, IP, 0);
    limiter.handshakeEnded(first);
    pass(limiter, '', 0);
    expect([outcome(limiter, IP, 0), outcome(limiter, '', 0)]).to.deep.equal(['at_capacity', 'at_capacity']);
    limiter.release(first, 0);
    expect(outcome(limiter, IP, 0)).to.equal('handshake_backlog');
  });

  it('RT-052: releases a connection once, however often it is told', () => {
    const limiter = limiterWith({ maxPerIp: 2 });
    const first = pass(limiter, IP, 0);
    pass(limiter, IP, 0);
    for (let n = 0; n < 3; n++) limiter.release(first, 0);
    expect([limiter.accepted, limiter.handshaking, limiter.activeHosts]).to.deep.equal([1, 1, 1]);
    expect(burst(limiter, 3, IP, 0)).to.deep.equal({ admitted: 1, per_ip: 2 });
  });

  it('never admits more than its limits for any arrivals', () => {
    const event = fc.record({
      host: fc.nat(2),
      after: fc.nat(150),
      action: fc.constantFrom('connect', 'connect', 'handshaked', 'close'),
    });
    const limits = { maxPerIp: 3, burstPerIp: 2, windowMs: 100, maxPendingHandshakes: 4, maxAccepted: 6 };
    fc.assert(
      fc.property(fc.array(event, { maxLength: 200 }), (events) => {
        const limiter = new InboundLimiter(limits);
        const open = [0, 1, 2].map(() => [] as InboundPass[]);
        const admittedAt = [0, 1, 2].map(() => [] as number[]);
        let now = 0;
        for (const { host, after, action } of events) {
          now += after;
          const [first] = open[host]!;
          if (action === 'connect') {
            const admission = limiter.admit(ipv4(host), now);
            if (admission.admitted) {
              open[host]!.push(admission);
              admittedAt[host]!.push(now);
            }
          } else if (first !== undefined && action === 'handshaked') {
            limiter.handshakeEnded(first);
          } else if (first !== undefined) {
            limiter.release(first, now);
            open[host]!.shift();
          }
          expect(open[host]!.length).to.be.at.most(limits.maxPerIp);
          expect(limiter.accepted).to.equal(open.flat().length).and.to.be.at.most(limits.maxAccepted);
          expect(limiter.handshaking).to.be.within(0, limits.maxPendingHandshakes);
          expect(limiter.activeHosts).to.equal(open.filter((passes) => passes.length > 0).length);
        }
        for (const instants of admittedAt) {
          instants.forEach((at, index) => {
            const earlier = instants[index - limits.burstPerIp];
            if (earlier !== undefined) expect(at - earlier).to.be.greaterThan(0);
          });
        }
      }),
    );
  });
});
