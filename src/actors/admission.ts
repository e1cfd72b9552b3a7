/**
 * How an authenticated connection becomes a peer's connection, or not: the local checks, the filters, the arbitration
 * against other connections of the same peer, and a place in the core.
 */
import type { PeerRefusalCode, RejectCode } from '../core/codes.ts';
import { errorReason, P2PError } from '../core/errors.ts';
import type { Incumbent } from '../core/handshake/arbitration.ts';
import { declaredAddress } from '../core/handshake/declared-address.ts';
import { judgeHandshake } from '../core/handshake/judge.ts';
import { settle } from '../core/handshake/settlement.ts';
import type { NodeId } from '../core/node-id.ts';
import { rejectConsequence } from '../core/reject-code.ts';
import type { RouterLimits } from '../core/router-options.ts';
import type { Kernel } from './kernel.ts';
import type { PeerDecisions } from './peer-decisions.ts';
import type { PeerLink } from './peer.actor.ts';
import type { PeerFilter } from './router-config.ts';
import type { RoutingTable } from './routing-table.ts';

export interface AdmissionHost {
  readonly kernel: Kernel;
  readonly selfId: NodeId;
  readonly limits: RouterLimits;
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
      if (peer !== undefined && rejectConsequence(code, 'local') === 'park') {
        this.#host.decisions.apply({ type: 'inactivate', peer });
      }
      this.#refuse(link, code);
      return;
    }
    this.#learnDeclared(link);
    if (this.#host.filters.length === 0 || link.filtered) this.#settle(link);
    else this.#filter(link);
  }

  /** A peer is the best source of its own address; unverified until a dial has proven it. */
  #learnDeclared(link: PeerLink): void {
    const { remote, peer } = link;
    const address = declaredAddress(peer!, remote!.nodeInfo.listenAddr, link.connection.remoteEndpoint);
    if (address !== undefined) this.#host.decisions.apply({ type: 'add', address, source: 'self-declared' });
  }

  #filter(link: PeerLink): void {
    const { kernel } = this.#host;
    this.#runFilters(link).then(
      (reason) => kernel.post(link.path, () => this.#filtered(link, reason)),
      (error: unknown) => kernel.post(link.path, () => this.#filtered(link, errorReason(error))),
    );
  }

  async #runFilters(link: PeerLink): Promise<string | undefined> {
    const { clock } = this.#host.kernel;
    const abort = new AbortController();
    const giveUp = (): void =>
      abort.abort(new P2PError('timeout', 'a filter took too long', { reason: 'filter' }));
    const { filterTimeoutMs } = this.#host.limits;
    const cancel =
      filterTimeoutMs === Infinity ? undefined : link.scope.timer(clock, giveUp, filterTimeoutMs);
    const onScopeEnd = (): void => abort.abort(link.scope.signal.reason);
    link.scope.signal.addEventListener('abort', onScopeEnd);
    const { nodeInfo } = link.remote!;
    const subject = { id: link.peer!, moniker: nodeInfo.moniker, ip: link.connection.remoteEndpoint.ip };
    const aborted = new Promise<never>((_, reject) => {
      abort.signal.addEventListener('abort', () => reject(abort.signal.reason as Error));
    });
    try {
      for (const filter of this.#host.filters) {
        const reason = await Promise.race([filter(subject, abort.signal), aborted]);
        if (reason !== undefined) return reason;
      }
      return undefined;
    } finally {
      aborted.catch(() => undefined);
      cancel?.();
      link.scope.signal.removeEventListener('abort', onScopeEnd);
    }
  }

  #filtered(link: PeerLink, reason: string | undefined): void {
    if (!link.actor.alive || !link.actor.snapshot().matches({ handshaking: 'judging' })) return;
    if (reason === undefined) {
      link.filtered = true;
      this.#settle(link);
      return;
    }
    this.#host.kernel.record({ kind: 'note', actor: link.path, code: 'filtered', about: { reason } });
    this.#refuse(link, 'filtered');
  }

  #settle(link: PeerLink): void {
    const { selfId, limits, kernel, table } = this.#host;
    const rivals = table.others(link).flatMap((other) => rivalOf(other));
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
  if (!link.actor.alive) return undefined;
  const snapshot = link.actor.snapshot();
  if (snapshot.matches('evicting')) return 'closing';
  if (snapshot.matches('connected') || snapshot.matches({ handshaking: 'probation' })) return 'ready';
  if (snapshot.matches({ handshaking: 'held' })) return 'held';
  if (snapshot.matches({ handshaking: 'refusing' }) || snapshot.matches({ handshaking: 'securing' }))
    return undefined;
  return snapshot.matches('handshaking') ? 'pending' : undefined;
}
