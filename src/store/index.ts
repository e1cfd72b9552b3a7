/** Where routers keep what they know about peers. */
export { levelPeerStore } from './level-peer-store.ts';
export { memoryPeerStore } from './memory-peer-store.ts';
export type { PeerStore, StoredPeers, StoreFault } from './peer-store.ts';
export type {
  AddressRecord,
  AddressSource,
  BanRecord,
  PeerRecord,
  StoreWrite,
} from '../core/peer/peer-record.ts';
