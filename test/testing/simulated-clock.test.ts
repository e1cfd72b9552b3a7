import { expect } from 'chai';
import { TIMER_MAX_MS } from '../../src/core/env.ts';
import { SimulatedClock } from '../../src/testing/simulated-clock.ts';
import { rejection } from '../support/rejection.ts';

describe('simulated clock', () => {
  it('TN-024: runs a chain of timers at each of its instants', async () => {
    const clock = new SimulatedClock();
    const fired: number[] = [];
    const again = (): void => {
      fired.push(clock.now());
      if (fired.length < 10) clock.setTimer(again, 100);
    };
    clock.setTimer(again, 100);
    await clock.advance(1000);
    expect(fired).to.deep.equal([100, 200, 300, 400, 500, 600, 700, 800, 900, 1000]);
    expect(clock.now()).to.equal(1000);
  });

  it('TN-025: fires the timers of one instant in creation order', async () => {
    const clock = new SimulatedClock();
    const fired: string[] = [];
    for (const name of ['a', 'b', 'c']) clock.setTimer(() => fired.push(name), 50);
    await clock.advance(50);
    expect(fired).to.deep.equal(['a', 'b', 'c']);
  });

  it('TN-026: a timer set for the same instant fires in the same advance, after the others', async () => {
    const clock = new SimulatedClock();
    const fired: string[] = [];
    clock.setTimer(() => {
      fired.push('a');
      clock.setTimer(() => fired.push('late'), 0);
    }, 50);
    clock.setTimer(() => fired.push('b'), 50);
    await clock.advance(50);
    expect(fired).to.deep.equal(['a', 'b', 'late']);
  });

  it('TN-027: promise continuations run, and their timers fire in the same advance', async () => {
    const clock = new SimulatedClock();
    let firedAt = -1;
    const gate = new Promise<void>((open) => void clock.setTimer(open, 5));
    void gate
      .then(() => undefined)
      .then(() => {
        clock.setTimer(() => {
          firedAt = clock.now();
        }, 5);
      });
    await clock.advance(10);
    expect(firedAt).to.equal(10);
  });

  it('TN-028: a timer cleared by another one of its instant does not fire', async () => {
    const clock = new SimulatedClock();
    let fired = false;
    clock.setTimer(() => cancel(), 50);
    const cancel = clock.setTimer(() => {
      fired = true;
    }, 50);
    await clock.advance(100);
    expect(fired).to.equal(false);
    expect(clock.pending().timers).to.deep.equal([]);
    await clock.runUntilIdle();
  });

  it('TN-030: refuses to go back', async () => {
    const clock = new SimulatedClock();
    await clock.advance(10);
    expect(await rejection(clock.advance(-1))).to.be.instanceOf(RangeError);
    expect(await rejection(clock.advanceTo(9))).to.be.instanceOf(RangeError);
    expect(clock.now()).to.equal(10);
  });

  it('TN-031: names both tasks that keep making work for each other', async () => {
    const clock = new SimulatedClock({ instantBudget: 1000 });
    const ping = (): void => clock.defer(pong);
    const pong = (): void => void clock.setTimer(ping, 0);
    clock.defer(ping);
    expect((await rejection(clock.runUntilIdle())).message)
      .to.contain('ping')
      .and.contain('pong');
  });

  it('TN-032: fails at the limit when the condition never holds, saying what is pending', async () => {
    const clock = new SimulatedClock();
    const again = (): void => void clock.setTimer(again, 10);
    again();
    const failure = await rejection(clock.runUntil(() => false, { limitMs: 100 }));
    expect(failure.message).to.contain('not within 100 ms').and.contain('timer again due at 110');
  });

  it('fails at once when nothing is left that could make the condition hold', async () => {
    const clock = new SimulatedClock();
    const failure = await rejection(clock.runUntil(() => false));
    expect(failure.message).to.contain('nothing is left to happen');
    expect(clock.now()).to.equal(0);
  });

  it('stops at the instant the condition holds', async () => {
    const clock = new SimulatedClock();
    let fired = 0;
    for (const delay of [10, 20, 30]) clock.setTimer(() => fired++, delay);
    await clock.runUntil(() => fired === 2);
    expect(clock.now()).to.equal(20);
    expect(clock.pending().timers).to.have.length(1);
  });

  it('runs idle through every timer, and names what never ends', async () => {
    const clock = new SimulatedClock();
    let fired = 0;
    clock.setTimer(() => fired++, 5000);
    await clock.runUntilIdle();
    expect(fired).to.equal(1);
    expect(clock.now()).to.equal(5000);
    const keepAlive = (): void => void clock.setTimer(keepAlive, 60_000);
    keepAlive();
    expect((await rejection(clock.runUntilIdle())).message).to.contain('keepAlive');
  });

  it('runs deferred calls in order, each with its promise continuations, before time moves', async () => {
    const clock = new SimulatedClock();
    const seen: string[] = [];
    clock.setTimer(() => seen.push(`timer at ${clock.now()}`), 1);
    clock.defer(() => {
      seen.push('first');
      void Promise.resolve().then(() => seen.push('continuation of first'));
      clock.defer(() => seen.push('third'));
    });
    clock.defer(() => seen.push('second'));
    expect(clock.pending().deferred).to.have.length(2);
    await clock.advance(1);
    expect(seen).to.deep.equal(['first', 'continuation of first', 'second', 'third', 'timer at 1']);
  });

  it('hands on what a timer throws, and can be moved again', async () => {
    const clock = new SimulatedClock();
    clock.setTimer(() => {
      throw new Error('broken timer');
    }, 10);
    let fired = false;
    clock.setTimer(() => {
      fired = true;
    }, 10);
    expect((await rejection(clock.advance(10))).message).to.equal('broken timer');
    expect(fired).to.equal(true);
    await clock.advance(5);
    expect(clock.now()).to.equal(15);
  });

  it('is moved by one caller at a time', async () => {
    const clock = new SimulatedClock();
    const first = clock.advance(10);
    expect((await rejection(clock.advance(10))).message).to.contain('moved already');
    await first;
  });

  it('completes a promise in virtual time', async () => {
    const clock = new SimulatedClock();
    const value = new Promise<string>((settle) => void clock.setTimer(() => settle('done'), 300));
    expect(await clock.complete(value)).to.equal('done');
    expect(clock.now()).to.equal(300);
    const failure = new Promise<never>(
      (_, reject) => void clock.setTimer(() => reject(new Error('no')), 300),
    );
    expect((await rejection(clock.complete(failure))).message).to.equal('no');
  });

  it('clamps delays to what a timer can hold', () => {
    const clock = new SimulatedClock();
    for (const delay of [-5, Number.NaN, 7.5, 1e12, Infinity]) clock.setTimer(() => undefined, delay);
    const due = clock.pending().timers.map(({ dueAt }) => dueAt);
    expect(due).to.deep.equal([0, 0, 7.5, TIMER_MAX_MS, TIMER_MAX_MS]);
  });

  it('keeps wall time and monotonic time in step', async () => {
    const clock = new SimulatedClock({ wallStartMs: 1_000_000 });
    await clock.advance(1234);
    expect(clock.wall()).to.equal(1_001_234);
  });

  it('keeps order through ten thousand timers of which most are cancelled', async () => {
    const clock = new SimulatedClock();
    const fired: number[] = [];
    for (let i = 0; i < 10_000; i++) {
      const delay = (i * 7919) % 1009;
      const cancel = clock.setTimer(() => fired.push(clock.now() * 10_000 + i), delay);
      if (i % 10 !== 0) cancel();
    }
    expect(clock.pending().timers).to.have.length(1000);
    await clock.runUntilIdle();
    expect(fired).to.have.length(1000);
    expect(fired).to.deep.equal([...fired].sort((a, b) => a - b));
  });
});
