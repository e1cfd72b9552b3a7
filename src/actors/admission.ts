/**
 * How an authenticated connection becomes a peer's connection, or not: the local checks, the filters, the arbitration
 * against other connections of the same peer, and a place in the core.
 */
import type { PeerRefusalCode, RejectCode } from '../core/codes.ts';
import { attribute } from '../core/error-attribution.ts';
import type { Incumbent } from '../core/handshake/arbitration.ts';
import { declaredAddress } from '../core/handshake/declared-address.ts';
import { judgeHandshake } from '../core/handshake/judge.ts';
import { settle } from '../core/handshake/settlement.ts';
import type { NodeId } from '../core/node-id.ts';
import { rejectConsequence } from '../core/reject-code.ts';
import type { RouterLimits } from '../core/router-options.ts';
import { firstRefusal, type Filter } from './filters.ts';
import type { Kernel } from './kernel.ts';
import type { PeerDecisions } from './peer-decisions.ts';
import type { PeerLink } from './peer.actor.ts';
import type { EndpointFilter, PeerFilter } from './router-config.ts';
import type { RoutingTable } from './routing-table.ts';

export interface AdmissionHost {
  readonly kernel: Kernel;
  readonly selfId: NodeId;
  readonly limits: RouterLimits;
  readonly endpointFilters: readonly EndpointFilter[];
  readonly filters: readonly PeerFilter[];
  readonly decisions: PeerDecisions;
  readonly table: RoutingTable;
}

/** Another connection of the candidate's peer, as the arbitration sees it. */
interface Rival extends Incumbent {
  readonly link: PeerLink;
}

export class Admission {
  readonly #host: AdmissionHost;

  constructor(host: AdmissionHost) {
    this.#host = host;
  }

  /** Only who comes to us is asked about: an address that we dial was chosen. */
  screen(link: PeerLink): void {
    const { endpointFilters } = this.#host;
    const pass = (): void => link.actor.send({ type: 'endpoint.passed' });
    if (link.direction === 'outbound' || endpointFilters.length === 0) {
      pass();
      return;
    }
    this.#ask(link, endpointFilters, link.connection.remoteEndpoint, pass);
  }

  judge(link: PeerLink): void {
    const { selfId, kernel } = this.#host;
    const remote = link.remote!;
    const judgement = judgeHandshake({
      self: { id: selfId, nodeInfo: link.sentNodeInfo! },
      direction: link.direction,
      expectedId: link.expected,
      remote,
    });
    if (!judgement.accept) {
      const { code, reason, peer } = judgement;
      kernel.record({
        kind: 'note',
        actor: link.path,
        code: 'handshake-refused',
        about: { code, ...(reason === undefined ? {} : { reason }), ...(peer === undefined ? {} : { peer }) },
      });
      if (peer !== undefined) this.#holdAgainst(peer, code);
      this.#refuse(link, code);
      return;
    }
    this.#learnDeclared(link);
    if (this.#host.filters.length === 0 || link.filtering === 'passed') this.#settle(link);
    else if (link.filtering === 'not-asked') this.#filter(link);
  }

  /** What a refused handshake says about who has proven an identity in it. */
  #holdAgainst(peer: NodeId, code: RejectCode): void {
    const { decisions } = this.#host;
    if (rejectConsequence(code, 'local') === 'park') decisions.apply({ type: 'inactivate', peer });
    if (code !== 'bad_node_info') return;
    const { demerit: weight } = attribute('bad-node-info');
    decisions.apply({ type: 'processPeerEvent', peer, status: 'bad', weight });
  }

  /** A peer is the best source of its own address; unverified until a dial has proven it. */
  #learnDeclared(link: PeerLink): void {
    const { remote, peer } = link;
    const address = declaredAddress(peer!, remote!.nodeInfo.listenAddr, link.connection.remoteEndpoint);
    if (address !== undefined) this.#host.decisions.apply({ type: 'add', address, source: 'self-declared' });
  }

  #filter(link: PeerLink): void {
    const { id, moniker } = { id: link.peer!, moniker: link.remote!.nodeInfo.moniker };
    link.filtering = 'asked';
    this.#ask(link, this.#host.filters, { id, moniker, ip: link.connection.remoteEndpoint.ip }, () => {
      link.filtering = 'passed';
      if (link.isIn({ handshaking: 'judging' })) this.#settle(link);
    });
  }

  /** Asks filters and goes on with `pass`, or refuses the connection; does nothing when it has ended meanwhile. */
  #ask<S>(link: PeerLink, filters: readonly Filter<S>[], subject: S, pass: () => void): void {
    const { kernel, limits } = this.#host;
    const run = { clock: kernel.clock, scope: link.scope, timeoutMs: limits.filterTimeoutMs };
    void firstRefusal(filters, subject, run).then((reason) =>
      kernel.post(link.path, () => {
        if (!link.isIn('handshaking')) return;
        if (reason === undefined) {
          pass();
          return;
        }
        kernel.record({ kind: 'note', actor: link.path, code: 'filtered', about: { reason } });
        this.#refuse(link, 'filtered');
      }),
    );
  }

  #settle(link: PeerLink): void {
    const { selfId, limits, kernel, table } = this.#host;
    const rivals = table.others(link).flatMap((other) => rivalOf(other));
    if (link.waited && this.#hurry(link, rivals)) return;
    const candidate = { peer: link.peer!, direction: link.direction };
    const context = { selfId, now: kernel.clock.now(), supersedeAfterMs: limits.supersedeAfterMs };
    const settlement = settle(rivals, candidate, context);
    switch (settlement.candidate) {
      case 'reject':
        this.#refuse(link, settlement.code ?? 'duplicate');
        return;
      case 'wait-for-incumbent':
      case 'probe-incumbent':
        link.actor.send({ type: 'peer.wait' });
        return;
      case 'hold':
        link.actor.send({ type: 'peer.hold' });
        return;
      case 'admit':
        break;
    }
    for (const { link: rival } of settlement.replace)
      this.#giveWay(rival, () => this.#refuse(rival, 'duplicate'));
    for (const { link: rival } of settlement.hold)
      this.#giveWay(rival, () => rival.actor.send({ type: 'peer.hold' }));
    if (settlement.supersede.length > 0) {
      for (const { link: rival } of settlement.supersede) {
        rival.actor.send({ type: 'peer.evict', reason: 'superseded', flush: false });
      }
      link.actor.send({ type: 'peer.wait' });
      return;
    }
    this.#admit(link);
  }

  /** The time of those that are closing is up: they go now, and the candidate is judged again when they have. */
  #hurry(link: PeerLink, rivals: readonly Rival[]): boolean {
    const closing = rivals.filter(({ phase }) => phase === 'closing');
    if (closing.length === 0) return false;
    link.actor.send({ type: 'peer.wait' });
    for (const { link: rival } of closing) {
      rival.actor.send({ type: 'connection.closed', by: 'local', reason: rival.reason });
    }
    return true;
  }

  /** The place of a connection that is not ready goes to another one at once, whatever becomes of it. */
  #giveWay(link: PeerLink, tell: () => void): void {
    this.suspend(link);
    tell();
  }

  #admit(link: PeerLink): void {
    const verdict = link.speaksControl;
    if (link.direction === 'inbound' || !verdict) {
      const refusal = this.takePlace(link);
      if (refusal !== undefined) {
        this.#refuse(link, refusal);
        return;
      }
    }
    if (!verdict) link.startWithoutVerdict();
    link.actor.send({ type: 'peer.admit', verdict });
  }

  /** Asks the core for a place. The code of the refusal, or undefined when the connection has one. */
  takePlace(link: PeerLink): RejectCode | undefined {
    const { decisions } = this.#host;
    if (link.admitted) return undefined;
    const { dial } = link;
    if (dial !== undefined) dial.reported = true;
    const result =
      dial === undefined
        ? decisions.apply({ type: 'accepted', peer: link.peer! })
        : decisions.apply({ type: 'dialed', address: dial.address });
    if (result.outcome === 'refused') return REFUSED_AS[result.error];
    link.admitted = true;
    return undefined;
  }

  /** Gives the place in the core back. */
  suspend(link: PeerLink): void {
    if (!link.admitted) return;
    link.admitted = false;
    this.#host.decisions.apply({ type: 'disconnected', peer: link.peer! });
  }

  #refuse(link: PeerLink, code: RejectCode): void {
    link.actor.send({ type: 'peer.refuse', reason: code });
  }
}

const REFUSED_AS: Readonly<Record<PeerRefusalCode, RejectCode>> = {
  InvalidAddress: 'internal',
  SelfAddress: 'self',
  SelfConnection: 'self',
  AlreadyConnected: 'duplicate',
  MaxConnected: 'at_capacity',
  MaxIncoming: 'at_capacity',
  UnknownPeer: 'at_capacity',
  Banned: 'filtered',
  DialTimedOut: 'at_capacity',
  PersistentLimit: 'internal',
};

function rivalOf(link: PeerLink): Rival[] {
  const phase = phaseOf(link);
  if (phase === undefined) return [];
  const { lastReceivedAt } = link.connection.status();
  return [{ link, direction: link.direction, phase, lastReceivedAt }];
}

function phaseOf(link: PeerLink): Incumbent['phase'] | undefined {
  if (link.isIn('evicting')) return 'closing';
  if (link.isIn('connected') || link.isIn({ handshaking: 'probation' })) return 'ready';
  if (link.isIn({ handshaking: 'held' })) return 'held';
  return link.isIn('handshaking') && !link.isIn({ handshaking: 'refusing' }) ? 'pending' : undefined;
}
