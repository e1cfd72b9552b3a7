import {
  PEX_EMPTY_INTERVAL_MS,
  PEX_FULL_RATIO,
  PEX_MAX_INTERVAL_MS,
  PEX_MIN_INTERVAL_MS,
  PEX_RESPONSE_TIMEOUT_MS,
  PEX_REST_MS,
  PEX_URGENT_INTERVAL_MS,
  PEX_YIELD_SAMPLES,
} from '../limits.ts';
import type { NodeId } from '../node-id.ts';
import { compareText, createOrder } from '../peer/order.ts';
import { pexInterval } from './pex-interval.ts';

export interface PexPacingOptions {
  /** Least time between two requests, in milliseconds; default 1 000. */
  readonly minMs?: number;
  /** Most time between two requests; default 600 000. */
  readonly maxMs?: number;
  /** Time a peer has to answer; default 10 000. */
  readonly responseTimeoutMs?: number;
  /** Time a peer that did not answer is left alone; default 60 000. */
  readonly restMs?: number;
}

/** What the rest of the router looks like to the one who asks for addresses. */
export interface PexSituation {
  /** Addresses in the store. */
  readonly known: number;
  /** Addresses the store may hold; Infinity for no limit. */
  readonly capacity: number;
  /** Peers connected. */
  readonly connected: number;
  /** Peers the router would like to be connected to. */
  readonly wanted: number;
}

/** What is due now. */
export interface PexStep {
  /** The peer to send a request to; it counts as asked from now on. */
  readonly ask?: NodeId;
  /** Peers that did not answer in time and rest now; each costs them a demerit. */
  readonly silent: readonly NodeId[];
}

/**
 * What a response is: the `expected` answer to a request, a `late` one that is welcome once, or one nobody asked for,
 * which is an offence.
 */
export type PexAnswer = 'expected' | 'late' | 'unsolicited';

interface AskablePeer {
  readonly id: NodeId;
  readonly spacingMs: number;
  /** −Infinity: never. */
  askedAt: number;
  /** Whether an answer may still come; only while asked or resting. */
  isAwaited: boolean;
  /** End of the rest; only while resting. */
  restsUntil: number;
}

/**
 * Decides when to ask for addresses, and whom: the peer asked longest ago, each no more often than it likes, and the
 * more rarely the less there is to learn. Traffic never postpones a request; what happens in between can only bring the
 * next one forward. Has no clock: `nextAt` is the instant to call `step` at, and may change with every other call.
 */
export class PexPacing {
  readonly #minMs: number;
  readonly #maxMs: number;
  readonly #responseTimeoutMs: number;
  readonly #restMs: number;
  #situation: PexSituation;

  /** Every ready peer that has the channel. Each is also in exactly one of `idle`, `asked` and `resting`. */
  readonly #peers = new Map<NodeId, AskablePeer>();
  /** In the order in which they are asked. */
  readonly #idle = createOrder<AskablePeer>((a, b) =>
    a.askedAt === b.askedAt ? compareText(a.id, b.id) : a.askedAt - b.askedAt,
  );
  readonly #asked = new Set<AskablePeer>();
  readonly #resting = new Set<AskablePeer>();
  /** When peers that have gone were asked, as long as that still keeps them from being asked again. */
  readonly #gone = new Map<NodeId, AskablePeer>();

  /** New addresses in the latest responses, as a ring. */
  readonly #yields: number[] = [];
  #yieldCount = 0;
  /** Start of the running cycle: the latest request, or the first peer. */
  #cycleAt: number | undefined;
  /** End of the running cycle; undefined without peers. */
  #dueAt: number | undefined;

  constructor(situation: PexSituation, options: PexPacingOptions = {}) {
    this.#situation = situation;
    this.#minMs = options.minMs ?? PEX_MIN_INTERVAL_MS;
    this.#maxMs = options.maxMs ?? PEX_MAX_INTERVAL_MS;
    this.#responseTimeoutMs = options.responseTimeoutMs ?? PEX_RESPONSE_TIMEOUT_MS;
    this.#restMs = options.restMs ?? PEX_REST_MS;
  }

  /** A peer with the PEX channel is ready. `spacingMs` is how often it may be asked (`pexDialect`). */
  up(id: NodeId, spacingMs: number, now: number): void {
    if (this.#peers.has(id)) return;
    const askedAt = this.#gone.get(id)?.askedAt ?? -Infinity;
    this.#gone.delete(id);
    const peer = { id, spacingMs, askedAt, isAwaited: false, restsUntil: 0 };
    this.#peers.set(id, peer);
    this.#idle.set(peer, undefined);
    this.#recompute(now);
  }

  /** A peer is no longer connected. What it was asked is forgotten, when it was asked is not. */
  down(id: NodeId, now: number): void {
    const peer = this.#peers.get(id);
    if (peer === undefined) return;
    this.#peers.delete(id);
    this.#idle.delete(peer);
    this.#asked.delete(peer);
    this.#resting.delete(peer);
    for (const other of this.#gone.values()) {
      if (eligibleAt(other) <= now) this.#gone.delete(other.id);
    }
    if (eligibleAt(peer) > now) this.#gone.set(id, peer);
    this.#recompute(now);
  }

  /** The store or the number of connected peers has changed. */
  observe(situation: PexSituation, now: number): void {
    this.#situation = situation;
    this.#recompute(now);
  }

  /** A response has come in. */
  answered(id: NodeId, now: number): PexAnswer {
    const peer = this.#peers.get(id);
    if (peer?.isAwaited !== true) return 'unsolicited';
    peer.isAwaited = false;
    if (this.#resting.has(peer)) return now < peer.restsUntil ? 'late' : 'unsolicited';
    if (now >= peer.askedAt + this.#responseTimeoutMs) return 'late';
    this.#asked.delete(peer);
    this.#idle.set(peer, undefined);
    return 'expected';
  }

  /** An answer, expected or late, has taught us `added` new addresses. */
  learned(added: number, now: number): void {
    this.#yields[this.#yieldCount++ % PEX_YIELD_SAMPLES] = added;
    this.#recompute(now);
  }

  /** The instant at which `step` has something to do next; undefined when only another call can change that. */
  nextAt(): number | undefined {
    let next = Infinity;
    for (const peer of this.#asked) next = Math.min(next, peer.askedAt + this.#responseTimeoutMs);
    if (this.#dueAt !== undefined) next = Math.min(next, Math.max(this.#dueAt, this.#firstEligibleAt()));
    return next === Infinity ? undefined : next;
  }

  /** Does what is due: silent peers go to rest, and if it is time, a peer is asked. */
  step(now: number): PexStep {
    const silent = this.#restSilent(now);
    for (const peer of this.#resting) {
      if (peer.restsUntil <= now) this.#endRest(peer);
    }
    if (this.#dueAt === undefined || now < this.#dueAt) return { silent };
    const peer = this.#oldestEligible(now);
    if (peer === undefined) return { silent };
    this.#markAsked(peer, now);
    return { silent, ask: peer.id };
  }

  #restSilent(now: number): NodeId[] {
    const silent: NodeId[] = [];
    for (const peer of this.#asked) {
      if (now < peer.askedAt + this.#responseTimeoutMs) continue;
      this.#asked.delete(peer);
      peer.restsUntil = now + this.#restMs;
      this.#resting.add(peer);
      silent.push(peer.id);
    }
    return silent;
  }

  #endRest(peer: AskablePeer): void {
    peer.isAwaited = false;
    this.#resting.delete(peer);
    this.#idle.set(peer, undefined);
  }

  #markAsked(peer: AskablePeer, now: number): void {
    this.#idle.delete(peer);
    peer.askedAt = now;
    peer.isAwaited = true;
    this.#asked.add(peer);
    this.#cycleAt = now;
    this.#dueAt = now + this.#intervalMs();
  }

  #oldestEligible(now: number): AskablePeer | undefined {
    for (const peer of this.#idle.keys()) {
      if (eligibleAt(peer) <= now) return peer;
    }
    return undefined;
  }

  #firstEligibleAt(): number {
    let first = Infinity;
    for (const peer of this.#idle.keys()) {
      if (peer.askedAt >= first) break;
      first = Math.min(first, eligibleAt(peer));
    }
    for (const peer of this.#resting) first = Math.min(first, Math.max(peer.restsUntil, eligibleAt(peer)));
    return first;
  }

  /** Ends the running cycle earlier if that is called for now, never later. */
  #recompute(now: number): void {
    if (this.#peers.size === 0) {
      this.#dueAt = undefined;
      return;
    }
    this.#cycleAt ??= now;
    const dueAt = Math.max(this.#cycleAt + this.#intervalMs(), now);
    this.#dueAt = Math.min(this.#dueAt ?? Infinity, dueAt);
  }

  #intervalMs(): number {
    const { known, capacity, connected, wanted } = this.#situation;
    let interval = this.#maxMs;
    if (known < capacity * PEX_FULL_RATIO) {
      interval = pexInterval({
        minMs: this.#minMs,
        maxMs: this.#maxMs,
        eligible: this.#idle.size,
        known,
        added: this.#meanYield(),
      });
    }
    if (connected < wanted) interval = Math.min(interval, PEX_URGENT_INTERVAL_MS);
    if (known === 0) interval = Math.min(interval, PEX_EMPTY_INTERVAL_MS);
    return interval;
  }

  #meanYield(): number {
    if (this.#yields.length === 0) return 0;
    return this.#yields.reduce((sum, added) => sum + added, 0) / this.#yields.length;
  }
}

function eligibleAt(peer: AskablePeer): number {
  return peer.askedAt + peer.spacingMs;
}
