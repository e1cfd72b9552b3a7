/** The history of a router, and its charts as text. */
export { FlightRecorder, type FlightRecorderOptions } from './flight-recorder.ts';
export {
  FLIGHT_RECORD_VERSION,
  formatFlightRecord,
  type FlightEvent,
  type FlightRecord,
  type FlightRecordKind,
} from './flight-record.ts';
export { chartToJson, chartToMarkdown, chartToMermaid, type ChartJson } from './chart-export.ts';
