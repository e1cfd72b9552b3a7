import { endpointFault, formatEndpoint, type Endpoint } from '../../core/endpoint.ts';
import type { EndpointFault, TransportEndpointFault } from '../../core/codes.ts';
import { P2PError } from '../../core/errors.ts';
import { classifyIp, normalizeIp } from '../../core/ip.ts';

/** Schemes of the TCP transport; they mean the same. */
export const MCONN_PROTOCOLS: readonly string[] = ['mconn', 'tcp'];

const LISTEN_TEXT = /^(?:([A-Za-z][A-Za-z0-9+.-]*):\/\/)?(?:\[([^\]]*)\]|([^:[\]]*)):([0-9]{1,5})$/;

/** An endpoint of a socket; IPv4-mapped IPv6, as sockets of both families show it, becomes IPv4. */
export function mconnEndpoint(ip: string | undefined, port: number | undefined): Endpoint {
  return { protocol: 'mconn', ip: normalizeIp(ip ?? '') ?? ip ?? '', port: port ?? 0, path: '' };
}

/**
 * The endpoint to listen at, out of an option.
 *
 * @throws P2PError `invalid-endpoint` with the broken rule as its `reason`.
 */
export function listenEndpoint(listen: string | Endpoint): Endpoint {
  const endpoint = typeof listen === 'string' ? parseListenText(listen) : listen;
  requireMconnEndpoint(endpoint);
  return mconnEndpoint(endpoint.ip, endpoint.port);
}

/**
 * The IP addresses to try, in order, for a dial. An unspecified address means this machine; `::` falls back to IPv4, as
 * Go's dialler does.
 *
 * @throws P2PError `invalid-endpoint` with the broken rule as its `reason`.
 */
export function dialTargets(endpoint: Endpoint): readonly string[] {
  requireMconnEndpoint(endpoint);
  const ip = normalizeIp(endpoint.ip)!;
  const kind = classifyIp(ip);
  if (kind === 'multicast' || kind === 'broadcast') throw invalid(endpoint, 'not-unicast');
  if (ip === '::') return ['::1', '127.0.0.1'];
  return ip === '0.0.0.0' ? ['127.0.0.1'] : [ip];
}

function requireMconnEndpoint(endpoint: Endpoint): void {
  const fault = endpointFault(endpoint);
  if (fault !== undefined) throw invalid(endpoint, fault);
  if (!MCONN_PROTOCOLS.includes(endpoint.protocol)) throw invalid(endpoint, 'unsupported-protocol');
  if (endpoint.ip === '') throw invalid(endpoint, 'no-ip');
  if (endpoint.path !== '') throw invalid(endpoint, 'path-not-supported');
}

function parseListenText(text: string): Endpoint {
  const parts = LISTEN_TEXT.exec(text);
  if (parts === null) {
    const reason: TransportEndpointFault = 'not-an-endpoint';
    throw new P2PError('invalid-endpoint', `not an IP address with a port: ${JSON.stringify(text)}`, {
      reason,
    });
  }
  const [, protocol = 'mconn', ipv6, host = '', port] = parts;
  return { protocol: protocol.toLowerCase(), ip: ipv6 ?? host, port: Number(port), path: '' };
}

function invalid(endpoint: Endpoint, reason: EndpointFault | TransportEndpointFault): P2PError {
  return new P2PError('invalid-endpoint', `not usable: ${formatEndpoint(endpoint)} (${reason})`, { reason });
}
