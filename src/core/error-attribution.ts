/**
 * Whom a fault is held against, and what that costs. What an unauthenticated remote does never touches a peer, what a
 * reactor of ours does wrong never touches the remote, and cancelling is nobody's fault.
 */

/** What can go wrong. */
export type FaultEvent =
  | 'outbound-failed'
  | 'inbound-unauthenticated'
  | 'wrong-identity'
  | 'bad-node-info'
  | 'incompatible'
  | 'closed-by-remote'
  | 'connection-error'
  | 'protocol-violation'
  | 'undecodable-message'
  | 'unknown-channel'
  | 'undeclared-channel'
  | 'report'
  | 'fatal-report'
  | 'reactor-threw'
  | 'local-encoding'
  | 'cancelled';

/** The dialled address, the proven peer, the host of an unproven connection, this node, or nobody. */
export type AttributedTo = 'address' | 'peer' | 'host' | 'us' | 'nobody';

export interface Attribution {
  readonly to: AttributedTo;
  /**
   * `dial-failure` with back-off; `count` in statistics; `park` for long; `down` ends the connection without reproach;
   * `evict` ends it; `drop` the message, see `FrameFaults` for repetition; `deliver` it; `demerit` alone, which evicts
   * when all slots are taken; `tell-sender` the outcome; `none`.
   */
  readonly effect:
    | 'dial-failure'
    | 'count'
    | 'park'
    | 'down'
    | 'evict'
    | 'drop'
    | 'deliver'
    | 'demerit'
    | 'tell-sender'
    | 'none';
  /** Points taken from the score of the peer at once. */
  readonly demerit: number;
}

const ATTRIBUTIONS: Readonly<Record<FaultEvent, Attribution>> = {
  'outbound-failed': { to: 'address', effect: 'dial-failure', demerit: 0 },
  'inbound-unauthenticated': { to: 'host', effect: 'count', demerit: 0 },
  'wrong-identity': { to: 'address', effect: 'dial-failure', demerit: 0 },
  'bad-node-info': { to: 'peer', effect: 'demerit', demerit: 1 },
  incompatible: { to: 'peer', effect: 'park', demerit: 0 },
  'closed-by-remote': { to: 'peer', effect: 'down', demerit: 0 },
  'connection-error': { to: 'peer', effect: 'down', demerit: 1 },
  'protocol-violation': { to: 'peer', effect: 'evict', demerit: 10 },
  'undecodable-message': { to: 'peer', effect: 'drop', demerit: 0 },
  'unknown-channel': { to: 'peer', effect: 'drop', demerit: 0 },
  'undeclared-channel': { to: 'nobody', effect: 'deliver', demerit: 0 },
  report: { to: 'peer', effect: 'demerit', demerit: 1 },
  'fatal-report': { to: 'peer', effect: 'evict', demerit: 0 },
  'reactor-threw': { to: 'us', effect: 'count', demerit: 0 },
  'local-encoding': { to: 'us', effect: 'tell-sender', demerit: 0 },
  cancelled: { to: 'nobody', effect: 'none', demerit: 0 },
};

export function attribute(event: FaultEvent): Attribution {
  return ATTRIBUTIONS[event];
}
