import type { ChannelId } from '../channel.ts';
import type { AddressFault, PeerRefusalCode } from '../codes.ts';
import type { Direction } from '../direction.ts';
import type { NodeAddress } from '../node-address.ts';
import type { NodeId } from '../node-id.ts';
import type { AddressSource, StoreWrite } from './peer-record.ts';
import type { Decision, ScoreBreakdown } from './why.ts';

/**
 * What happens to the peer table. Commands ask for something, facts report something; all are legal in every state. The
 * names are those of Tendermint v0.35's PeerManager; those from `dial` on are operations of the running node.
 */
export type PeerEvent =
  | AddEvent
  /** Whom to dial now? Hands out at most one address; its outcome must be reported once, as `dialed` or `dialFailed`. */
  | { readonly type: 'dialNext' }
  | DialFailedEvent
  /** A dial ended with an authenticated connection to the peer that was meant. */
  | { readonly type: 'dialed'; readonly address: NodeAddress }
  /** An inbound connection was authenticated. */
  | { readonly type: 'accepted'; readonly peer: NodeId }
  /** The peer is routed; `channels` are the channels it has. */
  | { readonly type: 'ready'; readonly peer: NodeId; readonly channels: readonly ChannelId[] }
  /** Whom to close now? The peer named must be closed, and its end reported as `disconnected`. */
  | { readonly type: 'evictNext' }
  | ErroredEvent
  /** The connection that `dialed` or `accepted` took in has ended. */
  | { readonly type: 'disconnected'; readonly peer: NodeId }
  | ProcessPeerEvent
  /** A handshake showed that the peer is incompatible. */
  | { readonly type: 'inactivate'; readonly peer: NodeId }
  | { readonly type: 'setHeight'; readonly peer: NodeId; readonly height: number }
  /** Dial this address as soon as limits allow: adds it as configured, clears its back-off and the peer's cooldown. */
  | { readonly type: 'dial'; readonly address: NodeAddress }
  /** Close the connection to a peer, without holding it against the peer. */
  | { readonly type: 'disconnect'; readonly peer: NodeId }
  | BanEvent
  | { readonly type: 'unban'; readonly peer: NodeId }
  | { readonly type: 'setPersistent'; readonly peer: NodeId; readonly persistent: boolean }
  /** Adds a configured address that is never removed and is due again whenever the last connection is gone. */
  | { readonly type: 'addBootstrap'; readonly address: NodeAddress };

export interface AddEvent {
  readonly type: 'add';
  readonly address: NodeAddress;
  /** Default: unknown. */
  readonly source?: AddressSource;
  /** Whether an outbound handshake with this address is known to have succeeded; default false. */
  readonly verified?: boolean;
}

export interface DialFailedEvent {
  readonly type: 'dialFailed';
  readonly address: NodeAddress;
  /** For logs, and `wrong-id`: somebody else answered (option `wrongIdLimit`). */
  readonly cause?: string;
  /** The remote asked not to be dialled for so long; the back-off is at least this. Default 0. */
  readonly retryAfterMs?: number;
  /** The remote answered but has no room: the address waits, but no failure is counted. Default false. */
  readonly soft?: boolean;
}

export interface ErroredEvent {
  readonly type: 'errored';
  readonly peer: NodeId;
  /** For logs and the eviction's reason. */
  readonly cause: string;
  /** Points the error costs; default 1. */
  readonly weight?: number;
}

/** Behaviour seen by a reactor. Statuses other than `good` and `bad` are ignored. */
export interface ProcessPeerEvent {
  readonly type: 'processPeerEvent';
  readonly peer: NodeId;
  readonly status: 'good' | 'bad' | (string & {});
  /** Points won or lost, a positive integer; default 1. */
  readonly weight?: number;
}

export interface BanEvent {
  readonly type: 'ban';
  readonly peer: NodeId;
  /** End of the ban on the core's clock. */
  readonly untilMs: number;
  readonly reason: string;
}

export type PeerEventType = PeerEvent['type'];

/** The event of one type. */
export type PeerEventOf<T extends PeerEventType> = Extract<PeerEvent, { readonly type: T }>;

/** The event was refused and has changed nothing, but that a `dialed` ends its dial. */
export interface Refused<Code extends PeerRefusalCode = PeerRefusalCode> {
  readonly outcome: 'refused';
  readonly error: Code;
  /** With `InvalidAddress`: the broken rule. */
  readonly reason?: AddressFault;
  readonly why: Decision;
}

/** An outcome without further data. */
export interface Plain<Outcome extends string> {
  readonly outcome: Outcome;
  readonly why: Decision;
}

type AddOutcome = 'added' | 'duplicate' | 'inactive' | 'address-limit' | 'store-full';

export interface DialOffer {
  readonly outcome: 'dial';
  readonly peer: NodeId;
  readonly address: NodeAddress;
  /** The connected peer that gives way when the dial succeeds; absent for a dial into a free slot. */
  readonly victim?: NodeId;
  readonly why: Decision;
}

export interface NoDial {
  readonly outcome: 'none';
  /** When time alone may change the answer; undefined: never. */
  readonly nextDialAtMs: number | undefined;
  readonly why: Decision;
}

export interface Connected {
  readonly outcome: 'connected';
  readonly direction: Direction;
  /** Whose eviction was scheduled to make room. */
  readonly victim?: NodeId;
  readonly why: Decision;
}

export interface DialFailure {
  /** `ignored`: no such address; `late`: the dial had been given up before. */
  readonly outcome: 'recorded' | 'ignored' | 'late' | 'address-dropped' | 'peer-dropped';
  /** When the address is due again; undefined: never, or nothing was recorded. */
  readonly retryAtMs: number | undefined;
  readonly why: Decision;
}

export interface Eviction {
  readonly outcome: 'evict';
  readonly peer: NodeId;
  /** Why the eviction was scheduled: `upgraded`, `errored`, `requested`, `banned` or `over-capacity`. */
  readonly why: Decision;
}

export interface Scored {
  readonly outcome: 'scored';
  readonly before: number;
  readonly after: ScoreBreakdown;
  readonly why: Decision;
}

/** The result of each event. */
export interface PeerResults {
  add: Plain<AddOutcome> | Refused<'InvalidAddress' | 'SelfAddress'>;
  dialNext: DialOffer | NoDial;
  dialFailed: DialFailure;
  dialed:
    | Connected
    | Refused<
        'SelfConnection' | 'AlreadyConnected' | 'Banned' | 'MaxConnected' | 'UnknownPeer' | 'DialTimedOut'
      >;
  accepted:
    Connected | Refused<'SelfConnection' | 'AlreadyConnected' | 'Banned' | 'MaxConnected' | 'MaxIncoming'>;
  ready: Plain<'up' | 'ignored'>;
  evictNext: Eviction | Plain<'none'>;
  errored: Plain<'scheduled' | 'ignored'>;
  disconnected: Plain<'disconnected' | 'ignored'>;
  processPeerEvent: Scored | Plain<'ignored'>;
  inactivate: Plain<'inactivated' | 'ignored'>;
  setHeight: Plain<'set' | 'ignored'>;
  dial:
    | Plain<'due' | 'already-connected' | 'already-dialing' | 'address-limit' | 'store-full'>
    | Refused<'InvalidAddress' | 'SelfAddress' | 'Banned'>;
  disconnect: Plain<'scheduled' | 'ignored'>;
  ban: Plain<'banned' | 'ignored'> | Refused<'SelfConnection'>;
  unban: Plain<'unbanned' | 'ignored'>;
  setPersistent: Plain<'set' | 'ignored'> | Refused<'SelfConnection' | 'PersistentLimit'>;
  addBootstrap: Plain<AddOutcome> | Refused<'InvalidAddress' | 'SelfAddress'>;
}

/** The result of an event of type `E`. */
export type PeerResult<E extends PeerEvent = PeerEvent> = PeerResults[E['type']];

/** What the owner of the state must do, in the given order: writes, then updates, then wake-ups. */
export type Effect = StoreWrite | PeerUpdateEffect | WakeEffect;

/** Tell every subscriber. Updates of one peer alternate, beginning with `up`. */
export interface PeerUpdateEffect {
  readonly type: 'update';
  readonly peer: NodeId;
  readonly status: 'up' | 'down';
  /** The channels of a peer that came up. */
  readonly channels?: readonly ChannelId[];
}

/** `wakeDial`: `dialNext` may succeed now. `wakeEvict`: `evictNext` may. Level signals with one slot each. */
export interface WakeEffect {
  readonly type: 'wakeDial' | 'wakeEvict';
}

/** Time and chance of one step. */
export interface StepEnv {
  /** Integer milliseconds; a value below an earlier one counts as that earlier one. */
  readonly now: number;
  readonly rng: Chance;
}

export interface Chance {
  /** A uniform integer in [0, n). */
  below(n: number): number;
}
