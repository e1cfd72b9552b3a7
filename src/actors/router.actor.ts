/**
 * The supervisor: what makes the router chart act. It owns the peer table through `PeerDecisions` and every connection
 * through the routing table, asks the core after each event, and performs what the core decides.
 */
import { CONTROL_CHANNEL_ID, type ChannelDescriptor, type ChannelId } from '../core/channel.ts';
import { REJECTS, type DropReason, type Outcome, type RejectCode } from '../core/codes.ts';
import type { Verdict } from '../core/control-message.ts';
import { attribute } from '../core/error-attribution.ts';
import type { Clock, Env } from '../core/env.ts';
import { asError, errorReason, P2PError } from '../core/errors.ts';
import type { Identity } from '../core/identity.ts';
import { InboundLimiter } from '../core/inbound-limiter.ts';
import { classifyIp } from '../core/ip.ts';
import { CLOSING_WAIT_MS } from '../core/limits.ts';
import { formatNodeAddress, parseNodeAddressResult, type NodeAddress } from '../core/node-address.ts';
import type { NodeId } from '../core/node-id.ts';
import type { NodeInfo } from '../core/node-info.ts';
import { construct } from '../core/peer/load.ts';
import type { PeerUpdateEffect } from '../core/peer/peer-event.ts';
import { banOf, connection, isFull, isKnown, tableSizes } from '../core/peer/queries.ts';
import { shareableAddresses } from '../core/peer/shareable.ts';
import type { PexSituation } from '../core/pex/pex-pacing.ts';
import type { PexCandidate } from '../core/pex/pex-selection.ts';
import type { PeerUpdate } from '../core/peer-update.ts';
import { Budget } from '../core/queue/budget.ts';
import { Outbox } from '../core/queue/outbox.ts';
import { rejectConsequence } from '../core/reject-code.ts';
import { ReportFilter } from '../core/report-filter.ts';
import type { RouterLimits } from '../core/router-options.ts';
import { routerMachine } from '../machines/router.machine.ts';
import type { Connection, Transport } from '../transports/transport.ts';
import { Acceptor, type AcceptSupervisor } from './acceptor.actor.ts';
import { Admission } from './admission.ts';
import type { AnyChannel, Channel, ChannelHost, PeerReport, ReportOutcome } from './channel.actor.ts';
import { Channels, type ChannelsHost } from './channels.ts';
import { Dial, type DialOutcome, type DialSupervisor } from './dialer.actor.ts';
import { DropLog } from './drop-log.ts';
import { Kernel, type Supervised } from './kernel.ts';
import { CONTROL_CAPABILITY, PeerLink, type PeerSupervisor } from './peer.actor.ts';
import { PeerDecisions } from './peer-decisions.ts';
import { Pex, type PexHost } from './pex.actor.ts';
import type { RouterConfig } from './router-config.ts';
import type { RouterCounts } from './router-stats.ts';
import { RoutingTable } from './routing-table.ts';
import { UpdateFeed } from './update-feed.ts';

/** How many addresses a full node names to a peer it refuses. */
const REFUSAL_ADDRESSES_MAX = 32;

/** How long a peer that was refused for lack of room is asked to wait, in milliseconds. */
const RETRY_AFTER_MS = 5_000;

/** How long a peer that takes us for connected, though we are not, is left alone, in milliseconds. */
const DUPLICATE_RETRY_MS = 4_000;

/** How many shareable addresses are looked at for one PEX answer. */
const PEX_CANDIDATES_MAX = 250;

/** Protocol version of the p2p layer, shown and never compared. */
const P2P_VERSION = 8n;

/** A promise that somebody else settles. */
interface Pending {
  readonly promise: Promise<void>;
  readonly settle: (error?: Error) => void;
}

export class RouterSupervisor
  implements PeerSupervisor, DialSupervisor, AcceptSupervisor, ChannelHost, ChannelsHost, PexHost
{
  readonly config: RouterConfig;
  readonly selfId: NodeId;
  readonly identity: Identity;
  readonly limits: RouterLimits;
  readonly env: Env;
  readonly clock: Clock;
  readonly strict: boolean;
  readonly drainTimeoutMs: number;
  readonly kernel: Kernel;
  readonly routerBudget: Budget;
  readonly table = new RoutingTable();
  readonly drops: DropLog;
  readonly channels: Channels;
  readonly feed = new UpdateFeed();
  readonly counts: RouterCounts = { accepts: 0, refusals: 0, protocolFaults: 0, handshakeFailures: 0 };
  readonly #actor: Supervised<typeof routerMachine>;
  readonly #limiter: InboundLimiter;
  readonly #reports = new ReportFilter();
  readonly #transports: readonly Transport[];
  readonly #acceptors = new Set<Acceptor>();
  readonly #dials = new Set<Dial>();
  readonly #pex: Pex | undefined;
  readonly #epochMs: number;
  #decisions: PeerDecisions | undefined;
  #admission: Admission | undefined;
  /** The link whose end is being reported, so that the core's update can say which connection it was. */
  #releasing: PeerLink | undefined;
  #lastDialId = 0;
  #dialNotBefore = -Infinity;
  #connectedMax = 0;
  #starting: Pending | undefined;
  #stopping: Pending | undefined;

  constructor(config: RouterConfig) {
    const { env, limits } = config;
    this.config = config;
    this.selfId = config.selfId;
    this.identity = config.identity;
    this.limits = limits;
    this.env = env;
    this.clock = env.clock;
    this.strict = limits.strict;
    this.drainTimeoutMs = limits.drainTimeoutMs;
    this.kernel = new Kernel(env.clock, config.recorder);
    this.routerBudget = new Budget(limits.budgets.routerBytes);
    this.#epochMs = env.clock.wall() - env.clock.now();
    this.drops = new DropLog(this.kernel);
    this.channels = new Channels(this, this.table, this.drops);
    this.#limiter = new InboundLimiter(limits.inbound);
    this.#transports = makeTransports(config);
    const effect = (run: () => void): (() => void) => this.kernel.effect('router', run);
    const machine = routerMachine.provide({
      actions: {
        bringUp: effect(() => void this.#bringUp()),
        dialNext: effect(() => this.#dialNext()),
        evictNext: effect(() => this.#evictNext()),
        beginDrain: effect(() => this.#beginDrain()),
        shutDown: effect(() => void this.#shutDown()),
      },
    });
    this.#actor = this.kernel.supervise(machine, {
      path: 'router',
      input: { nodeId: this.selfId, drainTimeoutMs: limits.drainTimeoutMs + CLOSING_WAIT_MS },
      about: { nodeId: this.selfId, network: config.network },
      onCrash: () => void this.#shutDown(),
    });
    this.#actor.start();
    if (config.pexEnabled)
      this.#pex = new Pex(this, config.pex, (descriptor) => this.openChannel(descriptor));
  }

  get state(): string {
    const { value } = this.#actor.snapshot();
    return typeof value === 'string' ? value : 'running';
  }

  get decisions(): PeerDecisions | undefined {
    return this.#decisions;
  }

  get connectedMax(): number {
    return this.#connectedMax;
  }

  get dialing(): number {
    return this.#dials.size;
  }

  get addresses(): readonly NodeAddress[] {
    return this.#transports.flatMap((transport) =>
      transport.endpoints().map(({ protocol, ip, port }) => {
        const isNetworked = port !== 0;
        return { protocol, nodeId: this.selfId, hostname: isNetworked ? ip : '', port, path: '' };
      }),
    );
  }

  // Start and stop.

  start(): Promise<void> {
    if (this.state === 'starting' && this.#starting !== undefined) return this.#starting.promise;
    if (this.#stopping !== undefined || this.state === 'stopped' || this.state === 'failed') {
      return Promise.reject(new P2PError('stopped', 'the router has stopped; make a new one'));
    }
    if (this.state !== 'idle')
      return Promise.reject(new P2PError('already-started', 'the router was started before'));
    this.#starting = pending();
    this.#actor.send({ type: 'router.start' });
    return this.#starting.promise;
  }

  stop(): Promise<void> {
    if (this.#stopping !== undefined) return this.#stopping.promise;
    this.#stopping = pending();
    if (this.#actor.alive) this.#actor.send({ type: 'router.stop' });
    else this.#stopping.settle();
    return this.#stopping.promise;
  }

  async #bringUp(): Promise<void> {
    const { store } = this.config;
    try {
      store.onFault = ({ code, key, message }) => {
        this.kernel.record({ kind: 'note', actor: 'router/store', code, about: { key, message } });
      };
      await store.open();
      const { records, bans, faults } = await store.load();
      for (const fault of faults) store.onFault(fault);
      this.#makeDecisions({ records, bans });
      for (const transport of this.#transports) await transport.listen();
      this.kernel.post('router', () => this.#started());
    } catch (error) {
      this.kernel.post('router', () => this.#failed(asError(error)));
    }
  }

  #makeDecisions(stored: Extract<Parameters<typeof construct>[0]['stored'], { records: unknown }>): void {
    const { kernel, env, limits, config, table, selfId } = this;
    const chance = env.random.fork('peers');
    const nowMs = (): number => Math.floor(this.#epochMs + this.clock.now());
    const constructed = construct(
      { selfId, options: config.peerOptions, stored },
      { now: nowMs(), rng: chance },
    );
    if ('error' in constructed) {
      throw new P2PError('invalid-option', `the peer options are refused: ${constructed.error}`, {
        reason: constructed.error,
        cause: constructed.cause,
      });
    }
    for (const { id, fault } of constructed.faults) {
      kernel.record({ kind: 'note', actor: 'router/store', code: fault, about: { id } });
    }
    this.#decisions = new PeerDecisions(
      kernel,
      constructed.state,
      {
        write: (changes) => config.store.write(changes),
        update: (update) => this.#publish(update),
        wakeDial: () => this.#actor.send({ type: 'dial.wake' }),
        wakeEvict: () => this.#actor.send({ type: 'evict.wake' }),
      },
      chance,
      nowMs,
    );
    this.#decisions.perform(constructed.effects);
    const { filters } = config;
    this.#admission = new Admission({ kernel, selfId, limits, filters, decisions: this.#decisions, table });
  }

  #started(): void {
    if (!this.#actor.snapshot().matches('starting')) {
      for (const transport of this.#transports) void transport.close();
      return;
    }
    const decisions = this.#decisions!;
    for (const address of this.config.bootstrapAddresses) decisions.apply({ type: 'addBootstrap', address });
    for (const address of this.config.persistentAddresses) {
      decisions.apply({ type: 'add', address, source: 'configured' });
    }
    this.#transports.forEach((transport, index) => {
      if (transport.endpoints().length === 0) return;
      const acceptor = new Acceptor(this, index + 1, transport);
      this.#acceptors.add(acceptor);
      acceptor.actor.start();
    });
    this.#pex?.start();
    this.#actor.send({ type: 'router.started' });
    this.kernel.post('router', () => this.#starting?.settle());
  }

  #failed(error: Error): void {
    this.kernel.record({
      kind: 'note',
      actor: 'router',
      code: 'start-failed',
      about: { reason: errorReason(error) },
    });
    this.#actor.send({ type: 'router.failed', reason: errorReason(error) });
    this.kernel.post('router', () => this.#starting?.settle(error));
  }

  #beginDrain(): void {
    this.#starting?.settle(new P2PError('stopped', 'the router was stopped while it started'));
    for (const transport of this.#transports) void transport.close();
    for (const dial of [...this.#dials]) dial.actor.send({ type: 'dial.cancel', reason: 'shutting_down' });
    for (const channel of this.channels.open) channel.end('router_stopped', true);
    for (const link of this.table.links) {
      link.actor.send({ type: 'peer.evict', reason: 'shutting_down', flush: true });
    }
    this.kernel.post('router', () => this.#checkDrained());
  }

  #checkDrained(): void {
    if (!this.#actor.alive || !this.#actor.snapshot().matches('draining')) return;
    if (this.table.size === 0 && this.#dials.size === 0) this.#actor.send({ type: 'router.drained' });
  }

  async #shutDown(): Promise<void> {
    for (const dial of [...this.#dials]) dial.actor.stop();
    this.#dials.clear();
    for (const link of this.table.links) {
      link.actor.stop();
      link.connection.close();
      this.release(link);
      link.scope.dispose();
    }
    this.#pex?.stop();
    for (const channel of this.channels.open) {
      channel.end('router_stopped', false);
      channel.end('router_stopped', false);
    }
    this.feed.end();
    this.drops.flush();
    await Promise.all(this.#transports.map((transport) => transport.close()));
    for (const acceptor of this.#acceptors) acceptor.actor.stop();
    await this.config.store.close();
    this.#stopping ??= pending();
    this.#stopping.settle();
  }

  // Dialling.

  #dialNext(): void {
    const { maxConcurrent, minIntervalMs, jitterMs } = this.limits.dial;
    const decisions = this.#decisions!;
    for (;;) {
      if (this.#dials.size >= maxConcurrent) {
        this.#actor.send({ type: 'dial.saturated' });
        return;
      }
      const wait = this.#dialNotBefore - this.clock.now();
      if (wait > 0) {
        this.#actor.send({ type: 'dial.none', retryMs: Math.ceil(wait) });
        return;
      }
      const result = decisions.apply({ type: 'dialNext' });
      if (result.outcome === 'none') {
        const { nextDialAtMs } = result;
        const retryMs = nextDialAtMs === undefined ? -1 : Math.max(0, nextDialAtMs - decisions.now);
        this.#actor.send({ type: 'dial.none', retryMs });
        return;
      }
      this.#dial(result.address);
      if (minIntervalMs > 0 || jitterMs > 0) {
        const jitter = jitterMs > 0 ? this.env.random.below(Math.ceil(jitterMs)) : 0;
        this.#dialNotBefore = this.clock.now() + minIntervalMs + jitter;
      }
    }
  }

  #dial(address: NodeAddress): void {
    this.#lastDialId += 1;
    const dial = new Dial(this, this.#lastDialId, address);
    this.#dials.add(dial);
    dial.actor.start();
  }

  transportFor(protocol: string): Transport | undefined {
    return this.#transports.find(({ protocols }) => protocols.includes(protocol));
  }

  takeOutbound(dial: Dial, connection: Connection): number {
    return this.#takeOver(connection, { direction: 'outbound', dial }).id;
  }

  abandonOutbound(connectionId: number, reason: string): void {
    const link = this.table.link(connectionId);
    if (link === undefined || link.routed) return;
    const code: RejectCode = reason === 'shutting_down' ? 'shutting_down' : 'internal';
    link.actor.send({ type: 'peer.refuse', reason: code });
  }

  dialEnded(dial: Dial, { outcome, reason }: DialOutcome): void {
    this.#dials.delete(dial);
    if (!dial.reported && outcome !== 'admitted') this.#reportFailedDial(dial, outcome, reason);
    this.#actor.send({ type: 'dial.wake' });
    this.#checkDrained();
  }

  /** The core hears of every dial it handed out exactly once; what was nobody's fault costs nothing. */
  #reportFailedDial(dial: Dial, outcome: 'failed' | 'cancelled', reason: string): void {
    const decisions = this.#decisions!;
    const { address, refusal } = dial;
    const consequence = refusal === undefined ? 'hard' : rejectConsequence(refusal.code, refusal.by);
    const isDuplicate = consequence === 'duplicate';
    if (isDuplicate && connection(decisions.state, address.nodeId) !== undefined) {
      decisions.apply({ type: 'dialed', address });
      return;
    }
    if (consequence === 'park') decisions.apply({ type: 'inactivate', peer: address.nodeId });
    const isWrongId = refusal?.code === 'unexpected_peer' || refusal?.code === 'id_mismatch';
    decisions.apply({
      type: 'dialFailed',
      address,
      cause: isWrongId ? 'wrong-id' : reason,
      soft: outcome === 'cancelled' || (consequence !== 'hard' && consequence !== 'park'),
      retryAfterMs: isDuplicate ? DUPLICATE_RETRY_MS : (refusal?.retryAfterMs ?? 0),
    });
  }

  // Accepting.

  takeInbound(transport: Transport, connection: Connection): void {
    const { ip } = connection.remoteEndpoint;
    const admission = this.#limiter.admit(ip, this.clock.now());
    if (!admission.admitted) {
      this.counts.refusals += 1;
      connection.close();
      const about = { code: admission.code, ip, transport: transport.name };
      this.kernel.record({ kind: 'note', actor: 'router', code: 'gate-refused', about });
      return;
    }
    this.counts.accepts += 1;
    this.#takeOver(connection, { direction: 'inbound', pass: admission });
    this.#showGate();
  }

  #showGate(): void {
    const { maxAccepted, maxPendingHandshakes } = this.limits.inbound;
    const isFull = this.#limiter.accepted >= maxAccepted || this.#limiter.handshaking >= maxPendingHandshakes;
    const isShut = this.#actor.snapshot().matches({ running: { accepting: 'refusing' } });
    if (isFull !== isShut) this.#actor.send({ type: isFull ? 'gate.closed' : 'gate.opened' });
  }

  acceptorEnded(acceptor: Acceptor): void {
    this.#acceptors.delete(acceptor);
  }

  #takeOver(
    connection: Connection,
    origin: Pick<ConstructorParameters<typeof PeerLink>[1], 'direction' | 'dial' | 'pass'>,
  ): PeerLink {
    const outbox = new Outbox({
      budgetBytes: this.limits.budgets.peerBytes,
      routerBudget: this.routerBudget,
      onDrained: (channelId) => this.channels.laneDrained(channelId),
    });
    outbox.controlOnly = true;
    const link = new PeerLink(this, { id: this.table.nextId(), connection, outbox, ...origin });
    this.table.add(link);
    link.actor.start();
    return link;
  }

  // The life of a connection.

  nodeInfoFor(): NodeInfo {
    const { config } = this;
    return {
      protocolVersion: { p2p: P2P_VERSION, block: config.blockVersion, app: 0n },
      nodeId: this.selfId,
      listenAddr: this.#listenAddr(),
      network: config.network,
      version: config.version,
      channels: this.channels.ids,
      moniker: config.moniker,
      other: { txIndex: 'off', rpcAddress: '' },
      capabilities: [CONTROL_CAPABILITY],
    };
  }

  #listenAddr(): string {
    if (this.config.externalAddress !== undefined) return `tcp://${this.config.externalAddress}`;
    const endpoint = this.#transports
      .flatMap((transport) => transport.endpoints())
      .find(({ port }) => port !== 0);
    if (endpoint === undefined) return 'tcp://0.0.0.0:0';
    const host = endpoint.ip.includes(':') ? `[${endpoint.ip}]` : endpoint.ip;
    return `tcp://${host}:${endpoint.port}`;
  }

  judge(link: PeerLink): void {
    this.#admission!.judge(link);
  }

  suspend(link: PeerLink): void {
    this.#admission!.suspend(link);
  }

  confirm(link: PeerLink): RejectCode | undefined {
    return this.#admission!.takePlace(link);
  }

  announce(link: PeerLink): void {
    const peer = link.peer!;
    link.routed = true;
    link.since = this.clock.now();
    this.channels.openLanes(link);
    link.outbox.controlOnly = false;
    this.table.open(peer, link);
    this.#connectedMax = Math.max(this.#connectedMax, this.table.routeCount);
    if (link.pass !== undefined) this.#limiter.handshakeEnded(link.pass);
    this.#decisions!.apply({ type: 'ready', peer, channels: [...link.channels] });
    link.dial?.actor.send({ type: 'peer.admitted' });
    for (const other of this.table.others(link)) {
      if (other.actor.snapshot().matches('handshaking'))
        other.actor.send({ type: 'peer.refuse', reason: 'duplicate' });
    }
    this.#showGate();
  }

  release(link: PeerLink): void {
    if (this.table.link(link.id) !== link) return;
    const { peer, routed } = link;
    if (peer !== undefined) this.table.close(peer, link);
    link.routed = false;
    link.outbox.close(this.#closeReason(link), 'purge');
    this.#releasing = link;
    this.#admission?.suspend(link);
    this.#releasing = undefined;
    this.table.remove(link);
    if (link.pass !== undefined) this.#limiter.release(link.pass, this.clock.now());
    this.#count(link, routed);
    this.#attribute(link, routed);
    this.#noteRefusal(link);
    link.dial?.actor.send({ type: 'peer.refused', reason: link.reason });
    if (peer !== undefined)
      for (const other of this.table.others(link)) other.actor.send({ type: 'incumbent.gone' });
    if (this.#actor.alive) this.#showGate();
    this.#checkDrained();
  }

  #closeReason(link: PeerLink): 'superseded' | 'router_stopped' | 'peer_gone' {
    if (link.reason === 'superseded') return 'superseded';
    return link.reason === 'shutting_down' ? 'router_stopped' : 'peer_gone';
  }

  #count(link: PeerLink, wasRouted: boolean): void {
    if (link.fault?.code === 'protocol-violation' || link.reason === 'protocol_violation')
      this.counts.protocolFaults += 1;
    if (wasRouted || link.remoteRefusal !== undefined) return;
    if (link.remote === undefined) this.counts.handshakeFailures += 1;
    else this.counts.refusals += 1;
  }

  /** What a fault of an announced connection costs its peer. */
  #attribute(link: PeerLink, wasRouted: boolean): void {
    const { fault, peer } = link;
    if (!wasRouted || peer === undefined || fault === undefined) return;
    const isViolation = fault.code === 'protocol-violation';
    this.demerit(peer, attribute(isViolation ? 'protocol-violation' : 'connection-error').demerit);
  }

  /** Tells the attempt who refused and how long to wait, for its report. */
  #noteRefusal(link: PeerLink): void {
    const { dial, remoteRefusal } = link;
    if (dial === undefined) return;
    const code = link.cause;
    if (code === undefined || !isRejectCode(code)) return;
    const by = remoteRefusal === undefined ? 'local' : 'remote';
    dial.refusal = { code, by, retryAfterMs: remoteRefusal?.retryAfterMs ?? 0 };
  }

  refusalHints(code: RejectCode): Pick<Verdict, 'retryAfterMs' | 'addresses'> {
    if (code !== 'at_capacity') return { retryAfterMs: 0, addresses: [] };
    const chance = this.env.random;
    const candidates = shareableAddresses(this.#decisions!.state, this.selfId, REFUSAL_ADDRESSES_MAX, chance);
    return {
      retryAfterMs: RETRY_AFTER_MS,
      addresses: candidates.map(({ address }) => formatNodeAddress(address)),
    };
  }

  learnFromVerdict(link: PeerLink, { addresses }: Verdict): void {
    for (const text of addresses.slice(0, REFUSAL_ADDRESSES_MAX)) {
      const result = parseNodeAddressResult(text);
      if (result.ok) this.learn(result.address, link.peer!);
    }
  }

  receiveLimit(channelId: ChannelId): number {
    return this.channels.receiveLimit(channelId);
  }

  deliver(link: PeerLink, channelId: ChannelId, message: Uint8Array): void {
    this.channels.deliver(link, channelId, message, this.clock.now());
  }

  channelSetChanged(link: PeerLink): void {
    const about = { peer: link.peer!, channels: [...link.channels] };
    this.kernel.record({ kind: 'note', actor: link.path, code: 'channel-set', about });
  }

  #publish({ peer, status }: PeerUpdateEffect): void {
    const link = status === 'up' ? this.table.route(peer) : this.#releasing;
    if (link === undefined) return;
    const { cause } = link;
    const update: PeerUpdate = {
      peer,
      status,
      channels: [...link.channels],
      direction: link.direction,
      connectionId: link.id,
      ...(status === 'down' && cause !== undefined ? { cause } : {}),
    };
    this.kernel.record({
      kind: 'note',
      actor: link.path,
      code: `peer-${status}`,
      about: {
        peer,
        direction: link.direction,
        ...(update.cause === undefined ? {} : { cause: update.cause }),
      },
    });
    if (status === 'down') this.channels.peerDown(peer);
    this.feed.publish(update);
    if (status === 'up') this.#pex?.peerUp(link);
    else this.#pex?.peerDown(peer);
  }

  // Evicting.

  #evictNext(): void {
    const decisions = this.#decisions!;
    for (;;) {
      const result = decisions.apply({ type: 'evictNext' });
      if (result.outcome === 'none') break;
      const link = this.table.admitted(result.peer);
      if (link === undefined) decisions.apply({ type: 'disconnected', peer: result.peer });
      else link.actor.send({ type: 'peer.evict', reason: 'evicted', flush: result.why.rule !== 'errored' });
    }
    this.#actor.send({ type: 'evict.none' });
  }

  // What channels ask for.

  openChannel<M>(descriptor: ChannelDescriptor<M>): Channel<M> {
    if (this.#stopping !== undefined) throw new P2PError('stopped', 'the router has stopped');
    return this.channels.create(this, descriptor);
  }

  route(peer: NodeId): PeerLink | undefined {
    return this.table.route(peer);
  }

  routes(): Iterable<PeerLink> {
    return this.table.routes();
  }

  registerChannel(channel: AnyChannel): void {
    this.channels.register(channel);
  }

  releaseChannel(channel: AnyChannel): void {
    this.channels.release(channel, this.clock.now());
  }

  get announces(): boolean {
    return this.state === 'running';
  }

  evictSlowPeer(link: PeerLink): void {
    link.actor.send({ type: 'peer.evict', reason: 'slow_peer', flush: false });
  }

  evictForFaults(link: PeerLink): void {
    link.actor.send({ type: 'peer.evict', reason: 'protocol_violation', flush: false });
  }

  report(channelId: ChannelId, report: PeerReport): ReportOutcome {
    const { peer, error, fatal = false, banMs } = report;
    const decisions = this.#decisions;
    if (decisions === undefined || !isKnown(decisions.state, peer)) return 'no_such_peer';
    if (this.#reports.judge({ channelId, peer, error, fatal }, this.clock.now()) !== 'pass') return 'ignored';
    const cause = errorReason(error);
    if (banMs !== undefined) {
      decisions.apply({ type: 'ban', peer, untilMs: decisions.now + banMs, reason: cause });
      return 'evicting';
    }
    const isConnected = connection(decisions.state, peer) !== undefined;
    if (isConnected && (fatal || isFull(decisions.state))) {
      decisions.apply({ type: 'errored', peer, cause });
      return 'evicting';
    }
    this.demerit(peer, attribute('report').demerit);
    return 'noted';
  }

  praise(peer: NodeId): void {
    this.#decisions?.apply({ type: 'processPeerEvent', peer, status: 'good' });
  }

  demerit(peer: NodeId, weight = 1): void {
    if (weight > 0) this.#decisions?.apply({ type: 'processPeerEvent', peer, status: 'bad', weight });
  }

  updates(channelId: ChannelId): AsyncIterable<PeerUpdate> {
    return this.feed.iterate(channelId);
  }

  noteDrop(
    direction: 'in' | 'out',
    channelId: ChannelId,
    reason: Outcome | DropReason,
    bytes: number,
    peer: NodeId,
  ): void {
    if (channelId !== CONTROL_CHANNEL_ID) this.drops.note(direction, channelId, reason, bytes, peer);
  }

  // What peer exchange asks for.

  situation(): PexSituation {
    const { maxPeers = 0, maxConnected = 0 } = this.config.peerOptions;
    const sizes = this.#decisions === undefined ? undefined : tableSizes(this.#decisions.state);
    return {
      known: sizes?.addresses ?? 0,
      capacity: maxPeers === 0 ? Infinity : maxPeers,
      connected: this.table.routeCount,
      wanted: maxConnected,
    };
  }

  ownAddress(): NodeAddress | undefined {
    return (
      this.config.peerOptions.selfAddress ??
      this.addresses.find(({ hostname }) => hostname !== '' && classifyIp(hostname) !== 'unspecified')
    );
  }

  candidates(requester: NodeId): Iterable<PexCandidate> {
    return shareableAddresses(this.#decisions!.state, requester, PEX_CANDIDATES_MAX, this.env.random);
  }

  isWithheld(peer: NodeId): boolean {
    const decisions = this.#decisions!;
    if (decisions.state.settings.privatePeers.has(peer)) return true;
    return banOf(decisions.state, peer, decisions.now) !== undefined;
  }

  learn(address: NodeAddress, source: NodeId): boolean {
    return this.#decisions!.apply({ type: 'add', address, source }).outcome === 'added';
  }
}

/** @throws P2PError `invalid-option` when two transports serve one protocol. */
function makeTransports(config: RouterConfig): readonly Transport[] {
  const served = new Set<string>();
  return config.transports.map((factory) => {
    const transport = factory(config.env);
    for (const protocol of transport.protocols) {
      if (served.has(protocol)) {
        throw new P2PError('invalid-option', `option transports serves protocol ${protocol} twice`, {
          reason: 'transports',
        });
      }
      served.add(protocol);
    }
    return transport;
  });
}

function isRejectCode(code: string): code is RejectCode {
  return code in REJECTS;
}

function pending(): Pending {
  let resolve: () => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<void>((accept, refuse) => {
    resolve = accept;
    reject = refuse;
  });
  promise.catch(() => undefined);
  return { promise, settle: (error) => (error === undefined ? resolve() : reject(error)) };
}
