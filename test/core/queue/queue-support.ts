import {
  channelSettings,
  type ChannelDescriptor,
  type ChannelSettings,
  type Codec,
  type SendOverflow,
} from '../../../src/core/channel.ts';
import { parseNodeId, type NodeId } from '../../../src/core/node-id.ts';
import type { PacketSlice } from '../../../src/core/packet.ts';
import { conservationFault } from '../../../src/core/queue/accounting.ts';
import { Budget } from '../../../src/core/queue/budget.ts';
import { Outbox } from '../../../src/core/queue/outbox.ts';

const codec: Codec<never> = {
  encode: () => new Uint8Array(),
  decode: () => {
    throw new Error('queues hold bytes');
  },
};

export function settings(descriptor: Omit<ChannelDescriptor<never>, 'codec'>): ChannelSettings {
  return channelSettings({ ...descriptor, codec });
}

export function nodeId(digit: string): NodeId {
  return parseNodeId(digit.repeat(40));
}

/** A message of one byte value, which names it in what comes out. */
export function message(length: number, name = 0): Uint8Array {
  return new Uint8Array(length).fill(name);
}

export function emptySlice(): PacketSlice {
  return { channelId: 0, data: message(0), start: 0, end: 0, eof: false };
}

export interface Piece {
  readonly channelId: number;
  /** The byte value of the message. */
  readonly name: number | undefined;
  readonly length: number;
  readonly eof: boolean;
}

/** Pulls once; undefined when nothing was to be sent. */
export function pullOne(outbox: Outbox, maxBytes = 1024, now = 0): Piece | undefined {
  const slice = emptySlice();
  if (!outbox.pull(maxBytes, slice, now)) return undefined;
  const { channelId, data, start, end, eof } = slice;
  return { channelId, name: data[start], length: end - start, eof };
}

/** Pulls until nothing is left or `most` pieces are out. */
export function pullAll(outbox: Outbox, maxBytes = 1024, now = 0, most = Infinity): Piece[] {
  const pieces: Piece[] = [];
  while (pieces.length < most) {
    const piece = pullOne(outbox, maxBytes, now);
    if (piece === undefined) break;
    pieces.push(piece);
  }
  return pieces;
}

/** The first lane of an outbox whose books do not balance, or whose running counts differ from its contents. */
export function outboxFault(outbox: Outbox): string | undefined {
  let messages = 0;
  let bytes = 0;
  for (const [id, books] of outbox.accounting()) {
    const fault = conservationFault(`channel ${id} outbound`, books);
    if (fault !== undefined) return fault;
    const pending = outbox.pending(id);
    if (pending.messages !== books.pending.messages || pending.bytes !== books.pending.bytes) {
      return `channel ${id} counts other messages than it holds`;
    }
    messages += pending.messages;
    bytes += pending.bytes;
  }
  const agrees = messages === outbox.pendingMessages && bytes === outbox.pendingBytes;
  return agrees ? undefined : 'the outbox counts other messages than its lanes hold';
}

interface OutboxShape {
  readonly budgetBytes?: number;
  readonly routerBytes?: number;
  readonly onDrained?: (channelId: number) => void;
}

export function makeOutbox({ budgetBytes = 10_000, routerBytes = 100_000, onDrained }: OutboxShape = {}): {
  outbox: Outbox;
  budget: Budget;
} {
  const budget = new Budget(routerBytes);
  const options = { budgetBytes, routerBudget: budget };
  return { outbox: new Outbox(onDrained ? { ...options, onDrained } : options), budget };
}

interface LaneShape {
  readonly id?: number;
  readonly priority?: number;
  readonly overflow?: SendOverflow;
  readonly maxMessages?: number;
  readonly maxBytes?: number;
  readonly maxMessageBytes?: number;
  readonly maxAgeMs?: number;
}

export function openLane(
  outbox: Outbox,
  { id = 1, priority = 1, maxMessageBytes = 5000, ...send }: LaneShape = {},
): void {
  outbox.openLane(settings({ id, priority, maxMessageBytes, send }));
}

/** The byte values of the messages that come out, in order. */
export function namesOf(outbox: Outbox, now = 0): (number | undefined)[] {
  return pullAll(outbox, 10_000, now).map(({ name }) => name);
}

export function droppedBy(outbox: Outbox, id = 1): Record<string, number> {
  const books = outbox.accounting().get(id)!;
  return Object.fromEntries(
    Object.entries(books.dropped).map(([reason, { messages }]) => [reason, messages]),
  );
}
