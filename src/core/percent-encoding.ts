/** Percent-encoding of UTF-8 text (RFC 3986) with explicit sets and no silent repair. */

/** Why a text cannot be decoded: a broken escape, or bytes that are not UTF-8. */
export type PercentFault = 'escape' | 'utf8';

export type Decoded =
  { readonly ok: true; readonly text: string } | { readonly ok: false; readonly fault: PercentFault };

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const PERCENT = 0x25;

/** Replaces every escape by the byte it stands for; the result must be UTF-8. */
export function percentDecode(text: string): Decoded {
  if (!text.includes('%')) return { ok: true, text };
  if (/%(?![0-9a-fA-F]{2})/.test(text)) return { ok: false, fault: 'escape' };
  const source = encoder.encode(text);
  const bytes = new Uint8Array(source.length);
  let length = 0;
  for (let index = 0; index < source.length; index++) {
    if (source[index] === PERCENT) {
      bytes[length++] = (hexDigit(source[index + 1]!) << 4) | hexDigit(source[index + 2]!);
      index += 2;
    } else {
      bytes[length++] = source[index]!;
    }
  }
  try {
    return { ok: true, text: decoder.decode(bytes.subarray(0, length)) };
  } catch {
    return { ok: false, fault: 'utf8' };
  }
}

function hexDigit(code: number): number {
  return code <= 0x39 ? code - 0x30 : (code | 0x20) - 0x57;
}

/** Which ASCII characters are written as they are: letters and digits, and those of `marks`. */
export function asciiSet(marks: string): ReadonlySet<number> {
  const set = new Set<number>();
  for (const range of ['09', 'AZ', 'az']) {
    for (let code = range.charCodeAt(0); code <= range.charCodeAt(1); code++) set.add(code);
  }
  for (let index = 0; index < marks.length; index++) set.add(marks.charCodeAt(index));
  return set;
}

/** Escapes every byte that is not in `plain`, in upper-case hexadecimal. */
export function percentEncode(text: string, plain: ReadonlySet<number>): string {
  let encoded = '';
  for (const byte of encoder.encode(text)) {
    encoded += plain.has(byte) ? String.fromCharCode(byte) : escapeOf(byte);
  }
  return encoded;
}

function escapeOf(byte: number): string {
  return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}
