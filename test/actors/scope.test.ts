import { expect } from 'chai';
import { Scope } from '../../src/actors/scope.ts';
import { SimulatedClock } from '../../src/testing/index.ts';

describe('a scope', () => {
  it('releases what it holds once, the latest first, and aborts', () => {
    const released: string[] = [];
    const scope = new Scope(() => undefined);
    for (const name of ['socket', 'listener', 'timer']) scope.add(() => released.push(name));
    scope.dispose(new Error('done'));
    scope.dispose();
    expect(released).to.deep.equal(['timer', 'listener', 'socket']);
    expect([scope.disposed, (scope.signal.reason as Error).message]).to.deep.equal([true, 'done']);
  });

  it('goes on when a release throws, and tells of it', () => {
    const released: string[] = [];
    const faults: unknown[] = [];
    const scope = new Scope((error) => faults.push(error));
    const fault = new Error('stuck');
    scope.add(() => released.push('first'));
    scope.add(() => {
      throw fault;
    });
    scope.dispose();
    expect([released, faults]).to.deep.equal([['first'], [fault]]);
  });

  it('forgets what was released before', () => {
    const released: string[] = [];
    const scope = new Scope(() => undefined);
    const forget = scope.add(() => released.push('gone'));
    forget();
    scope.dispose();
    expect(released).to.deep.equal([]);
  });

  it('releases at once what comes when it is over', () => {
    const released: string[] = [];
    const scope = new Scope(() => undefined);
    scope.dispose();
    scope.add(() => released.push('late'))();
    expect(released).to.deep.equal(['late']);
  });

  it('ends its timers, and keeps none that has fired or was cancelled', async () => {
    const clock = new SimulatedClock();
    const fired: string[] = [];
    const scope = new Scope(() => undefined);
    scope.timer(clock, () => fired.push('soon'), 10);
    scope.timer(clock, () => fired.push('cancelled'), 20)();
    scope.timer(clock, () => fired.push('later'), 30);
    await clock.advance(25);
    scope.dispose();
    expect(clock.pending().timers).to.deep.equal([]);
    scope.timer(clock, () => fired.push('too late'), 10)();
    await clock.advance(100);
    expect(fired).to.deep.equal(['soon']);
  });
});
