import { P2PError, endOfStream } from '../../src/core/errors.ts';
import { HANDSHAKE_BYTES_MAX } from '../../src/core/limits.ts';
import { PacketParser } from '../../src/core/mconn/packet-parser.ts';
import { maxPacketBytes } from '../../src/core/mconn/packet-writer.ts';
import { Reassembly } from '../../src/core/mconn/reassembly.ts';
import { MAX_NODE_INFO_BYTES, type NodeInfo } from '../../src/core/node-info.ts';
import { provenKey } from '../../src/crypto/authentication.ts';
import type { EphemeralKeys } from '../../src/crypto/ephemeral-keys.ts';
import { FRAME_DATA_BYTES, FrameOpener, SEALED_FRAME_BYTES } from '../../src/crypto/frames.ts';
import { deriveSessionKeys, type SessionKeys } from '../../src/crypto/session-keys.ts';
import { DelimitedReader } from '../../src/wire/delimited.ts';
import { decodeAuthSigMessage, decodeEphemeralMessage } from '../../src/wire/handshake-messages.ts';
import { decodeNodeInfo } from '../../src/wire/node-info-codec.ts';
import { hex } from '../support/bytes.ts';

/**
 * Everything one side does with the bytes it receives, from the first on, put together from the pieces without any I/O.
 * What came out is in the public fields.
 */
export class ReceivingSide {
  keys: SessionKeys | undefined;
  remoteKey: Uint8Array | undefined;
  nodeInfo: NodeInfo | undefined;
  /** `ping`, `pong`, or `<channel>:<hex>` per message. */
  readonly events: string[] = [];
  /** Plain text behind the authentication message, as far as it is not packets yet. */
  readonly leftover: number[] = [];
  readonly #own: EphemeralKeys;
  readonly #ephemeral: DelimitedReader;
  readonly #auth = new DelimitedReader(HANDSHAKE_BYTES_MAX);
  readonly #info = new DelimitedReader(MAX_NODE_INFO_BYTES);
  readonly #frame = new Uint8Array(SEALED_FRAME_BYTES);
  #frameBytes = 0;
  #opener: FrameOpener | undefined;
  readonly #reassembly = new Reassembly({
    receiveLimit: () => 1_048_576,
    deliver: (channelId, message) => void this.events.push(`${channelId}:${hex(message)}`),
  });
  readonly #parser = new PacketParser(
    {
      ping: () => void this.events.push('ping'),
      pong: () => void this.events.push('pong'),
      message: (channelId, bytes, start, end, eof) => this.#reassembly.add(channelId, bytes, start, end, eof),
    },
    maxPacketBytes(16_384),
  );

  constructor(own: EphemeralKeys, ephemeralLimit = HANDSHAKE_BYTES_MAX) {
    this.#own = own;
    this.#ephemeral = new DelimitedReader(ephemeralLimit);
  }

  push(chunk: Uint8Array): void {
    let at = 0;
    if (this.#opener === undefined) {
      at = this.#ephemeral.push(chunk, 0, chunk.length);
      const message = this.#ephemeral.message;
      if (message === undefined) return;
      this.keys = deriveSessionKeys(this.#own, decodeEphemeralMessage(message));
      this.#opener = new FrameOpener(this.keys.recvKey);
    }
    while (at < chunk.length) {
      const bytes = Math.min(chunk.length - at, SEALED_FRAME_BYTES - this.#frameBytes);
      this.#frame.set(chunk.subarray(at, at + bytes), this.#frameBytes);
      this.#frameBytes += bytes;
      at += bytes;
      if (this.#frameBytes === SEALED_FRAME_BYTES) this.#openFrame(this.#opener);
    }
  }

  /** What the end of the stream means now. */
  end(): P2PError {
    if (this.#opener === undefined) return this.#ephemeral.endError();
    if (this.#frameBytes === 0) return endOfStream('the stream');
    return new P2PError('connection-lost', 'cut inside a frame', { reason: 'unexpected-eof' });
  }

  #openFrame(opener: FrameOpener): void {
    const plain = new Uint8Array(FRAME_DATA_BYTES);
    const bytes = opener.open(this.#frame, 0, plain, 0);
    this.#frameBytes = 0;
    let at = 0;
    if (this.remoteKey === undefined) {
      at = this.#auth.push(plain, 0, bytes);
      if (this.#auth.message === undefined) return;
      this.remoteKey = provenKey(decodeAuthSigMessage(this.#auth.message), this.keys!.challenge);
    }
    this.leftover.push(...plain.subarray(at, bytes));
    if (this.nodeInfo === undefined) {
      at += this.#info.push(plain, at, bytes);
      if (this.#info.message === undefined) return;
      this.nodeInfo = decodeNodeInfo(this.#info.message);
    }
    this.#parser.push(plain, at, bytes);
  }
}
