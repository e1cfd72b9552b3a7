import { expect } from 'chai';
import type { Row } from './row.ts';
import { runRow } from './row-interpreter.ts';
import { ACCEPTED_ROWS } from './rows/accepted-rows.ts';
import { ADD_ROWS } from './rows/add-rows.ts';
import { ADVERTISE_ROWS } from './rows/advertise-rows.ts';
import { CONSTRUCTION_ROWS } from './rows/construction-rows.ts';
import { DIAL_ROWS } from './rows/dial-rows.ts';
import { DIALED_ROWS } from './rows/dialed-rows.ts';
import { EVICT_ROWS } from './rows/evict-rows.ts';
import { EXTENSION_ROWS } from './rows/extension-rows.ts';
import { OPERATION_ROWS } from './rows/operation-rows.ts';
import { OPTION_ROWS } from './rows/option-rows.ts';
import { PRUNE_ROWS } from './rows/prune-rows.ts';
import { QUERY_ROWS } from './rows/query-rows.ts';
import { READY_ROWS } from './rows/ready-rows.ts';
import { RETRY_ROWS } from './rows/retry-rows.ts';
import { SCORE_ROWS } from './rows/score-rows.ts';

const GROUPS: Readonly<Record<string, readonly Row[]>> = {
  'the options of the peer core': OPTION_ROWS,
  'construction and restart': CONSTRUCTION_ROWS,
  'adding addresses': ADD_ROWS,
  'choosing whom to dial': DIAL_ROWS,
  'failed dials and retries': RETRY_ROWS,
  'completed dials': DIALED_ROWS,
  'accepted connections': ACCEPTED_ROWS,
  'readiness, status and updates': READY_ROWS,
  'evictions and disconnects': EVICT_ROWS,
  'scores and ranking': SCORE_ROWS,
  pruning: PRUNE_ROWS,
  advertising: ADVERTISE_ROWS,
  'queries and wake-ups': QUERY_ROWS,
  'operations of a running node': OPERATION_ROWS,
  'extensions behind options': EXTENSION_ROWS,
};

for (const [name, rows] of Object.entries(GROUPS)) {
  describe(name, () => {
    for (const row of rows) {
      it(`${row.no} ${row.title}`, () => {
        runRow(row);
      });
    }
  });
}

describe('the behaviour rows', () => {
  const rows = Object.values(GROUPS).flat();

  it('fail when any expected answer is changed', () => {
    for (const row of rows.filter(
      ({ given = [], then }) => !isSlow([...given, ...then.map(([line]) => line)]),
    )) {
      for (const [at, [command, answer]] of row.then.entries()) {
        const then = row.then.with(at, [command, `${answer} and more`]);
        expect(() => runRow({ ...row, then }), `${row.no} ${command}`).to.throw();
      }
    }
  }).timeout(60_000);

  it('cover every row that the core alone can show', () => {
    const covered = new Set(rows.map(({ no }) => no));
    const numbers = [...range(1, 256), 268, 270, 271, 273, 274];
    const missing = numbers
      .map((number) => `PM-${String(number).padStart(3, '0')}`)
      .filter((no) => !covered.has(no));
    expect(missing, 'these two have tests of their own').to.deep.equal(['PM-226', 'PM-235']);
  });
});

/** Rows with tens of thousands of events run once. */
function isSlow(commands: readonly string[]): boolean {
  return commands.some((command) => / x\d{4,}$/.test(command));
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, at) => from + at);
}
