import type { ChannelId } from '../core/channel.ts';
import type { LedgerSnapshot } from '../core/queue/accounting.ts';
import type { DropTotal } from './drop-log.ts';

/** What a router has counted since it was made. */
export interface RouterCounts {
  /** Inbound connections that passed the gate. */
  accepts: number;
  /** Inbound connections closed at the gate, and authenticated ones refused by us. */
  refusals: number;
  /** Connections that ended because a peer broke the protocol. */
  protocolFaults: number;
  /** Handshakes that failed before the remote had proven who it is. */
  handshakeFailures: number;
}

export interface RouterStats extends Readonly<RouterCounts> {
  readonly state: string;
  /** Announced peers now, and the most at one time. */
  readonly connectedPeers: number;
  readonly connectedPeersMax: number;
  readonly knownPeers: number;
  readonly knownAddresses: number;
  /** Outbound attempts handed out by the core, and those that counted as failures. */
  readonly dials: number;
  readonly dialFailures: number;
  readonly dialing: number;
  /** Whether some transport takes inbound connections now: not while all pause after errors, or none listens. */
  readonly accepting: boolean;
  /** Admissions that displaced a peer, and evictions carried out. */
  readonly upgrades: number;
  readonly evictions: number;
  /** Messages taken by connections, handed to inboxes, and given up in either direction. */
  readonly messagesSent: number;
  readonly messagesReceived: number;
  readonly messagesDropped: number;
  /** The messages given up, by direction, channel and reason; channels that are closed included. */
  readonly drops: readonly DropTotal[];
  /** Throws of actors and jobs. */
  readonly crashes: number;
  /** Bytes of messages queued in the router. */
  readonly queuedBytes: number;
  readonly actors: number;
  readonly channels: Readonly<
    Record<string, { readonly id: ChannelId; readonly in: LedgerSnapshot; readonly out: LedgerSnapshot }>
  >;
}
