import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import type { NodeId } from '../node-id.ts';
import type { PeerSettings } from './options.ts';
import { compareText, type Compare } from './order.ts';
import type { Forgettable, Ranked } from './ranking.ts';

export type RankSettings = Pick<PeerSettings, 'ranking' | 'tieSalt'>;

/** Hexadecimal digits of a tie key that a rank carries: 28 bits, which settle nearly every tie between two peers. */
const HEAD_DIGITS = 7;

/** Best rank first, equal ranks by tie key. */
export function rankOrder({ ranking, tieSalt }: RankSettings): Compare<Ranked> {
  return (a, b) => ranking.compareRank(a, b) || a.tie - b.tie || compareTieKeys(tieSalt, a, b);
}

/** First to be forgotten first; among equals the lower rank. */
export function pruneOrder({ ranking, tieSalt }: RankSettings): Compare<Forgettable> {
  return (a, b) => ranking.comparePrune(a, b) || b.tie - a.tie || compareTieKeys(tieSalt, b, a);
}

function compareTieKeys(salt: string, a: Ranked, b: Ranked): number {
  return a.id === b.id ? 0 : compareText(tieKey(salt, a.id), tieKey(salt, b.id));
}

/** Settles ties: by node id without a salt, otherwise differently under each salt. Hexadecimal digits. */
export function tieKey(salt: string, id: NodeId): string {
  return salt === '' ? id : bytesToHex(sha256(utf8ToBytes(salt + id)));
}

/** The part of a tie key that a rank carries. */
export function tieOf(salt: string, id: NodeId): number {
  return Number.parseInt(tieKey(salt, id).slice(0, HEAD_DIGITS), 16);
}
