import { expect } from 'chai';
import { P2PError } from '../../src/core/errors.ts';
import { realEnv } from '../../src/env/real-env.ts';
import { rejection } from '../support/rejection.ts';

const quiet = new AbortController().signal;

describe('real environment', () => {
  const { clock, random, resolver } = realEnv();

  it('fires a timer no earlier than its instant', async () => {
    for (const delay of [0, 0.4, 1, 1.9, 5]) {
      const start = clock.now();
      // Something must keep the process alive: the timer does not.
      const alive = setInterval(() => undefined, 1000);
      await new Promise<void>((fired) => void clock.setTimer(fired, delay));
      clearInterval(alive);
      expect(clock.now() - start).to.be.at.least(delay);
    }
  });

  it('cancels timers, and keeps no process alive by them', () => {
    const before = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const cancel = clock.setTimer(() => expect.fail('fired'), 1e12);
    const during = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    expect(during).to.equal(before);
    cancel();
    cancel();
  });

  it('clamps a delay no timer can hold instead of firing at once', async () => {
    let fired = false;
    const warnings: Error[] = [];
    const warn = (warning: Error): unknown => warnings.push(warning);
    process.on('warning', warn);
    const cancel = clock.setTimer(() => {
      fired = true;
    }, 2 ** 40);
    await new Promise<void>((turn) => clock.defer(turn));
    await new Promise<void>((turn) => setTimeout(turn, 2));
    cancel();
    process.removeListener('warning', warn);
    expect(fired).to.equal(false);
    expect(warnings).to.deep.equal([]);
  });

  it('defers to a later turn, after promise continuations', async () => {
    const seen: string[] = [];
    const deferred = new Promise<void>((done) => {
      clock.defer(() => {
        seen.push('deferred');
        done();
      });
    });
    void Promise.resolve().then(() => seen.push('continuation'));
    seen.push('now');
    await deferred;
    expect(seen).to.deep.equal(['now', 'continuation', 'deferred']);
  });

  it('shows wall time since 1970', () => {
    expect(Math.abs(clock.wall() - Date.now())).to.be.below(1000);
  });

  it('draws every value below a bound, and nothing else', () => {
    const seen = new Set(Array.from({ length: 2000 }, () => random.below(7)));
    expect([...seen].sort((a, b) => a - b)).to.deep.equal([0, 1, 2, 3, 4, 5, 6]);
    for (const n of [1, 2 ** 32, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER]) {
      expect(random.below(n)).to.be.within(0, n - 1);
    }
  });

  for (const n of [0, -1, 1.5, Number.NaN, 2 ** 53]) {
    it(`refuses ${n} as a bound`, () => {
      expect(() => random.below(n)).to.throw(RangeError);
    });
  }

  it('gives fresh bytes, also from forks of one label', () => {
    const samples = [random, random.fork('a'), random.fork('a')].map((one) => one.bytes(32).join());
    expect(new Set(samples).size).to.equal(3);
    expect(random.bytes(32).buffer.byteLength).to.equal(32);
  });

  it('resolves an IP text to itself and localhost to a loopback address', async () => {
    expect(await resolver.resolve('192.0.2.7', quiet)).to.deep.equal(['192.0.2.7']);
    const local = await resolver.resolve('localhost', quiet);
    expect(local.some((ip) => ip === '127.0.0.1' || ip === '::1')).to.equal(true);
  });

  it('rejects an unknown name with the platform code as its reason', async () => {
    const error = await rejection(resolver.resolve('no such name', quiet));
    expect(error).to.be.instanceOf(P2PError).and.include({ code: 'resolve-failed' });
    expect(error)
      .to.have.property('reason')
      .that.matches(/^E[A-Z_]+$/);
  });

  it('rejects with the reason of the signal, before or during a lookup', async () => {
    const why = new Error('gave up');
    expect(await rejection(resolver.resolve('localhost', AbortSignal.abort(why)))).to.equal(why);
    const controller = new AbortController();
    const pending = resolver.resolve('localhost', controller.signal);
    controller.abort(why);
    expect(await rejection(pending)).to.equal(why);
  });
});
