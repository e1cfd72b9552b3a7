import type { P2PError } from '../core/errors.ts';
import { FieldReader } from '../core/field-reader.ts';

/** What a known field of a message must look like. */
export type FieldShape =
  | 'number'
  | 'block'
  /** A repeated number, packed or not. */
  | { readonly numbers: number }
  /** A repeated string or bytes field, with the most elements allowed. */
  | { readonly blocks: number }
  /** An embedded message, with the most elements allowed when it is repeated. */
  | { readonly message: MessageShape; readonly max?: number };

/** The known fields of a message by number. */
export type MessageShape = Readonly<Record<number, FieldShape>>;

/**
 * Checks bytes before the generated decoder sees them, which skips known fields of another wire type and turns two
 * bytes into an object. Here both are faults: a wrong type as upstream has it, and more elements than a shape allows.
 *
 * @throws what `fault` makes.
 */
export function checkShape(
  bytes: Uint8Array,
  shape: MessageShape,
  fault: (message: string) => P2PError,
): void {
  const reader = new FieldReader(fault);
  reader.reset(bytes, 0, bytes.length);
  checkFields(reader, shape, fault);
}

function checkFields(reader: FieldReader, shape: MessageShape, fault: (message: string) => P2PError): void {
  const counts = new Map<number, number>();
  while (reader.next()) {
    const { field } = reader;
    const known = shape[field];
    if (known === undefined) {
      reader.skip();
      continue;
    }
    const max = elementsMax(known);
    const count = (counts.get(field) ?? 0) + checkField(reader, known, fault);
    if (count > max) throw fault(`field ${field} has more than ${max} elements`);
    counts.set(field, count);
  }
}

/** Reads one field and returns the number of elements in it. */
function checkField(reader: FieldReader, shape: FieldShape, fault: (message: string) => P2PError): number {
  if (shape === 'number') {
    reader.number();
  } else if (shape === 'block' || 'blocks' in shape) {
    reader.block();
  } else if ('message' in shape) {
    const outerEnd = reader.enter();
    checkFields(reader, shape.message, fault);
    reader.leave(outerEnd);
  } else if (reader.isNumber()) {
    reader.number();
  } else {
    reader.block();
    return reader.blockEnd - reader.blockStart;
  }
  return 1;
}

function elementsMax(shape: FieldShape): number {
  if (typeof shape === 'string') return Infinity;
  if ('numbers' in shape) return shape.numbers;
  return ('blocks' in shape ? shape.blocks : shape.max) ?? Infinity;
}
