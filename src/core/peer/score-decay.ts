import type { PeerChange, PeerInfo } from './peer-info.ts';
import type { PeerSettings } from './options.ts';
import { earn } from './ranking.ts';

/** Parts of a half-life at whose ends scores may halve, so that many peers share one instant. */
const DECAY_STEPS = 64;

/** What `points` more do to a peer's behaviour score. */
export function earned(peer: PeerInfo, points: number, settings: PeerSettings, nowMs: number): PeerChange {
  const mutableScore = earn(peer.mutableScore, points);
  return { mutableScore, decayAtMs: decayAt(peer.decayAtMs, mutableScore, settings, nowMs) };
}

/** What a half-life does to a peer's behaviour score (E7). */
export function decayed(peer: PeerInfo, settings: PeerSettings): PeerChange {
  const mutableScore = Math.trunc(peer.mutableScore / 2);
  const savedScore =
    settings.scorePersistence && peer.connection === undefined ? mutableScore : peer.savedScore;
  return { mutableScore, savedScore, decayAtMs: decayAt(undefined, mutableScore, settings, peer.decayAtMs!) };
}

/** When a behaviour score halves next: an instant set stays until the score is 0. */
export function decayAt(
  setAtMs: number | undefined,
  mutableScore: number,
  { scoreHalfLifeMs }: PeerSettings,
  nowMs: number,
): number | undefined {
  if (scoreHalfLifeMs === 0 || mutableScore === 0) return undefined;
  if (setAtMs !== undefined) return setAtMs;
  const step = Math.max(1, Math.floor(scoreHalfLifeMs / DECAY_STEPS));
  return Math.ceil((nowMs + scoreHalfLifeMs) / step) * step;
}
