import type { RejectCode } from './codes.ts';

/**
 * What a reject in the handshake means for the outbound attempt it ended:
 * `soft` — try again later, after the delay asked for if there is one; it says nothing against the address;
 * `hard` — a dial failure, held against the address with back-off;
 * `park` — peer and address are not dialled for a long time;
 * `duplicate` — no failure and no back-off, there is another connection;
 * `none` — our own doing, recorded nowhere.
 */
export type RejectConsequence = 'soft' | 'hard' | 'park' | 'duplicate' | 'none';

/** Who spoke the reject: this node or the remote one. */
export type RejectedBy = 'local' | 'remote';

interface RejectRow {
  /** Number in Verdict and Goodbye. Never changed, never reused. */
  readonly wire: number;
  readonly local: RejectConsequence;
  readonly remote: RejectConsequence;
}

const ROWS: Readonly<Record<RejectCode, RejectRow>> = {
  bad_node_info: { wire: 1, local: 'hard', remote: 'hard' },
  id_mismatch: { wire: 2, local: 'hard', remote: 'hard' },
  unexpected_peer: { wire: 3, local: 'hard', remote: 'hard' },
  self: { wire: 4, local: 'hard', remote: 'hard' },
  incompatible_protocol: { wire: 5, local: 'park', remote: 'park' },
  incompatible_network: { wire: 6, local: 'park', remote: 'park' },
  no_common_channel: { wire: 7, local: 'park', remote: 'park' },
  filtered: { wire: 8, local: 'soft', remote: 'soft' },
  duplicate: { wire: 9, local: 'duplicate', remote: 'duplicate' },
  at_capacity: { wire: 10, local: 'soft', remote: 'soft' },
  shutting_down: { wire: 11, local: 'none', remote: 'soft' },
  internal: { wire: 12, local: 'none', remote: 'soft' },
  protocol_violation: { wire: 13, local: 'hard', remote: 'hard' },
  evicted: { wire: 14, local: 'none', remote: 'soft' },
  superseded: { wire: 15, local: 'duplicate', remote: 'duplicate' },
  slow_peer: { wire: 16, local: 'none', remote: 'soft' },
};

const BY_NUMBER = new Map<number, RejectCode>(
  Object.entries(ROWS).map(([code, row]) => [row.wire, code as RejectCode]),
);

/** The number of a code in Verdict and Goodbye as it is sent: what leaks policy is disguised (`sentReject`). */
export function rejectNumber(code: RejectCode): number {
  return ROWS[sentReject(code)].wire;
}

/** The code a received number stands for; a number nobody has assigned reads as `internal`. */
export function rejectFromNumber(wire: number): RejectCode {
  return BY_NUMBER.get(wire) ?? 'internal';
}

/** The code the remote is told: a filtered peer hears `at_capacity`, so that it learns nothing of our lists. */
export function sentReject(code: RejectCode): RejectCode {
  return code === 'filtered' ? 'at_capacity' : code;
}

/** What a reject means for the outbound attempt it ended. */
export function rejectConsequence(code: RejectCode, by: RejectedBy): RejectConsequence {
  return ROWS[code][by];
}
