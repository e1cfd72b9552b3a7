import {
  arbitrate,
  type Arbitration,
  type ArbitrationContext,
  type Candidate,
  type Incumbent,
} from './arbitration.ts';

/** The outcome of a candidate against all incumbents of its peer, which are listed by what is to happen to them. */
export interface Settlement<I extends Incumbent> {
  /** What happens to the candidate; `wait-for-incumbent` and `probe-incumbent` say when to ask again. */
  readonly candidate: 'admit' | 'hold' | 'reject' | 'wait-for-incumbent' | 'probe-incumbent';
  /** With `reject`. */
  readonly code?: 'self' | 'duplicate';
  /** With `wait-for-incumbent` and `probe-incumbent`: when to ask again at the latest. */
  readonly waitMs?: number;
  /** To be pinged. */
  readonly probe: readonly I[];
  /** Ready ones to close as `superseded`. */
  readonly supersede: readonly I[];
  /** Older ones of the same direction to reject as `duplicate`. */
  readonly replace: readonly I[];
  /** To be held, or to stay held. */
  readonly hold: readonly I[];
}

const NOTHING = { probe: [], supersede: [], replace: [], hold: [] } as const;

/**
 * Settles a candidate against every incumbent of its peer at once. A reject by one decides; else a wait or a probe comes
 * first and nothing else is done yet; else a hold by one holds the candidate. A held connection whose holder has ended
 * is settled again as a candidate, against the others.
 */
export function settle<I extends Incumbent>(
  incumbents: readonly I[],
  candidate: Candidate,
  context: ArbitrationContext,
): Settlement<I> {
  const pairs = incumbents.map((incumbent) => ({
    incumbent,
    result: arbitrate(incumbent, candidate, context),
  }));
  const results =
    pairs.length === 0 ? [arbitrate(undefined, candidate, context)] : pairs.map(({ result }) => result);
  const those = (outcome: Arbitration['outcome']) =>
    pairs.filter(({ result }) => result.outcome === outcome).map(({ incumbent }) => incumbent);

  for (const result of results) {
    if (result.outcome === 'reject') return { ...NOTHING, candidate: 'reject', code: result.code };
  }
  for (const result of results) {
    if (result.outcome === 'wait-for-incumbent') {
      return { ...NOTHING, candidate: result.outcome, waitMs: result.waitMs };
    }
  }
  for (const result of results) {
    if (result.outcome === 'probe-incumbent') {
      return {
        ...NOTHING,
        candidate: result.outcome,
        waitMs: result.waitMs,
        probe: those('probe-incumbent'),
      };
    }
  }
  const isHeld = results.some(({ outcome }) => outcome === 'hold');
  return {
    candidate: isHeld ? 'hold' : 'admit',
    probe: [],
    supersede: those('supersede'),
    replace: those('replace'),
    hold: those('hold-incumbent'),
  };
}
