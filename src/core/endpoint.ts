import type { EndpointFault } from './codes.ts';
import type { Resolver } from './env.ts';
import { P2PError } from './errors.ts';
import { normalizeIp, parseIp } from './ip.ts';
import { formatNodeAddress, type NodeAddress, type NodeAddressParts } from './node-address.ts';
import { isNodeId, type NodeId } from './node-id.ts';

/** A place a transport can dial: an IP address with port and path, or a path alone (Tendermint v0.35 `Endpoint`). */
export interface Endpoint {
  /** Lower-case URL scheme, for example `mconn` or `memory`. */
  readonly protocol: string;
  /** IP address in text form; empty for an endpoint that is not networked. */
  readonly ip: string;
  /** 0 … 65535; 0 means the transport's default. */
  readonly port: number;
  /** Transport-specific identifier; empty when unused. */
  readonly path: string;
}

/** The first rule an endpoint of any transport must keep and this one breaks, or undefined (v0.35 `Endpoint.Validate`). */
export function endpointFault(endpoint: Endpoint): EndpointFault | undefined {
  if (endpoint.protocol === '') return 'no-protocol';
  if (endpoint.ip !== '' && parseIp(endpoint.ip) === undefined) return 'invalid-ip';
  if (!Number.isInteger(endpoint.port) || endpoint.port < 0 || endpoint.port > 65535) return 'port-range';
  if (endpoint.port > 0 && endpoint.ip === '') return 'port-without-ip';
  if (endpoint.ip === '' && endpoint.path === '') return 'no-ip-or-path';
  return undefined;
}

/** The endpoint as a URL, for logs and listen addresses; a node id alone in the path is shown as `protocol:id`. */
export function formatEndpoint(endpoint: Endpoint): string {
  const id = endpoint.path.toLowerCase();
  if (endpoint.ip === '' && isNodeId(id))
    return formatNodeAddress(endpointToNodeAddress({ ...endpoint, path: '' }, id));
  return formatNodeAddress(endpointToNodeAddress(endpoint));
}

/**
 * The address that leads to an endpoint. Host and port are kept only with an IP address; IPv4-mapped IPv6 becomes IPv4.
 * Nothing is validated.
 */
export function endpointToNodeAddress(endpoint: Endpoint, id: NodeId): NodeAddress;
export function endpointToNodeAddress(endpoint: Endpoint): NodeAddressParts;
export function endpointToNodeAddress(endpoint: Endpoint, id = ''): NodeAddressParts {
  return {
    protocol: endpoint.protocol,
    nodeId: id,
    hostname: normalizeIp(endpoint.ip) ?? endpoint.ip,
    port: endpoint.ip === '' ? 0 : endpoint.port,
    path: endpoint.path,
  };
}

/**
 * The endpoints an address leads to, in the resolver's order without duplicates. A literal IP address is not looked up,
 * and a host name that ends in a number never is: platforms read `127.1` or `0x7f.1` as IP addresses.
 *
 * @throws the signal's own reason when it aborts; else P2PError `invalid-address` (no protocol, or neither host nor id),
 * `resolve-failed`, or `no-endpoints`.
 */
export async function resolveNodeAddress(
  address: NodeAddressParts,
  resolver: Resolver,
  signal: AbortSignal,
): Promise<readonly Endpoint[]> {
  const { protocol, nodeId, hostname, port, path } = address;
  signal.throwIfAborted();
  if (protocol === '') throw unresolvable(address, 'no-protocol');
  if (hostname === '') {
    if (nodeId === '') throw unresolvable(address, 'id-missing');
    return [{ protocol, ip: '', port: 0, path: nodeId }];
  }
  const ips = await lookUp(hostname, resolver, signal);
  return ips.map((ip) => ({ protocol, ip, port, path }));
}

function unresolvable(address: NodeAddressParts, reason: 'no-protocol' | 'id-missing'): P2PError {
  return new P2PError(
    'invalid-address',
    `cannot resolve ${JSON.stringify(formatNodeAddress(address))} (${reason})`,
    {
      reason,
    },
  );
}

async function lookUp(hostname: string, resolver: Resolver, signal: AbortSignal): Promise<readonly string[]> {
  const literal = normalizeIp(hostname);
  if (literal !== undefined) return [literal];
  if (hostname.includes(':') || endsInNumber(hostname)) throw resolveFailed(hostname, 'it is no host name');
  const found = await resolveUntilAborted(hostname, resolver, signal);
  const ips = new Set<string>();
  for (const text of found) {
    const ip = normalizeIp(text);
    if (ip !== undefined) ips.add(ip);
  }
  if (ips.size === 0) throw new P2PError('no-endpoints', `${JSON.stringify(hostname)} has no IP address`);
  return [...ips];
}

function endsInNumber(hostname: string): boolean {
  return /(^|\.)(0x[0-9a-f]*|[0-9]+)\.?$/i.test(hostname);
}

/** Settles with the signal even if the resolver does not. */
async function resolveUntilAborted(
  hostname: string,
  resolver: Resolver,
  signal: AbortSignal,
): Promise<readonly string[]> {
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([resolver.resolve(hostname, signal), aborted]);
  } catch (cause) {
    signal.throwIfAborted();
    throw resolveFailed(hostname, 'the look-up failed', cause);
  } finally {
    if (onAbort !== undefined) signal.removeEventListener('abort', onAbort);
  }
}

function resolveFailed(hostname: string, why: string, cause?: unknown): P2PError {
  return new P2PError('resolve-failed', `cannot resolve ${JSON.stringify(hostname)}: ${why}`, { cause });
}
