import { pino, type Level, type LevelWithSilent } from 'pino';
import type { FlightRecord, FlightRecorder } from '../index.ts';

/** Notes that are news to whoever runs a node. */
const NEWS: ReadonlySet<string> = new Set([
  'peer-up',
  'peer-down',
  'gate-refused',
  'handshake-refused',
  'filtered',
]);

/** Decisions that only matter when something is being looked into. */
const ROUTINE: ReadonlySet<string> = new Set(['add', 'ready', 'processPeerEvent', 'disconnected']);

/** Logs the flight recorder, and nothing else, as JSON lines on standard error. */
export function logRecords(recorder: FlightRecorder, level: LevelWithSilent): void {
  const log = pino({ level, base: null }, pino.destination({ fd: 2, sync: true }));
  recorder.subscribe((record) => log[levelOf(record)](record, messageOf(record)));
}

function levelOf(record: FlightRecord): Level {
  switch (record.kind) {
    case 'crash':
      return 'error';
    case 'drop':
      return 'warn';
    case 'decision':
      return record.result === 'none' || ROUTINE.has(record.event) ? 'debug' : 'info';
    case 'note':
      if (record.actor === 'router/store') return 'warn';
      return NEWS.has(record.code) ? 'info' : 'debug';
    case 'start':
    case 'stop':
    case 'transition':
      return 'debug';
    case 'timer':
      return 'trace';
  }
}

function messageOf(record: FlightRecord): string {
  switch (record.kind) {
    case 'decision':
      return record.line;
    case 'crash':
      return record.message;
    case 'transition':
      return `${record.from} → ${record.to} on ${record.event}`;
    case 'drop':
      return `${record.messages} messages dropped ${record.direction}: ${record.reason}`;
    case 'timer':
      return `timer ${record.name} ${record.op}`;
    case 'note':
      return record.code;
    case 'start':
      return `${record.chart} starts`;
    case 'stop':
      return `ended in ${record.state}`;
  }
}
