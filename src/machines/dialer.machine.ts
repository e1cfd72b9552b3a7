/**
 * One attempt to reach a peer at one address. The supervisor starts it when the core hands out a dial, and it ends with
 * exactly one outcome, which the supervisor reports to the core. It resolves the address, tries the endpoints one after
 * the other, hands the raw connection to a peer actor and waits for that actor's outcome. It never shakes hands itself
 * and never decides whether a failure counts.
 */
import { assign, setup } from './xstate.ts';

export type DialerEvent =
  /** The supervisor gives the attempt up (stop, or the peer came in by itself). */
  | { readonly type: 'dial.cancel'; readonly reason: string }
  /** The address was resolved to this many endpoints that some transport can dial. */
  | { readonly type: 'endpoints.resolved'; readonly count: number }
  | { readonly type: 'endpoints.failed'; readonly reason: string }
  /** The endpoint in turn answered; its connection was handed to `connectionId`. */
  | { readonly type: 'endpoint.opened'; readonly connectionId: number }
  | { readonly type: 'endpoint.failed'; readonly reason: string }
  /** The peer actor admitted the connection. */
  | { readonly type: 'peer.admitted' }
  /** The peer actor ended without being admitted. */
  | { readonly type: 'peer.refused'; readonly reason: string };

export interface DialerInput {
  /** Text form of the address, for display. */
  readonly address: string;
  readonly peer: string;
  readonly resolveTimeoutMs: number;
  /** Per endpoint. */
  readonly dialTimeoutMs: number;
  /** Over everything from resolving to the peer actor's outcome. */
  readonly attemptTimeoutMs: number;
}

export interface DialerContext extends DialerInput {
  /** Endpoints found; set by `endpoints.resolved`. */
  readonly endpoints: number;
  /** Index of the endpoint being tried. */
  readonly endpointIndex: number;
  /** Why each endpoint so far failed, in the order they were tried. */
  readonly causes: readonly string[];
  /** Set by `endpoint.opened`. */
  readonly connectionId: number;
  /** Why the attempt failed or was cancelled; empty while it runs and when it was admitted. */
  readonly reason: string;
}

export const dialerMachine = setup({
  types: {
    context: {} as DialerContext,
    events: {} as DialerEvent,
    input: {} as DialerInput,
  },
  delays: {
    resolveTimeout: ({ context }) => context.resolveTimeoutMs,
    dialTimeout: ({ context }) => context.dialTimeoutMs,
    attemptTimeout: ({ context }) => context.attemptTimeoutMs,
  },
  guards: {
    hasAnotherEndpoint: ({ context }) => context.endpointIndex + 1 < context.endpoints,
    foundEndpoints: (_, params: { readonly count: number }) => params.count > 0,
  },
  actions: {
    /** Starts to resolve the address; answers with `endpoints.*`. */
    resolveAddress: () => undefined,
    /** Starts to dial the endpoint in turn; answers with `endpoint.*`. A later call ends the earlier dial. */
    dialEndpoint: () => undefined,
    /** Ends whatever still runs for this attempt. */
    abandon: () => undefined,
    rememberEndpoints: assign((_, params: { readonly count: number }) => ({ endpoints: params.count })),
    rememberCause: assign(({ context }, params: { readonly cause: string }) => ({
      causes: [...context.causes, params.cause],
    })),
    advanceEndpoint: assign(({ context }) => ({ endpointIndex: context.endpointIndex + 1 })),
    rememberConnection: assign((_, params: { readonly connectionId: number }) => ({
      connectionId: params.connectionId,
    })),
    blameEndpoints: assign(({ context }) => ({ reason: context.causes.join('; ') })),
    rememberReason: assign((_, params: { readonly reason: string }) => ({ reason: params.reason })),
  },
}).createMachine({
  id: 'dialer',
  context: ({ input }) => ({
    ...input,
    endpoints: 0,
    endpointIndex: 0,
    causes: [],
    connectionId: 0,
    reason: '',
  }),
  initial: 'attempting',
  states: {
    attempting: {
      description: 'Under one deadline for the whole attempt.',
      initial: 'resolving',
      on: {
        'dial.cancel': {
          target: 'cancelled',
          actions: { type: 'rememberReason', params: ({ event }) => ({ reason: event.reason }) },
        },
      },
      after: {
        attemptTimeout: {
          target: 'failed',
          actions: { type: 'rememberReason', params: { reason: 'timeout(attempt)' } },
        },
      },
      states: {
        resolving: {
          description: 'Turning the address into endpoints.',
          entry: 'resolveAddress',
          on: {
            'endpoints.resolved': [
              {
                guard: { type: 'foundEndpoints', params: ({ event }) => ({ count: event.count }) },
                target: 'dialing',
                actions: { type: 'rememberEndpoints', params: ({ event }) => ({ count: event.count }) },
              },
              {
                target: '#dialer.failed',
                actions: { type: 'rememberReason', params: { reason: 'no-endpoints' } },
              },
            ],
            'endpoints.failed': {
              target: '#dialer.failed',
              actions: { type: 'rememberReason', params: ({ event }) => ({ reason: event.reason }) },
            },
          },
          after: {
            resolveTimeout: {
              target: '#dialer.failed',
              actions: { type: 'rememberReason', params: { reason: 'timeout(resolve)' } },
            },
          },
        },
        dialing: {
          description: 'Waiting for the endpoint in turn.',
          entry: 'dialEndpoint',
          on: {
            'endpoint.opened': {
              target: 'handshaking',
              actions: {
                type: 'rememberConnection',
                params: ({ event }) => ({ connectionId: event.connectionId }),
              },
            },
            'endpoint.failed': [
              {
                guard: 'hasAnotherEndpoint',
                target: 'dialing',
                reenter: true,
                actions: [
                  { type: 'rememberCause', params: ({ event }) => ({ cause: event.reason }) },
                  'advanceEndpoint',
                ],
              },
              {
                target: '#dialer.failed',
                actions: [
                  { type: 'rememberCause', params: ({ event }) => ({ cause: event.reason }) },
                  'blameEndpoints',
                ],
              },
            ],
          },
          after: {
            dialTimeout: [
              {
                guard: 'hasAnotherEndpoint',
                target: 'dialing',
                reenter: true,
                actions: [{ type: 'rememberCause', params: { cause: 'timeout(dial)' } }, 'advanceEndpoint'],
              },
              {
                target: '#dialer.failed',
                actions: [{ type: 'rememberCause', params: { cause: 'timeout(dial)' } }, 'blameEndpoints'],
              },
            ],
          },
        },
        handshaking: {
          description: 'The connection belongs to a peer actor now; waiting for its one outcome.',
          on: {
            'peer.admitted': '#dialer.admitted',
            'peer.refused': {
              target: '#dialer.failed',
              actions: { type: 'rememberReason', params: ({ event }) => ({ reason: event.reason }) },
            },
          },
        },
      },
    },
    admitted: { description: 'The peer actor lives on with the connection.', type: 'final' },
    failed: { description: 'The address could not be used.', type: 'final', entry: 'abandon' },
    cancelled: { description: 'Given up by us; no failure.', type: 'final', entry: 'abandon' },
  },
});
