import type { AddressFault } from './codes.ts';
import { P2PError } from './errors.ts';
import { parseIp, parseIpv6 } from './ip.ts';
import { nodeIdFault, type NodeId } from './node-id.ts';
import { asciiSet, percentDecode, percentEncode } from './percent-encoding.ts';

/** Where and how one peer may be reached. Two addresses are the same only if all five parts are equal. */
export interface NodeAddress {
  /** Lower-case URL scheme. */
  readonly protocol: string;
  readonly nodeId: NodeId;
  /** Host name or IP text without brackets; empty when there is none. */
  readonly hostname: string;
  /** 0 when there is none. */
  readonly port: number;
  /** Empty, or begins with `/`. */
  readonly path: string;
}

/** The parts of an address before anybody has checked them; any may be empty. */
export interface NodeAddressParts extends Omit<NodeAddress, 'nodeId'> {
  readonly nodeId: string;
}

export type NodeAddressResult =
  { readonly ok: true; readonly address: NodeAddress } | { readonly ok: false; readonly fault: AddressFault };

/** What an address without a scheme means. */
const DEFAULT_PROTOCOL = 'mconn';

const SCHEME = /^[A-Za-z][A-Za-z0-9+.-]*$/;
const HOST_MARKS = "-._~!$&'()*+,;=";
const HOST_SET = asciiSet(HOST_MARKS);
const USER_SET = asciiSet('-._~$&+,;=');
const PATH_SET = asciiSet('-._~$&+,/:;=@');
const IPV6_SET = asciiSet(`${HOST_MARKS}:`);

/**
 * Reads an address from text: `mconn://<id>@host:port`, `<id>@host` (protocol `mconn`), or `memory:<id>`.
 *
 * @throws P2PError `invalid-address` with an `AddressFault` as its `reason`.
 */
export function parseNodeAddress(text: string): NodeAddress {
  const result = parseNodeAddressResult(text);
  if (result.ok) return result.address;
  throw new P2PError('invalid-address', `not a node address (${result.fault}): ${JSON.stringify(text)}`, {
    reason: result.fault,
  });
}

/** `parseNodeAddress` for callers that expect bad input: the fault is a value. */
export function parseNodeAddressResult(text: string): NodeAddressResult {
  const parts = parseParts(text);
  return typeof parts === 'string' ? { ok: false, fault: parts } : checked(canonicalParts(parts));
}

/**
 * The rules for an address that comes in as a value: canonical form, validity, and a text form that reads back as the
 * same address.
 */
export function acceptNodeAddress(address: NodeAddressParts): NodeAddressResult {
  const result = checked(canonicalParts(address));
  if (!result.ok) return result;
  const readBack = parseNodeAddressResult(formatNodeAddress(result.address));
  const isSame = readBack.ok && sameNodeAddress(readBack.address, result.address);
  return isSame ? result : { ok: false, fault: 'roundtrip' };
}

function checked(parts: NodeAddressParts): NodeAddressResult {
  const fault = nodeAddressFault(parts);
  return fault === undefined ? { ok: true, address: parts as NodeAddress } : { ok: false, fault };
}

/**
 * The form in which addresses are compared and stored: lower case but for an IPv6 zone, a path that begins with `/`, and
 * no path that only repeats the node id. Says nothing about validity.
 */
export function canonicalNodeAddress(address: NodeAddress): NodeAddress {
  return canonicalParts(address) as NodeAddress;
}

function canonicalParts(parts: NodeAddressParts): NodeAddressParts {
  const nodeId = parts.nodeId.toLowerCase();
  const repeatsId = parts.hostname === '' && parts.path === nodeId;
  return {
    protocol: parts.protocol.toLowerCase(),
    nodeId,
    hostname: lowerCaseHost(parts.hostname),
    port: parts.port,
    path: repeatsId ? '' : rooted(parts.path),
  };
}

function lowerCaseHost(hostname: string): string {
  const zoneAt = hostname.indexOf('%');
  if (zoneAt < 0 || parseIp(hostname) === undefined) return hostname.toLowerCase();
  return hostname.slice(0, zoneAt).toLowerCase() + hostname.slice(zoneAt);
}

function rooted(path: string): string {
  return path === '' || path.startsWith('/') ? path : `/${path}`;
}

/** The first rule that an address in canonical form breaks, or undefined. */
export function nodeAddressFault(address: NodeAddressParts): AddressFault | undefined {
  if (address.protocol === '') return 'no-protocol';
  if (!SCHEME.test(address.protocol)) return 'protocol-syntax';
  const idFault = nodeIdFault(address.nodeId);
  if (idFault !== undefined) return idFault === 'id-empty' ? 'id-missing' : idFault;
  if (!Number.isInteger(address.port) || address.port < 0 || address.port > 65535) return 'port-range';
  if (address.port > 0 && address.hostname === '') return 'port-without-host';
  return undefined;
}

export function sameNodeAddress(a: NodeAddress, b: NodeAddress): boolean {
  return (
    a.nodeId === b.nodeId &&
    a.hostname === b.hostname &&
    a.port === b.port &&
    a.protocol === b.protocol &&
    a.path === b.path
  );
}

/**
 * The text of an address, which parses back to the same address when that is canonical and valid. Also shows invalid
 * ones, for logs: missing parts are left out.
 */
export function formatNodeAddress(address: NodeAddressParts): string {
  const { protocol, nodeId, hostname } = address;
  if (hostname === '' && protocol !== '' && (address.path === '' || address.path === nodeId)) {
    return `${protocol}:${percentEncode(nodeId, USER_SET)}`;
  }
  const scheme = protocol === '' ? '' : `${protocol}://`;
  const user = nodeId === '' ? '' : `${percentEncode(nodeId, USER_SET)}@`;
  return scheme + user + formatHost(address) + percentEncode(rooted(address.path), PATH_SET);
}

function formatHost({ hostname, port }: NodeAddressParts): string {
  if (hostname === '') return '';
  const host = hostname.includes(':')
    ? `[${percentEncode(hostname, IPV6_SET)}]`
    : percentEncode(hostname, HOST_SET);
  return port === 0 ? host : `${host}:${port}`;
}

/** `id@` and a `host:port`, without the `scheme://` that may stand before it (Tendermint v0.35 NodeID.AddressString). */
export function addressString(id: NodeId, hostPort: string): string {
  return `${id}@${hostPort.split('://')[1] ?? hostPort}`;
}

function parseParts(text: string): NodeAddressParts | AddressFault {
  const badText = textFault(text);
  if (badText !== undefined) return badText;
  const split = splitScheme(text);
  if (typeof split === 'string') return split;
  const [beforeFragment, fragment] = cut(split.rest, '#');
  const [rest, query] = cut(beforeFragment, '?');
  if (!rest.startsWith('//')) {
    if (rest === '' || rest.startsWith('/')) return 'id-missing';
    return { protocol: split.protocol, nodeId: rest, hostname: '', port: 0, path: '' };
  }
  const pathAt = rest.indexOf('/', 2);
  const authority = parseAuthority(pathAt < 0 ? rest.slice(2) : rest.slice(2, pathAt));
  if (typeof authority === 'string') return authority;
  const path = parsePath(pathAt < 0 ? '' : rest.slice(pathAt), query, fragment);
  return path.ok ? { protocol: split.protocol, ...authority, path: path.text } : path.fault;
}

function textFault(text: string): AddressFault | undefined {
  for (let index = 0; index < text.length; index++) {
    if (isControl(text.charCodeAt(index))) return 'control';
  }
  return /\p{Surrogate}/u.test(text) ? 'utf8' : undefined;
}

function isControl(code: number): boolean {
  return code < 0x20 || code === 0x7f;
}

function splitScheme(text: string): { protocol: string; rest: string } | AddressFault {
  const colon = text.indexOf(':');
  if (colon > 0 && SCHEME.test(text.slice(0, colon))) {
    return { protocol: text.slice(0, colon), rest: text.slice(colon + 1) };
  }
  const beginsWithHostPort = /^[^/:]+:[0-9]+(\/|$)/.test(text);
  if (text.includes('://') && !beginsWithHostPort) return 'no-protocol';
  return { protocol: DEFAULT_PROTOCOL, rest: `//${text}` };
}

/** The text before and behind the first `mark`; nothing behind it when there is none. */
function cut(text: string, mark: string): readonly [string, string] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

interface Authority {
  readonly nodeId: string;
  readonly hostname: string;
  readonly port: number;
}

function parseAuthority(text: string): Authority | AddressFault {
  const at = text.lastIndexOf('@');
  const user = text.slice(0, Math.max(at, 0));
  if (!/^[A-Za-z0-9._:~!$&'()*+,;=%@-]*$/.test(user)) return 'userinfo';
  if (user.includes(':')) return 'password';
  const nodeId = percentDecode(user);
  if (!nodeId.ok) return nodeId.fault;
  const host = parseHostPort(text.slice(at + 1));
  return typeof host === 'string' ? host : { nodeId: nodeId.text, ...host };
}

function parseHostPort(text: string): Omit<Authority, 'nodeId'> | AddressFault {
  const split = text.startsWith('[') ? splitBracketed(text) : splitPlain(text);
  if (typeof split === 'string') return split;
  const port = Number(split.digits);
  return port > 65535 ? 'port-range' : { hostname: split.hostname, port };
}

interface HostAndDigits {
  readonly hostname: string;
  readonly digits: string;
}

function splitBracketed(text: string): HostAndDigits | AddressFault {
  const end = text.lastIndexOf(']');
  if (end < 0) return 'bracket';
  const behind = text.slice(end + 1);
  if (!/^(:[0-9]*)?$/.test(behind)) return 'port-syntax';
  const digits = behind.slice(1);
  const inside = text.slice(1, end);
  if (inside === '') return { hostname: '', digits };
  const zoneAt = inside.indexOf('%25');
  const ip = zoneAt < 0 ? inside : inside.slice(0, zoneAt);
  if (parseIpv6(ip) === undefined) return 'not-ipv6';
  if (zoneAt < 0) return { hostname: ip, digits };
  const zone = inside.slice(zoneAt + 3);
  if (zone === '') return 'not-ipv6';
  if (!isHostText(zone)) return 'host-char';
  const decoded = percentDecode(zone);
  if (!decoded.ok) return decoded.fault;
  return textFault(decoded.text) === undefined
    ? { hostname: `${ip}%${decoded.text}`, digits }
    : 'host-escape';
}

function splitPlain(text: string): HostAndDigits | AddressFault {
  const colon = text.lastIndexOf(':');
  const digits = colon < 0 ? '' : text.slice(colon + 1);
  if (!/^[0-9]*$/.test(digits)) return 'port-syntax';
  const host = colon < 0 ? text : text.slice(0, colon);
  if (host.includes(':')) return 'unbracketed-ipv6';
  if (!isHostText(host)) return 'host-char';
  const decoded = percentDecode(host);
  if (!decoded.ok && decoded.fault === 'escape') return 'escape';
  if (/%[0-7]/.test(host)) return 'host-escape';
  return decoded.ok ? { hostname: decoded.text, digits } : decoded.fault;
}

/** Whether a raw host has only characters that may stand in one, escapes aside. */
function isHostText(text: string): boolean {
  return /^[A-Za-z0-9._~!$&'()*+,;=%\u{80}-\u{10ffff}-]*$/u.test(text);
}

function parsePath(rawPath: string, query: string, rawFragment: string): ReturnType<typeof percentDecode> {
  const path = percentDecode(rawPath);
  if (!path.ok) return path;
  const fragment = percentDecode(rawFragment);
  if (!fragment.ok) return fragment;
  const queryText = query === '' ? '' : `?${query}`;
  const fragmentText = fragment.text === '' ? '' : `#${fragment.text}`;
  return { ok: true, text: path.text + queryText + fragmentText };
}
