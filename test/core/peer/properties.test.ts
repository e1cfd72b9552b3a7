import { expect } from 'chai';
import fc from 'fast-check';
import { describeState } from '../../../src/core/peer/describe-state.ts';
import { stepViolations } from '../../../src/core/peer/invariants.ts';
import { construct } from '../../../src/core/peer/load.ts';
import type { PeerOptions } from '../../../src/core/peer/options.ts';
import { step, type StepResult } from '../../../src/core/peer/peer-core.ts';
import type { Chance, PeerEvent } from '../../../src/core/peer/peer-event.ts';
import type { PeerState } from '../../../src/core/peer/peer-state.ts';
import {
  aimed,
  anyOptions,
  bareOptions,
  BARE_EVENT_TYPES,
  chanceOf,
  EVENT_TYPES,
  ticksOf,
  type Tick,
} from './arbitraries.ts';
import { id, T0 } from './shorthand.ts';

const EVENTS_PER_RUN = 250;

/** A state without peers under some options. */
function emptyTable(options: PeerOptions, rng: Chance): PeerState {
  const stored = { records: [], bans: [] };
  const constructed = construct({ selfId: id('0'), options, stored }, { now: T0, rng });
  if ('error' in constructed) throw new Error(constructed.error);
  return constructed.state;
}

interface Visited extends StepResult {
  readonly before: PeerState;
  readonly event: PeerEvent;
}

/** Runs events one after the other and shows each step. */
function run(
  options: PeerOptions,
  ticks: readonly Tick[],
  seed: number,
  visit: (step: Visited) => void,
): PeerState {
  const rng = chanceOf(seed);
  let state = emptyTable(options, rng);
  let nowMs = T0;
  for (const tick of ticks) {
    nowMs += tick.waitMs;
    const before = state;
    const event = aimed(before, tick, nowMs);
    const taken = step(before, event, { now: nowMs, rng });
    visit({ ...taken, before, event });
    state = taken.state;
  }
  return state;
}

function check({ before, event, result, effects, state: after }: Visited): void {
  const violations = stepViolations({ before, event, result, effects, after });
  if (violations.length > 0) throw new Error(JSON.stringify({ event, result, violations }, null, 1));
}

describe('random events', () => {
  const arrays = { minLength: 1, maxLength: 2 * EVENTS_PER_RUN, size: 'max' } as const;
  let events = 0;

  it('PM-257 PM-258 PM-259 keep every invariant under the options of the bare core', () => {
    fc.assert(
      fc.property(
        bareOptions,
        fc.array(ticksOf(BARE_EVENT_TYPES), arrays),
        fc.nat(),
        (options, ticks, seed) => {
          run(options, ticks, seed, check);
          events += ticks.length;
        },
      ),
      { numRuns: 240 },
    );
  }).timeout(300_000);

  it('PM-257 PM-258 PM-259 keep every invariant under any options, with all events', () => {
    fc.assert(
      fc.property(anyOptions, fc.array(ticksOf(EVENT_TYPES), arrays), fc.nat(), (options, ticks, seed) => {
        run(options, ticks, seed, check);
        events += ticks.length;
      }),
      { numRuns: 240 },
    );
  }).timeout(300_000);

  it('were at least 100,000', () => {
    expect(events).to.be.at.least(100_000);
  });

  it('PM-260 lead to the same answers, effects and state when run again', () => {
    const runs = fc.array(ticksOf(EVENT_TYPES), { minLength: 50, maxLength: 50 });
    fc.assert(
      fc.property(anyOptions, runs, fc.nat(), (options, ticks, seed) => {
        const [first, second]: unknown[][] = [[], []];
        const one = run(options, ticks, seed, ({ result, effects }) => first!.push(result, effects));
        const two = run(options, ticks, seed, ({ result, effects }) => second!.push(result, effects));
        expect(second).to.deep.equal(first);
        expect(describeState(two)).to.deep.equal(describeState(one));
      }),
      { numRuns: 100 },
    );
  }).timeout(60_000);

  it('leave every earlier state as it was', () => {
    const runs = fc.array(ticksOf(EVENT_TYPES), { minLength: 60, maxLength: 60 });
    fc.assert(
      fc.property(anyOptions, runs, fc.nat(), (options, ticks, seed) => {
        const states: [state: PeerState, described: string][] = [];
        run(options, ticks, seed, ({ before }) =>
          states.push([before, JSON.stringify(describeState(before))]),
        );
        for (const [state, described] of states)
          expect(JSON.stringify(describeState(state))).to.equal(described);
      }),
      { numRuns: 60 },
    );
  }).timeout(60_000);
});
