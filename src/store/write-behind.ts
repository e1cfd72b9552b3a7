import { asError, P2PError } from '../core/errors.ts';
import { STORE_PENDING_MAX } from '../core/limits.ts';
import type { RecordOperation } from './record-backend.ts';
import { keyText } from './record-key.ts';

export interface WriteBehindOptions {
  /** Makes all changes or none. */
  readonly apply: (operations: readonly RecordOperation[]) => Promise<void>;
  /** Changes that were not made, by the text of their keys; at least one. */
  readonly onFailed: (keys: readonly string[], cause: Error) => void;
  /** Default `STORE_PENDING_MAX`. */
  readonly maxPending?: number;
}

/**
 * Writes changes soon, in batches, without anybody waiting. A batch starts at once when none is being written; what comes
 * meanwhile is collected, a later change of a key replacing an earlier one, and makes the next batch. Changes of a batch
 * that failed go into the next one, unless newer ones replace them.
 */
export class WriteBehind {
  readonly #apply: WriteBehindOptions['apply'];
  readonly #onFailed: WriteBehindOptions['onFailed'];
  readonly #maxPending: number;
  /** By the text of their keys, oldest first. */
  #pending = new Map<string, RecordOperation>();
  /** The batch being written. */
  #batch: Promise<void> | undefined;
  /** Why the latest batch failed; undefined when it did not. */
  #failure: Error | undefined;
  /** How often something was handed in, and which of that is settled: written or failed. */
  #handedIn = 0;
  #settled = 0;

  constructor({ apply, onFailed, maxPending = STORE_PENDING_MAX }: WriteBehindOptions) {
    this.#apply = apply;
    this.#onFailed = onFailed;
    this.#maxPending = maxPending;
  }

  get pending(): number {
    return this.#pending.size;
  }

  write(operations: readonly RecordOperation[]): void {
    if (operations.length === 0) return;
    this.#handedIn++;
    for (const operation of operations) this.#collect(operation);
    this.#giveUpOldest();
    void this.#start();
  }

  /** Resolves when everything so far is written; rejects with P2PError `store-failed` when some of it could not be. */
  async flush(): Promise<void> {
    if (this.#pending.size > 0) this.#handedIn++;
    const goal = this.#handedIn;
    while (this.#settled < goal) await this.#start();
    if (this.#failure !== undefined) {
      throw new P2PError('store-failed', `${this.#pending.size} records could not be written`, {
        cause: this.#failure,
      });
    }
  }

  #collect(operation: RecordOperation): void {
    const key = keyText(operation.key);
    this.#pending.delete(key);
    this.#pending.set(key, operation);
  }

  #giveUpOldest(): void {
    const excess = this.#pending.size - this.#maxPending;
    if (excess <= 0) return;
    const givenUp = [...this.#pending.keys()].slice(0, excess);
    for (const key of givenUp) this.#pending.delete(key);
    this.#onFailed(givenUp, new Error(`more than ${this.#maxPending} records wait to be written`));
  }

  #start(): Promise<void> {
    return (this.#batch ??= this.#writeBatch());
  }

  /** Never rejects. */
  async #writeBatch(): Promise<void> {
    // What else is written in this turn joins the batch.
    await Promise.resolve();
    const batch = this.#pending;
    const upTo = this.#handedIn;
    this.#pending = new Map();
    try {
      await this.#apply([...batch.values()]);
      this.#failure = undefined;
    } catch (error) {
      this.#failure = asError(error);
    }
    const hasMore = this.#pending.size > 0;
    this.#settled = upTo;
    this.#batch = undefined;
    if (this.#failure !== undefined) this.#putBack(batch, this.#failure);
    if (hasMore) void this.#start();
  }

  /** What failed is older than what came meanwhile. */
  #putBack(batch: Map<string, RecordOperation>, cause: Error): void {
    const failed = [...batch.keys()];
    const newer = this.#pending;
    this.#pending = batch;
    for (const operation of newer.values()) this.#collect(operation);
    this.#onFailed(failed, cause);
    this.#giveUpOldest();
  }
}
