import type { Codec } from '../core/channel.ts';
import { P2PError, asError } from '../core/errors.ts';

/** What protobufjs' static classes, and others of their form, offer for one message type. */
export interface ProtobufType<M> {
  encode(message: NoInfer<M>): { finish(): Uint8Array };
  decode(bytes: Uint8Array): M;
}

/**
 * A channel codec from a generated Protocol Buffers class:
 *
 *     const descriptor = { id: 0x42, codec: protobufCodec(chat.Message) };
 *
 * `encode` throws P2PError `encode-failed`, `decode` throws `decode-failed`, blaming the peer, with the cause attached. Bytes
 * fields of a decoded message may be views of the bytes it was decoded from; the router hands every message its own.
 */
export function protobufCodec<M>(type: ProtobufType<M>): Codec<M> {
  return {
    encode(message) {
      try {
        return type.encode(message).finish();
      } catch (cause) {
        throw new P2PError('encode-failed', asError(cause).message, { cause });
      }
    },
    decode(bytes) {
      try {
        return type.decode(bytes);
      } catch (cause) {
        throw new P2PError('decode-failed', asError(cause).message, { blame: 'peer', cause });
      }
    },
  };
}
