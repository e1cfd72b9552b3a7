import type { ChannelId } from '../../../src/core/channel.ts';
import { packetBytes, writePacket } from '../../../src/core/mconn/packet-writer.ts';
import { PacketParser } from '../../../src/core/mconn/packet-parser.ts';
import { hex } from '../../support/bytes.ts';

/** One message packet, length prefix included. */
export function packet(channelId: ChannelId, data: Uint8Array, eof: boolean): Uint8Array {
  const out = new Uint8Array(packetBytes(channelId, data.length, eof));
  writePacket(out, 0, channelId, data, 0, data.length, eof);
  return out;
}

/** A message as packets of at most `maxPayload` bytes, of which the last has EOF. */
export function cutMessage(channelId: ChannelId, message: Uint8Array, maxPayload: number): Uint8Array[] {
  const packets: Uint8Array[] = [];
  let at = 0;
  do {
    const end = Math.min(message.length, at + maxPayload);
    packets.push(packet(channelId, message.subarray(at, end), end === message.length));
    at = end;
  } while (at < message.length);
  return packets;
}

/** What a parser has handed over: `ping`, `pong`, or `<channel>:<hex>`, with a `.` behind what ends its message. */
export interface Parsed {
  readonly parser: PacketParser;
  readonly packets: string[];
}

/** A parser that writes down what it hands over. */
export function recordingParser(maxPacketBytes: number): Parsed {
  const packets: string[] = [];
  const parser = new PacketParser(
    {
      ping: () => void packets.push('ping'),
      pong: () => void packets.push('pong'),
      message: (channelId, bytes, start, end, eof) => {
        if (end < start) throw new Error('a piece ends before it starts');
        packets.push(`${channelId}:${hex(bytes.subarray(start, end))}${eof ? '.' : ''}`);
      },
    },
    maxPacketBytes,
  );
  return { parser, packets };
}
