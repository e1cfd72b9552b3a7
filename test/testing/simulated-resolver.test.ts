import { expect } from 'chai';
import { P2PError } from '../../src/core/errors.ts';
import { simulatedEnv } from '../../src/testing/simulated-env.ts';
import { rejection } from '../support/rejection.ts';

const quiet = new AbortController().signal;

describe('simulated resolver', () => {
  it('answers with what the test laid down, after its delay and in its order', async () => {
    const { clock, resolver } = simulatedEnv();
    resolver.set('node.example', { ips: ['10.0.0.2', '10.0.0.1'], delayMs: 40 });
    expect(await clock.complete(resolver.resolve('node.example', quiet))).to.deep.equal([
      '10.0.0.2',
      '10.0.0.1',
    ]);
    expect(clock.now()).to.equal(40);
    expect(resolver.lookups).to.deep.equal(['node.example']);
  });

  for (const [name, ips] of [
    ['localhost', ['127.0.0.1']],
    ['192.0.2.7', ['192.0.2.7']],
    ['2001:db8::1', ['2001:db8::1']],
  ] as const) {
    it(`knows ${name} by itself`, async () => {
      const { clock, resolver } = simulatedEnv();
      expect(await clock.complete(resolver.resolve(name, quiet))).to.deep.equal(ips);
    });
  }

  for (const [title, failure, reason] of [
    ['an unknown name', undefined, 'ENOTFOUND'],
    ['a failing name', 'EAI_AGAIN', 'EAI_AGAIN'],
  ] as const) {
    it(`refuses ${title} with ${reason}`, async () => {
      const { clock, resolver } = simulatedEnv();
      if (failure !== undefined) resolver.set('gone.example', { failure });
      const error = await rejection(clock.complete(resolver.resolve('gone.example', quiet)));
      expect(error).to.be.instanceOf(P2PError).and.include({ code: 'resolve-failed', reason });
    });
  }

  it('rejects with the reason of the signal, before or during the lookup, and leaves no timer', async () => {
    const { clock, resolver } = simulatedEnv();
    resolver.set('slow.example', { ips: ['10.0.0.1'], delayMs: 1000 });
    const why = new Error('gave up');
    const controller = new AbortController();
    const pending = resolver.resolve('slow.example', controller.signal);
    controller.abort(why);
    expect(await rejection(pending)).to.equal(why);
    expect(await rejection(resolver.resolve('slow.example', controller.signal))).to.equal(why);
    expect(clock.pending().timers).to.deep.equal([]);
  });
});
