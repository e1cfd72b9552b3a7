import protobuf from 'protobufjs/minimal.js';
import { P2PError } from '../core/errors.ts';
import { peerchart } from './generated/codecs.js';

type Timestamp = peerchart.store.Timestamp.$Properties;

/** 9999-12-31T23:59:59.999Z, the last instant a Protocol Buffers timestamp may name. */
const LAST_MS = 253_402_300_799_999;

const SECONDS_TAG = 1 << 3;
const NANOS_TAG = 2 << 3;

/** An instant in wall-clock milliseconds since 1970 as a timestamp; later than the year 9999 becomes its end. */
export function toTimestamp(ms: number): Timestamp {
  const whole = Math.floor(Math.min(ms, LAST_MS));
  if (!(whole >= -LAST_MS)) throw new P2PError('encode-failed', `${ms} is not an instant`);
  const seconds = Math.floor(whole / 1000);
  const nanos = (whole - 1000 * seconds) * 1_000_000;
  // By way of its bytes: the generated class wants a 64-bit number of a class that only its own reader makes.
  const writer = protobuf.Writer.create();
  if (seconds !== 0) writer.uint32(SECONDS_TAG).int64(seconds);
  if (nanos !== 0) writer.uint32(NANOS_TAG).int32(nanos);
  return peerchart.store.Timestamp.decode(writer.finish());
}

/**
 * A timestamp as milliseconds, rounded down; undefined when it is absent.
 *
 * @throws P2PError `store-corrupt` when it names no instant.
 */
export function fromTimestamp(timestamp: Timestamp | null | undefined): number | undefined {
  if (timestamp === null || timestamp === undefined) return undefined;
  const { seconds, nanos } = timestamp;
  const whole = seconds ? seconds.high * 2 ** 32 + (seconds.low >>> 0) : 0;
  const part = nanos ?? 0;
  const ms = 1000 * whole + Math.floor(part / 1_000_000);
  if (part < 0 || part > 999_999_999 || Math.abs(ms) > LAST_MS) {
    throw new P2PError('store-corrupt', `${whole} s and ${part} ns is not an instant`);
  }
  return ms;
}
