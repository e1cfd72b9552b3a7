import type { PeerStore } from './peer-store.ts';
import type { RecordBackend, RecordEntry, RecordOperation } from './record-backend.ts';
import { keyText } from './record-key.ts';
import { RecordStore } from './record-store.ts';

/**
 * A peer store in memory. What it holds lasts as long as the object, so a router that opens it again after a close finds
 * what an earlier one wrote. Records are kept encoded, as on disk.
 */
export function memoryPeerStore(): PeerStore {
  return new RecordStore(new MemoryBackend());
}

class MemoryBackend implements RecordBackend {
  readonly name = 'peer store in memory';
  /** By the text of their keys, whose order is that of the keys. */
  readonly #entries = new Map<string, RecordEntry>();

  open(): Promise<void> {
    return Promise.resolve();
  }

  async *entries(kind: number): AsyncGenerator<RecordEntry> {
    for (const text of [...this.#entries.keys()].sort()) {
      const entry = this.#entries.get(text);
      if (entry?.[0][0] === kind) yield await Promise.resolve(entry);
    }
  }

  batch(operations: readonly RecordOperation[]): Promise<void> {
    for (const operation of operations) {
      const text = keyText(operation.key);
      if (operation.type === 'put') this.#entries.set(text, [operation.key, operation.value]);
      else this.#entries.delete(text);
    }
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
