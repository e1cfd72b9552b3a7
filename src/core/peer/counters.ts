import type { PeerSettings } from './options.ts';
import { advertisedAddresses, isAdvertisable, isStaying, type PeerInfo } from './peer-info.ts';

/** Sums over all peers, kept up to date by every change of one. */
export interface Counters {
  readonly connected: number;
  readonly outbound: number;
  readonly ready: number;
  /** Connected and on their way out. */
  readonly leaving: number;
  /** Those of them whose eviction was handed out. */
  readonly evicting: number;
  /** Inbound and not on their way out. */
  readonly inboundStaying: number;
  readonly dialing: number;
  /** Dialled, and connected by the peer's own doing meanwhile. */
  readonly dialingConnected: number;
  /** Dialled without a claim, and not connected. */
  readonly pendingPlain: number;
  readonly inactive: number;
  readonly addresses: number;
  /** Addresses that others may be told. */
  readonly advertised: number;
  /** Sum of the absolute values of all scores. */
  readonly absoluteScore: number;
}

export const NO_COUNTERS: Counters = {
  connected: 0,
  outbound: 0,
  ready: 0,
  leaving: 0,
  evicting: 0,
  inboundStaying: 0,
  dialing: 0,
  dialingConnected: 0,
  pendingPlain: 0,
  inactive: 0,
  addresses: 0,
  advertised: 0,
  absoluteScore: 0,
};

/** Adds one peer (1) to the sums, or takes it out (−1). */
export function tally(
  counters: { -readonly [K in keyof Counters]: number },
  peer: PeerInfo,
  settings: PeerSettings,
  by: 1 | -1,
): void {
  const { connection, dial } = peer;
  counters.addresses += by * peer.addresses.length;
  counters.absoluteScore += by * Math.abs(peer.rank.score);
  if (isAdvertisable(peer, settings)) counters.advertised += by * advertisedAddresses(peer, settings).length;
  if (peer.inactive) counters.inactive += by;
  if (dial !== undefined) counters.dialing += by;
  if (dial !== undefined && connection !== undefined) counters.dialingConnected += by;
  if (dial !== undefined && connection === undefined && dial.victim === undefined)
    counters.pendingPlain += by;
  if (connection === undefined) return;
  counters.connected += by;
  if (connection.channels !== undefined) counters.ready += by;
  if (connection.direction === 'outbound') counters.outbound += by;
  else if (isStaying(peer)) counters.inboundStaying += by;
  if (connection.leaving !== undefined) counters.leaving += by;
  if (connection.leaving?.phase === 'evicting') counters.evicting += by;
}
