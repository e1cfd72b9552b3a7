import { realEnv, type FlightRecord } from '../index.ts';
import { newsOf, shortId, type News } from './demo-news.ts';
import type { DemoName, DemoSeat } from './demo-seat.ts';

/** News of one node. */
export interface DemoEntry extends News {
  /** Milliseconds since the demo began. */
  readonly t: number;
  readonly node: DemoName;
}

/** News that are kept: hours of it. */
const ENTRIES_MAX = 10_000;

/** The news of all nodes in the order they happened, out of their flight recorders. */
export class DemoLog {
  readonly #seats: readonly DemoSeat[];
  readonly #clock = realEnv().clock;
  readonly #startedAt = this.#clock.now();
  readonly #entries: DemoEntry[] = [];
  readonly #listeners = new Set<(entry: DemoEntry) => void>();

  constructor(seats: readonly DemoSeat[]) {
    this.#seats = seats;
  }

  /** The latest, oldest first. */
  get entries(): readonly DemoEntry[] {
    return this.#entries;
  }

  /** Milliseconds since the demo began. */
  get elapsedMs(): number {
    return Math.round(this.#clock.now() - this.#startedAt);
  }

  /** Takes a record of a node, if it is news. */
  take(node: DemoName, record: FlightRecord): void {
    const news = newsOf(record);
    if (news === undefined) return;
    const entry = { t: this.elapsedMs, node, ...news };
    this.#entries.push(entry);
    if (this.#entries.length > ENTRIES_MAX) this.#entries.shift();
    for (const listener of this.#listeners) listener(entry);
  }

  /** Calls `onEntry` with all news from now on. */
  subscribe(onEntry: (entry: DemoEntry) => void): () => void {
    this.#listeners.add(onEntry);
    return () => this.#listeners.delete(onEntry);
  }

  /** A node's name; a shortened id for anybody else, empty for nobody. */
  nameOf(id: string): string {
    return this.#seats.find(({ nodeId }) => nodeId === id)?.name ?? (id === '' ? '' : shortId(id));
  }

  /** A line with the name put before each shortened id: `n3 3fa2… (score 0) takes a free slot`. */
  withNames(line: string): string {
    return line.replace(/\b([0-9a-f]{4})…/g, (id, prefix: string) => {
      const [seat, another] = this.#seats.filter(({ nodeId }) => nodeId.startsWith(prefix));
      return seat === undefined || another !== undefined ? id : `${seat.name} ${id}`;
    });
  }
}
