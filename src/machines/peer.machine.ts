/**
 * One connection to a peer, inbound or outbound, from its first byte to its last. The acceptor's gate or a dialer starts
 * it with a raw connection; it owns the handshake and ends in `closed` with a typed reason. It never decides whether a
 * peer is wanted: judging, arbitration and admission are asked of the supervisor, which answers in the same turn.
 */
import { assign, setup } from './xstate.ts';

export type PeerDirection = 'inbound' | 'outbound';

/** Who ended a connection: we, the remote, or a fault of the link or the protocol. */
export type PeerClosedBy = 'local' | 'remote' | 'fault';

export type PeerEvent =
  /** No endpoint filter refuses the remote, or there is none. */
  | { readonly type: 'endpoint.passed' }
  /** The transport's handshake is done; the remote has proven this id. */
  | { readonly type: 'handshake.authenticated'; readonly peer: string }
  | { readonly type: 'handshake.failed'; readonly reason: string; readonly by: PeerClosedBy }
  /** The supervisor admits the connection; `verdict` says whether the remote takes part in the verdict exchange. */
  | { readonly type: 'peer.admit'; readonly verdict: boolean }
  /** Another connection of this peer goes first for now. */
  | { readonly type: 'peer.hold' }
  /** Another connection of this peer is just closing. */
  | { readonly type: 'peer.wait' }
  /** Judge again: the other connection is gone. */
  | { readonly type: 'incumbent.gone' }
  /** The supervisor refuses the connection. */
  | { readonly type: 'peer.refuse'; readonly reason: string }
  /** Both sides have accepted. */
  | { readonly type: 'verdict.accepted' }
  | { readonly type: 'verdict.rejected'; readonly reason: string }
  /** The first message of a remote that takes no part in the verdict exchange. */
  | { readonly type: 'message.received' }
  /** The supervisor wants the connection gone; `flush` lets queued messages leave first. */
  | { readonly type: 'peer.evict'; readonly reason: string; readonly flush: boolean }
  /** The link is down. */
  | { readonly type: 'connection.closed'; readonly by: PeerClosedBy; readonly reason: string };

export interface PeerInput {
  /** Number of the connection, unique in the router. */
  readonly connectionId: number;
  readonly direction: PeerDirection;
  /** Text form of the remote endpoint, for display. */
  readonly endpoint: string;
  /** Over everything until both sides have accepted; counted from the start of this actor. */
  readonly handshakeTimeoutMs: number;
  /** How long a remote without verdicts must stay before it counts as connected. */
  readonly probationMs: number;
  /** How long a closing connection of the same peer is waited for. */
  readonly incumbentGraceMs: number;
  /** How long a refusal may take to leave. */
  readonly refusalTimeoutMs: number;
  /** How long queued messages may take to leave on eviction. */
  readonly drainTimeoutMs: number;
}

export interface PeerContext extends PeerInput {
  /** Proven node id; empty until `handshake.authenticated`. */
  readonly peer: string;
  /** What the handshake is waiting for, as a time-out names it. */
  readonly stage: 'filter' | 'exchange' | 'judge' | 'verdict';
  /** Whether a closing connection of the same peer has had its time; set by the end of `waiting`. */
  readonly waited: boolean;
  /** Whether queued messages leave before an eviction closes; set by `peer.evict`. */
  readonly flush: boolean;
  /** Why it ends; the first reason stays. Empty while it lives. */
  readonly reason: string;
  /** Who ended it; meaningful once `reason` is set. */
  readonly by: PeerClosedBy;
}

export const peerMachine = setup({
  types: {
    context: {} as PeerContext,
    events: {} as PeerEvent,
    input: {} as PeerInput,
  },
  delays: {
    handshakeTimeout: ({ context }) => context.handshakeTimeoutMs,
    probation: ({ context }) => context.probationMs,
    incumbentGrace: ({ context }) => context.incumbentGraceMs,
    refusalTimeout: ({ context }) => context.refusalTimeoutMs,
    drainTimeout: ({ context }) => (context.flush ? context.drainTimeoutMs : 0),
  },
  guards: {
    hasVerdict: (_, params: { readonly verdict: boolean }) => params.verdict,
  },
  actions: {
    /** Asks the endpoint filters; answers with `endpoint.passed` or `peer.refuse`. */
    screen: () => undefined,
    /** Starts the transport's handshake; answers with `handshake.*`. */
    beginHandshake: () => undefined,
    /** Asks the supervisor for its judgement; answers with `peer.admit`, `hold`, `wait` or `refuse`. */
    judge: () => undefined,
    /** Sends our verdict when it is our turn, and reads the remote's; answers with `verdict.*`. */
    exchangeVerdicts: () => undefined,
    /** Takes an admission back: the connection is held or refused. */
    suspend: () => undefined,
    /** Tells the remote that it is refused, if it understands, and closes. */
    sendRefusal: () => undefined,
    /** Registers the routes, then announces the peer. */
    announce: () => undefined,
    /** Closes the routes, says goodbye if the remote understands, flushes, closes. */
    beginEviction: () => undefined,
    /** Closes the link now. */
    cut: () => undefined,
    /** Takes the routes down, reports the end, and releases everything the connection held. */
    release: () => undefined,
    rememberPeer: assign((_, params: { readonly peer: string }) => ({ peer: params.peer, stage: 'judge' })),
    beginExchange: assign({ stage: 'exchange' }),
    awaitVerdict: assign({ stage: 'verdict' }),
    rememberWait: assign({ waited: true }),
    rememberReason: assign(({ context }, params: { readonly reason: string; readonly by: PeerClosedBy }) =>
      context.reason === '' ? { reason: params.reason, by: params.by } : {},
    ),
    rememberFlush: assign((_, params: { readonly flush: boolean }) => ({ flush: params.flush })),
  },
}).createMachine({
  id: 'peer',
  context: ({ input }) => ({
    ...input,
    peer: '',
    stage: 'filter',
    waited: false,
    flush: false,
    reason: '',
    by: 'local',
  }),
  initial: 'handshaking',
  on: {
    'connection.closed': {
      target: '.closed',
      actions: { type: 'rememberReason', params: ({ event }) => ({ reason: event.reason, by: event.by }) },
    },
  },
  states: {
    handshaking: {
      description: 'Not a peer yet. One deadline covers every stage and no progress extends it.',
      initial: 'screening',
      on: {
        'handshake.failed': {
          target: 'closed',
          actions: {
            type: 'rememberReason',
            params: ({ event }) => ({ reason: event.reason, by: event.by }),
          },
        },
        'verdict.rejected': {
          target: 'closed',
          actions: {
            type: 'rememberReason',
            params: ({ event }) => ({ reason: event.reason, by: 'remote' }),
          },
        },
        'peer.refuse': {
          target: '.refusing',
          actions: { type: 'rememberReason', params: ({ event }) => ({ reason: event.reason, by: 'local' }) },
        },
        'peer.evict': {
          target: '.refusing',
          actions: { type: 'rememberReason', params: ({ event }) => ({ reason: event.reason, by: 'local' }) },
        },
      },
      after: {
        handshakeTimeout: {
          target: 'closed',
          actions: {
            type: 'rememberReason',
            params: ({ context }) => ({ reason: `timeout(${context.stage})`, by: 'fault' }),
          },
        },
      },
      states: {
        screening: {
          description: 'The endpoint filters decide whether the remote may speak at all.',
          entry: 'screen',
          on: { 'endpoint.passed': 'securing' },
        },
        securing: {
          description: 'The transport proves both identities and exchanges node information.',
          entry: ['beginExchange', 'beginHandshake'],
          on: {
            'handshake.authenticated': {
              target: 'judging',
              actions: { type: 'rememberPeer', params: ({ event }) => ({ peer: event.peer }) },
            },
          },
        },
        judging: {
          description: 'The supervisor checks, filters, arbitrates and asks the core for a place.',
          entry: 'judge',
          on: {
            'peer.admit': [
              {
                guard: { type: 'hasVerdict', params: ({ event }) => ({ verdict: event.verdict }) },
                target: 'confirming',
                actions: 'awaitVerdict',
              },
              { target: 'probation' },
            ],
            'peer.hold': 'held',
            'peer.wait': 'waiting',
          },
        },
        waiting: {
          description: 'Another connection of this peer is closing.',
          on: { 'incumbent.gone': 'judging' },
          after: { incumbentGrace: { target: 'judging', actions: 'rememberWait' } },
        },
        held: {
          description: 'Another connection of this peer goes first; ours takes over if that one ends.',
          on: { 'incumbent.gone': 'judging' },
        },
        confirming: {
          description: 'Admitted here; the remote says whether it admits us.',
          entry: 'exchangeVerdicts',
          on: {
            'verdict.accepted': '#peer.connected',
            'peer.hold': { target: 'held', actions: 'suspend' },
          },
        },
        probation: {
          description: 'Admitted here; the remote cannot say, so it must stay a moment or send something.',
          on: {
            'message.received': '#peer.connected',
            'peer.hold': { target: 'held', actions: 'suspend' },
          },
          after: { probation: '#peer.connected' },
        },
        refusing: {
          description: 'Told to go; its refusal is on the way out.',
          entry: ['suspend', 'sendRefusal'],
          on: {
            'peer.refuse': {},
            'peer.evict': {},
            'verdict.rejected': {},
            'handshake.failed': '#peer.closed',
          },
          after: { refusalTimeout: '#peer.closed' },
        },
      },
    },
    connected: {
      description: 'Routed and announced.',
      entry: 'announce',
      on: {
        'peer.evict': {
          target: 'evicting',
          actions: [
            { type: 'rememberReason', params: ({ event }) => ({ reason: event.reason, by: 'local' }) },
            { type: 'rememberFlush', params: ({ event }) => ({ flush: event.flush }) },
          ],
        },
      },
    },
    evicting: {
      description: 'Told to go; queued messages leave within the drain time.',
      entry: 'beginEviction',
      after: { drainTimeout: 'closed' },
    },
    closed: {
      description: 'Gone, with its reason.',
      type: 'final',
      entry: ['cut', 'release'],
    },
  },
});
