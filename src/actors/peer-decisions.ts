import type { Chance, Effect, PeerEvent, PeerResult } from '../core/peer/peer-event.ts';
import type { NodeId } from '../core/node-id.ts';
import { step } from '../core/peer/peer-core.ts';
import type { PeerState } from '../core/peer/peer-state.ts';
import type { PeerUpdateEffect } from '../core/peer/peer-event.ts';
import { explain } from '../core/peer/why.ts';
import type { StoreWrite } from '../core/peer/peer-record.ts';
import type { RecordValue } from '../inspect/flight-record.ts';
import type { Kernel } from './kernel.ts';

/** What the owner of the decisions does about their effects. */
export interface DecisionEffects {
  write(changes: readonly StoreWrite[]): void;
  update(update: PeerUpdateEffect): void;
  wakeDial(): void;
  wakeEvict(): void;
  /** The core, or an effect of it, threw: what it knows may be wrong from now on. */
  broken(error: unknown): void;
}

const DIAL_FAILURES: ReadonlySet<string> = new Set(['recorded', 'address-dropped', 'peer-dropped']);

/** How often the core has decided what, for statistics. */
export interface DecisionCounts {
  dials: number;
  dialFailures: number;
  upgrades: number;
  evictions: number;
}

/**
 * The one owner of the peer table: applies events to the core one at a time, records each decision with its why, and
 * performs the effects in order.
 */
export class PeerDecisions {
  readonly counts: DecisionCounts = { dials: 0, dialFailures: 0, upgrades: 0, evictions: 0 };
  readonly #kernel: Kernel;
  readonly #effects: DecisionEffects;
  readonly #chance: Chance;
  readonly #nowMs: () => number;
  #state: PeerState;

  /** @param nowMs wall-clock milliseconds that never run backwards. */
  constructor(
    kernel: Kernel,
    state: PeerState,
    effects: DecisionEffects,
    chance: Chance,
    nowMs: () => number,
  ) {
    this.#kernel = kernel;
    this.#state = state;
    this.#effects = effects;
    this.#chance = chance;
    this.#nowMs = nowMs;
  }

  /** The table as it stands; an immutable value. */
  get state(): PeerState {
    return this.#state;
  }

  get now(): number {
    return this.#nowMs();
  }

  /** A throw is told as `broken` and then thrown to the caller. */
  apply<E extends PeerEvent>(event: E): PeerResult<E> {
    try {
      return this.#apply(event);
    } catch (error) {
      this.#effects.broken(error);
      throw error;
    }
  }

  #apply<E extends PeerEvent>(event: E): PeerResult<E> {
    const { state, result, effects } = step(this.#state, event, { now: this.#nowMs(), rng: this.#chance });
    this.#state = state;
    this.#count(event, result);
    this.#record(event, result);
    this.perform(effects);
    return result;
  }

  /** Writes come first, then updates, then wake-ups, which is how the core lists them. */
  perform(effects: readonly Effect[]): void {
    const writes = effects.filter((effect) => isWrite(effect));
    if (writes.length > 0) this.#effects.write(writes);
    for (const effect of effects) {
      if (effect.type === 'update') this.#effects.update(effect);
      else if (effect.type === 'wakeDial') this.#effects.wakeDial();
      else if (effect.type === 'wakeEvict') this.#effects.wakeEvict();
    }
  }

  #count(event: PeerEvent, { outcome, ...result }: PeerResult): void {
    if (outcome === 'dial') this.counts.dials += 1;
    else if (outcome === 'connected' && 'victim' in result) this.counts.upgrades += 1;
    else if (outcome === 'evict') this.counts.evictions += 1;
    else if (DIAL_FAILURES.has(outcome) && !isSoft(event)) this.counts.dialFailures += 1;
  }

  #record(event: PeerEvent, result: PeerResult): void {
    const peer = peerOf(event, result);
    this.#kernel.record({
      kind: 'decision',
      actor: 'router',
      event: event.type,
      result: result.outcome === 'refused' ? result.error : result.outcome,
      ...(peer === undefined ? {} : { peer }),
      why: result.why as unknown as RecordValue,
      line: explain(result.why),
    });
  }
}

function isWrite(effect: Effect): effect is StoreWrite {
  return effect.type !== 'update' && effect.type !== 'wakeDial' && effect.type !== 'wakeEvict';
}

/** Reported as nobody's fault. */
function isSoft(event: PeerEvent): boolean {
  return event.type === 'dialFailed' && event.soft === true;
}

function peerOf(event: PeerEvent, result: PeerResult): NodeId | undefined {
  if ('peer' in result) return result.peer;
  if ('peer' in event) return event.peer;
  if ('address' in event) return event.address.nodeId;
  return undefined;
}
