import type { Endpoint } from '../endpoint.ts';
import { classifyIp } from '../ip.ts';
import { nodeAddressFault, type NodeAddress } from '../node-address.ts';
import type { NodeId } from '../node-id.ts';

/**
 * Where a peer says it can be dialled: the listen address of its node information, with the address we see it at in
 * place of an unspecified host. Undefined when it declares nothing that can be dialled. The port of an inbound connection
 * is never used: nobody listens there.
 */
export function declaredAddress(peer: NodeId, listenAddr: string, remote: Endpoint): NodeAddress | undefined {
  if (remote.ip === '') return { protocol: remote.protocol, nodeId: peer, hostname: '', port: 0, path: '' };
  const match = /^(?:[a-z][a-z0-9+.-]*:\/\/)?(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/i.exec(listenAddr);
  if (match === null) return undefined;
  const host = (match[1] ?? match[2] ?? '').toLowerCase();
  const port = Number(match[3]);
  if (port === 0 || port > 65535) return undefined;
  const hostname = classifyIp(host) === 'unspecified' ? remote.ip : host;
  const address = { protocol: remote.protocol, nodeId: peer, hostname, port, path: '' };
  return nodeAddressFault(address) === undefined ? address : undefined;
}
