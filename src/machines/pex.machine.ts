/**
 * The asking side of peer exchange. The supervisor starts it with the router and ends it on stop. It asks one eligible
 * peer at a time and rests in between for as long as the core says; answering others needs no state. It never picks a
 * peer or an interval itself.
 */
import { assign, setup } from './xstate.ts';

export type PexEvent =
  /** Some peer may be asked, now or after a rest of this many milliseconds. */
  | { readonly type: 'pex.rest'; readonly restMs: number }
  /** Nobody may be asked. */
  | { readonly type: 'pex.idle' };

export interface PexContext {
  /** How long to rest; set by `pex.rest`. */
  readonly restMs: number;
}

export const pexMachine = setup({
  types: {
    context: {} as PexContext,
    events: {} as PexEvent,
  },
  delays: {
    requestRest: ({ context }) => context.restMs,
  },
  actions: {
    /** Asks the peer the core picks; answers with `pex.rest` or `pex.idle`. */
    request: () => undefined,
    rememberRest: assign((_, params: { readonly restMs: number }) => ({ restMs: params.restMs })),
  },
}).createMachine({
  id: 'pex',
  context: { restMs: 0 },
  initial: 'idle',
  on: {
    'pex.idle': '.idle',
    'pex.rest': {
      target: '.resting',
      reenter: true,
      actions: { type: 'rememberRest', params: ({ event }) => ({ restMs: event.restMs }) },
    },
  },
  states: {
    idle: { description: 'No peer may be asked; no timer runs.' },
    resting: {
      description: 'Waiting for the instant of the next request.',
      after: { requestRest: 'requesting' },
    },
    requesting: { description: 'Asking a peer now.', entry: 'request' },
  },
});
