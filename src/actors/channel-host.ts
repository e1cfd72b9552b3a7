/** What a channel and the router that opened it are to each other. */
import type { ChannelId, ChannelSettings } from '../core/channel.ts';
import type { NodeId } from '../core/node-id.ts';
import type { Ledger, LedgerSnapshot } from '../core/queue/accounting.ts';
import type { Budget } from '../core/queue/budget.ts';
import type { channelMachine } from '../machines/channel.machine.ts';
import type { SenderHost } from './channel-sender.ts';
import type { DropLog } from './drop-log.ts';
import type { Kernel, Supervised } from './kernel.ts';
import type { PeerLink } from './peer.actor.ts';
import type { UpdateFeed } from './update-feed.ts';

/** What a reactor has to say of a peer. */
export interface PeerReport {
  readonly peer: NodeId;
  /** What happened. Cancellations and local time-outs, also as the cause of another error, are nobody's fault. */
  readonly error: unknown;
  /** Evict the peer whatever the capacity; default false. */
  readonly fatal?: boolean;
  /** Ban the peer for so long, in milliseconds; default not at all. */
  readonly banMs?: number;
}

export type ReportOutcome = 'noted' | 'evicting' | 'ignored' | 'no_such_peer';

export interface ChannelPeer {
  readonly id: NodeId;
  readonly direction: 'inbound' | 'outbound';
  /** `Clock.now` of its admission. */
  readonly since: number;
  readonly queued: number;
  readonly queuedBytes: number;
}

/**
 * Who knows of a channel that was just opened: every peer, or only those that connect from now on, because some of those
 * connected take no part in channel-set updates.
 */
export type ChannelVisibility = 'all-peers' | 'new-peers-only';

/** What a channel needs of the router that opened it. */
export interface ChannelHost extends SenderHost {
  readonly kernel: Kernel;
  readonly drainTimeoutMs: number;
  readonly routerBudget: Budget;
  readonly feed: UpdateFeed;
  /** Opens lanes to all peers and declares the id from now on. */
  registerChannel(channel: AnyChannel): void;
  releaseChannel(channel: AnyChannel, reason: 'channel_closed' | 'router_stopped'): void;
  report(channelId: ChannelId, report: PeerReport): ReportOutcome;
  praise(peer: NodeId): void;
}

/** The books that outlive channels. */
export interface RouterBooks {
  readonly in: Ledger;
  readonly out: Ledger;
  readonly drops: DropLog;
}

/** What the router does with a channel whatever its messages are. */
export interface AnyChannel {
  readonly id: ChannelId;
  readonly name: string;
  readonly settings: ChannelSettings;
  /** Collects the counts of all lanes of the channel. */
  readonly sent: Ledger;
  readonly actor: Supervised<typeof channelMachine>;
  /** Decodes what arrived and queues it, unless the inbox has no room. */
  arrived(link: PeerLink, bytes: Uint8Array, now: number): 'queued' | 'dropped' | 'undecodable';
  peerDown(peer: NodeId): void;
  laneDrained(): void;
  end(reason: 'channel_closed' | 'router_stopped', drain: boolean): void;
  accounting(): ChannelAccounting;
}

export interface ChannelAccounting {
  readonly in: LedgerSnapshot;
  readonly out: LedgerSnapshot;
}
