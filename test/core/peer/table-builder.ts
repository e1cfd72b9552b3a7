import { construct, type Stored } from '../../../src/core/peer/load.ts';
import type { PeerOptions } from '../../../src/core/peer/options.ts';
import { step, type StepResult } from '../../../src/core/peer/peer-core.ts';
import type { Chance, PeerEvent } from '../../../src/core/peer/peer-event.ts';
import type { PeerState } from '../../../src/core/peer/peer-state.ts';
import { id, T0 } from './shorthand.ts';

export const LOWEST: Chance = { below: () => 0 };
export const HIGHEST: Chance = { below: (n) => n - 1 };

/** A state under some options, loaded from `stored`. */
export function newTable(options: PeerOptions = {}, stored: Stored = { records: [], bans: [] }): PeerState {
  const input = { selfId: id('0'), options: { tieSalt: '', ...options }, stored };
  const constructed = construct(input, { now: T0, rng: LOWEST });
  if ('error' in constructed) throw new Error(constructed.error);
  return constructed.state;
}

export function take<E extends PeerEvent>(
  state: PeerState,
  event: E,
  nowMs = T0,
  rng = LOWEST,
): StepResult<E> {
  return step(state, event, { now: nowMs, rng });
}

/** The state after some events at one instant. */
export function after(state: PeerState, ...events: readonly PeerEvent[]): PeerState {
  return events.reduce((before, event) => take(before, event).state, state);
}
