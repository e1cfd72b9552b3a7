import type { ChannelId } from '../core/channel.ts';
import { formatEndpoint } from '../core/endpoint.ts';
import type { NodeId } from '../core/node-id.ts';
import { score } from '../core/peer/queries.ts';
import type { PeerState } from '../core/peer/peer-state.ts';
import { stateName } from './kernel.ts';
import type { PeerLink } from './peer.actor.ts';

/** One connection as a user sees it. */
export interface PeerView {
  /** Undefined until the remote has proven it. */
  readonly id: NodeId | undefined;
  readonly connectionId: number;
  readonly direction: 'inbound' | 'outbound';
  /** State of its chart, for example `handshaking.confirming` or `connected`. */
  readonly state: string;
  readonly endpoint: string;
  readonly score: number;
  readonly persistent: boolean;
  /** Empty until the handshake. */
  readonly moniker: string;
  readonly channels: readonly ChannelId[];
  /** `Clock.now` of its announcement; 0 before. */
  readonly since: number;
  readonly queuedMessages: number;
  readonly queuedBytes: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
}

export function peerView(link: PeerLink, state: PeerState): PeerView {
  const breakdown = link.peer === undefined ? undefined : score(state, link.peer);
  const { bytesSent, bytesReceived } = link.connection.status();
  return {
    id: link.peer,
    connectionId: link.id,
    direction: link.direction,
    state: stateName(link.actor.snapshot().value),
    endpoint: formatEndpoint(link.connection.remoteEndpoint),
    score: breakdown?.score ?? 0,
    persistent: breakdown?.persistent ?? false,
    moniker: link.remote?.nodeInfo.moniker ?? '',
    channels: [...link.channels],
    since: link.since,
    queuedMessages: link.outbox.pendingMessages,
    queuedBytes: link.outbox.pendingBytes,
    bytesSent,
    bytesReceived,
  };
}
