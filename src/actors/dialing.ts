/** Whom to dial: the attempts of a router, begun when the core hands out an address and reported to it exactly once. */
import type { RejectCode } from '../core/codes.ts';
import type { Env } from '../core/env.ts';
import type { NodeAddress } from '../core/node-address.ts';
import type { NodeId } from '../core/node-id.ts';
import { connection } from '../core/peer/queries.ts';
import { rejectConsequence } from '../core/reject-code.ts';
import type { RouterLimits } from '../core/router-options.ts';
import type { RouterEvent } from '../machines/router.machine.ts';
import type { Connection, Transport } from '../transports/transport.ts';
import { Dial, type DialOutcome, type DialSupervisor } from './dialer.actor.ts';
import type { Kernel } from './kernel.ts';
import type { PeerDecisions } from './peer-decisions.ts';
import type { RoutingTable } from './routing-table.ts';

/** How long a peer that takes us for connected, though we are not, is left alone, in milliseconds. */
const DUPLICATE_RETRY_MS = 4_000;

/** How long a peer that is coming in by itself is left alone, in milliseconds. */
const COMING_IN_RETRY_MS = 1_000;

export interface DialingHost {
  readonly kernel: Kernel;
  readonly env: Env;
  readonly limits: RouterLimits;
  readonly table: RoutingTable;
  readonly transports: readonly Transport[];
  /** Only asked for while the router runs or drains. */
  readonly peerDecisions: PeerDecisions;
  /** Sends an event to the chart of the router. */
  tell(event: RouterEvent): void;
  takeOutbound(dial: Dial, connection: Connection): number;
  /** An attempt has ended, and with it maybe the last thing a draining router waits for. */
  checkDrained(): void;
}

export class Dialing implements DialSupervisor {
  readonly kernel: Kernel;
  readonly env: Env;
  readonly limits: RouterLimits;
  readonly #host: DialingHost;
  readonly #dials = new Set<Dial>();
  #lastId = 0;
  #notBefore = -Infinity;

  constructor(host: DialingHost) {
    this.#host = host;
    this.kernel = host.kernel;
    this.env = host.env;
    this.limits = host.limits;
  }

  /** Attempts under way. */
  get size(): number {
    return this.#dials.size;
  }

  /** Begins as many attempts as the core and the limits allow, and tells the chart what comes next. */
  next(): void {
    this.#host.tell(this.#dialAll());
  }

  #dialAll(): RouterEvent {
    const { maxConcurrent } = this.limits.dial;
    const { peerDecisions: decisions, table } = this.#host;
    for (;;) {
      if (this.#dials.size >= maxConcurrent) return { type: 'dial.saturated' };
      const waitMs = this.#notBefore - this.env.clock.now();
      if (waitMs > 0) return { type: 'dial.none', retryMs: Math.ceil(waitMs) };
      const result = decisions.apply({ type: 'dialNext' });
      if (result.outcome === 'none') {
        const { nextDialAtMs } = result;
        const retryMs = nextDialAtMs === undefined ? -1 : Math.max(0, nextDialAtMs - decisions.now);
        return { type: 'dial.none', retryMs };
      }
      if (table.linksOf(result.peer).some(({ closing }) => !closing)) this.#leaveAlone(result.address);
      else this.#dial(result.address);
    }
  }

  /** The peer has proven itself on a connection of its own, which nobody has settled yet. */
  #leaveAlone(address: NodeAddress): void {
    const cause = 'coming-in';
    const retryAfterMs = COMING_IN_RETRY_MS;
    this.#host.peerDecisions.apply({ type: 'dialFailed', address, cause, soft: true, retryAfterMs });
  }

  #dial(address: NodeAddress): void {
    this.#lastId += 1;
    const dial = new Dial(this, this.#lastId, address);
    this.#dials.add(dial);
    dial.actor.start();
    const { minIntervalMs, jitterMs } = this.limits.dial;
    if (minIntervalMs === 0 && jitterMs === 0) return;
    const jitter = jitterMs > 0 ? this.env.random.below(Math.ceil(jitterMs)) : 0;
    this.#notBefore = this.env.clock.now() + minIntervalMs + jitter;
  }

  transportFor(protocol: string): Transport | undefined {
    return this.#host.transports.find(({ protocols }) => protocols.includes(protocol));
  }

  takeOutbound(dial: Dial, connection: Connection): number {
    return this.#host.takeOutbound(dial, connection);
  }

  abandonOutbound(connectionId: number, reason: string): void {
    const link = this.#host.table.link(connectionId);
    if (link === undefined || link.routed) return;
    const code: RejectCode = reason === 'shutting_down' ? 'shutting_down' : 'internal';
    link.actor.send({ type: 'peer.refuse', reason: code });
  }

  dialEnded(dial: Dial, { outcome, reason }: DialOutcome): void {
    this.#dials.delete(dial);
    if (!dial.reported && outcome !== 'admitted') this.#report(dial, outcome, reason);
    this.#host.tell({ type: 'dial.wake' });
    this.#host.checkDrained();
  }

  /** The core hears of every dial it handed out exactly once; what was nobody's fault costs nothing. */
  #report({ address, refusal }: Dial, outcome: 'failed' | 'cancelled', reason: string): void {
    const { peerDecisions: decisions } = this.#host;
    const consequence = refusal === undefined ? 'hard' : rejectConsequence(refusal.code, refusal.by);
    const isDuplicate = consequence === 'duplicate';
    if (isDuplicate && this.#isConnected(address.nodeId)) {
      decisions.apply({ type: 'dialed', address });
      return;
    }
    if (consequence === 'park') decisions.apply({ type: 'inactivate', peer: address.nodeId });
    decisions.apply({
      type: 'dialFailed',
      address,
      cause: refusal !== undefined && WRONG_IDS.has(refusal.code) ? 'wrong-id' : reason,
      soft: outcome === 'cancelled' || (consequence !== 'hard' && consequence !== 'park'),
      retryAfterMs: isDuplicate ? DUPLICATE_RETRY_MS : (refusal?.retryAfterMs ?? 0),
    });
  }

  #isConnected(peer: NodeId): boolean {
    return connection(this.#host.peerDecisions.state, peer) !== undefined;
  }

  /** Gives every attempt up; each still reports. */
  cancelAll(): void {
    for (const dial of [...this.#dials]) dial.actor.send({ type: 'dial.cancel', reason: 'shutting_down' });
  }

  /** Ends every attempt at once, unreported. */
  killAll(): void {
    for (const dial of [...this.#dials]) dial.kill();
    this.#dials.clear();
  }
}

/** Somebody else than the peer lives at the address. */
const WRONG_IDS: ReadonlySet<RejectCode> = new Set(['unexpected_peer', 'id_mismatch', 'self']);
