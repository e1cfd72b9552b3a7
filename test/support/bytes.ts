/** Bytes of a hex text. */
export function unhex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'hex'));
}

/** Hex text of bytes. */
export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** Hex text of a length-delimited protobuf field, of number 1 … 15, with the given hex content. */
export function blockField(field: number, content: string): string {
  let length = '';
  let rest = content.length / 2;
  for (; rest >= 0x80; rest >>>= 7) length += hex(Uint8Array.of((rest & 0x7f) | 0x80));
  return hex(Uint8Array.of(field * 8 + 2)) + length + hex(Uint8Array.of(rest)) + content;
}

/** The test pattern of the vectors: byte i is (factor × i + offset) mod 251. */
export function pattern(length: number, factor = 7, offset = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (factor * index + offset) % 251);
}

/** `bytes` cut at the given relative places, which need not be sorted; empty pieces are kept. */
export function cutAt(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const cuts = places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b);
  return [0, ...cuts].map((start, index) => bytes.subarray(start, cuts[index] ?? bytes.length));
}
