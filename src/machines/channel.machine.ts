/**
 * One open reactor channel. The handle's `openChannel` starts it and `close`, or the router's stop, ends it. It says
 * when messages may be sent and when what is queued has to be gone; messages themselves never pass through it.
 */
import { assign, setup } from './xstate.ts';

export type ChannelEvent =
  /** The id is registered and in the node information of future handshakes. */
  | { readonly type: 'channel.registered' }
  /** The user, or the router's stop, closes the channel. */
  | {
      readonly type: 'channel.close';
      readonly drain: boolean;
      readonly reason: 'channel_closed' | 'router_stopped';
    }
  /** Nothing of the channel is queued towards any peer. */
  | { readonly type: 'channel.drained' };

export interface ChannelInput {
  readonly id: number;
  readonly name: string;
  readonly drainTimeoutMs: number;
}

export interface ChannelContext extends ChannelInput {
  /** Why it closes; set by `channel.close`. */
  readonly reason: 'channel_closed' | 'router_stopped';
}

export const channelMachine = setup({
  types: {
    context: {} as ChannelContext,
    events: {} as ChannelEvent,
    input: {} as ChannelInput,
  },
  delays: {
    drainTimeout: ({ context }) => context.drainTimeoutMs,
  },
  guards: {
    wantsDrain: (_, params: { readonly drain: boolean }) => params.drain,
  },
  actions: {
    /** Registers the id; answers with `channel.registered`. */
    register: () => undefined,
    /** Stops taking messages; answers with `channel.drained` once the lanes are empty. */
    beginDrain: () => undefined,
    /** Counts and drops what is still queued, ends the inbox, tells peers, and frees the id. */
    release: () => undefined,
    rememberReason: assign((_, params: { readonly reason: ChannelContext['reason'] }) => ({
      reason: params.reason,
    })),
  },
}).createMachine({
  id: 'channel',
  context: ({ input }) => ({ ...input, reason: 'channel_closed' }),
  initial: 'opening',
  states: {
    opening: {
      description: 'Being registered.',
      entry: 'register',
      on: { 'channel.registered': 'open' },
    },
    open: {
      description: 'Messages may be sent and received.',
      on: {
        'channel.close': [
          {
            guard: { type: 'wantsDrain', params: ({ event }) => ({ drain: event.drain }) },
            target: 'draining',
            actions: { type: 'rememberReason', params: ({ event }) => ({ reason: event.reason }) },
          },
          {
            target: 'closed',
            actions: { type: 'rememberReason', params: ({ event }) => ({ reason: event.reason }) },
          },
        ],
      },
    },
    draining: {
      description: 'No new messages; what is queued still leaves.',
      entry: 'beginDrain',
      on: { 'channel.drained': 'closed', 'channel.close': 'closed' },
      after: { drainTimeout: 'closed' },
    },
    closed: { description: 'The id is free again.', type: 'final', entry: 'release' },
  },
});
