import type { ChannelId } from './channel.ts';
import type { NodeId } from './node-id.ts';

/** A message that arrived, as every consumer of its channel sees it; frozen. */
export interface Inbound<M> {
  readonly from: NodeId;
  readonly channelId: ChannelId;
  /** Owned by the consumer: no part of it is a view into a network buffer. */
  readonly message: M;
  /** `Clock.now` of its arrival. */
  readonly receivedAt: number;
  /** Number of the connection it came over; grows with every connection of the router. */
  readonly connectionId: number;
  /** Its encoded size. */
  readonly bytes: number;
}
