import type { NodeId } from '../node-id.ts';

/** The lowest score. */
export const SCORE_MIN = -32768;

/** The highest score, which only persistent peers and fixed scores reach. */
export const SCORE_MAX = 32767;

/** The highest score behaviour can earn: no good behaviour makes a peer persistent. */
export const EARNED_SCORE_MAX = SCORE_MAX - 1;

/** What a score is made of. */
export interface ScoreInputs {
  /** Set by the options; 0 when there is none. */
  readonly fixed: number;
  readonly persistent: boolean;
  /** Sum of behaviour, −32768 … 32766. */
  readonly mutable: number;
  /** Dial failures since the last success, over the addresses that count. */
  readonly failures: number;
}

/** A peer's place among all peers. */
export interface Ranked {
  readonly id: NodeId;
  readonly score: number;
  /** The beginning of the tie key, which settles equal scores in ascending order, differently on every node. */
  readonly tie: number;
}

/** A peer that may be forgotten. */
export interface Forgettable extends Ranked {
  /** Undefined: never. */
  readonly lastConnectedMs: number | undefined;
}

/** A peer that wants a slot in a full table. */
export interface Newcomer {
  readonly id: NodeId;
  readonly score: number;
  readonly persistent: boolean;
}

/** The policy of the table. All functions are pure; neither order has to settle ties. */
export interface Ranking {
  /** Higher is better. Results are clamped to [SCORE_MIN, SCORE_MAX] and rounded down. */
  score(inputs: ScoreInputs): number;
  /** Negative when `a` ranks above `b`. Equal ranks are settled by tie key. */
  compareRank(a: Ranked, b: Ranked): number;
  /**
   * Who gives way to `newcomer`, or undefined. `lowestFirst` are the connected peers that may, from the lowest rank up;
   * `margin` is the option `upgradeMargin`.
   */
  upgradeCandidate(newcomer: Newcomer, lowestFirst: Iterable<Ranked>, margin: number): Ranked | undefined;
  /** Negative when `a` is forgotten before `b`. Equal places are settled by tie key, descending. */
  comparePrune(a: Forgettable, b: Forgettable): number;
  /** Whether a peer that was just added is forgotten rather than `first`, who comes before it in that order. */
  prunesNewcomer(newcomer: Forgettable, first: Forgettable): boolean;
}

/** Tendermint v0.35 `peerInfo.Score`, `Ranked`, `findUpgradeCandidate` and `prunePeers`, with all orders defined. */
export const DEFAULT_RANKING: Ranking = {
  score,
  compareRank,
  upgradeCandidate,
  comparePrune,
  prunesNewcomer,
};

/** A fixed score above 0 wins; then persistence; then behaviour less dial failures. */
export function score({ fixed, persistent, mutable, failures }: ScoreInputs): number {
  if (fixed > 0) return fixed;
  if (persistent) return SCORE_MAX;
  return clamp(mutable - failures, SCORE_MIN, EARNED_SCORE_MAX);
}

/** Higher scores first. */
export function compareRank(a: Ranked, b: Ranked): number {
  return b.score - a.score;
}

/** The lowest ranked, when it scores lower by more than the margin. Persistent peers need no margin. */
export function upgradeCandidate(
  newcomer: Newcomer,
  lowestFirst: Iterable<Ranked>,
  margin: number,
): Ranked | undefined {
  const needed = newcomer.persistent ? 0 : margin;
  for (const lowest of lowestFirst) return lowest.score + needed < newcomer.score ? lowest : undefined;
  return undefined;
}

/** Lower scores go first, then those never connected, then those not connected for longest. */
export function comparePrune(a: Forgettable, b: Forgettable): number {
  if (a.score !== b.score) return a.score - b.score;
  return (a.lastConnectedMs ?? NEVER) - (b.lastConnectedMs ?? NEVER);
}

/** A newcomer must score higher to stay. */
export function prunesNewcomer(newcomer: Forgettable, first: Forgettable): boolean {
  return newcomer.score <= first.score;
}

/** The behaviour score after `points` more. */
export function earn(mutable: number, points: number): number {
  return clamp(mutable + points, SCORE_MIN, EARNED_SCORE_MAX);
}

export function clamp(value: number, min: number, max: number): number {
  return Math.min(Math.max(value, min), max);
}

/** Before every instant, and a number whose differences are numbers. */
const NEVER = Number.MIN_SAFE_INTEGER;
