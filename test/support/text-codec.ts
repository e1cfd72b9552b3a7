import type { Codec } from '../../src/core/channel.ts';

/** Texts as UTF-8. Anything else is of another type, and so are bytes that are not UTF-8. */
export const textCodec: Codec<string> = {
  encode(message: unknown) {
    if (typeof message !== 'string') throw new TypeError('not a text');
    return new TextEncoder().encode(message);
  },
  decode: (bytes) => new TextDecoder('utf-8', { fatal: true }).decode(bytes),
};
