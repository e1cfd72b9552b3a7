/**
 * Which of several connections to one peer stays.
 *
 * Two nodes may dial each other at the same time, and a peer may come back while we still hold the socket of its last
 * life. Whoever decides by what it saw first may keep the connection that the other end drops. The rules here lead both
 * ends to the same connection without a message of their own: among two that are still being set up, the one dialled by
 * the node with the greater id goes ahead and the other is held; one that both ends have accepted stays, unless it is
 * dead. Tendermint v0.35 has no such rule (`PeerManager.Dialed` and `Accepted` refuse the second they see).
 *
 * Held means: verdicts already sent or received keep their meaning, none is sent, and the connection does not become
 * ready. When another connection to the peer becomes ready, a held one is rejected as `duplicate`; when the one that held
 * it ends, it is arbitrated again as a candidate. Losing is no failure: no back-off, no report, no peer update.
 */
import type { Direction } from '../direction.ts';
import { CLOSING_WAIT_MS, PROBE_TIMEOUT_MS } from '../limits.ts';
import type { NodeId } from '../node-id.ts';

/** A connection that has passed the judging of its handshake and now wants to become the peer's connection. */
export interface Candidate {
  readonly peer: NodeId;
  readonly direction: Direction;
}

/** Another connection whose remote proved the same id and that has not closed yet. */
export interface Incumbent {
  readonly direction: Direction;
  /**
   * `pending` until both verdicts are accept, then `ready`, in probation too; `held` by an earlier arbitration; `closing`
   * when it was ready and is being closed. One that is given up before it was ready is no incumbent any more.
   */
  readonly phase: 'pending' | 'held' | 'ready' | 'closing';
  /** `Clock.now` of the latest byte received, keep-alive included. */
  readonly lastReceivedAt: number;
  /**
   * `possible` when the transport has a ping and none was sent for this arbitration, `unanswered` when one got no answer
   * in time; absent when the transport has none.
   */
  readonly probe?: 'possible' | 'unanswered';
}

export interface ArbitrationContext {
  readonly selfId: NodeId;
  readonly now: number;
  /** Silence after which a ready incumbent is presumed dead; Infinity for never. */
  readonly supersedeAfterMs: number;
}

/** What is to be done, and the number of the rule that said so (0: nothing stood in the way). */
export type Arbitration =
  /** The candidate goes on. */
  | { readonly outcome: 'admit'; readonly rule: 0 }
  /** Arbitrate again when the incumbent has closed, or after `waitMs` without it. */
  | { readonly outcome: 'wait-for-incumbent'; readonly rule: 2; readonly waitMs: number }
  /** Ping the incumbent; arbitrate again on an answer, or after `waitMs` with its probe `unanswered`. */
  | { readonly outcome: 'probe-incumbent'; readonly rule: 3; readonly waitMs: number }
  /** The candidate goes on; the ready incumbent closes as `superseded`: `down`, later `up`. */
  | { readonly outcome: 'supersede'; readonly rule: 3 }
  /** The candidate goes on; the older one, not ready yet, is rejected as `duplicate`. */
  | { readonly outcome: 'replace'; readonly rule: 4 }
  /** The candidate goes on; the incumbent is held. */
  | { readonly outcome: 'hold-incumbent'; readonly rule: 5 }
  /** The candidate is held. */
  | { readonly outcome: 'hold'; readonly rule: 5 }
  /** The candidate is rejected. */
  | { readonly outcome: 'reject'; readonly rule: 1 | 3; readonly code: 'self' | 'duplicate' };

/** Settles one candidate against one incumbent, or against none. */
export function arbitrate(
  incumbent: Incumbent | undefined,
  candidate: Candidate,
  context: ArbitrationContext,
): Arbitration {
  if (candidate.peer === context.selfId) return { outcome: 'reject', rule: 1, code: 'self' };
  if (incumbent === undefined) return { outcome: 'admit', rule: 0 };
  switch (incumbent.phase) {
    case 'closing':
      return { outcome: 'wait-for-incumbent', rule: 2, waitMs: CLOSING_WAIT_MS };
    case 'ready':
      return againstReady(incumbent, context);
    case 'pending':
    case 'held':
      return againstUnready(incumbent, candidate, context.selfId);
  }
}

/** Rule 3. A live peer does not dial a peer it is connected to, so a silent incumbent is taken for half-open. */
function againstReady(incumbent: Incumbent, { now, supersedeAfterMs }: ArbitrationContext): Arbitration {
  const isSilent = now - incumbent.lastReceivedAt >= supersedeAfterMs;
  if (!isSilent) return { outcome: 'reject', rule: 3, code: 'duplicate' };
  if (incumbent.probe !== 'possible') return { outcome: 'supersede', rule: 3 };
  return { outcome: 'probe-incumbent', rule: 3, waitMs: PROBE_TIMEOUT_MS };
}

/** Rules 4 and 5. Both ends know both ids and the directions, so both compute the same winner. */
function againstUnready(incumbent: Incumbent, candidate: Candidate, selfId: NodeId): Arbitration {
  if (incumbent.direction === candidate.direction) return { outcome: 'replace', rule: 4 };
  return preferredDirection(selfId, candidate.peer) === candidate.direction
    ? { outcome: 'hold-incumbent', rule: 5 }
    : { outcome: 'hold', rule: 5 };
}

/** Seen from `selfId`, the direction of the connection that the node with the greater id dialled. */
export function preferredDirection(selfId: NodeId, peer: NodeId): Direction {
  return selfId > peer ? 'outbound' : 'inbound';
}
