import { normalizeIp } from '../ip.ts';
import { formatNodeAddress, type NodeAddress } from '../node-address.ts';
import type { PexAddress, PexUrl } from './pex-message.ts';
import { ipReach, isTold, peerReach } from './pex-reach.ts';

/** Selected addresses as entries of the second generation. */
export function pexUrls(addresses: readonly NodeAddress[]): PexUrl[] {
  return addresses.map((address) => ({ url: formatNodeAddress(address) }));
}

/**
 * Selected addresses as entries of the first generation, never more than there are addresses: one of each first, further
 * IP addresses of a host name in the room that is left (Tendermint v0.35 lets one name crowd out those behind it).
 *
 * @param ipsOf what a host name was resolved to; empty when it was not resolved in time. Not asked for literal addresses.
 * @param requesterIp where the requester is connected from; a name may lead to networks that it must not be told of.
 */
export function pexIpEntries(
  addresses: readonly NodeAddress[],
  ipsOf: (hostname: string) => readonly string[],
  requesterIp: string,
): PexAddress[] {
  const requester = peerReach(requesterIp);
  const first: PexAddress[] = [];
  const further: PexAddress[] = [];
  for (const { nodeId, hostname, port } of addresses) {
    if (hostname === '') continue;
    const literal = normalizeIp(hostname);
    const ips = literal === undefined ? ipsOf(hostname) : [literal];
    const told = ips.filter((ip) => isTold(ipReach(ip), requester));
    told.forEach((ip, index) => (index === 0 ? first : further).push({ id: nodeId, ip, port }));
  }
  return [...first, ...further].slice(0, addresses.length);
}
