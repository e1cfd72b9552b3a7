export type {
  Connection,
  ConnectionDuplex,
  ConnectionEnd,
  ConnectionStatus,
  LocalHandshake,
  RemoteHandshake,
  Transport,
  TransportFactory,
} from './transport.ts';
export type { MemoryLink } from './memory/memory-link.ts';
export { MemoryNetwork, type MemoryNetworkOptions } from './memory/memory-network.ts';
export { mconn } from './mconn/mconn-transport.ts';
export type { MconnOptions } from './mconn/mconn-options.ts';
