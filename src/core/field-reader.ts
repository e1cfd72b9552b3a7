import type { P2PError } from './errors.ts';
import { UVARINT_BYTES_MAX } from './uvarint.ts';

/** How the value of a Protocol Buffers field is laid out. */
const VARINT = 0;
const FIXED64 = 1;
const BLOCK = 2;
const GROUP_START = 3;
const GROUP_END = 4;
const FIXED32 = 5;

const NO_BYTES = new Uint8Array(0);

/**
 * Reads the fields of a Protocol Buffers message in place, by the rules of the decoders Tendermint and CometBFT are built
 * with: a known field of another wire type, field number 0, an unmatched group end, a number over 64 bits and a cut-off
 * field are errors; unknown fields, padded numbers and repeated scalars are not. Reusable, allocates nothing.
 *
 *     reader.reset(bytes, start, end);
 *     while (reader.next()) {
 *       if (reader.field === 1) value = reader.number();
 *       else reader.skip();
 *     }
 */
export class FieldReader {
  /** Number of the current field, 1 … 2^29 − 1. */
  field = 0;
  /** After `block`: where its content begins and ends. */
  blockStart = 0;
  blockEnd = 0;
  readonly #fault: (message: string) => P2PError;
  #bytes: Uint8Array = NO_BYTES;
  #at = 0;
  #end = 0;
  #wireType = 0;

  /** @param fault - makes the error that is thrown for broken bytes. */
  constructor(fault: (message: string) => P2PError) {
    this.#fault = fault;
  }

  /** Begins to read `bytes[start … end)`. */
  reset(bytes: Uint8Array, start: number, end: number): void {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  /** Lets go of the bytes, so that an idle reader keeps no buffer alive. */
  release(): void {
    this.reset(NO_BYTES, 0, 0);
  }

  /** Moves to the next field; false at the end of the message. Each field must be read or skipped before the next. */
  next(): boolean {
    if (this.#at >= this.#end) return false;
    const tag = this.#varint();
    if (tag > 0xffff_ffff) throw this.#fault('a field number exceeds 29 bits');
    if (tag < 8) throw this.#fault('a field has number 0');
    this.field = tag >>> 3;
    this.#wireType = tag & 7;
    return true;
  }

  /** Whether the current field is a number, as opposed to a block or anything else. */
  isNumber(): boolean {
    return this.#wireType === VARINT;
  }

  /** The field as a number up to 64 bits; above 2^53 only its magnitude is right. */
  number(): number {
    if (this.#wireType !== VARINT) throw this.#fault(`a number has wire type ${this.#wireType}`);
    return this.#varint();
  }

  /** The field as a signed 32-bit number: the low bits of what was sent. */
  int32(): number {
    const start = this.#at;
    const value = this.number();
    if (value < 0x8000_0000) return value;
    let low = 0;
    for (let index = 0; index < 5; index++) low |= (this.#bytes[start + index]! & 0x7f) << (7 * index);
    return low;
  }

  /** The field as a block: sets `blockStart` and `blockEnd`, and moves behind it. */
  block(): void {
    if (this.#wireType !== BLOCK) throw this.#fault(`a block has wire type ${this.#wireType}`);
    const length = this.#varint();
    this.blockStart = this.#at;
    this.blockEnd = this.#at + length;
    this.#at = this.blockEnd;
    if (this.#at > this.#end) throw this.#fault('a field is cut off');
  }

  /** The field as an embedded message, whose fields are read next; `leave` takes the returned value. */
  enter(): number {
    const outerEnd = this.#end;
    this.block();
    this.#at = this.blockStart;
    this.#end = this.blockEnd;
    return outerEnd;
  }

  /** Returns to the message around an embedded one that has been read to its end. */
  leave(outerEnd: number): void {
    this.#end = outerEnd;
  }

  /** Passes over the field, whatever its kind. */
  skip(): void {
    let wireType = this.#wireType;
    let depth = 0;
    for (;;) {
      if (wireType === VARINT) this.#varint();
      else if (wireType === FIXED64) this.#at += 8;
      else if (wireType === BLOCK) this.#skipBlock();
      else if (wireType === GROUP_START) depth += 1;
      else if (wireType === GROUP_END) depth -= 1;
      else if (wireType === FIXED32) this.#at += 4;
      else throw this.#fault(`wire type ${wireType} does not exist`);
      if (this.#at > this.#end) throw this.#fault('a field is cut off');
      if (depth < 0) throw this.#fault('a group ends that did not begin');
      if (depth === 0) return;
      wireType = (this.#bytes[this.#at] ?? 0) & 7;
      this.#varint();
    }
  }

  #skipBlock(): void {
    const length = this.#varint();
    this.#at += length;
  }

  #varint(): number {
    const first = this.#bytes[this.#at]!;
    if (first < 0x80 && this.#at < this.#end) {
      this.#at += 1;
      return first;
    }
    return this.#longVarint();
  }

  #longVarint(): number {
    let value = 0;
    let scale = 1;
    for (let taken = 1; taken <= UVARINT_BYTES_MAX; taken++) {
      if (this.#at >= this.#end) throw this.#fault('a number is cut off');
      const byte = this.#bytes[this.#at++]!;
      if (taken === UVARINT_BYTES_MAX && byte > 1) break;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 0x80;
    }
    throw this.#fault('a number exceeds 64 bits');
  }
}
