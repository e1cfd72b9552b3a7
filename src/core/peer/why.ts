import type { Why } from '../codes.ts';
import type { NodeId } from '../node-id.ts';

/** How a score came about (Tendermint v0.35 `peerInfo.Score`). */
export type ScoreBreakdown = {
  /** −32768 … 32767, higher is better. */
  readonly score: number;
  /** What decided: a fixed score above 0, then persistence, then behaviour and dial failures. */
  readonly rule: 'fixed' | 'persistent' | 'earned';
  /** 0 when none is set. */
  readonly fixed: number;
  readonly persistent: boolean;
  /** Sum of behaviour. */
  readonly mutable: number;
  /** Dial failures that count, since the last success. */
  readonly failures: number;
};

/** A peer and what it scored when the decision fell. */
export type Standing = {
  readonly peer: NodeId;
  readonly score: ScoreBreakdown;
};

export type DecisionInput = string | number | boolean;

/** Why the core answered as it did. Plain data: it can be logged, shown, compared and stored. */
export type Decision = {
  /** The rule that decided. */
  readonly rule: Why;
  /** Whom it was about; absent when it was about nobody in particular, or about a peer we do not know. */
  readonly subject?: Standing;
  /** Whom the subject beat, gave way to, or failed to beat. */
  readonly other?: Standing;
  /** The facts the rule looked at, by name. */
  readonly inputs?: Readonly<Record<string, DecisionInput>>;
};

/** The parts of a decision that are known. */
export function because(
  rule: Why,
  subject?: Standing,
  other?: Standing,
  inputs?: Decision['inputs'],
): Decision {
  return {
    rule,
    ...(subject !== undefined && { subject }),
    ...(other !== undefined && { other }),
    ...(inputs !== undefined && { inputs }),
  };
}

/** What happened, by rule; names in braces are the parts of the decision. */
const LINES: Readonly<Record<Why, string>> = {
  'new-peer': 'added {subject}',
  'new-address': 'added an address of {subject}',
  'duplicate-address': '{subject} has this address already',
  'peer-inactive': 'took no address of {subject}, which is incompatible',
  'address-limit': 'took no address of {subject}, which has {addresses} already',
  'store-full': 'did not add {subject}: {peers} of {maxPeers} peers are known, and none ranks lower',
  'invalid-address': 'refused an address: {fault}',
  'self-address': 'refused our own address',
  'best-candidate': 'dials {subject}, the best that is due',
  upgrade: '{subject} displaces {other}',
  'hard-full': 'dials nobody: {occupied} connections and dials take every slot',
  'outgoing-full': 'dials nobody: every outgoing slot is taken',
  'network-full': 'dials nobody: whoever is due is in a network or on a host that has its share',
  'no-candidate': 'dials nobody: nobody is due',
  'no-upgrade-victim': 'the table is full and nobody gives way to {subject}; {other} came closest',
  'back-off': '{subject} is left alone for a while (failures in a row: {failures})',
  'retries-disabled': '{subject} is not tried again after failure {failures}',
  'unknown-address': 'noted nothing: the address is not known',
  'address-dropped': 'removed an address of {subject} after failure {failures} in a row',
  'peer-dropped': 'removed {subject} with its last address after failure {failures} in a row',
  'late-report': 'ignored a late report: the dial of {subject} had been given up',
  'slot-free': '{subject} takes a free slot',
  'self-connection': 'refused: this is ourselves',
  'already-connected': '{subject} is connected already',
  'connections-full': 'refused {subject}: {connected} connections take every slot, upgrade slots included',
  'table-full':
    'refused {subject}: {staying} connections take every ordinary slot, and no dial was under way',
  'incoming-full':
    'refused {subject}: {inbound} inbound connections are enough; {other} came closest to giving way',
  'unknown-peer': 'did nothing: the peer is not known',
  banned: '{subject} is banned until {untilMs}: {reason}',
  'now-routed': '{subject} is up',
  'not-connected': 'did nothing: {subject} is not connected',
  'already-ready': 'did nothing: {subject} is up already',
  'already-leaving': 'did nothing: {subject} is on its way out already',
  upgraded: 'evicted {subject} for {other}',
  errored: 'evicted {subject} after an error: {cause}',
  requested: 'evicted {subject} as requested',
  'over-capacity': 'evicted {subject}, the lowest of {surplus} too many',
  'nothing-scheduled': 'evicts nobody: none is waiting',
  'connection-ended': '{subject} is down after {ageMs} ms',
  'good-behaviour': '{subject} earned {points}',
  'bad-behaviour': '{subject} lost: {points}',
  'ignored-report': 'ignored a report of {status} about {subject}',
  incompatible: 'parked {subject}, which is incompatible',
  'peer-persistent': 'did not park {subject}, which is persistent',
  'height-noted': '{subject} is at height {height}',
  'now-due': '{subject} may be dialled at once',
  'already-dialing': '{subject} is being dialled already',
  'ban-added': 'banned {subject} until {untilMs}: {reason}',
  'ban-lifted': 'lifted the ban of {subject}',
  'ban-expired': 'did not ban {subject}: {untilMs} is in the past',
  'not-banned': 'did nothing: there is no ban',
  'now-persistent': '{subject} is persistent from now on',
  'no-longer-persistent': '{subject} is persistent no longer',
  'no-change': 'did nothing: it was so already',
  'persistent-limit': 'did not make {subject} persistent: {persistent} peers are already',
};

/** A decision in one line of English, for logs and the inspector: `evicted 3fa2… (score 0) for 91bc… (persistent)`. */
export function explain(decision: Decision): string {
  return LINES[decision.rule].replace(/\{(\w+)\}/g, (_, name: string) => part(decision, name));
}

function part({ subject, other, inputs = {} }: Decision, name: string): string {
  if (name === 'subject') return subject === undefined ? 'the peer' : describe(subject);
  if (name === 'other') return other === undefined ? 'nobody' : describe(other);
  return String(inputs[name] ?? '?');
}

function describe({ peer, score }: Standing): string {
  const rank = score.rule === 'persistent' ? 'persistent' : `score ${score.score}`;
  return `${peer.slice(0, 4)}… (${rank})`;
}
