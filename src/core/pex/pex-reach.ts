import { classifyIp } from '../ip.ts';
import type { NodeAddress } from '../node-address.ts';

/**
 * The kind of network a peer or an address is on. `internet` also stands for host names, whose addresses nobody has
 * looked up; `process` for transports without IP addresses, which reach only nodes of the same process.
 */
export type PexReach = 'internet' | 'private' | 'link-local' | 'loopback' | 'process';

/** Where a peer connected from; `ip` is empty for a transport without IP addresses. */
export function peerReach(ip: string): PexReach {
  if (ip === '') return 'process';
  const reach = ipReach(ip);
  return reach ?? 'internet';
}

/** Where an address can be dialled from; undefined when nowhere. */
export function addressReach(address: NodeAddress): PexReach | undefined {
  const { hostname } = address;
  if (hostname === '') return 'process';
  if (hostname === 'localhost' || hostname.endsWith('.localhost')) return 'loopback';
  return classifyIp(hostname) === undefined ? 'internet' : ipReach(hostname);
}

/** Undefined for an IP address that leads to no single host. */
export function ipReach(ip: string): PexReach | undefined {
  const kind = classifyIp(ip);
  switch (kind) {
    case 'global':
      return 'internet';
    case 'private':
    case 'link-local':
    case 'loopback':
      return kind;
    case 'unspecified':
    case 'multicast':
    case 'broadcast':
    case undefined:
      return undefined;
  }
}

/** Whether a peer is told of an address: one that is not on the internet only when the peer is on the same kind of network. */
export function isTold(address: PexReach | undefined, peer: PexReach): boolean {
  return address !== undefined && (address === 'internet' || address === peer || peer === 'process');
}

/** Whether an address is believed: as `isTold`, but a node of the same host may speak of every network that we are on. */
export function isBelieved(address: PexReach | undefined, source: PexReach): boolean {
  return isTold(address, source) || (source === 'loopback' && address !== undefined && address !== 'process');
}
