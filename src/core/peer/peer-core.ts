import { add, addBootstrap } from './adding.ts';
import { accepted, dialed } from './admission.ts';
import { expireAlarms } from './alarms.ts';
import { ban, unban } from './bans.ts';
import { inactivate, processPeerEvent, setHeight } from './behaviour.ts';
import { dialFailed, dialNext } from './dialing.ts';
import { promoteDue } from './dial-queue.ts';
import { disconnected } from './disconnection.ts';
import { errored, evictNext } from './eviction.ts';
import { ready } from './readiness.ts';
import type { Effect, PeerEvent, PeerResult, StepEnv } from './peer-event.ts';
import type { PeerState } from './peer-state.ts';
import { PeerTable } from './peer-table.ts';
import { dial, disconnect, setPersistent } from './runtime-operations.ts';

/** What a step answers, what it asks for, and the state it leaves. */
export interface StepResult<E extends PeerEvent = PeerEvent> {
  /** The state given, when nothing changed. */
  readonly state: PeerState;
  readonly result: PeerResult<E>;
  /** To be performed in this order: writes, updates, wake-ups. */
  readonly effects: readonly Effect[];
}

/**
 * The decision core: one event applied to a state. Total and pure: every event is legal in every state, `state` stays
 * valid and unchanged, and the same arguments give the same answer. What is due by `env.now` happens first.
 */
export function step<E extends PeerEvent>(state: PeerState, event: E, env: StepEnv): StepResult<E> {
  const table = new PeerTable(state, laterOf(state.nowMs, env.now), env.rng);
  promoteDue(table);
  expireAlarms(table);
  const result = apply(table, event) as PeerResult<E>;
  return { result, ...table.finish() };
}

/** Time does not run backwards in here, whatever the clock does (D22). */
function laterOf(seenMs: number, nowMs: number): number {
  return Number.isFinite(nowMs) ? Math.max(seenMs, Math.floor(nowMs)) : seenMs;
}

function apply(table: PeerTable, event: PeerEvent): PeerResult {
  switch (event.type) {
    case 'add':
      return add(table, event);
    case 'dialNext':
      return dialNext(table);
    case 'dialFailed':
      return dialFailed(table, event);
    case 'dialed':
      return dialed(table, event);
    case 'accepted':
      return accepted(table, event);
    case 'ready':
      return ready(table, event);
    case 'evictNext':
      return evictNext(table);
    case 'errored':
      return errored(table, event);
    case 'disconnected':
      return disconnected(table, event);
    case 'processPeerEvent':
      return processPeerEvent(table, event);
    case 'inactivate':
      return inactivate(table, event);
    case 'setHeight':
      return setHeight(table, event);
    case 'dial':
      return dial(table, event);
    case 'disconnect':
      return disconnect(table, event);
    case 'ban':
      return ban(table, event);
    case 'unban':
      return unban(table, event);
    case 'setPersistent':
      return setPersistent(table, event);
    case 'addBootstrap':
      return addBootstrap(table, event);
  }
}
