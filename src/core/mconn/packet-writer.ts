import type { ChannelId } from '../channel.ts';
import { uvarintBytes, writeUvarint } from '../uvarint.ts';

/** A whole ping, length included. */
export const PING_PACKET: Uint8Array = Uint8Array.of(0x02, 0x0a, 0x00);

/** A whole pong, length included. */
export const PONG_PACKET: Uint8Array = Uint8Array.of(0x02, 0x12, 0x00);

const TAG_MESSAGE = 0x1a;
const TAG_CHANNEL_ID = 0x08;
const TAG_EOF = 0x10;
const TAG_DATA = 0x1a;

/** Bytes of the inner message of a packet. */
function messageBytes(channelId: ChannelId, dataBytes: number, eof: boolean): number {
  const channel = channelId === 0 ? 0 : 1 + uvarintBytes(channelId);
  const data = dataBytes === 0 ? 0 : 1 + uvarintBytes(dataBytes) + dataBytes;
  return channel + (eof ? 2 : 0) + data;
}

/** Bytes of a message packet without its length prefix: what limits apply to. */
export function packetBodyBytes(channelId: ChannelId, dataBytes: number, eof: boolean): number {
  const inner = messageBytes(channelId, dataBytes, eof);
  return 1 + uvarintBytes(inner) + inner;
}

/** Bytes of a message packet on the stream, length prefix included. */
export function packetBytes(channelId: ChannelId, dataBytes: number, eof: boolean): number {
  const body = packetBodyBytes(channelId, dataBytes, eof);
  return uvarintBytes(body) + body;
}

/**
 * The limit on packet bodies that goes with a payload setting: the size of a last packet on a channel below 128 with
 * that much data (Tendermint MConnection `maxPacketMsgSize`).
 */
export function maxPacketBytes(maxPayloadBytes: number): number {
  return packetBodyBytes(1, maxPayloadBytes, true);
}

/** The most that `writePacket` adds to `dataBytes` of data, whatever the channel. */
export function packetOverhead(dataBytes: number): number {
  return packetBytes(0xff, dataBytes, true) - dataBytes;
}

/**
 * The most data a packet on a channel may carry to stay within the limit of a remote with the same payload setting. One
 * byte less than the setting on channels from 128 on, whose number takes two bytes.
 */
export function packetDataBytesMax(channelId: ChannelId, maxPayloadBytes: number): number {
  return channelId < 0x80 ? maxPayloadBytes : maxPayloadBytes - 1;
}

/**
 * Writes a message packet with `data[start … end)` at `offset` of `out`, length prefix included, and returns the number
 * of bytes written. The caller makes sure that `packetOverhead` and the data fit.
 */
export function writePacket(
  out: Uint8Array,
  offset: number,
  channelId: ChannelId,
  data: Uint8Array,
  start: number,
  end: number,
  eof: boolean,
): number {
  const dataBytes = end - start;
  const inner = messageBytes(channelId, dataBytes, eof);
  let at = offset;
  at += writeUvarint(out, at, 1 + uvarintBytes(inner) + inner);
  out[at++] = TAG_MESSAGE;
  at += writeUvarint(out, at, inner);
  if (channelId !== 0) {
    out[at++] = TAG_CHANNEL_ID;
    at += writeUvarint(out, at, channelId);
  }
  if (eof) {
    out[at++] = TAG_EOF;
    out[at++] = 1;
  }
  if (dataBytes > 0) {
    out[at++] = TAG_DATA;
    at += writeUvarint(out, at, dataBytes);
    out.set(start === 0 && end === data.length ? data : data.subarray(start, end), at);
    at += dataBytes;
  }
  return at - offset;
}
