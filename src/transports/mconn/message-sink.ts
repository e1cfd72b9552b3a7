import { endOfStream } from '../../core/errors.ts';
import type { P2PError } from '../../core/errors.ts';
import { DelimitedReader } from '../../wire/delimited.ts';
import type { PlainSink } from './frame-reader.ts';

/** Collects the messages of a handshake, one at a time and not a byte further. */
export class MessageSink implements PlainSink {
  #reader: DelimitedReader | undefined;
  #resolve: (body: Uint8Array) => void = () => undefined;

  get wants(): 'some' | 'nothing' {
    return this.#reader === undefined ? 'nothing' : 'some';
  }

  /** The body of the next message, owned by the caller. Bytes begin to be wanted with this call. */
  next(maxBytes: number): Promise<Uint8Array> {
    this.#reader = new DelimitedReader(maxBytes);
    return new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** @throws P2PError `handshake-failed` for a message that is too long. */
  take(bytes: Uint8Array, start: number, end: number): number {
    const reader = this.#reader;
    if (reader === undefined) return 0;
    const taken = reader.push(bytes, start, end);
    const body = reader.message;
    if (body !== undefined) {
      this.#reader = undefined;
      this.#resolve(body);
    }
    return taken;
  }

  /** What an end of the stream means at this point: `eof` between messages, `connection-lost` inside one. */
  endError(): P2PError {
    return this.#reader?.endError() ?? endOfStream('the connection');
  }
}
