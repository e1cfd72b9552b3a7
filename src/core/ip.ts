/** IP addresses as text: reading, writing, and what kind of place one names. Without the platform's own parser. */

/** An IP address in binary. IPv4-mapped IPv6 stays 16 bytes until `unmapIp`. */
export interface Ip {
  /** 4 bytes for IPv4, 16 for IPv6. */
  readonly bytes: Uint8Array;
  /** Interface of a scoped IPv6 address, in its own case; empty when there is none. */
  readonly zone: string;
}

/**
 * What an address is good for. `private` is everything that the internet does not route: RFC 1918, shared (RFC 6598),
 * class E, unique-local and site-local. Ranges for documentation count as `global`, so that examples and simulations
 * behave as the internet does.
 */
export type IpClass =
  'unspecified' | 'loopback' | 'private' | 'link-local' | 'multicast' | 'broadcast' | 'global';

/** Reads an IPv4 or IPv6 address without brackets, optionally with `%zone` behind IPv6. Undefined when it is none. */
export function parseIp(text: string): Ip | undefined {
  if (!text.includes(':')) {
    const bytes = parseIpv4(text);
    return bytes && { bytes, zone: '' };
  }
  const percent = text.indexOf('%');
  if (percent < 0) {
    const bytes = parseIpv6(text);
    return bytes && { bytes, zone: '' };
  }
  const zone = text.slice(percent + 1);
  const bytes = zone === '' ? undefined : parseIpv6(text.slice(0, percent));
  return bytes && { bytes, zone };
}

/** Four decimal numbers without leading zeros, as 4 bytes. */
function parseIpv4(text: string): Uint8Array | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  const bytes = new Uint8Array(4);
  for (const [index, part] of parts.entries()) {
    if (!/^(0|[1-9][0-9]{0,2})$/.test(part) || Number(part) > 255) return undefined;
    bytes[index] = Number(part);
  }
  return bytes;
}

/** IPv6 text without a zone, as 16 bytes. */
export function parseIpv6(text: string): Uint8Array | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0]!, halves.length === 1);
  if (head === undefined) return undefined;
  if (halves.length === 1) return head.length === 16 ? Uint8Array.from(head) : undefined;
  const tail = parseGroups(halves[1]!, true);
  if (tail === undefined || head.length + tail.length > 14) return undefined;
  const bytes = new Uint8Array(16);
  bytes.set(head);
  bytes.set(tail, 16 - tail.length);
  return bytes;
}

/** Groups of hexadecimal digits between single colons; the last may be dotted IPv4 where the address ends with it. */
function parseGroups(text: string, endsAddress: boolean): number[] | undefined {
  if (text === '') return [];
  const groups = text.split(':');
  if (groups.length > 8) return undefined;
  const bytes: number[] = [];
  for (const [index, group] of groups.entries()) {
    if (/^[0-9a-fA-F]{1,4}$/.test(group)) {
      const value = parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
      continue;
    }
    const dotted = endsAddress && index === groups.length - 1 ? parseIpv4(group) : undefined;
    if (dotted === undefined) return undefined;
    bytes.push(...dotted);
  }
  return bytes;
}

/** The IPv4 address that an IPv4-mapped IPv6 address (`::ffff:1.2.3.4`) stands for; any other address unchanged. */
export function unmapIp(ip: Ip): Ip {
  return isMapped(ip.bytes) ? { bytes: ip.bytes.slice(12), zone: '' } : ip;
}

/** The one text of an address: dotted decimal, or RFC 5952 with its zone behind `%`. */
export function formatIp({ bytes, zone }: Ip): string {
  if (bytes.length === 4) return bytes.join('.');
  const text = isMapped(bytes) ? `::ffff:${bytes.slice(12).join('.')}` : formatGroups(bytes);
  return zone === '' ? text : `${text}%${zone}`;
}

function formatGroups(bytes: Uint8Array): string {
  const groups: string[] = [];
  for (let index = 0; index < 16; index += 2) groups.push(word(bytes, index).toString(16));
  const { start, length } = longestZeroRun(groups);
  if (length < 2) return groups.join(':');
  return `${groups.slice(0, start).join(':')}::${groups.slice(start + length).join(':')}`;
}

/** The first of the longest runs of zero groups (RFC 5952, 4.2.3). */
function longestZeroRun(groups: readonly string[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (let index = 0; index < groups.length; index++) {
    if (groups[index] !== '0') start = index + 1;
    else if (index + 1 - start > best.length) best = { start, length: index + 1 - start };
  }
  return best;
}

/** The address in its one text form, IPv4-mapped IPv6 as IPv4; undefined when `text` is no IP address. */
export function normalizeIp(text: string): string | undefined {
  const ip = parseIp(text);
  return ip && formatIp(unmapIp(ip));
}

/** What kind of place an IP text names; undefined when it is no IP address. */
export function classifyIp(text: string): IpClass | undefined {
  const ip = parseIp(text);
  if (ip === undefined) return undefined;
  const bytes = embeddedIpv4(ip.bytes);
  return bytes.length === 4 ? classifyIpv4(bytes) : classifyIpv6(bytes);
}

function classifyIpv4(bytes: Uint8Array): IpClass {
  const [a, b] = [bytes[0]!, bytes[1]!];
  if (a === 0) return 'unspecified';
  if (a === 127) return 'loopback';
  if (a === 169 && b === 254) return 'link-local';
  if (bytes.every((byte) => byte === 255)) return 'broadcast';
  if (a >= 224 && a < 240) return 'multicast';
  const isPrivate =
    a === 10 ||
    (a === 172 && b >> 4 === 1) ||
    (a === 192 && b === 168) ||
    (a === 100 && b >> 6 === 1) ||
    a >= 240;
  return isPrivate ? 'private' : 'global';
}

function classifyIpv6(bytes: Uint8Array): IpClass {
  if (bytes.subarray(0, 15).every((byte) => byte === 0)) {
    if (bytes[15] === 0) return 'unspecified';
    if (bytes[15] === 1) return 'loopback';
  }
  const top = word(bytes, 0);
  if (top >> 8 === 0xff) return 'multicast';
  if (top >> 6 === 0xfe80 >> 6) return 'link-local';
  if (top >> 9 === 0xfc00 >> 9 || top >> 6 === 0xfec0 >> 6) return 'private';
  return 'global';
}

/**
 * The network an address is in, for limits per network: the /16 of IPv4 (`v4:203.0`) or the /32 of IPv6
 * (`v6:2001:db8`). Undefined when `text` is no IP address.
 */
export function ipNetworkKey(text: string): string | undefined {
  const bytes = unmapped(text);
  if (bytes === undefined) return undefined;
  return bytes.length === 4 ? `v4:${bytes[0]!}.${bytes[1]!}` : `v6:${hexWords(bytes, 2)}`;
}

/**
 * The subscriber behind an address, for limits per host: the IPv4 address itself, or the /64 of IPv6, which one host
 * commands whole. Undefined when `text` is no IP address.
 */
export function ipHostKey(text: string): string | undefined {
  const bytes = unmapped(text);
  if (bytes === undefined) return undefined;
  return bytes.length === 4 ? `v4:${bytes.join('.')}` : `v6:${hexWords(bytes, 4)}`;
}

function unmapped(text: string): Uint8Array | undefined {
  const ip = parseIp(text);
  return ip && unmapIp(ip).bytes;
}

function hexWords(bytes: Uint8Array, count: number): string {
  const words: string[] = [];
  for (let index = 0; index < count; index++) words.push(word(bytes, 2 * index).toString(16));
  return words.join(':');
}

function word(bytes: Uint8Array, index: number): number {
  return (bytes[index]! << 8) | bytes[index + 1]!;
}

const MAPPED = prefix('::ffff:0:0');
const COMPATIBLE = prefix('::');
const NAT64 = prefix('64:ff9b::');

function prefix(text: string): Uint8Array {
  return parseIpv6(text)!.subarray(0, 12);
}

function hasPrefix(bytes: Uint8Array, start: Uint8Array): boolean {
  return start.every((byte, index) => bytes[index] === byte);
}

function isMapped(bytes: Uint8Array): boolean {
  return bytes.length === 16 && hasPrefix(bytes, MAPPED);
}

/** The IPv4 address that traffic for these bytes would reach in the end, or the bytes themselves. */
function embeddedIpv4(bytes: Uint8Array): Uint8Array {
  if (bytes.length === 4) return bytes;
  const last = bytes.subarray(12);
  if (hasPrefix(bytes, MAPPED) || hasPrefix(bytes, NAT64)) return last;
  const isCompatible = hasPrefix(bytes, COMPATIBLE) && word(bytes, 12) !== 0;
  return isCompatible ? last : bytes;
}
