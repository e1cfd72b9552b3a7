/** Version of the record layout; raised when a field changes its meaning or goes away. */
export const FLIGHT_RECORD_VERSION = 1;

/** Anything a record carries: plain JSON, so that a record can be written, compared and hashed as it is. */
export type RecordValue =
  | string
  | number
  | boolean
  | null
  | readonly RecordValue[]
  | { readonly [key: string]: RecordValue | undefined };

interface RecordBase {
  readonly v: typeof FLIGHT_RECORD_VERSION;
  /** 1, 2, 3 … within one router. */
  readonly seq: number;
  /** Milliseconds on the router's clock since it was created. */
  readonly t: number;
  /** Path of the actor concerned, for example `router/peer/in#3`. */
  readonly actor: string;
  /** `seq` of the record that led to this one; 0 for what came from outside. */
  readonly cause: number;
}

/** What happened, without the fields the recorder fills in. */
export type FlightEvent =
  /** An actor began to live, as an instance of `chart`. */
  | { readonly kind: 'start'; readonly actor: string; readonly chart: string; readonly about?: RecordValue }
  /** An actor ended as its chart foresees, in `state`. */
  | { readonly kind: 'stop'; readonly actor: string; readonly state: string; readonly about?: RecordValue }
  /** An actor, or a job done for it, threw. */
  | { readonly kind: 'crash'; readonly actor: string; readonly code: string; readonly message: string }
  /** A chart went from one state to another. */
  | {
      readonly kind: 'transition';
      readonly actor: string;
      readonly event: string;
      readonly from: string;
      readonly to: string;
    }
  /** The peer core answered an event; `why` is its data, `line` the same as an English sentence. */
  | {
      readonly kind: 'decision';
      readonly actor: string;
      readonly event: string;
      readonly result: string;
      readonly peer?: string;
      readonly why?: RecordValue;
      readonly line: string;
    }
  /** A named timer of a chart was armed or went off. */
  | {
      readonly kind: 'timer';
      readonly actor: string;
      readonly op: 'set' | 'fire';
      readonly name: string;
      readonly delayMs?: number;
    }
  /** Messages were given up, all for one reason in one turn. */
  | {
      readonly kind: 'drop';
      readonly actor: string;
      readonly direction: 'in' | 'out';
      readonly channel: number;
      readonly reason: string;
      readonly messages: number;
      readonly bytes: number;
      readonly peer?: string;
    }
  /** A fact about a peer or a transport that is neither of the above: an update, a refusal, an address learned. */
  | { readonly kind: 'note'; readonly actor: string; readonly code: string; readonly about?: RecordValue };

export type FlightRecord = RecordBase & FlightEvent;

export type FlightRecordKind = FlightRecord['kind'];

/** One line of newline-delimited JSON, keys in a fixed order, the same on every run of the same history. */
export function formatFlightRecord(record: FlightRecord): string {
  const { v, seq, t, actor, cause, kind, ...rest } = record;
  return JSON.stringify({ v, seq, t, actor, cause, kind, ...rest });
}
