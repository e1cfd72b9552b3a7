/** The connections of a router, from the gate to the last release: what the peer charts ask of it. */
import type { ChannelId } from '../core/channel.ts';
import { REJECTS, type RejectCode } from '../core/codes.ts';
import type { Verdict } from '../core/control-message.ts';
import { attribute } from '../core/error-attribution.ts';
import type { Env } from '../core/env.ts';
import type { Identity } from '../core/identity.ts';
import { InboundLimiter, type InboundPass } from '../core/inbound-limiter.ts';
import { formatNodeAddress, parseNodeAddressResult, type NodeAddress } from '../core/node-address.ts';
import type { NodeId } from '../core/node-id.ts';
import type { NodeInfo } from '../core/node-info.ts';
import { shareableAddresses } from '../core/peer/shareable.ts';
import type { Budget } from '../core/queue/budget.ts';
import { Outbox } from '../core/queue/outbox.ts';
import { sentReject } from '../core/reject-code.ts';
import type { RouterLimits } from '../core/router-options.ts';
import type { RouterEvent } from '../machines/router.machine.ts';
import type { Connection, Transport } from '../transports/transport.ts';
import type { Acceptor, AcceptSupervisor } from './acceptor.actor.ts';
import { Admission } from './admission.ts';
import type { Channels } from './channels.ts';
import type { Dial } from './dialer.actor.ts';
import type { DropLog } from './drop-log.ts';
import type { Kernel } from './kernel.ts';
import { CONTROL_CAPABILITY, PeerLink, type PeerLinkOptions, type PeerSupervisor } from './peer.actor.ts';
import type { PeerDecisions } from './peer-decisions.ts';
import type { RouterConfig } from './router-config.ts';
import type { RouterCounts } from './router-stats.ts';
import type { RoutingTable } from './routing-table.ts';

/** How many addresses a full node names to a peer it refuses. */
const REFUSAL_ADDRESSES_MAX = 32;

/** How long a peer that was refused for lack of room is asked to wait, in milliseconds. */
const RETRY_AFTER_MS = 5_000;

/** Protocol version of the p2p layer, shown and never compared. */
const P2P_VERSION = 8n;

export interface ConnectionsHost {
  readonly kernel: Kernel;
  readonly env: Env;
  readonly config: RouterConfig;
  readonly selfId: NodeId;
  readonly identity: Identity;
  readonly limits: RouterLimits;
  readonly table: RoutingTable;
  readonly channels: Channels;
  readonly drops: DropLog;
  readonly routerBudget: Budget;
  readonly transports: readonly Transport[];
  /** State of the router's chart. */
  readonly state: string;
  /** Whether the gate's region of the chart shows it shut. */
  readonly showsGateShut: boolean;
  /** Sends an event to the chart of the router. */
  tell(event: RouterEvent): void;
  demerit(peer: NodeId, weight: number): void;
  learn(address: NodeAddress, source: NodeId): boolean;
  channelSetChanged(link: PeerLink): void;
  acceptorEnded(acceptor: Acceptor): void;
  /** A connection has ended, and with it maybe the last thing a draining router waits for. */
  checkDrained(): void;
}

type LinkOrigin = Pick<PeerLinkOptions, 'direction' | 'dial' | 'pass'>;

export class Connections implements PeerSupervisor, AcceptSupervisor {
  readonly kernel: Kernel;
  readonly identity: Identity;
  readonly limits: RouterLimits;
  readonly counts: RouterCounts = { accepts: 0, refusals: 0, protocolFaults: 0, handshakeFailures: 0 };
  readonly #host: ConnectionsHost;
  readonly #limiter: InboundLimiter;
  #decisions: PeerDecisions | undefined;
  #admission: Admission | undefined;
  #releasing: PeerLink | undefined;
  #routedMax = 0;

  constructor(host: ConnectionsHost) {
    this.#host = host;
    this.kernel = host.kernel;
    this.identity = host.identity;
    this.limits = host.limits;
    this.#limiter = new InboundLimiter(host.limits.inbound);
  }

  /** Gives it the core; called once, before the first connection. */
  begin(decisions: PeerDecisions): void {
    const { kernel, selfId, limits, table, config } = this.#host;
    const { endpointFilters, filters } = config;
    this.#decisions = decisions;
    this.#admission = new Admission({ kernel, selfId, limits, endpointFilters, filters, decisions, table });
  }

  /** The most peers announced at one time. */
  get routedMax(): number {
    return this.#routedMax;
  }

  /** The link whose end the core is being told, so that its update can say which connection it was. */
  get releasing(): PeerLink | undefined {
    return this.#releasing;
  }

  // The gate.

  takeInbound(transport: Transport, connection: Connection): void {
    if (this.#host.state !== 'running') {
      this.#close(connection);
      return;
    }
    const { ip } = connection.remoteEndpoint;
    const admission = this.#limiter.admit(ip, this.#now);
    if (!admission.admitted) {
      this.counts.refusals += 1;
      this.#close(connection);
      const about = { code: admission.code, ip, transport: transport.name };
      this.kernel.record({ kind: 'note', actor: 'router', code: 'gate-refused', about });
      return;
    }
    this.counts.accepts += 1;
    try {
      this.#takeOver(connection, { direction: 'inbound', pass: admission });
    } catch (error) {
      this.#limiter.release(admission, this.#now);
      throw error;
    }
    this.#showGate();
  }

  takeOutbound(dial: Dial, connection: Connection): number {
    return this.#takeOver(connection, { direction: 'outbound', dial }).id;
  }

  acceptorEnded(acceptor: Acceptor): void {
    this.#host.acceptorEnded(acceptor);
  }

  #showGate(): void {
    const { maxAccepted, maxPendingHandshakes } = this.limits.inbound;
    const isFull = this.#limiter.accepted >= maxAccepted || this.#limiter.handshaking >= maxPendingHandshakes;
    if (isFull !== this.#host.showsGateShut)
      this.#host.tell({ type: isFull ? 'gate.closed' : 'gate.opened' });
  }

  #takeOver(connection: Connection, origin: LinkOrigin): PeerLink {
    const { limits, table, channels, routerBudget } = this.#host;
    try {
      const outbox = new Outbox({
        budgetBytes: limits.budgets.peerBytes,
        routerBudget,
        onDrained: (channelId) => channels.laneDrained(channelId),
      });
      outbox.controlOnly = true;
      const link = new PeerLink(this, { id: table.nextId(), connection, outbox, ...origin });
      table.add(link);
      link.actor.start();
      return link;
    } catch (error) {
      this.#close(connection);
      throw error;
    }
  }

  #close(connection: Connection): void {
    try {
      connection.close();
    } catch (error) {
      this.kernel.fault('router', error);
    }
  }

  get #now(): number {
    return this.kernel.clock.now();
  }

  // The handshake.

  screen(link: PeerLink): void {
    this.#admission!.screen(link);
  }

  nodeInfoFor({ direction, connection: { localEndpoint, remoteEndpoint } }: PeerLink): NodeInfo {
    const { config, channels, selfId } = this.#host;
    const info: NodeInfo = {
      protocolVersion: { p2p: P2P_VERSION, block: config.blockVersion, app: 0n },
      nodeId: selfId,
      listenAddr: this.#listenAddr(),
      network: config.network,
      version: config.version,
      channels: channels.ids,
      moniker: config.moniker,
      other: { txIndex: 'off', rpcAddress: '' },
      capabilities: [CONTROL_CAPABILITY],
    };
    const { listenAddr, moniker, version, other } = {
      ...info,
      ...config.nodeInfoFor({ direction, localEndpoint, remoteEndpoint }),
    };
    return { ...info, listenAddr, moniker, version, other: { ...other } };
  }

  #listenAddr(): string {
    const { config, transports } = this.#host;
    if (config.externalAddress !== undefined) return `tcp://${config.externalAddress}`;
    const endpoint = transports.flatMap((transport) => transport.endpoints()).find(({ port }) => port !== 0);
    if (endpoint === undefined) return 'tcp://0.0.0.0:0';
    const host = endpoint.ip.includes(':') ? `[${endpoint.ip}]` : endpoint.ip;
    return `tcp://${host}:${endpoint.port}`;
  }

  identified(link: PeerLink): void {
    this.#host.table.identify(link);
  }

  judge(link: PeerLink): void {
    this.#admission!.judge(link);
  }

  suspend(link: PeerLink): void {
    this.#admission?.suspend(link);
  }

  confirm(link: PeerLink): RejectCode | undefined {
    return this.#admission!.takePlace(link);
  }

  refusalHints({ peer }: PeerLink, code: RejectCode): Pick<Verdict, 'retryAfterMs' | 'addresses'> {
    if (sentReject(code) !== 'at_capacity') return { retryAfterMs: 0, addresses: [] };
    const { state } = this.#decisions!;
    const candidates = shareableAddresses(state, peer!, REFUSAL_ADDRESSES_MAX, this.#host.env.random);
    return {
      retryAfterMs: RETRY_AFTER_MS,
      addresses: candidates.map(({ address }) => formatNodeAddress(address)),
    };
  }

  learnFromVerdict(link: PeerLink, { addresses }: Verdict): void {
    for (const text of addresses.slice(0, REFUSAL_ADDRESSES_MAX)) {
      const result = parseNodeAddressResult(text);
      if (result.ok) this.#host.learn(result.address, link.peer!);
    }
  }

  // The life of a peer's connection.

  /** Routes before it announces, all in one turn, so that whoever hears of the peer can reach it. */
  announce(link: PeerLink): void {
    const { table, channels } = this.#host;
    const peer = link.peer!;
    link.routed = true;
    link.since = this.#now;
    channels.openLanes(link);
    link.outbox.controlOnly = false;
    table.open(peer, link);
    this.#routedMax = Math.max(this.#routedMax, table.routeCount);
    this.#handshakeEnded(link.pass);
    this.#decisions!.apply({ type: 'ready', peer, channels: [...link.channels] });
    link.dial?.actor.send({ type: 'peer.admitted' });
    for (const other of table.others(link)) {
      if (other.isIn('handshaking')) other.actor.send({ type: 'peer.refuse', reason: 'duplicate' });
    }
    this.#showGate();
  }

  #handshakeEnded(pass: InboundPass | undefined): void {
    if (pass !== undefined) this.#limiter.handshakeEnded(pass);
  }

  release(link: PeerLink): void {
    if (this.#host.table.link(link.id) !== link) return;
    const { routed } = link;
    try {
      this.#leave(link);
    } finally {
      this.#forget(link, routed);
    }
  }

  /** Unroutes before it tells the core, and with it everybody else. */
  #leave(link: PeerLink): void {
    if (link.peer !== undefined) this.#host.table.close(link.peer, link);
    link.routed = false;
    link.outbox.close(closeReason(link), 'purge');
    this.#releasing = link;
    this.suspend(link);
  }

  #forget(link: PeerLink, wasRouted: boolean): void {
    const { table } = this.#host;
    this.#releasing = undefined;
    const others = table.others(link);
    table.remove(link);
    if (link.pass !== undefined) this.#limiter.release(link.pass, this.#now);
    this.#count(link, wasRouted);
    this.#noteRefusal(link);
    link.dial?.actor.send({ type: 'peer.refused', reason: link.reason });
    for (const other of others) other.actor.send({ type: 'incumbent.gone' });
    this.#showGate();
    this.#host.checkDrained();
    this.#attribute(link, wasRouted);
    this.#recordEnd(link);
  }

  #recordEnd(link: PeerLink): void {
    const { peer, reason, endedBy: by, fault } = link;
    const { bytesSent, bytesReceived } = link.connection.status();
    const ageMs = Math.round(this.#now - link.createdAt);
    const about = {
      reason,
      by,
      ...(peer === undefined ? {} : { peer }),
      ...(fault === undefined ? {} : { error: fault.message }),
      ageMs,
      bytesSent,
      bytesReceived,
    };
    this.kernel.record({ kind: 'note', actor: link.path, code: 'connection-closed', about });
  }

  #count(link: PeerLink, wasRouted: boolean): void {
    if (link.remote !== undefined && isViolation(link)) this.counts.protocolFaults += 1;
    const isOurStop = link.reason === 'shutting_down' && link.endedBy === 'local';
    if (wasRouted || link.remoteRefusal !== undefined || isOurStop) return;
    if (link.remote === undefined && link.reason !== 'filtered') this.counts.handshakeFailures += 1;
    else this.counts.refusals += 1;
  }

  /** What its connection costs a peer; before anything is proven there is no peer to charge. */
  #attribute(link: PeerLink, wasRouted: boolean): void {
    const { fault, peer, violated } = link;
    if (peer === undefined) return;
    const isBreach = violated || fault?.blame === 'peer';
    if (isBreach) this.#host.demerit(peer, attribute('protocol-violation').demerit);
    else if (wasRouted && fault !== undefined)
      this.#host.demerit(peer, attribute('connection-error').demerit);
  }

  /** Tells the attempt who refused and how long to wait, for its report. */
  #noteRefusal({ dial, cause, remoteRefusal }: PeerLink): void {
    if (dial === undefined || cause === undefined || !isRejectCode(cause)) return;
    const by = remoteRefusal === undefined ? 'local' : 'remote';
    dial.refusal = { code: cause, by, retryAfterMs: remoteRefusal?.retryAfterMs ?? 0 };
  }

  // Messages.

  receiveLimit(channelId: ChannelId): number {
    return this.#host.channels.receiveLimit(channelId);
  }

  deliver(link: PeerLink, channelId: ChannelId, message: Uint8Array): void {
    this.#host.channels.deliver(link, channelId, message, this.#now);
  }

  lost(link: PeerLink, channelId: ChannelId, message: Uint8Array, reason: 'inbox_full' | 'peer_down'): void {
    this.#host.drops.note('in', channelId, reason, message.length, link.peer);
  }

  channelSetChanged(link: PeerLink): void {
    this.#host.channelSetChanged(link);
  }

  /** Ends every connection at once, without goodbye. */
  killAll(): void {
    for (const link of this.#host.table.links) {
      try {
        link.kill();
      } catch (error) {
        this.kernel.fault(link.path, error);
      }
    }
  }
}

/** Whether it ended because the remote broke the protocol. */
function isViolation({ fault, reason, endedBy }: PeerLink): boolean {
  return fault?.blame === 'peer' || (reason === 'protocol_violation' && endedBy === 'local');
}

function closeReason({ reason, endedBy }: PeerLink): 'superseded' | 'router_stopped' | 'peer_gone' {
  if (reason === 'superseded') return reason;
  return reason === 'shutting_down' && endedBy === 'local' ? 'router_stopped' : 'peer_gone';
}

function isRejectCode(code: string): code is RejectCode {
  return code in REJECTS;
}
