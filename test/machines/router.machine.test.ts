import { expect } from 'chai';
import { routerMachine, type RouterEvent } from '../../src/machines/router.machine.ts';
import { createActor, type Actor } from '../../src/machines/xstate.ts';
import { SimulatedClock } from '../../src/testing/index.ts';

interface Bench {
  readonly clock: SimulatedClock;
  readonly actor: Actor<typeof routerMachine>;
  /** How often the core was asked whom to dial. */
  asked(): number;
}

function running(): Bench {
  const clock = new SimulatedClock();
  let asked = 0;
  const machine = routerMachine.provide({ actions: { dialNext: () => (asked += 1) } });
  const actor = createActor(machine, {
    input: { nodeId: 'n', drainTimeoutMs: 2_250 },
    clock: {
      setTimeout: (fire: () => void, delayMs: number) => clock.setTimer(fire, delayMs),
      clearTimeout: (cancel: () => void) => cancel(),
    },
  }).start();
  for (const type of ['router.start', 'router.started'] as const) actor.send({ type });
  return { clock, actor, asked: () => asked };
}

function dialing({ actor }: Bench): string | undefined {
  const { value } = actor.getSnapshot();
  return typeof value === 'string' ? undefined : value.running.dialing;
}

describe('the dialling region of the router chart', () => {
  it('asks when it begins, when it is woken, and when its time has come', async () => {
    const bench = running();
    expect(bench.asked()).to.equal(1);
    bench.actor.send({ type: 'dial.none', retryMs: 100 });
    expect(dialing(bench)).to.equal('sleeping');
    await bench.clock.advance(100);
    expect(bench.asked()).to.equal(2);
    bench.actor.send({ type: 'dial.none', retryMs: -1 });
    expect([dialing(bench), bench.clock.pending().timers.length]).to.deep.equal(['waiting', 0]);
    bench.actor.send({ type: 'dial.wake' });
    expect([dialing(bench), bench.asked()]).to.deep.equal(['deciding', 3]);
  });

  for (const [title, answers, state, wakesAfter] of [
    ['an earlier instant', [{ retryMs: 1_000 }, { retryMs: 50 }], 'sleeping', 50],
    ['a later instant', [{ retryMs: 50 }, { retryMs: 1_000 }], 'sleeping', 1_000],
    ['an instant where there was none', [{ retryMs: -1 }, { retryMs: 50 }], 'sleeping', 50],
    ['none any more', [{ retryMs: 50 }, { retryMs: -1 }], 'waiting', Infinity],
  ] as const) {
    it(`RT-117 heeds the later of two answers when it was woken in between: ${title}`, async () => {
      const bench = running();
      bench.actor.send({ type: 'dial.wake' });
      for (const { retryMs } of answers) bench.actor.send({ type: 'dial.none', retryMs });
      expect(dialing(bench)).to.equal(state);
      const timers = bench.clock.pending().timers.map(({ dueAt }) => dueAt);
      expect(timers).to.deep.equal(wakesAfter === Infinity ? [] : [wakesAfter]);
      bench.actor.stop();
      await bench.clock.advance(0);
    });
  }

  it('heeds that it is saturated, and that it is no longer', () => {
    const bench = running();
    bench.actor.send({ type: 'dial.wake' });
    bench.actor.send({ type: 'dial.none', retryMs: 50 });
    bench.actor.send({ type: 'dial.saturated' });
    expect([dialing(bench), bench.clock.pending().timers.length]).to.deep.equal(['saturated', 0]);
    bench.actor.send({ type: 'dial.wake' });
    bench.actor.send({ type: 'dial.none', retryMs: -1 });
    expect(dialing(bench)).to.equal('waiting');
  });
});

describe('the life of the router chart', () => {
  const failed: RouterEvent = { type: 'router.failed', reason: 'why' };

  it('fails from every state it can be in, and remembers why', () => {
    for (const before of [
      [],
      ['router.start'],
      ['router.start', 'router.started'],
      ['router.start', 'router.stop'],
    ] as const) {
      const actor = createActor(routerMachine, { input: { nodeId: 'n', drainTimeoutMs: 2_250 } }).start();
      for (const type of before) actor.send({ type });
      actor.send(failed);
      expect(actor.getSnapshot().value).to.equal('failed');
      expect(actor.getSnapshot().context.reason).to.equal('why');
      expect(actor.getSnapshot().status).to.equal('done');
    }
  });

  it('is stopped at the latest when the drain time is over', async () => {
    const bench = running();
    bench.actor.send({ type: 'router.stop' });
    expect(bench.actor.getSnapshot().value).to.equal('draining');
    await bench.clock.advance(2_250);
    expect(bench.actor.getSnapshot().value).to.equal('stopped');
    expect(bench.clock.pending().timers).to.deep.equal([]);
  });
});
