/**
 * What is true of every state and every step, as code: the explorer, the simulator and debug builds check it after each
 * event. It looks at every peer, so production does not do it.
 */
import { INDEX_INVARIANTS } from './index-invariants.ts';
import type { Invariant, StateView, Transition, Violation } from './invariant.ts';
import type { PeerState } from './peer-state.ts';
import { STATE_INVARIANTS } from './state-invariants.ts';
import { STEP_INVARIANTS } from './step-invariants.ts';

/** The rules for every state. */
export const ALL_STATE_INVARIANTS: readonly Invariant<StateView>[] = [
  ...STATE_INVARIANTS,
  ...INDEX_INVARIANTS,
];

/** The rules for every step. */
export const ALL_STEP_INVARIANTS: readonly Invariant<Transition>[] = STEP_INVARIANTS;

/** The rules that a state breaks. */
export function stateViolations(state: PeerState): readonly Violation[] {
  return broken(ALL_STATE_INVARIANTS, { state, peers: [...state.orders.peers.values()] });
}

/** The rules that a step, or the state it leads to, breaks. */
export function stepViolations(transition: Transition): readonly Violation[] {
  return [...stateViolations(transition.after), ...broken(ALL_STEP_INVARIANTS, transition)];
}

function broken<T>(invariants: readonly Invariant<T>[], subject: T): readonly Violation[] {
  const violations: Violation[] = [];
  for (const invariant of invariants) {
    const detail = invariant.violation(subject);
    if (detail !== undefined) {
      violations.push({ name: invariant.name, statement: invariant.statement, detail });
    }
  }
  return violations;
}
