import { memoryPeerStore } from '../../src/store/memory-peer-store.ts';
import { describePeerStore } from './conformance.ts';

describePeerStore('memory', () => {
  const store = memoryPeerStore();
  return Promise.resolve({ store: () => store, remove: () => Promise.resolve() });
});
