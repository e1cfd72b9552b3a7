import type { ChannelId } from './channel.ts';

/**
 * A piece of an outbound message, filled in by `Outbox.pull`. One instance is reused for every pull of a connection, so
 * that sending allocates nothing per packet. `data` is valid until the next pull and must not be changed.
 */
export interface PacketSlice {
  channelId: ChannelId;
  /** The bytes are `data[start … end)`. */
  data: Uint8Array;
  start: number;
  end: number;
  /** Whether this piece ends its message. */
  eof: boolean;
}
