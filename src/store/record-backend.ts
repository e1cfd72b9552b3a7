/** One change of a backend: a value for a key, or its removal. */
export type RecordOperation =
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: Uint8Array };

export type RecordEntry = readonly [key: Uint8Array, value: Uint8Array];

/** Keys and values somewhere, in the order of their keys' bytes. What a peer store needs of a database. */
export interface RecordBackend {
  readonly name: string;
  /** @throws P2PError `store-locked` or `store-failed`; then nothing is held open. */
  open(): Promise<void>;
  /** Every entry whose key begins with this byte. */
  entries(kind: number): AsyncIterable<RecordEntry>;
  /** Makes all changes or none. */
  batch(operations: readonly RecordOperation[]): Promise<void>;
  /** Called once after each `open` that succeeded; makes it possible to open again. */
  close(): Promise<void>;
}
