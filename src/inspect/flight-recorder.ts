import type { Clock } from '../core/env.ts';
import { FLIGHT_RECORD_VERSION, type FlightEvent, type FlightRecord } from './flight-record.ts';

/** Records kept when nothing else is said; about 10 MB at 150 bytes each. */
export const FLIGHT_RECORDER_RING_MAX = 65_536;

export interface FlightRecorderOptions {
  /** How many of the latest records are kept; default `FLIGHT_RECORDER_RING_MAX`. */
  readonly ringMax?: number;
}

/**
 * The one history of a router: every start, stop, crash, transition, decision, timer and drop, in order. It keeps the
 * latest records in a ring and hands each to its subscribers. Logs, the terminal view and traces read nothing else.
 */
export class FlightRecorder {
  readonly #ring: FlightRecord[] = [];
  readonly #ringMax: number;
  readonly #subscribers = new Set<(record: FlightRecord) => void>();
  #clock: Clock | undefined;
  #startedAt = 0;
  #seq = 0;
  #subscriberFaults = 0;

  constructor(options: FlightRecorderOptions = {}) {
    this.#ringMax = Math.max(1, options.ringMax ?? FLIGHT_RECORDER_RING_MAX);
  }

  /** Gives the recorder its clock; called once by the router that owns it. */
  attach(clock: Clock): void {
    this.#clock = clock;
    this.#startedAt = clock.now();
  }

  /** Appends a record and returns its `seq`. Never throws. */
  write(event: FlightEvent, cause: number): number {
    this.#seq += 1;
    const t = this.#clock === undefined ? 0 : Math.round(this.#clock.now() - this.#startedAt);
    const record: FlightRecord = { v: FLIGHT_RECORD_VERSION, seq: this.#seq, t, cause, ...event };
    if (this.#ring.length < this.#ringMax) this.#ring.push(record);
    else this.#ring[(this.#seq - 1) % this.#ringMax] = record;
    for (const subscriber of this.#subscribers) {
      try {
        subscriber(record);
      } catch {
        this.#subscriberFaults += 1;
      }
    }
    return this.#seq;
  }

  /** Calls `onRecord` with every record from now on. A throw is counted and does not reach the router. */
  subscribe(onRecord: (record: FlightRecord) => void): () => void {
    this.#subscribers.add(onRecord);
    return () => this.#subscribers.delete(onRecord);
  }

  /** The records still in the ring, oldest first. */
  records(): readonly FlightRecord[] {
    if (this.#seq <= this.#ringMax) return [...this.#ring];
    const oldest = this.#seq % this.#ringMax;
    return [...this.#ring.slice(oldest), ...this.#ring.slice(0, oldest)];
  }

  /** Throws of subscribers so far. */
  get subscriberFaults(): number {
    return this.#subscriberFaults;
  }
}
