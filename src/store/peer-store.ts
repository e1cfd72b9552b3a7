import type { BanRecord, PeerRecord, StoreWrite } from '../core/peer/peer-record.ts';

/**
 * Where a router keeps what it knows about peers between runs. The router's memory is authoritative; the store is a
 * cache that may lag behind by what was not flushed. One store serves one router.
 */
export interface PeerStore {
  /** For logs; never empty. */
  readonly name: string;
  /**
   * Opens and locks the store.
   *
   * @throws P2PError `store-locked` when another router has it open, `store-failed` when it cannot be opened.
   */
  open(): Promise<void>;
  /**
   * Reads everything. Damaged records are left out, set aside and reported; they never fail the load.
   *
   * @throws P2PError `store-failed` when the store itself cannot be read.
   */
  load(): Promise<StoredPeers>;
  /**
   * Takes over changes, in order, and writes them soon; returns at once and never throws. A failed write is reported
   * to `onFault` and repeated with the next write of that key.
   */
  write(changes: readonly StoreWrite[]): void;
  /** Resolves when everything taken over so far is on disk; rejects with P2PError `store-failed`. */
  flush(): Promise<void>;
  /** Flushes, closes and unlocks. Idempotent; never rejects. */
  close(): Promise<void>;
  /** Set by the router before `open`; reports faults that no caller waits for. Must not throw. */
  onFault?: (fault: StoreFault) => void;
}

export interface StoredPeers {
  readonly records: readonly PeerRecord[];
  readonly bans: readonly BanRecord[];
  readonly faults: readonly StoreFault[];
}

/** Something wrong in the store that was survived. */
export interface StoreFault {
  readonly code:
    | 'record-undecodable'
    | 'record-checksum'
    | 'record-id'
    | 'record-address'
    | 'record-format'
    | 'write-failed';
  /** The key or node id concerned, printable. */
  readonly key: string;
  readonly message: string;
}
