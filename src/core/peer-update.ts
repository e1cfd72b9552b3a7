import type { ChannelId } from './channel.ts';
import type { ErrorCode, RejectCode } from './codes.ts';
import type { Direction } from './direction.ts';
import type { NodeId } from './node-id.ts';

/** A peer can be reached from now on, or no longer. For one peer `up` and `down` strictly alternate, beginning with `up`. */
export interface PeerUpdate {
  readonly peer: NodeId;
  readonly status: 'up' | 'down';
  /** What the peer can be reached on; with `down`, what it could be reached on. */
  readonly channels: readonly ChannelId[];
  readonly direction: Direction;
  /** Number of the connection; grows with every connection of the router. */
  readonly connectionId: number;
  /** Why it went down; absent with `up` and when the remote simply closed. */
  readonly cause?: ErrorCode | RejectCode;
}
