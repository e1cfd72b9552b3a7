/**
 * The supervisor: what makes the router chart act. It owns the peer table through `PeerDecisions` and every connection
 * through the routing table, asks the core after each event, and performs what the core decides.
 */
import type { ChannelDescriptor, ChannelId } from '../core/channel.ts';
import type { Clock, Env } from '../core/env.ts';
import { asError, errorReason, P2PError } from '../core/errors.ts';
import type { Identity } from '../core/identity.ts';
import { classifyIp } from '../core/ip.ts';
import { CLOSING_WAIT_MS } from '../core/limits.ts';
import type { NodeAddress } from '../core/node-address.ts';
import type { NodeId } from '../core/node-id.ts';
import { construct } from '../core/peer/load.ts';
import type { PeerUpdateEffect } from '../core/peer/peer-event.ts';
import { banOf, tableSizes } from '../core/peer/queries.ts';
import { shareableAddresses } from '../core/peer/shareable.ts';
import type { PexSituation } from '../core/pex/pex-pacing.ts';
import type { PexCandidate } from '../core/pex/pex-selection.ts';
import type { PeerUpdate } from '../core/peer-update.ts';
import { Budget } from '../core/queue/budget.ts';
import type { RouterLimits } from '../core/router-options.ts';
import { routerMachine, type RouterEvent } from '../machines/router.machine.ts';
import type { StoredPeers } from '../store/peer-store.ts';
import type { Connection, Transport } from '../transports/transport.ts';
import { Acceptor } from './acceptor.actor.ts';
import type { Channel } from './channel.actor.ts';
import type { AnyChannel, ChannelHost, PeerReport, ReportOutcome } from './channel-host.ts';
import { Channels, type ChannelsHost } from './channels.ts';
import { Connections, type ConnectionsHost } from './connections.ts';
import { Deferred } from './deferred.ts';
import type { Dial } from './dialer.actor.ts';
import { Dialing, type DialingHost } from './dialing.ts';
import { DropLog } from './drop-log.ts';
import { Kernel, type Supervised } from './kernel.ts';
import type { PeerLink } from './peer.actor.ts';
import { PeerDecisions } from './peer-decisions.ts';
import { Outside } from './outside.ts';
import { Pex, type PexHost } from './pex.actor.ts';
import { Reports } from './reports.ts';
import type { RouterConfig } from './router-config.ts';
import { RoutingTable } from './routing-table.ts';
import { UpdateFeed } from './update-feed.ts';

/** How many shareable addresses are looked at for one PEX answer. */
const PEX_CANDIDATES_MAX = 250;

export class RouterSupervisor implements ConnectionsHost, DialingHost, ChannelHost, ChannelsHost, PexHost {
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
  readonly feed: UpdateFeed;
  readonly connections: Connections;
  readonly #outside: Outside;
  readonly #actor: Supervised<typeof routerMachine>;
  readonly #dialing: Dialing;
  readonly #reports = new Reports(this);
  readonly #acceptors = new Set<Acceptor>();
  readonly #pex: Pex | undefined;
  readonly #epochMs: number;
  readonly #end = new Deferred<Error | undefined>();
  #decisions: PeerDecisions | undefined;
  #starting: Deferred<void> | undefined;
  #bringingUp: Promise<void> | undefined;
  #isStopping = false;
  /** What made the router fail. */
  #fault: Error | undefined;

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
    this.feed = new UpdateFeed((error) => this.kernel.fault('router/updates', error));
    this.channels = new Channels(this, this.table, this.drops);
    this.#outside = new Outside(this.kernel, config);
    this.connections = new Connections(this);
    this.#dialing = new Dialing(this);
    const effect = (run: () => void): (() => void) => this.kernel.effect('router', run);
    const effectWhileRunning = (run: () => void): (() => void) =>
      effect(() => {
        if (this.state === 'running') run();
      });
    const machine = routerMachine.provide({
      actions: {
        bringUp: effect(() => {
          this.#bringingUp = this.#bringUp();
        }),
        dialNext: effectWhileRunning(() => this.#dialing.next()),
        evictNext: effectWhileRunning(() => this.#evictNext()),
        beginDrain: effect(() => this.#beginDrain()),
        shutDown: effect(() => this.#shutDown()),
      },
    });
    this.#actor = this.kernel.supervise(machine, {
      path: 'router',
      input: { nodeId: this.selfId, drainTimeoutMs: limits.drainTimeoutMs + CLOSING_WAIT_MS },
      about: { nodeId: this.selfId, network: config.network },
      failWith: (error) => this.#fail(error),
      onCrash: (error) => {
        this.#fail(error);
        this.#shutDown();
      },
    });
    this.#actor.start();
    if (config.pexEnabled)
      this.#pex = new Pex(this, config.pex, (descriptor) => this.openChannel(descriptor));
  }

  /** `idle`, `starting`, `running`, `draining`, `stopped` or `failed`. */
  get state(): string {
    if (!this.#actor.alive && this.#fault !== undefined) return 'failed';
    const { value } = this.#actor.snapshot();
    return typeof value === 'string' ? value : 'running';
  }

  /** Resolves when everything is released: with the error that made the router fail, or with nothing after a stop. */
  get closed(): Promise<Error | undefined> {
    return this.#end.promise;
  }

  get decisions(): PeerDecisions | undefined {
    return this.#decisions;
  }

  /** The same once the router has been brought up; whoever asks earlier has a defect. */
  get peerDecisions(): PeerDecisions {
    if (this.#decisions === undefined) throw new P2PError('internal', 'the peer table is not loaded yet');
    return this.#decisions;
  }

  get dialing(): number {
    return this.#dialing.size;
  }

  get transports(): readonly Transport[] {
    return this.#outside.transports;
  }

  get addresses(): readonly NodeAddress[] {
    return this.#outside.addressesOf(this.selfId);
  }

  // Start and stop.

  start(): Promise<void> {
    if (this.#isStopping || this.#fault !== undefined) {
      return Promise.reject(new P2PError('stopped', 'the router has stopped; make a new one'));
    }
    if (this.#starting !== undefined) {
      if (this.state === 'idle' || this.state === 'starting') return this.#starting.promise;
      return Promise.reject(new P2PError('already-started', 'the router was started before'));
    }
    this.#starting = new Deferred();
    this.tell({ type: 'router.start' });
    return this.#starting.promise;
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    this.tell({ type: 'router.stop' });
    await this.closed;
  }

  /** Whether some transport takes inbound connections now. */
  get accepting(): boolean {
    return this.state === 'running' && [...this.#acceptors].some(({ accepting }) => accepting);
  }

  #fail(error: Error): RouterEvent {
    this.#fault ??= error;
    return { type: 'router.failed', reason: errorReason(error) };
  }

  async #bringUp(): Promise<void> {
    const goOn = (): void => this.#requireStarting();
    try {
      this.#makeDecisions(await this.#outside.load(goOn));
      await this.#outside.listen(goOn);
      this.kernel.post('router', () => this.#started());
    } catch (error) {
      if (this.state === 'starting') this.kernel.post('router', () => this.#startFailed(asError(error)));
      else await this.#outside.closeTransports();
    }
  }

  /** @throws P2PError `stopped` when the start was overtaken by a stop. */
  #requireStarting(): void {
    if (this.state !== 'starting') throw overtaken();
  }

  #makeDecisions(stored: Omit<StoredPeers, 'faults'>): void {
    const { kernel, env, config, selfId } = this;
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
        write: (changes) => this.#attempt(() => config.store.write(changes)),
        update: (update) => this.#publish(update),
        wakeDial: () => this.tell({ type: 'dial.wake' }),
        wakeEvict: () => this.tell({ type: 'evict.wake' }),
        broken: (error) => this.tell(this.#fail(asError(error))),
      },
      chance,
      nowMs,
    );
    this.#decisions.perform(constructed.effects);
    this.connections.begin(this.#decisions);
  }

  #started(): void {
    if (this.state !== 'starting') return;
    const decisions = this.peerDecisions;
    for (const address of this.config.bootstrapAddresses) decisions.apply({ type: 'addBootstrap', address });
    for (const address of this.config.persistentAddresses) {
      decisions.apply({ type: 'add', address, source: 'configured' });
    }
    this.transports.forEach((transport, index) => {
      if (transport.endpoints().length === 0) return;
      const acceptor = new Acceptor(this.connections, index + 1, transport);
      this.#acceptors.add(acceptor);
      acceptor.actor.start();
    });
    this.#pex?.start();
    this.tell({ type: 'router.started' });
    this.kernel.post('router', () => this.#starting?.resolve());
  }

  #startFailed(error: Error): void {
    if (this.state !== 'starting') return;
    const about = { reason: errorReason(error) };
    this.kernel.record({ kind: 'note', actor: 'router', code: 'start-failed', about });
    this.tell(this.#fail(error));
  }

  #beginDrain(): void {
    this.#starting?.reject(overtaken());
    void this.#outside.closeTransports();
    this.#dialing.cancelAll();
    for (const channel of this.channels.open) channel.end('router_stopped', true);
    for (const link of this.table.links) {
      link.actor.send({ type: 'peer.evict', reason: 'shutting_down', flush: true });
    }
    this.kernel.post('router', () => this.checkDrained());
  }

  checkDrained(): void {
    if (!this.#actor.alive || this.state !== 'draining') return;
    if (this.table.size === 0 && this.#dialing.size === 0) this.tell({ type: 'router.drained' });
  }

  /** Releases everything, whatever part of it fails; the last thing a router does. */
  #shutDown(): void {
    const steps = [
      () => this.#dialing.killAll(),
      () => this.connections.killAll(),
      () => this.#pex?.stop(),
      () => this.#endChannels(),
      () => this.feed.end(),
      () => this.drops.flush(),
    ];
    for (const step of steps) this.#attempt(step);
    void this.#outside.close(this.#bringingUp).then(() => this.#announceEnd());
  }

  /** An open channel drains first, a draining one is closed. */
  #endChannels(): void {
    for (const channel of this.channels.open) {
      channel.end('router_stopped', false);
      channel.end('router_stopped', false);
    }
  }

  #announceEnd(): void {
    const fault = this.#fault;
    for (const { actor } of this.#acceptors) actor.stop();
    this.#acceptors.clear();
    this.#starting?.reject(fault ?? overtaken());
    this.#end.resolve(fault);
  }

  #attempt(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.kernel.fault('router', error);
    }
  }

  // What connections and attempts ask for.

  tell(event: RouterEvent): void {
    this.#actor.send(event);
  }

  takeOutbound(dial: Dial, raw: Connection): number {
    return this.connections.takeOutbound(dial, raw);
  }

  get showsGateShut(): boolean {
    return this.#actor.snapshot().matches({ running: { accepting: 'refusing' } });
  }

  acceptorEnded(acceptor: Acceptor): void {
    this.#acceptors.delete(acceptor);
  }

  channelSetChanged(link: PeerLink): void {
    const about = { peer: link.peer!, channels: [...link.channels] };
    this.kernel.record({ kind: 'note', actor: link.path, code: 'channel-set', about });
    const up = this.feed.current(link.peer!);
    if (up?.connectionId !== link.id) return;
    this.feed.publish({ ...up, channels: [...link.channels] });
    this.#pex?.channelSetChanged(link);
  }

  #publish({ peer, status }: PeerUpdateEffect): void {
    const link = status === 'up' ? this.table.route(peer) : this.connections.releasing;
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
    const decisions = this.peerDecisions;
    for (;;) {
      const result = decisions.apply({ type: 'evictNext' });
      if (result.outcome === 'none') break;
      const link = this.table.admitted(result.peer);
      if (link === undefined) decisions.apply({ type: 'disconnected', peer: result.peer });
      else link.actor.send({ type: 'peer.evict', reason: 'evicted', flush: result.why.rule !== 'errored' });
    }
    this.tell({ type: 'evict.none' });
  }

  // What channels ask for.

  openChannel<M>(descriptor: ChannelDescriptor<M>): Channel<M> {
    if (this.#isStopping || this.#fault !== undefined)
      throw new P2PError('stopped', 'the router has stopped');
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
    return this.kernel.call(() => this.#reports.take(channelId, report));
  }

  praise(peer: NodeId): void {
    this.kernel.call(() => this.#reports.praise(peer));
  }

  demerit(peer: NodeId, weight = 1): void {
    this.#reports.demerit(peer, weight);
  }

  /** The core while it may still change: what is reported of a stopped router's peers changes nothing. */
  get liveDecisions(): PeerDecisions | undefined {
    return this.#actor.alive ? this.#decisions : undefined;
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
    return shareableAddresses(this.peerDecisions.state, requester, PEX_CANDIDATES_MAX, this.env.random);
  }

  isWithheld(peer: NodeId): boolean {
    const decisions = this.peerDecisions;
    if (decisions.state.settings.privatePeers.has(peer)) return true;
    return banOf(decisions.state, peer, decisions.now) !== undefined;
  }

  learn(address: NodeAddress, source: NodeId): boolean {
    return this.liveDecisions?.apply({ type: 'add', address, source }).outcome === 'added';
  }
}

function overtaken(): P2PError {
  return new P2PError('stopped', 'the router was stopped while it started');
}
