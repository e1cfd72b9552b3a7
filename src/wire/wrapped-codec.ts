import type { Codec } from '../core/channel.ts';
import { P2PError, asError } from '../core/errors.ts';
import { protobufCodec, type ProtobufType } from './protobuf-codec.ts';

/** How messages of a channel travel inside an outer message (Tendermint v0.35 `Wrapper`). */
export interface Wrapping<M, Outer> {
  /** The codec of what travels. */
  readonly outer: Codec<Outer>;
  /**
   * Puts a message into a new outer message, never into one it used before. Returns undefined, or throws, for a message it
   * does not take; it may take an outer message as it is.
   */
  readonly wrap: (message: M) => Outer | undefined;
  /** The message inside; undefined, or a throw, when there is none. */
  readonly unwrap: (outer: Outer) => M | undefined;
}

/**
 * A channel codec whose messages are wrapped before they are encoded and unwrapped after they were decoded, so that a
 * reactor sees only what is inside. A message that is refused counts as `type_mismatch`; one that cannot be unwrapped is
 * held against its sender like any that cannot be decoded.
 */
export function wrappedCodec<M, Outer>({ outer, wrap, unwrap }: Wrapping<M, Outer>): Codec<M> {
  return {
    encode: (message) => outer.encode(wrapped(message, wrap)),
    decode: (bytes) => unwrapped(outer.decode(bytes), unwrap),
  };
}

/** The classes of the messages that an outer message may hold, by the name of their field in the `oneof`. */
export type OneofMembers = Readonly<Record<string, new (...properties: never[]) => object>>;

/**
 * A channel codec for several Protocol Buffers types that travel in the `oneof` of one outer type:
 *
 *     oneofCodec(chat.Envelope, 'sum', { text: chat.Text, seen: chat.Seen });
 *
 * Messages are instances of the member classes, on both sides. Which member is set is told by the virtual property of the
 * `oneof`, so that a message with no field set still arrives as what it is.
 *
 * @param oneof name of the `oneof`, which is the name of that property.
 */
export function oneofCodec<const Members extends OneofMembers>(
  outer: ProtobufType<object>,
  oneof: string,
  members: Members,
): Codec<InstanceType<Members[keyof Members]>> {
  type Message = InstanceType<Members[keyof Members]>;
  const classes = Object.entries(members);
  return wrappedCodec<Message, object>({
    outer: protobufCodec(outer),
    wrap: (message: object) => {
      const found = classes.find(([, type]) => message instanceof type);
      return found && { [found[0]]: message };
    },
    unwrap: (envelope) => {
      const field: unknown = Reflect.get(envelope, oneof);
      if (typeof field !== 'string' || !Object.hasOwn(members, field)) return undefined;
      return Reflect.get(envelope, field) as Message;
    },
  });
}

function wrapped<M, Outer>(message: M, wrap: Wrapping<M, Outer>['wrap']): Outer {
  let outer: Outer | undefined;
  try {
    outer = wrap(message);
  } catch (cause) {
    throw new TypeError(`a message was not wrapped: ${asError(cause).message}`, { cause });
  }
  if (outer === undefined) throw new TypeError('a message is of no type that can be wrapped');
  return outer;
}

function unwrapped<M, Outer>(outer: Outer, unwrap: Wrapping<M, Outer>['unwrap']): M {
  let message: M | undefined;
  try {
    message = unwrap(outer);
  } catch (cause) {
    throw new P2PError('decode-failed', asError(cause).message, { blame: 'peer', cause });
  }
  if (message === undefined || message === null) {
    throw new P2PError('decode-failed', 'nothing is wrapped in the message', { blame: 'peer' });
  }
  return message;
}
