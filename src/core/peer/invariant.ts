import type { Effect, PeerEvent, PeerResult } from './peer-event.ts';
import type { PeerInfo } from './peer-info.ts';
import type { PeerState } from './peer-state.ts';

/** A rule that holds for every state, or for every step. */
export interface Invariant<T> {
  /** Stable; those with an I and a number are the peer manager's own. */
  readonly name: string;
  readonly statement: string;
  /** What is wrong, in a few words; undefined when the rule holds. */
  violation(subject: T): string | undefined;
}

/** A state with everything a rule may want to look at. */
export interface StateView {
  readonly state: PeerState;
  readonly peers: readonly PeerInfo[];
}

/** One step, before and after. */
export interface Transition {
  readonly before: PeerState;
  readonly event: PeerEvent;
  readonly result: PeerResult;
  readonly effects: readonly Effect[];
  readonly after: PeerState;
}

export interface Violation {
  readonly name: string;
  readonly statement: string;
  readonly detail: string;
}

/** Names the peers that should not be there. */
export function offenders(peers: readonly PeerInfo[]): string | undefined {
  return peers.length === 0 ? undefined : peers.map(({ id }) => id).join(', ');
}
