import type { Codec } from '../core/channel.ts';
import type { ControlMessage } from '../core/control-message.ts';
import { P2PError, asError } from '../core/errors.ts';
import { CONTROL_DECODED_ENTRIES_MAX } from '../core/limits.ts';
import { peerchart } from './generated/codecs.js';
import { checkShape, type MessageShape } from './message-shape.ts';

type WireControlMessage = peerchart.control.ControlMessage.$Properties;

const NUMBERS = { numbers: CONTROL_DECODED_ENTRIES_MAX };
const SHAPE: MessageShape = {
  1: {
    message: { 1: 'number', 2: 'number', 3: 'number', 4: { blocks: CONTROL_DECODED_ENTRIES_MAX } },
    max: 1,
  },
  2: { message: { 1: 'number', 2: 'number' }, max: 1 },
  3: { message: { 1: NUMBERS, 2: NUMBERS, 3: 'number' }, max: 1 },
};

/**
 * Messages of the control channel. Decoding throws P2PError `decode-failed`, blaming the peer, for broken bytes, for an
 * envelope without a known member or with the same one twice, and for more than `CONTROL_DECODED_ENTRIES_MAX` entries of
 * a list.
 */
export const controlCodec: Codec<ControlMessage> = {
  encode: (message) => peerchart.control.ControlMessage.encode(toWire(message)).finish(),
  decode(bytes) {
    checkShape(bytes, SHAPE, undecodable);
    return fromWire(decodeMessage(bytes));
  },
};

function toWire(message: ControlMessage): WireControlMessage {
  switch (message.type) {
    case 'verdict': {
      const { accept, code, retryAfterMs, addresses } = message;
      return { verdict: { accept, code, retryAfterMs, addresses: [...addresses] } };
    }
    case 'goodbye':
      return { goodbye: { code: message.code, retryAfterMs: message.retryAfterMs } };
    case 'channel-set-update': {
      const { opened, closed, revision } = message;
      return { channelSetUpdate: { opened: [...opened], closed: [...closed], revision } };
    }
  }
}

function fromWire(wire: peerchart.control.ControlMessage): ControlMessage {
  if (wire.sum === undefined) throw undecodable('no known member');
  switch (wire.sum) {
    case 'verdict':
      return {
        type: 'verdict',
        accept: wire.verdict?.accept ?? false,
        code: wire.verdict?.code ?? 0,
        retryAfterMs: wire.verdict?.retryAfterMs ?? 0,
        addresses: wire.verdict?.addresses ?? [],
      };
    case 'goodbye':
      return {
        type: 'goodbye',
        code: wire.goodbye?.code ?? 0,
        retryAfterMs: wire.goodbye?.retryAfterMs ?? 0,
      };
    case 'channelSetUpdate':
      return {
        type: 'channel-set-update',
        opened: wire.channelSetUpdate?.opened ?? [],
        closed: wire.channelSetUpdate?.closed ?? [],
        revision: wire.channelSetUpdate?.revision ?? 0,
      };
  }
}

function decodeMessage(bytes: Uint8Array): peerchart.control.ControlMessage {
  try {
    return peerchart.control.ControlMessage.decode(bytes);
  } catch (cause) {
    throw undecodable(asError(cause).message, cause);
  }
}

function undecodable(message: string, cause?: unknown): P2PError {
  return new P2PError('decode-failed', `control message: ${message}`, { blame: 'peer', cause });
}
