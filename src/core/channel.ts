import { P2PError } from './errors.ts';

/** Number of a channel on the wire: one byte. */
export type ChannelId = number;

/** Control messages between peerchart nodes (verdict, goodbye, channel-set update). Never open to users, never listed. */
export const CONTROL_CHANNEL_ID: ChannelId = 0xf0;

/** Peer exchange. */
export const PEX_CHANNEL_ID: ChannelId = 0x00;

/** Turns messages of one channel into bytes and back. Both may throw; a throw is contained and counted. */
export interface Codec<M> {
  /** A TypeError says that the message is of another type; any other throw, that it could not be encoded. */
  encode(message: M): Uint8Array;
  /** `bytes` is owned by the caller of `decode` and may be kept. */
  decode(bytes: Uint8Array): M;
}

/** What a full outbound lane does with one message more. */
export type SendOverflow = 'reject' | 'drop-oldest' | 'evict-peer';

/** What a full inbox does with one message more. */
export type ReceiveOverflow = 'drop-newest' | 'drop-oldest' | 'evict-peer';

export interface ChannelDescriptor<M> {
  /** 0 … 255, except the control channel. */
  readonly id: ChannelId;
  /** Unique in a router; default `ch-<id in hex>`. */
  readonly name?: string;
  readonly codec: Codec<M>;
  /** Weight against other channels to the same peer, 1 … 255; default 1. Not a strict rank. */
  readonly priority?: number;
  /** Longest encoded message in either direction, in bytes; default 1 MiB. */
  readonly maxMessageBytes?: number;
  readonly send?: {
    /** Messages waiting per peer; default 64. */
    readonly maxMessages?: number;
    /** Bytes waiting per peer; default 1 MiB. One message always fits an empty lane. */
    readonly maxBytes?: number;
    /** Default `reject`. */
    readonly overflow?: SendOverflow;
    /** Older messages are discarded when their turn comes; default none. */
    readonly maxAgeMs?: number;
  };
  readonly receive?: {
    /** Messages waiting for the consumer; default 1024. */
    readonly maxMessages?: number;
    /** Of one peer; default max(16, maxMessages / 4). */
    readonly maxPerPeer?: number;
    /** Bytes waiting for the consumer; default 8 MiB. */
    readonly maxBytes?: number;
    /** Default `drop-newest`. */
    readonly overflow?: ReceiveOverflow;
    /** Whether messages of a disconnected peer stay deliverable; default true. */
    readonly keepAfterDown?: boolean;
  };
}

/** A descriptor with every default filled in. */
export interface ChannelSettings {
  readonly id: ChannelId;
  readonly name: string;
  readonly priority: number;
  readonly maxMessageBytes: number;
  readonly send: {
    readonly maxMessages: number;
    readonly maxBytes: number;
    readonly overflow: SendOverflow;
    /** Infinity when messages do not age. */
    readonly maxAgeMs: number;
  };
  readonly receive: {
    readonly maxMessages: number;
    readonly maxPerPeer: number;
    readonly maxBytes: number;
    readonly overflow: ReceiveOverflow;
    readonly keepAfterDown: boolean;
  };
}

const SEND_OVERFLOWS: readonly string[] = ['reject', 'drop-oldest', 'evict-peer'];
const RECEIVE_OVERFLOWS: readonly string[] = ['drop-newest', 'drop-oldest', 'evict-peer'];

/**
 * Checks a descriptor and fills in its defaults.
 *
 * @throws P2PError `invalid-channel` with the offending field as its `reason`.
 */
export function channelSettings<M>(descriptor: ChannelDescriptor<M>): ChannelSettings {
  const { id, codec, send = {}, receive = {} } = descriptor;
  requireInteger('id', id, 0, 255);
  if (id === CONTROL_CHANNEL_ID) throw invalidChannel('id', id, 'is the control channel');
  const candidate = codec as Partial<Codec<M>> | undefined;
  if (typeof candidate?.encode !== 'function' || typeof candidate.decode !== 'function') {
    throw invalidChannel('codec', codec, 'needs encode and decode');
  }
  const maxMessages = receive.maxMessages ?? 1024;
  const settings: ChannelSettings = {
    id,
    name: descriptor.name ?? `ch-${id.toString(16).padStart(2, '0')}`,
    priority: descriptor.priority ?? 1,
    maxMessageBytes: descriptor.maxMessageBytes ?? 1024 * 1024,
    send: {
      maxMessages: send.maxMessages ?? 64,
      maxBytes: send.maxBytes ?? 1024 * 1024,
      overflow: send.overflow ?? 'reject',
      maxAgeMs: send.maxAgeMs ?? Infinity,
    },
    receive: {
      maxMessages,
      maxPerPeer: receive.maxPerPeer ?? Math.max(16, Math.floor(maxMessages / 4)),
      maxBytes: receive.maxBytes ?? 8 * 1024 * 1024,
      overflow: receive.overflow ?? 'drop-newest',
      keepAfterDown: receive.keepAfterDown ?? true,
    },
  };
  if (typeof settings.name !== 'string' || settings.name === '')
    throw invalidChannel('name', settings.name, 'is empty');
  requireInteger('priority', settings.priority, 1, 255);
  requireInteger('maxMessageBytes', settings.maxMessageBytes, 1, 2 ** 31 - 1);
  requireInteger('send.maxMessages', settings.send.maxMessages, 1, 2 ** 31 - 1);
  requireInteger('send.maxBytes', settings.send.maxBytes, 1, 2 ** 31 - 1);
  if (!(settings.send.maxAgeMs > 0))
    throw invalidChannel('send.maxAgeMs', settings.send.maxAgeMs, 'must be above 0');
  requireInteger('receive.maxMessages', settings.receive.maxMessages, 1, 2 ** 31 - 1);
  requireInteger('receive.maxPerPeer', settings.receive.maxPerPeer, 1, 2 ** 31 - 1);
  requireInteger('receive.maxBytes', settings.receive.maxBytes, 1, 2 ** 31 - 1);
  if (!SEND_OVERFLOWS.includes(settings.send.overflow)) {
    throw invalidChannel('send.overflow', settings.send.overflow, `is none of ${SEND_OVERFLOWS.join(', ')}`);
  }
  if (!RECEIVE_OVERFLOWS.includes(settings.receive.overflow)) {
    throw invalidChannel(
      'receive.overflow',
      settings.receive.overflow,
      `is none of ${RECEIVE_OVERFLOWS.join(', ')}`,
    );
  }
  return settings;
}

function requireInteger(field: string, value: unknown, min: number, max: number): void {
  if (!Number.isInteger(value) || (value as number) < min || (value as number) > max) {
    throw invalidChannel(field, value, `must be an integer from ${min} to ${max}`);
  }
}

function invalidChannel(field: string, value: unknown, rule: string): P2PError {
  return new P2PError('invalid-channel', `channel ${field} ${rule}, got ${String(value)}`, { reason: field });
}
