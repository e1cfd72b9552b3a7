import type { Codec } from '../core/channel.ts';
import { P2PError, asError } from '../core/errors.ts';
import { PEX_DECODED_ENTRIES_MAX } from '../core/limits.ts';
import type { PexMessage } from '../core/pex/pex-message.ts';
import { tendermint } from './generated/codecs.js';
import { checkShape, type MessageShape } from './message-shape.ts';

type WirePexMessage = tendermint.p2p.PexMessage.$Properties;

const REQUEST: MessageShape = {};
const RESPONSE: MessageShape = {
  1: { message: { 1: 'block', 2: 'block', 3: 'number' }, max: PEX_DECODED_ENTRIES_MAX },
};
const RESPONSE_V2: MessageShape = { 1: { message: { 1: 'block' }, max: PEX_DECODED_ENTRIES_MAX } };
const SHAPE: MessageShape = {
  1: { message: REQUEST, max: 1 },
  2: { message: RESPONSE, max: 1 },
  3: { message: REQUEST, max: 1 },
  4: { message: RESPONSE_V2, max: 1 },
};

/**
 * Peer exchange messages of both generations in the envelope of every version. Decoding throws P2PError `decode-failed`,
 * blaming the peer, for broken bytes, for an envelope without a known member or with the same one twice, and for more
 * than `PEX_DECODED_ENTRIES_MAX` entries; no entry is judged.
 */
export const pexCodec: Codec<PexMessage> = {
  encode: (message) => tendermint.p2p.PexMessage.encode(toWire(message)).finish(),
  decode(bytes) {
    checkShape(bytes, SHAPE, undecodable);
    return fromWire(decodeMessage(bytes));
  },
};

function toWire(message: PexMessage): WirePexMessage {
  switch (message.type) {
    case 'request':
      return { pexRequest: {} };
    case 'response':
      return { pexResponse: { addresses: message.addresses.map(({ id, ip, port }) => ({ id, ip, port })) } };
    case 'request-v2':
      return { pexRequestV2: {} };
    case 'response-v2':
      return { pexResponseV2: { addresses: message.addresses.map(({ url }) => ({ url })) } };
  }
}

function fromWire(wire: tendermint.p2p.PexMessage): PexMessage {
  if (wire.sum === undefined) throw undecodable('no known member');
  switch (wire.sum) {
    case 'pexRequest':
      return { type: 'request' };
    case 'pexResponse':
      return {
        type: 'response',
        addresses: (wire.pexResponse?.addresses ?? []).map(({ id, ip, port }) => ({
          id: id ?? '',
          ip: ip ?? '',
          port: port ?? 0,
        })),
      };
    case 'pexRequestV2':
      return { type: 'request-v2' };
    case 'pexResponseV2':
      return {
        type: 'response-v2',
        addresses: (wire.pexResponseV2?.addresses ?? []).map(({ url }) => ({ url: url ?? '' })),
      };
  }
}

function decodeMessage(bytes: Uint8Array): tendermint.p2p.PexMessage {
  try {
    return tendermint.p2p.PexMessage.decode(bytes);
  } catch (cause) {
    throw undecodable(asError(cause).message, cause);
  }
}

function undecodable(message: string, cause?: unknown): P2PError {
  return new P2PError('decode-failed', `peer exchange message: ${message}`, { blame: 'peer', cause });
}
