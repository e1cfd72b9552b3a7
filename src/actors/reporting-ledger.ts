import { Ledger, type LossReason } from '../core/queue/accounting.ts';

/** A ledger that tells of each loss, for queues that drop by themselves. */
export class ReportingLedger extends Ledger {
  readonly #onLoss: (reason: LossReason, bytes: number) => void;

  /** @param parent collects the same counts. */
  constructor(parent: Ledger, onLoss: (reason: LossReason, bytes: number) => void) {
    super(parent);
    this.#onLoss = onLoss;
  }

  override drop(reason: LossReason, bytes: number): void {
    super.drop(reason, bytes);
    this.#onLoss(reason, bytes);
  }
}
