/**
 * What makes the peer chart act: one link per connection. It turns the connection's callbacks into events and the
 * chart's effects into calls on the connection; whatever has to be decided it asks of its supervisor.
 */
import { CONTROL_CHANNEL_ID, type ChannelId } from '../core/channel.ts';
import { REJECTS, type ErrorCode, type RejectCode } from '../core/codes.ts';
import type { Verdict } from '../core/control-message.ts';
import { formatEndpoint } from '../core/endpoint.ts';
import { asError, errorReason, P2PError } from '../core/errors.ts';
import type { InboundPass } from '../core/inbound-limiter.ts';
import type { Identity } from '../core/identity.ts';
import { nodeIdFromPublicKey, type NodeId } from '../core/node-id.ts';
import type { NodeInfo } from '../core/node-info.ts';
import type { Outbox } from '../core/queue/outbox.ts';
import type { RouterLimits } from '../core/router-options.ts';
import {
  peerMachine,
  type PeerClosedBy,
  type PeerDirection,
  type PeerEvent,
} from '../machines/peer.machine.ts';
import type { SnapshotFrom } from '../machines/xstate.ts';
import type { Connection, ConnectionEnd, RemoteHandshake } from '../transports/transport.ts';
import { ControlTalk, type ControlHost } from './control-talk.ts';
import type { Dial } from './dialer.actor.ts';
import { EarlyMessages } from './early-messages.ts';
import type { Kernel, Supervised } from './kernel.ts';
import { Scope } from './scope.ts';

/** The longest control message taken from a peer, in bytes: a verdict with 32 addresses fits well. */
const CONTROL_MESSAGE_MAX_BYTES = 16 * 1024;

/** How long a refusal may take to leave before the link is cut, in milliseconds. */
const REFUSAL_TIMEOUT_MS = 1_000;

/** How long a closing connection of the same peer is waited for, in milliseconds (router rule of duplicates). */
const INCUMBENT_GRACE_MS = 250;

/** Capability that says a node takes part in the control channel. */
export const CONTROL_CAPABILITY = 'peerchart/1';

/** What a link asks of the router that owns it. All calls are synchronous jobs of the run queue. */
export interface PeerSupervisor {
  readonly kernel: Kernel;
  readonly identity: Identity;
  readonly limits: RouterLimits;
  /** Asks the endpoint filters; answers with `endpoint.passed` or `peer.refuse`. */
  screen(link: PeerLink): void;
  /** A snapshot of our node information for this connection. Throws what the user's function throws. */
  nodeInfoFor(link: PeerLink): NodeInfo;
  /** The remote has proven its id. */
  identified(link: PeerLink): void;
  /** Answers with one of `peer.admit`, `peer.hold`, `peer.wait`, `peer.refuse`. */
  judge(link: PeerLink): void;
  /** The connection loses its place in the core: it is held or refused. */
  suspend(link: PeerLink): void;
  /** The remote accepts us: takes a place in the core for an outbound connection. The code of the refusal, if any. */
  confirm(link: PeerLink): RejectCode | undefined;
  announce(link: PeerLink): void;
  release(link: PeerLink): void;
  /** What a refused remote is told beyond the code. */
  refusalHints(link: PeerLink, code: RejectCode): Pick<Verdict, 'retryAfterMs' | 'addresses'>;
  /** The remote refused us and named others to try. */
  learnFromVerdict(link: PeerLink, verdict: Verdict): void;
  /** A message of a routed connection, on the data path. */
  deliver(link: PeerLink, channelId: ChannelId, message: Uint8Array): void;
  /** A message that came before its connection was routed is given up. */
  lost(link: PeerLink, channelId: ChannelId, message: Uint8Array, reason: 'inbox_full' | 'peer_down'): void;
  receiveLimit(channelId: ChannelId): number;
  channelSetChanged(link: PeerLink): void;
}

export interface PeerLinkOptions {
  readonly id: number;
  readonly direction: PeerDirection;
  readonly connection: Connection;
  readonly outbox: Outbox;
  /** The attempt it came from; outbound only. */
  readonly dial?: Dial;
  /** Its place behind the gate; inbound only. */
  readonly pass?: InboundPass;
}

export class PeerLink implements ControlHost {
  readonly id: number;
  readonly path: string;
  readonly direction: PeerDirection;
  readonly connection: Connection;
  readonly outbox: Outbox;
  readonly dial: Dial | undefined;
  readonly pass: InboundPass | undefined;
  readonly actor: Supervised<typeof peerMachine>;
  readonly scope: Scope;
  /** What the remote showed in the handshake; from `handshake.authenticated` on. */
  remote: RemoteHandshake | undefined;
  /** Proven id; from `handshake.authenticated` on. */
  peer: NodeId | undefined;
  /** Channels the remote has declared so far. */
  channels: ReadonlySet<ChannelId> = new Set();
  /** What we sent in the handshake; a snapshot. */
  sentNodeInfo: NodeInfo | undefined;
  /** What the peer filters say. */
  filtering: 'not-asked' | 'asked' | 'passed' = 'not-asked';
  /** Whether the core counts this connection as the peer's. */
  admitted = false;
  /** Whether messages move: the link is in the routing table. */
  routed = false;
  /** Clock instant at which we got the raw connection. */
  readonly createdAt: number;
  /** Clock instant of `routed`. */
  since = 0;
  /** Whether the remote broke the protocol between peerchart nodes. */
  violated = false;
  readonly #supervisor: PeerSupervisor;
  readonly #early = new EarlyMessages();
  /** Why it ended, when its chart was not asked. */
  #ending = '';
  readonly #talk: ControlTalk = new ControlTalk(this);
  #started = false;
  #end: ConnectionEnd | undefined;

  constructor(supervisor: PeerSupervisor, options: PeerLinkOptions) {
    const { id, direction, connection, outbox, dial, pass } = options;
    const { kernel, limits } = supervisor;
    this.#supervisor = supervisor;
    this.id = id;
    this.createdAt = kernel.clock.now();
    this.path = `router/peer/${direction === 'inbound' ? 'in' : 'out'}#${id}`;
    this.direction = direction;
    this.connection = connection;
    this.outbox = outbox;
    this.dial = dial;
    this.pass = pass;
    this.scope = new Scope((error) => kernel.fault(this.path, error));
    this.scope.add(() => connection.close());
    /** What makes sense only while the chart is where it asked for it. */
    const whileIn =
      (state: PeerStateValue, run: () => void): (() => void) =>
      () => {
        if (this.isIn(state)) run();
      };
    this.actor = kernel.supervise(peerMachine, {
      path: this.path,
      effects: {
        screen: whileIn({ handshaking: 'screening' }, () => supervisor.screen(this)),
        beginHandshake: whileIn({ handshaking: 'securing' }, () => this.#beginHandshake()),
        judge: whileIn({ handshaking: 'judging' }, () => supervisor.judge(this)),
        exchangeVerdicts: whileIn({ handshaking: 'confirming' }, () => this.#talk.exchange()),
        suspend: () => supervisor.suspend(this),
        sendRefusal: whileIn({ handshaking: 'refusing' }, () => this.#sendRefusal()),
        announce: whileIn('connected', () => {
          supervisor.announce(this);
          this.#deliverEarly();
        }),
        beginEviction: whileIn('evicting', () => this.#beginEviction()),
        cut: () => connection.close(),
        release: () => this.#release(),
      },
      input: {
        connectionId: id,
        direction,
        endpoint: formatEndpoint(connection.remoteEndpoint),
        handshakeTimeoutMs: limits.handshakeTimeoutMs,
        probationMs: limits.probationMs,
        incumbentGraceMs: INCUMBENT_GRACE_MS,
        refusalTimeoutMs: REFUSAL_TIMEOUT_MS,
        drainTimeoutMs: limits.drainTimeoutMs,
      },
      about: {
        direction,
        endpoint: formatEndpoint(connection.remoteEndpoint),
        ...(dial === undefined ? {} : { peer: dial.address.nodeId }),
      },
      onCrash: () => {
        this.#ending = 'internal';
        this.#release();
      },
    });
  }

  /** Whether its chart is in a state now; never once it has ended. */
  isIn(state: PeerStateValue): boolean {
    return this.actor.alive && this.actor.snapshot().matches(state);
  }

  /** Ends it at once, without asking its chart: the router is going down. */
  kill(): void {
    this.#ending = 'shutting_down';
    this.actor.stop();
    this.#release();
  }

  /** Whether the remote takes part in the control channel. */
  get speaksControl(): boolean {
    return this.remote?.nodeInfo.capabilities.includes(CONTROL_CAPABILITY) ?? false;
  }

  /** Why the connection ended or is about to; empty while it lives. */
  get reason(): string {
    const { reason } = this.actor.snapshot().context;
    return reason === '' ? this.#ending : reason;
  }

  /** Who ended it; meaningful once there is a reason. */
  get endedBy(): PeerClosedBy {
    return this.actor.snapshot().context.by;
  }

  /** Whether a closing connection of its peer has had its time. */
  get waited(): boolean {
    return this.actor.snapshot().context.waited;
  }

  /** The dialled id; outbound only. */
  get expected(): NodeId | undefined {
    return this.dial?.address.nodeId;
  }

  /** Whether it is on its way out. */
  get closing(): boolean {
    return !this.actor.alive || this.isIn('evicting') || this.isIn({ handshaking: 'refusing' });
  }

  /** The error the link failed with, if it failed. */
  get fault(): P2PError | undefined {
    return this.#end?.by === 'fault' ? this.#end.error : undefined;
  }

  /** The code of the end as subscribers are told it; undefined when the remote simply closed. */
  get cause(): ErrorCode | RejectCode | undefined {
    if (this.#talk.goodbye !== undefined) return this.#talk.goodbye;
    if (this.fault !== undefined) return this.fault.code;
    return this.reason in REJECTS ? (this.reason as RejectCode) : undefined;
  }

  /** What the remote refused us with. */
  get remoteRefusal(): Verdict | undefined {
    return this.#talk.refusal;
  }

  get confirming(): boolean {
    return this.isIn({ handshaking: 'confirming' });
  }

  #beginHandshake(): void {
    const { kernel } = this.#supervisor;
    this.#handshake().then(
      (remote) => kernel.post(this.path, () => this.#authenticated(remote)),
      (error: unknown) => kernel.post(this.path, () => this.#handshakeFailed(asError(error))),
    );
  }

  async #handshake(): Promise<RemoteHandshake> {
    const { identity } = this.#supervisor;
    const nodeInfo = this.#supervisor.nodeInfoFor(this);
    this.sentNodeInfo = nodeInfo;
    return await this.connection.handshake({ identity, nodeInfo }, this.scope.signal);
  }

  #authenticated(remote: RemoteHandshake): void {
    if (!this.isIn({ handshaking: 'securing' })) return;
    this.remote = remote;
    this.peer = nodeIdFromPublicKey(remote.publicKey);
    this.channels = new Set(remote.nodeInfo.channels);
    this.#supervisor.identified(this);
    if (this.speaksControl) this.#start();
    this.actor.send({ type: 'handshake.authenticated', peer: this.peer });
  }

  #handshakeFailed(error: Error): void {
    if (!this.isIn({ handshaking: 'securing' })) return;
    const fault = error instanceof P2PError ? error : undefined;
    const remoteLeft = fault?.code === 'eof';
    if (fault !== undefined) this.#end = { by: remoteLeft ? 'remote' : 'fault', error: fault };
    this.actor.send({
      type: 'handshake.failed',
      reason: errorReason(error),
      by: remoteLeft ? 'remote' : 'fault',
    });
  }

  #start(): void {
    if (this.#started) return;
    this.#started = true;
    const { clock } = this.#supervisor.kernel;
    const { outbox } = this;
    this.connection.start({
      pull: (maxBytes, slice) => outbox.pull(maxBytes, slice, clock.now()),
      receiveLimit: (channelId) =>
        channelId === CONTROL_CHANNEL_ID
          ? CONTROL_MESSAGE_MAX_BYTES
          : this.#supervisor.receiveLimit(channelId),
      deliver: (channelId, message) => this.#deliver(channelId, message),
      closed: (end) => this.#supervisor.kernel.post(this.path, () => this.#closed(end)),
    });
  }

  /** Begins to move messages with a remote that takes no part in verdicts. */
  startWithoutVerdict(): void {
    this.#start();
  }

  #deliver(channelId: ChannelId, message: Uint8Array): void {
    if (channelId !== CONTROL_CHANNEL_ID) {
      if (this.routed) {
        this.#supervisor.deliver(this, channelId, message);
        return;
      }
      this.#supervisor.kernel.post(this.path, () => this.#earlyMessage(channelId, message));
      return;
    }
    this.#supervisor.kernel.post(this.path, () => {
      if (this.actor.alive) this.#talk.received(message);
    });
  }

  /** A message before the connection is routed: the end of a probation, or a remote that does not wait for verdicts. */
  #earlyMessage(channelId: ChannelId, message: Uint8Array): void {
    if (this.routed) {
      this.#supervisor.deliver(this, channelId, message);
      return;
    }
    if (this.closing) return;
    if (this.speaksControl && !this.#talk.isAccepted) {
      this.violation();
      return;
    }
    if (!this.#early.offer(channelId, message)) this.#supervisor.lost(this, channelId, message, 'inbox_full');
    this.actor.send({ type: 'message.received' });
  }

  #deliverEarly(): void {
    for (const { channelId, message } of this.#early.take())
      this.#supervisor.deliver(this, channelId, message);
  }

  violation(): void {
    const { actor } = this;
    if (this.closing) return;
    this.violated = true;
    if (this.isIn('handshaking')) actor.send({ type: 'peer.refuse', reason: 'protocol_violation' });
    else actor.send({ type: 'peer.evict', reason: 'protocol_violation', flush: false });
  }

  tell(event: PeerEvent): void {
    this.actor.send(event);
  }

  confirm(): RejectCode | undefined {
    return this.#supervisor.confirm(this);
  }

  learnFromVerdict(verdict: Verdict): void {
    this.#supervisor.learnFromVerdict(this, verdict);
  }

  channelSetChanged(): void {
    this.#supervisor.channelSetChanged(this);
  }

  #sendRefusal(): void {
    if (!this.#started) {
      this.actor.send({ type: 'connection.closed', by: 'local', reason: this.reason });
      return;
    }
    const code = this.reason as RejectCode;
    this.#talk.refuse(code, this.#supervisor.refusalHints(this, code));
    this.#flushClose();
  }

  #beginEviction(): void {
    const { flush, reason } = this.actor.snapshot().context;
    this.outbox.close(reason === 'superseded' ? reason : 'peer_closing', flush ? 'drain' : 'purge');
    this.#talk.sayGoodbye(reason as RejectCode);
    this.#flushClose();
  }

  #flushClose(): void {
    const { kernel } = this.#supervisor;
    this.connection.flushClose().catch((error: unknown) => kernel.fault(this.path, error));
  }

  /** Says that there is something to pull. Never throws: a connection that does ends itself and nobody else. */
  wake(): void {
    try {
      this.connection.wake();
    } catch (error) {
      this.#supervisor.kernel.post(this.path, () => {
        throw error;
      });
    }
  }

  /** Tells the remote which channels we opened and closed. */
  sendChannelSetUpdate(opened: readonly ChannelId[], closed: readonly ChannelId[], revision: number): void {
    if (this.routed) this.#talk.sendChannelSetUpdate(opened, closed, revision);
  }

  #closed(end: ConnectionEnd): void {
    this.#end = end;
    if (!this.actor.alive) return;
    this.actor.send({ type: 'connection.closed', by: end.by, reason: this.#endReason(end) });
  }

  #endReason(end: ConnectionEnd): string {
    if (this.#talk.goodbye !== undefined) return this.#talk.goodbye;
    if (end.by === 'fault') return end.error === undefined ? 'connection-lost' : errorReason(end.error);
    return end.by === 'remote' ? 'remote_closed' : 'closed';
  }

  #release(): void {
    try {
      for (const { channelId, message } of this.#early.take())
        this.#supervisor.lost(this, channelId, message, 'peer_down');
      this.#supervisor.release(this);
    } finally {
      this.scope.dispose();
    }
  }
}

type PeerStateValue = Parameters<SnapshotFrom<typeof peerMachine>['matches']>[0];
