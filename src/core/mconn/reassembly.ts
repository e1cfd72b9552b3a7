import type { ChannelId } from '../channel.ts';
import type { ProtocolFault } from '../codes.ts';
import { P2PError } from '../errors.ts';
import { EMPTY_PACKETS_MAX } from '../limits.ts';

export interface ReassemblyOutput {
  /** Longest message on a channel, in bytes; undefined when the channel is not open. Asked for every piece. */
  receiveLimit(channelId: ChannelId): number | undefined;
  /** Takes a whole message. The bytes are the receiver's own. */
  deliver(channelId: ChannelId, message: Uint8Array): void;
}

/** Smallest block that pieces of an unfinished message are gathered in, in bytes. */
const BLOCK_BYTES_MIN = 1024;

/** Up to this length a loop copies faster than a call. */
const SHORT_BYTES = 32;

/** An unfinished message: full blocks, then one that is being filled. */
interface Partial {
  readonly full: Uint8Array[];
  block: Uint8Array;
  blockBytes: number;
  /** Received so far. */
  totalBytes: number;
  /** Size of all blocks. */
  heldBytes: number;
}

/**
 * Joins message pieces per channel (Tendermint MConnection `recvPacketMsg`). A message of one piece is copied once. The
 * pieces of a longer one go into blocks that double in size, so memory follows what has arrived however small the
 * pieces are, and are joined once at the end. Pieces of different channels may interleave.
 */
export class Reassembly {
  readonly #output: ReassemblyOutput;
  readonly #partials = new Map<ChannelId, Partial>();
  #emptyRun = 0;
  #heldBytes = 0;

  constructor(output: ReassemblyOutput) {
    this.#output = output;
  }

  /**
   * Memory held for unfinished messages, over all channels: per message at most its limit, and at most twice what has
   * arrived or 1 KiB.
   */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /**
   * Takes the next piece of a channel, `bytes[start … end)`, and delivers the message when `eof` ends it. The piece is
   * copied. A limit that shrinks while a message is under way applies to its next piece.
   *
   * @throws P2PError, blaming the peer: `message-too-large`, or `protocol-violation` with reason `unknown-channel` or
   * `empty-packet-run`; or whatever the output throws.
   */
  add(channelId: ChannelId, bytes: Uint8Array, start: number, end: number, eof: boolean): void {
    const limit = this.#output.receiveLimit(channelId);
    if (limit === undefined) {
      throw violation('unknown-channel', `channel 0x${channelId.toString(16)} is not open`);
    }
    const partial = this.#partials.get(channelId);
    const total = (partial?.totalBytes ?? 0) + end - start;
    if (total > limit) {
      const message = `a message on channel 0x${channelId.toString(16)} exceeds its limit: ${limit} < ${total}`;
      throw new P2PError('message-too-large', message, { blame: 'peer' });
    }
    if (eof) this.#finish(channelId, partial, bytes, start, end);
    else if (end > start) this.#keep(channelId, partial, bytes, start, end, limit);
    else this.#countEmpty();
  }

  /** Forgets an unfinished message of a channel, for example because the channel was closed. */
  drop(channelId: ChannelId): void {
    this.#heldBytes -= this.#partials.get(channelId)?.heldBytes ?? 0;
    this.#partials.delete(channelId);
  }

  #finish(
    channelId: ChannelId,
    partial: Partial | undefined,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void {
    this.#emptyRun = 0;
    if (partial === undefined) {
      this.#output.deliver(channelId, copyOf(bytes, start, end));
      return;
    }
    const message = join(partial, bytes.subarray(start, end));
    this.drop(channelId);
    this.#output.deliver(channelId, message);
  }

  #keep(
    channelId: ChannelId,
    partial: Partial | undefined,
    bytes: Uint8Array,
    start: number,
    end: number,
    limit: number,
  ): void {
    this.#emptyRun = 0;
    const heldBefore = partial?.heldBytes ?? 0;
    const grown = partial ?? begin(end - start, limit);
    if (partial === undefined) this.#partials.set(channelId, grown);
    append(grown, bytes, start, end, limit);
    this.#heldBytes += grown.heldBytes - heldBefore;
  }

  #countEmpty(): void {
    this.#emptyRun += 1;
    if (this.#emptyRun > EMPTY_PACKETS_MAX) {
      throw violation('empty-packet-run', `more than ${EMPTY_PACKETS_MAX} empty packets in a row`);
    }
  }
}

/** An exact copy. Short ones are copied here: calling the platform takes longer. */
function copyOf(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const copy = new Uint8Array(end - start);
  if (copy.length > SHORT_BYTES) copy.set(bytes.subarray(start, end));
  else for (let index = 0; index < copy.length; index++) copy[index] = bytes[start + index]!;
  return copy;
}

function begin(pieceBytes: number, limit: number): Partial {
  const block = new Uint8Array(Math.max(pieceBytes, Math.min(limit, BLOCK_BYTES_MIN)));
  return { full: [], block, blockBytes: 0, totalBytes: 0, heldBytes: block.length };
}

function append(partial: Partial, bytes: Uint8Array, start: number, end: number, limit: number): void {
  let at = start;
  while (at < end) {
    if (partial.blockBytes === partial.block.length) addBlock(partial, end - at, limit);
    const stop = Math.min(end, at + partial.block.length - partial.blockBytes);
    partial.block.set(bytes.subarray(at, stop), partial.blockBytes);
    partial.blockBytes += stop - at;
    partial.totalBytes += stop - at;
    at = stop;
  }
}

/** As large as everything before it, but never beyond the limit, which the piece has passed. */
function addBlock(partial: Partial, pieceBytes: number, limit: number): void {
  partial.full.push(partial.block);
  partial.block = new Uint8Array(
    Math.max(pieceBytes, Math.min(partial.totalBytes, limit - partial.totalBytes)),
  );
  partial.blockBytes = 0;
  partial.heldBytes += partial.block.length;
}

function join(partial: Partial, last: Uint8Array): Uint8Array {
  const message = new Uint8Array(partial.totalBytes + last.length);
  let at = 0;
  for (const block of partial.full) {
    message.set(block, at);
    at += block.length;
  }
  message.set(partial.block.subarray(0, partial.blockBytes), at);
  message.set(last, partial.totalBytes);
  return message;
}

function violation(reason: ProtocolFault, message: string): P2PError {
  return new P2PError('protocol-violation', message, { reason, blame: 'peer' });
}
