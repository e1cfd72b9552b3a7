import { expect } from 'chai';
import fc from 'fast-check';
import { formatNodeAddress } from '../../../src/core/node-address.ts';
import { describeState } from '../../../src/core/peer/describe-state.ts';
import { construct } from '../../../src/core/peer/load.ts';
import type { PeerOptions } from '../../../src/core/peer/options.ts';
import { step } from '../../../src/core/peer/peer-core.ts';
import type { Chance, Effect, PeerResult } from '../../../src/core/peer/peer-event.ts';
import type { PeerState } from '../../../src/core/peer/peer-state.ts';
import { tieKey } from '../../../src/core/peer/rank-order.ts';
import { aimed, anyOptions, bareOptions, chanceOf, EVENT_TYPES, ticksOf, type Tick } from './arbitraries.ts';
import { ReferenceModel, type ModelAnswer } from './reference-model.ts';
import { id, T0 } from './shorthand.ts';

/** The core with what a run needs besides. */
interface Real {
  state: PeerState;
  nowMs: number;
  readonly rng: Chance;
}

class EventCommand implements fc.Command<ReferenceModel, Real> {
  readonly #tick: Tick;

  constructor(tick: Tick) {
    this.#tick = tick;
  }

  check(): boolean {
    return true;
  }

  run(model: ReferenceModel, real: Real): void {
    real.nowMs += this.#tick.waitMs;
    const event = aimed(real.state, this.#tick, real.nowMs);
    const expected = model.apply(event, real.nowMs);
    const { state, result, effects } = step(real.state, event, { now: real.nowMs, rng: real.rng });
    real.state = state;
    expect(answerOf(result), this.toString()).to.deep.equal({ ...NO_DETAILS, ...expected });
    expect(signalsOf(effects), this.toString()).to.deep.equal([...model.signals].sort());
    expect(tableOf(state), this.toString()).to.deep.equal(modelTable(model));
  }

  toString(): string {
    return JSON.stringify(this.#tick);
  }
}

const NO_DETAILS = { peer: undefined, address: undefined, victim: undefined };

function answerOf(result: PeerResult): ModelAnswer {
  const outcome = result.outcome === 'refused' ? result.error : result.outcome;
  if (result.outcome === 'dial') {
    const { peer, address, victim } = result;
    return { outcome, peer, address: formatNodeAddress(address), victim };
  }
  if (result.outcome === 'evict') return { ...NO_DETAILS, outcome, peer: result.peer };
  return { ...NO_DETAILS, outcome, victim: result.outcome === 'connected' ? result.victim : undefined };
}

function signalsOf(effects: readonly Effect[]): string[] {
  const signals = effects.flatMap((effect) => {
    if (effect.type === 'update') return [`${effect.status} ${effect.peer}`];
    return effect.type === 'wakeDial' || effect.type === 'wakeEvict' ? [effect.type] : [];
  });
  return signals.sort();
}

/** The state of the core in the model's terms. */
function tableOf(state: PeerState): unknown {
  const described = describeState(state);
  return {
    ...described,
    nowMs: described.nowMs,
    bans: described.bans.map((ban) => [ban.id, ban.untilMs]),
  };
}

function modelTable(model: ReferenceModel): unknown {
  const byId = <T>(entries: Iterable<[string, T]>): Record<string, T> => Object.fromEntries(entries);
  return {
    nowMs: model.nowMs,
    peers: model.ranked().map((peer) => ({
      id: peer.id,
      score: model.score(peer),
      persistent: model.persistent.has(peer.id),
      inactive: peer.inactive,
      banned: model.bans.has(peer.id),
      mutableScore: peer.mutable,
      height: peer.height,
      lastConnectedMs: peer.lastConnectedMs,
      lastDisconnectedMs: peer.lastDisconnectedMs,
      cooldownUntilMs: peer.cooldownUntilMs,
      addresses: model.sortedAddresses(peer).map((known) => ({
        address: formatNodeAddress(known.address),
        failures: known.failures,
        lastSuccessMs: known.lastSuccessMs,
        lastFailureMs: known.lastFailureMs,
        retryAtMs: known.retryAtMs,
        source: known.source,
        firstSeenMs: known.firstSeenMs,
        tried: known.tried,
        bootstrap: known.bootstrap,
      })),
    })),
    dialing: [...model.dialing.keys()].sort(),
    upgrading: byId(model.upgrading),
    connected: byId([...model.connected].map(([peer, { direction }]) => [peer, direction])),
    ready: byId([...model.ready].map(([peer, channels]) => [peer, [...channels]])),
    evict: model.evict.map(({ peer }) => peer),
    evicting: [...model.evicting.keys()].sort(),
    bans: [...model.bans],
  };
}

function setUp(options: PeerOptions, seed: number): { model: ReferenceModel; real: Real } {
  const rng = chanceOf(seed);
  const stored = { records: [], bans: [] };
  const constructed = construct({ selfId: id('0'), options, stored }, { now: T0, rng });
  if ('error' in constructed) throw new Error(constructed.error);
  const { state } = constructed;
  const tieOf = (peer: PeerState['selfId']): string => tieKey(state.settings.tieSalt, peer);
  const model = new ReferenceModel(state.selfId, state.settings, tieOf, chanceOf(seed), T0);
  return { model, real: { state, nowMs: T0, rng } };
}

function agrees(options: fc.Arbitrary<PeerOptions>, numRuns: number): void {
  const commands = fc.commands([ticksOf(EVENT_TYPES).map((tick) => new EventCommand(tick))], {
    maxCommands: 150,
    size: 'max',
  });
  fc.assert(
    fc.property(options, commands, fc.nat(), (chosen, run, seed) => {
      fc.modelRun(() => setUp(chosen, seed), run);
    }),
    { numRuns },
  );
}

describe('the core and a naive model of it', () => {
  it('agree on every answer, signal and state under the options of the bare core', () => {
    agrees(bareOptions, 250);
  }).timeout(120_000);

  it('agree on every answer, signal and state under any options', () => {
    agrees(anyOptions, 400);
  }).timeout(120_000);
});
