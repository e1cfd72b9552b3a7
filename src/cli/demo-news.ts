import type { FlightEvent, FlightRecord } from '../index.ts';

/** What a flight record tells whoever watches. */
export interface News {
  /** Event of the peer core, or code of a note of the router. */
  readonly event: string;
  readonly result: string;
  readonly peer?: string;
  /** Why a dial failed or a connection ended. */
  readonly cause?: string;
  /** The data of a decision: rule, scores, what it looked at. */
  readonly why?: unknown;
  readonly line: string;
}

type Decision = Extract<FlightEvent, { kind: 'decision' }>;
type Note = Extract<FlightEvent, { kind: 'note' }>;

/** Decisions that move connections; of some, only one result is news. */
const DECISIONS: ReadonlyMap<string, string | undefined> = new Map([
  ['dialNext', 'dial'],
  ['dialed', undefined],
  ['dialFailed', undefined],
  ['accepted', undefined],
  ['evictNext', 'evict'],
  ['errored', undefined],
  ['inactivate', undefined],
]);

/** The news in a record: dials, admissions, upgrades, evictions, refusals, peers up and down, crashes. */
export function newsOf(record: FlightRecord): News | undefined {
  if (record.kind === 'decision') return decisionNews(record);
  if (record.kind === 'note') return noteNews(record);
  if (record.kind !== 'crash') return undefined;
  return { event: 'crash', result: record.code, line: `${record.actor} crashed: ${record.message}` };
}

/** As the lines of decisions show ids. */
export function shortId(id: string): string {
  return `${id.slice(0, 4)}…`;
}

function decisionNews({ event, result, peer, why, line }: Decision): News | undefined {
  if (!DECISIONS.has(event)) return undefined;
  const only = DECISIONS.get(event);
  if (only !== undefined && only !== result) return undefined;
  const { inputs } = (why ?? {}) as { readonly inputs?: { readonly cause?: unknown } };
  const cause = typeof inputs?.cause === 'string' ? { cause: inputs.cause } : {};
  return { event, result, ...(peer === undefined ? {} : { peer }), ...cause, why, line };
}

function noteNews({ code: event, about }: Note): News | undefined {
  const { peer, direction = 'connected', cause, ip = 'somebody', code = '' } = textsOf(about);
  const who = peer === undefined ? 'somebody' : shortId(peer);
  const named = peer === undefined ? {} : { peer };
  switch (event) {
    case 'peer-up':
      return { event, result: 'up', ...named, line: `${who} is up, ${direction}` };
    case 'peer-down': {
      const why = cause === undefined ? {} : { cause };
      return { event, result: 'down', ...named, ...why, line: `${who} is down` };
    }
    case 'gate-refused':
      return { event, result: code, cause: code, line: `turned ${ip} away at the door` };
    case 'handshake-refused':
      return { event, result: code, ...named, cause: code, line: `refused ${who}` };
    default:
      return undefined;
  }
}

function textsOf(about: Note['about']): Readonly<Record<string, string | undefined>> {
  const texts: Record<string, string> = {};
  if (typeof about !== 'object' || about === null) return texts;
  for (const [key, value] of Object.entries(about)) if (typeof value === 'string') texts[key] = value;
  return texts;
}
