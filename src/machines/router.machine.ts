/**
 * The supervisor of one node. `start` and `stop` of the router drive it. While it runs, three regions ask the core in
 * turn: whom to dial now and when to look again, whether inbound connections are taken, and whom to evict. It owns the
 * peer table through its actor; it never moves a message.
 */
import { assign, setup } from './xstate.ts';

export type RouterEvent =
  | { readonly type: 'router.start' }
  /** Store loaded, transports listening, core constructed. */
  | { readonly type: 'router.started' }
  /** It could not start, or something broke that it cannot do without. */
  | { readonly type: 'router.failed'; readonly reason: string }
  | { readonly type: 'router.stop' }
  /** Every actor of the router has ended. */
  | { readonly type: 'router.drained' }
  /** A dial may be possible now. */
  | { readonly type: 'dial.wake' }
  /** The core was asked until it had nobody: look again after `retryMs`, never when absent, at most with an event. */
  | { readonly type: 'dial.none'; readonly retryMs: number }
  /** As many dial attempts run as are allowed. */
  | { readonly type: 'dial.saturated' }
  /** An eviction may be due now. */
  | { readonly type: 'evict.wake' }
  /** The core was asked until it had nobody to evict. */
  | { readonly type: 'evict.none' }
  /** The gate for inbound connections closed or opened. */
  | { readonly type: 'gate.closed' }
  | { readonly type: 'gate.opened' };

export interface RouterInput {
  readonly nodeId: string;
  readonly drainTimeoutMs: number;
}

export interface RouterContext extends RouterInput {
  /** Milliseconds until a dial may become possible by time alone; −1 for never. Set by `dial.none`. */
  readonly retryMs: number;
  /** Why it failed; set by `router.failed`. */
  readonly reason: string;
}

export const routerMachine = setup({
  types: {
    context: {} as RouterContext,
    events: {} as RouterEvent,
    input: {} as RouterInput,
  },
  delays: {
    nextDial: ({ context }) => context.retryMs,
    drainTimeout: ({ context }) => context.drainTimeoutMs,
  },
  guards: {
    mayRetry: (_, params: { readonly retryMs: number }) => params.retryMs >= 0,
  },
  actions: {
    /** Opens the store, builds the core, makes the transports listen; answers with `router.started` or `failed`. */
    bringUp: () => undefined,
    /** Asks the core whom to dial until it has nobody; answers with `dial.none` or `dial.saturated`. */
    dialNext: () => undefined,
    /** Asks the core whom to evict until it has nobody; answers with `evict.none`. */
    evictNext: () => undefined,
    /** Closes listeners, ends dials and handshakes, says goodbye; answers with `router.drained`. */
    beginDrain: () => undefined,
    /** Ends what is left and closes the store. */
    shutDown: () => undefined,
    rememberRetry: assign((_, params: { readonly retryMs: number }) => ({ retryMs: params.retryMs })),
    rememberReason: assign((_, params: { readonly reason: string }) => ({ reason: params.reason })),
  },
}).createMachine({
  id: 'router',
  context: ({ input }) => ({ ...input, retryMs: -1, reason: '' }),
  initial: 'idle',
  on: {
    'router.failed': {
      target: '.failed',
      actions: { type: 'rememberReason', params: ({ event }) => ({ reason: event.reason }) },
    },
  },
  states: {
    idle: {
      description: 'Created, not started.',
      on: { 'router.start': 'starting', 'router.stop': 'stopped' },
    },
    starting: {
      description: 'Opening the store and the listeners.',
      entry: 'bringUp',
      on: {
        'router.started': 'running',
        'router.stop': 'draining',
      },
    },
    running: {
      description: 'Dialling, accepting and evicting as the core decides.',
      type: 'parallel',
      on: {
        'router.stop': 'draining',
      },
      states: {
        dialing: {
          description:
            'Whom to dial. The core may be asked again before it is heard; the latest answer counts.',
          initial: 'deciding',
          on: {
            'dial.wake': { target: '.deciding', reenter: true },
            'dial.none': [
              {
                guard: { type: 'mayRetry', params: ({ event }) => ({ retryMs: event.retryMs }) },
                target: '.sleeping',
                reenter: true,
                actions: { type: 'rememberRetry', params: ({ event }) => ({ retryMs: event.retryMs }) },
              },
              { target: '.waiting' },
            ],
            'dial.saturated': '.saturated',
          },
          states: {
            deciding: { description: 'Asking the core whom to dial.', entry: 'dialNext' },
            sleeping: {
              description: 'Nobody now; the one timer is set to the next instant.',
              after: { nextDial: 'deciding' },
            },
            waiting: { description: 'Nobody, and time alone brings nobody.' },
            saturated: { description: 'As many attempts as are allowed are under way.' },
          },
        },
        accepting: {
          description: 'Whether inbound connections are taken.',
          initial: 'open',
          states: {
            open: { description: 'Inbound connections are taken.', on: { 'gate.closed': 'refusing' } },
            refusing: {
              description: 'Inbound connections are closed at once: a limit is reached.',
              on: { 'gate.opened': 'open' },
            },
          },
        },
        evicting: {
          description: 'Whom to evict.',
          initial: 'watching',
          on: { 'evict.wake': { target: '.issuing', reenter: true } },
          states: {
            watching: { description: 'Nobody is to be evicted.' },
            issuing: {
              description: 'Asking the core whom to evict.',
              entry: 'evictNext',
              on: { 'evict.none': 'watching' },
            },
          },
        },
      },
    },
    draining: {
      description: 'No new work; goodbyes and queued messages leave.',
      entry: 'beginDrain',
      on: { 'router.drained': 'stopped' },
      after: { drainTimeout: 'stopped' },
    },
    stopped: { description: 'Everything is released.', type: 'final', entry: 'shutDown' },
    failed: {
      description: 'It could not start, or broke; everything is released.',
      type: 'final',
      entry: 'shutDown',
    },
  },
});
