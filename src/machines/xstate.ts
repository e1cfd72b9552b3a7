/** The one door to XState: charts and actors import it from here, so that another major version changes one file. */
export { assign, createActor, setup } from 'xstate';
export type {
  Actor,
  AnyStateMachine,
  EventFromLogic,
  InputFrom,
  InspectionEvent,
  SnapshotFrom,
} from 'xstate';
