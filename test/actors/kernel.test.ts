import { expect } from 'chai';
import { Kernel, stateName } from '../../src/actors/kernel.ts';
import { FlightRecorder, P2PError, type FlightRecord } from '../../src/index.ts';
import { assign, setup } from '../../src/machines/xstate.ts';
import { SimulatedClock } from '../../src/testing/index.ts';

type LampEvent =
  | { readonly type: 'lamp.toggle' }
  | { readonly type: 'lamp.break' }
  | { readonly type: 'lamp.failed' }
  | { readonly type: 'lamp.explode' };

/** A chart with everything the kernel has to deal with. */
const lamp = setup({
  types: {
    context: {} as { readonly burnMs: number; readonly toggles: number },
    events: {} as LampEvent,
    input: {} as { readonly burnMs: number },
  },
  delays: { burnOut: ({ context }) => context.burnMs },
  actions: {
    shine: () => undefined,
    countToggle: assign(({ context }) => ({ toggles: context.toggles + 1 })),
    explode: assign(() => {
      throw new Error('exploded');
    }),
  },
}).createMachine({
  id: 'lamp',
  context: ({ input }) => ({ ...input, toggles: 0 }),
  initial: 'dark',
  on: { 'lamp.explode': { actions: 'explode' }, 'lamp.failed': '.broken', 'lamp.break': '.broken' },
  states: {
    dark: { on: { 'lamp.toggle': { target: 'bright', actions: 'countToggle' } } },
    bright: {
      entry: 'shine',
      on: { 'lamp.toggle': { target: 'dark', actions: 'countToggle' } },
      after: { burnOut: 'broken' },
    },
    broken: { type: 'final' },
  },
});

interface Bench {
  readonly clock: SimulatedClock;
  readonly kernel: Kernel;
}

function bench(): Bench {
  const clock = new SimulatedClock();
  return { clock, kernel: new Kernel(clock, new FlightRecorder()) };
}

function summary({ kernel }: Bench): readonly string[] {
  return kernel.recorder.records().map((record) => `${record.actor} ${describeRecord(record)}`);
}

function describeRecord(record: FlightRecord): string {
  if (record.kind === 'transition') return `${record.event}: ${record.from} → ${record.to}`;
  if (record.kind === 'timer') return `timer ${record.op} ${record.name}`;
  return record.kind === 'crash' ? `crash ${record.code} ${record.message}` : record.kind;
}

describe('the kernel', () => {
  it('records the life of an actor', async () => {
    const test = bench();
    const { kernel, clock } = test;
    const ends: string[] = [];
    const actor = kernel.supervise(lamp, {
      path: 'lamp',
      input: { burnMs: 100 },
      onEnd: ({ value }) => ends.push(value),
    });
    expect(kernel.actors).to.deep.equal(['lamp']);
    actor.start();
    actor.send({ type: 'lamp.toggle' });
    await clock.advance(100);
    expect(summary(test)).to.deep.equal([
      'lamp start',
      'lamp start:  → dark',
      'lamp timer set burnOut',
      'lamp lamp.toggle: dark → bright',
      'lamp timer fire burnOut',
      'lamp after burnOut: bright → broken',
      'lamp stop',
    ]);
    expect(ends).to.deep.equal(['broken']);
    expect(actor.alive).to.equal(false);
    expect(kernel.actors).to.deep.equal([]);
  });

  it('sets no timer for a delay without end, and records none', async () => {
    const test = bench();
    const actor = test.kernel.supervise(lamp, { path: 'lamp', input: { burnMs: Infinity } });
    actor.start();
    actor.send({ type: 'lamp.toggle' });
    expect(test.clock.pending().timers).to.deep.equal([]);
    expect(summary(test)).to.not.include('lamp timer set burnOut');
    actor.stop();
    await test.clock.advance(0);
  });

  it('leaves no timer of an actor that was stopped, and asks its chart nothing', async () => {
    const test = bench();
    let ended = 0;
    const actor = test.kernel.supervise(lamp, {
      path: 'lamp',
      input: { burnMs: 100 },
      onEnd: () => (ended += 1),
    });
    actor.start();
    actor.send({ type: 'lamp.toggle' });
    actor.stop();
    expect(test.clock.pending().timers).to.deep.equal([]);
    actor.send({ type: 'lamp.toggle' });
    await test.clock.advance(1_000);
    expect([ended, actor.snapshot().context.toggles]).to.deep.equal([0, 1]);
  });

  it('runs an effect after the step that asked for it, in order, and what it sends after that', () => {
    const { kernel } = bench();
    const order: string[] = [];
    const machine = lamp.provide({
      actions: {
        shine: kernel.effect('lamp', () => {
          order.push(`shine in ${actor.snapshot().value}`);
          actor.send({ type: 'lamp.toggle' });
          order.push(`still ${actor.snapshot().value}`);
        }),
      },
    });
    const actor = kernel.supervise(machine, { path: 'lamp', input: { burnMs: 100 } });
    actor.start();
    actor.send({ type: 'lamp.toggle' });
    order.push(actor.snapshot().value);
    expect(order).to.deep.equal(['shine in bright', 'still bright', 'dark']);
  });

  it('ends the actor whose effect throws, with a record, and nobody else', () => {
    const test = bench();
    const { kernel } = test;
    const crashed: string[] = [];
    const broken = lamp.provide({
      actions: {
        shine: kernel.effect('bad', () => {
          throw new P2PError('eof', 'no power');
        }),
      },
    });
    const bad = kernel.supervise(broken, {
      path: 'bad',
      input: { burnMs: 100 },
      onCrash: ({ message }) => crashed.push(message),
    });
    const good = kernel.supervise(lamp, { path: 'good', input: { burnMs: Infinity } });
    for (const actor of [bad, good]) {
      actor.start();
      actor.send({ type: 'lamp.toggle' });
    }
    expect([bad.alive, good.alive]).to.deep.equal([false, true]);
    expect(good.snapshot().value).to.equal('bright');
    expect(crashed).to.deep.equal(['no power']);
    expect(kernel.crashes).to.equal(1);
    expect(summary(test)).to.include('bad crash eof no power');
    expect(test.clock.pending().timers).to.deep.equal([]);
  });

  it('ends the actor whose chart throws, with one record', () => {
    const test = bench();
    const crashed: string[] = [];
    const actor = test.kernel.supervise(lamp, {
      path: 'lamp',
      input: { burnMs: 100 },
      failWith: (): LampEvent => ({ type: 'lamp.failed' }),
      onCrash: ({ message }) => crashed.push(message),
    });
    actor.start();
    actor.send({ type: 'lamp.explode' });
    expect(actor.alive).to.equal(false);
    expect(crashed).to.deep.equal(['exploded']);
    expect(test.kernel.crashes).to.equal(1);
  });

  it('tells a chart that wants to know of a throw once, and ends it at the next', () => {
    const test = bench();
    const { kernel } = test;
    const crashed: string[] = [];
    const told: string[] = [];
    const actor = kernel.supervise(lamp, {
      path: 'lamp',
      input: { burnMs: Infinity },
      failWith: ({ message }): LampEvent => {
        told.push(message);
        return { type: 'lamp.toggle' };
      },
      onCrash: ({ message }) => crashed.push(message),
    });
    actor.start();
    const explode = (message: string): void =>
      kernel.post('lamp', () => {
        throw new Error(message);
      });
    explode('one');
    expect(actor.snapshot().value).to.equal('bright');
    explode('two');
    expect([told, crashed, actor.alive]).to.deep.equal([['one'], ['two'], false]);
    expect(kernel.crashes).to.equal(2);
  });

  it('records the throw of a job that belongs to no living actor, and goes on', () => {
    const test = bench();
    const ran: number[] = [];
    test.kernel.post('gone', () => {
      test.kernel.post('gone', () => ran.push(2));
      ran.push(1);
      throw new Error('nobody home');
    });
    expect(ran).to.deep.equal([1, 2]);
    expect(summary(test)).to.deep.equal(['gone crash internal nobody home']);
  });

  it('does not overflow the stack however many actors answer each other', () => {
    const { kernel } = bench();
    let left = 10_000;
    const machine = lamp.provide({
      actions: {
        shine: kernel.effect('lamp', () => {
          left -= 2;
          if (left > 0) actor.send({ type: 'lamp.toggle' });
          if (left > 0) actor.send({ type: 'lamp.toggle' });
        }),
      },
    });
    const actor = kernel.supervise(machine, { path: 'lamp', input: { burnMs: Infinity } });
    actor.start();
    actor.send({ type: 'lamp.toggle' });
    expect(left).to.equal(0);
    expect(actor.alive).to.equal(true);
  });

  it('makes a call from outside one turn, and gives its result or its throw', () => {
    const { kernel } = bench();
    const order: string[] = [];
    const result = kernel.call(() => {
      kernel.post('a', () => order.push('posted'));
      kernel.call(() => order.push('nested'));
      order.push('called');
      return 7;
    });
    expect([result, order]).to.deep.equal([7, ['nested', 'called', 'posted']]);
    const fail = (): void =>
      kernel.call(() => {
        kernel.post('a', () => order.push('after the throw'));
        throw new Error('mine');
      });
    expect(fail).to.throw('mine');
    expect(order.at(-1)).to.equal('after the throw');
    expect(kernel.crashes).to.equal(0);
  });

  it('gives each record the one that led to it', () => {
    const { kernel } = bench();
    const actor = kernel.supervise(lamp, { path: 'lamp', input: { burnMs: Infinity } });
    kernel.post('router', () => {
      const cause = kernel.record({
        kind: 'decision',
        actor: 'router',
        event: 'dialNext',
        result: 'dial',
        line: 'dials',
      });
      actor.start();
      expect(cause).to.equal(2);
    });
    const transition = kernel.recorder.records().find(({ kind }) => kind === 'transition');
    expect(transition?.cause).to.equal(2);
    kernel.post('router', () => kernel.record({ kind: 'note', actor: 'router', code: 'alone' }));
    expect(kernel.recorder.records().at(-1)?.cause).to.equal(0);
  });

  it('writes the states of charts as paths', () => {
    expect(stateName('idle')).to.equal('idle');
    expect(stateName({ handshaking: 'judging' })).to.equal('handshaking.judging');
    expect(stateName({ running: { dialing: 'waiting', evicting: 'watching' } })).to.equal(
      'running(dialing.waiting,evicting.watching)',
    );
    expect(stateName(undefined)).to.equal('');
  });
});
