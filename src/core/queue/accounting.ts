import type { DropReason, Outcome } from '../codes.ts';

/** A number of messages and their bytes. */
export interface Tally {
  readonly messages: number;
  readonly bytes: number;
}

/** Why a message left a queue other than by being delivered, in either direction. */
export type LossReason = Exclude<Outcome, 'queued'> | DropReason;

/** Everything that ever happened to the messages of one channel in one direction. */
export interface LedgerSnapshot {
  readonly offered: Tally;
  readonly delivered: Tally;
  /** What the queue holds at the moment. */
  readonly pending: Tally;
  /** By reason; reasons that never occurred are absent. */
  readonly dropped: Readonly<Partial<Record<LossReason, Tally>>>;
}

/**
 * Counts where messages went. Each offered message is later counted once more, as delivered or as dropped; what is
 * missing is pending. A parent collects the same counts for several ledgers, as a channel does for its peers.
 */
export class Ledger {
  readonly #parent: Ledger | undefined;
  #offered = 0;
  #offeredBytes = 0;
  #delivered = 0;
  #deliveredBytes = 0;
  /** Made at the first drop. */
  #dropped: Map<LossReason, { messages: number; bytes: number }> | undefined;

  constructor(parent?: Ledger) {
    this.#parent = parent;
  }

  offer(bytes: number): void {
    this.#offered++;
    this.#offeredBytes += bytes;
    this.#parent?.offer(bytes);
  }

  deliver(bytes: number): void {
    this.#delivered++;
    this.#deliveredBytes += bytes;
    this.#parent?.deliver(bytes);
  }

  drop(reason: LossReason, bytes: number): void {
    const dropped = (this.#dropped ??= new Map<LossReason, { messages: number; bytes: number }>());
    const tally = dropped.get(reason);
    if (tally === undefined) {
      dropped.set(reason, { messages: 1, bytes });
    } else {
      tally.messages++;
      tally.bytes += bytes;
    }
    this.#parent?.drop(reason, bytes);
  }

  /** @param pending what the queues hold, counted from their contents. */
  snapshot(pending: Tally): LedgerSnapshot {
    const dropped: Partial<Record<LossReason, Tally>> = {};
    for (const [reason, tally] of this.#dropped ?? []) dropped[reason] = { ...tally };
    return {
      offered: { messages: this.#offered, bytes: this.#offeredBytes },
      delivered: { messages: this.#delivered, bytes: this.#deliveredBytes },
      pending,
      dropped,
    };
  }
}

export function addTallies(a: Tally, b: Tally): Tally {
  return { messages: a.messages + b.messages, bytes: a.bytes + b.bytes };
}

export const NO_MESSAGES: Tally = Object.freeze({ messages: 0, bytes: 0 });

/**
 * Whether messages or bytes were lost or invented: `offered = delivered + pending + Σ dropped`.
 *
 * @param name of the lane or inbox, for the description.
 * @returns a description of the difference, or undefined when the books balance.
 */
export function conservationFault(
  name: string,
  { offered, delivered, pending, dropped }: LedgerSnapshot,
): string | undefined {
  const lost = Object.values(dropped).reduce(addTallies, NO_MESSAGES);
  const found = addTallies(addTallies(delivered, pending), lost);
  if (found.messages === offered.messages && found.bytes === offered.bytes) return undefined;
  const parts = { offered, delivered, pending, ...dropped };
  const listed = Object.entries(parts).map(
    ([part, { messages, bytes }]) => `${part} ${messages} (${bytes} B)`,
  );
  return `${name} does not balance: ${listed.join(', ')}`;
}
