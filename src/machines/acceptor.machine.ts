/**
 * The listener of one transport. The supervisor starts it when the transport listens; it ends when the transport is
 * closed. It takes one raw connection after the other, each passed to the gate before any cryptography, and pauses
 * after an error instead of spinning or giving up. It never waits for a handshake.
 */
import { assign, setup } from './xstate.ts';

export type AcceptorEvent =
  /** The transport handed over a raw connection; it was passed to the gate. */
  | { readonly type: 'connection.accepted' }
  /** Accepting failed, but the transport lives. */
  | { readonly type: 'accept.failed'; readonly reason: string }
  /** The transport is closed. */
  | { readonly type: 'transport.ended' };

export interface AcceptorInput {
  readonly transport: string;
  /** Pause after the first failure in a row, doubled by each further one. */
  readonly pauseMinMs: number;
  readonly pauseMaxMs: number;
}

export interface AcceptorContext extends AcceptorInput {
  /** Failures in a row; cleared by `connection.accepted`. */
  readonly failures: number;
}

export const acceptorMachine = setup({
  types: {
    context: {} as AcceptorContext,
    events: {} as AcceptorEvent,
    input: {} as AcceptorInput,
  },
  delays: {
    acceptPause: ({ context }) =>
      Math.min(context.pauseMaxMs, context.pauseMinMs * 2 ** (context.failures - 1)),
  },
  actions: {
    /** Asks the transport for the next connection; answers with one of the events above. */
    acceptNext: () => undefined,
    countFailure: assign(({ context }) => ({ failures: context.failures + 1 })),
    clearFailures: assign({ failures: 0 }),
  },
}).createMachine({
  id: 'acceptor',
  context: ({ input }) => ({ ...input, failures: 0 }),
  initial: 'listening',
  on: { 'transport.ended': '.closed' },
  states: {
    listening: {
      description: 'One accept is outstanding.',
      entry: 'acceptNext',
      on: {
        'connection.accepted': { target: 'listening', reenter: true, actions: 'clearFailures' },
        'accept.failed': { target: 'paused', actions: 'countFailure' },
      },
    },
    paused: {
      description: 'Waiting before the next try, 5 ms doubling to 5 s.',
      after: { acceptPause: 'listening' },
    },
    closed: { description: 'The transport no longer listens.', type: 'final' },
  },
});
