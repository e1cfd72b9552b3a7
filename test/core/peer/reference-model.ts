/**
 * The peer manager once more, as slow and plain as it can be written: arrays searched and sorted at every look, no
 * orders to keep. It follows the text of the behaviour, not the code it is compared with.
 */
import {
  acceptNodeAddress,
  canonicalNodeAddress,
  formatNodeAddress,
  sameNodeAddress,
  type NodeAddress,
} from '../../../src/core/node-address.ts';
import { classifyIp, ipHostKey, ipNetworkKey } from '../../../src/core/ip.ts';
import type { NodeId } from '../../../src/core/node-id.ts';
import type { PeerSettings } from '../../../src/core/peer/options.ts';
import type { Chance, PeerEvent } from '../../../src/core/peer/peer-event.ts';

interface ModelAddress {
  address: NodeAddress;
  failures: number;
  retryAtMs: number;
  lastSuccessMs: number | undefined;
  lastFailureMs: number | undefined;
  source: string | undefined;
  firstSeenMs: number;
  tried: boolean;
  bootstrap: boolean;
  wrongIds: number;
}

interface ModelPeer {
  id: NodeId;
  tie: string;
  addresses: ModelAddress[];
  mutable: number;
  height: number;
  inactive: boolean;
  activeAtMs: number;
  lastConnectedMs: number | undefined;
  lastDisconnectedMs: number | undefined;
  cooldownUntilMs: number;
  flaps: number;
  forgiveAtMs: number;
  decayAtMs: number;
  late: NodeAddress | undefined;
}

interface Dial {
  address: NodeAddress;
  deadlineMs: number;
}

interface Link {
  direction: 'inbound' | 'outbound';
  sinceMs: number;
  address: NodeAddress | undefined;
}

/** What an event answers, reduced to what both sides must agree on. */
export interface ModelAnswer {
  readonly outcome: string;
  readonly peer?: string | undefined;
  readonly address?: string | undefined;
  readonly victim?: string | undefined;
}

const NONE: ModelAnswer = { outcome: 'none' };
const IGNORED: ModelAnswer = { outcome: 'ignored' };

export class ReferenceModel {
  readonly peers = new Map<NodeId, ModelPeer>();
  readonly dialing = new Map<NodeId, Dial>();
  /** Claimant by victim. */
  readonly upgrading = new Map<NodeId, NodeId>();
  readonly connected = new Map<NodeId, Link>();
  readonly ready = new Map<NodeId, readonly number[]>();
  evict: { peer: NodeId; why: string }[] = [];
  readonly evicting = new Map<NodeId, string>();
  readonly bans = new Map<NodeId, number>();
  readonly persistent: Set<NodeId>;
  /** Wake-ups and updates of the last event. */
  signals = new Set<string>();
  nowMs: number;
  readonly #selfId: NodeId;
  readonly #options: PeerSettings;
  readonly #tieOf: (id: NodeId) => string;
  readonly #rng: Chance;
  #newcomer: NodeId | undefined;

  constructor(
    selfId: NodeId,
    options: PeerSettings,
    tieOf: (id: NodeId) => string,
    rng: Chance,
    nowMs: number,
  ) {
    this.#selfId = selfId;
    this.#options = options;
    this.#tieOf = tieOf;
    this.#rng = rng;
    this.nowMs = nowMs;
    this.persistent = new Set(options.persistentPeers);
  }

  apply(event: PeerEvent, nowMs: number): ModelAnswer {
    this.nowMs = Math.max(this.nowMs, nowMs);
    this.signals = new Set();
    this.#newcomer = undefined;
    this.#expire();
    const answer = this.#decide(event);
    this.#prune();
    return answer;
  }

  #decide(event: PeerEvent): ModelAnswer {
    switch (event.type) {
      case 'add':
        return this.#add(event.address, event.source, event.verified ?? false, false);
      case 'addBootstrap':
        return this.#add(event.address, 'configured', false, true);
      case 'dialNext':
        return this.#dialNext();
      case 'dialFailed':
        return this.#dialFailed(event);
      case 'dialed':
        return this.#dialed(canonicalNodeAddress(event.address));
      case 'accepted':
        return this.#accepted(event.peer);
      case 'ready':
        if (!this.#isStaying(event.peer) || this.ready.has(event.peer)) return IGNORED;
        this.ready.set(event.peer, event.channels);
        this.signals.add(`up ${event.peer}`);
        return { outcome: 'up' };
      case 'evictNext':
        return this.#evictNext();
      case 'errored':
        if (!this.#isStaying(event.peer)) return IGNORED;
        this.#schedule(event.peer, 'errored');
        this.#earn(this.peers.get(event.peer)!, -(event.weight ?? 1));
        return { outcome: 'scheduled' };
      case 'disconnected':
        return this.#disconnected(event.peer);
      case 'processPeerEvent':
        return this.#report(event.peer, event.status, event.weight ?? 1);
      case 'inactivate':
        return this.#inactivate(event.peer);
      case 'setHeight':
        if (!this.peers.has(event.peer)) return IGNORED;
        this.peers.get(event.peer)!.height = event.height;
        return { outcome: 'set' };
      case 'dial':
        return this.#dialNow(event.address);
      case 'disconnect':
        if (!this.#isStaying(event.peer)) return IGNORED;
        this.#schedule(event.peer, 'requested');
        return { outcome: 'scheduled' };
      case 'ban':
        return this.#ban(event.peer, event.untilMs);
      case 'unban':
        if (!this.bans.delete(event.peer)) return IGNORED;
        this.signals.add('wakeDial');
        return { outcome: 'unbanned' };
      case 'setPersistent':
        return this.#setPersistent(event.peer, event.persistent);
    }
  }

  score(peer: ModelPeer): number {
    const fixed = this.#options.peerScores.get(peer.id) ?? 0;
    if (fixed > 0) return fixed;
    if (this.persistent.has(peer.id)) return 32767;
    const failures = peer.addresses.map((known) => known.failures);
    const sum = failures.reduce((a, b) => a + b, 0);
    const counted = this.#options.scoreByBestAddress ? Math.min(...failures, Infinity) : sum;
    return Math.max(-32768, Math.min(32766, peer.mutable - (counted === Infinity ? 0 : counted)));
  }

  ranked(): ModelPeer[] {
    return [...this.peers.values()].sort(
      (a, b) => this.score(b) - this.score(a) || (a.tie < b.tie ? -1 : a.tie > b.tie ? 1 : 0),
    );
  }

  sortedAddresses(peer: ModelPeer): ModelAddress[] {
    const text = (known: ModelAddress): string => formatNodeAddress(known.address);
    return [...peer.addresses].sort(
      (a, b) =>
        a.failures - b.failures ||
        (b.lastSuccessMs ?? -1) - (a.lastSuccessMs ?? -1) ||
        (text(a) < text(b) ? -1 : 1),
    );
  }

  #isStaying(id: NodeId): boolean {
    return this.connected.has(id) && !this.evict.some(({ peer }) => peer === id) && !this.evicting.has(id);
  }

  #staying(): NodeId[] {
    return [...this.connected.keys()].filter((id) => this.#isStaying(id));
  }

  #isLimited(): boolean {
    return this.#options.maxConnected > 0;
  }

  #slots(): number {
    return this.#options.maxConnected + this.#options.maxConnectedUpgrade;
  }

  #isHardFull(): boolean {
    const occupied = new Set([...this.connected.keys(), ...this.dialing.keys()]).size;
    return this.#isLimited() && occupied >= this.#slots();
  }

  #isTableFull(): boolean {
    return this.#isLimited() && this.#staying().length >= this.#options.maxConnected;
  }

  #isOutFull(): boolean {
    const out = [...this.connected.values()].filter(({ direction }) => direction === 'outbound').length;
    const dials = [...this.dialing.keys()].filter((id) => !this.connected.has(id)).length;
    return this.#options.maxOutgoingConnections > 0 && out + dials >= this.#options.maxOutgoingConnections;
  }

  #claimOf(id: NodeId): NodeId | undefined {
    return [...this.upgrading].find(([, claimant]) => claimant === id)?.[0];
  }

  #release(id: NodeId): void {
    const victim = this.#claimOf(id);
    if (victim !== undefined) this.upgrading.delete(victim);
  }

  #candidate(id: NodeId, score: number, inboundOnly = false): NodeId | undefined {
    const isPersistent = this.persistent.has(id);
    const isOutboundSafe = inboundOnly || (this.#options.protectOutbound && !isPersistent);
    const margin = isPersistent ? 0 : this.#options.upgradeMargin;
    for (const peer of this.ranked().reverse()) {
      if (peer.id === id) continue;
      if (this.score(peer) >= score) return undefined;
      if (!this.#isStaying(peer.id)) continue;
      if (this.upgrading.has(peer.id) && this.upgrading.get(peer.id) !== id) continue;
      if (isOutboundSafe && this.connected.get(peer.id)!.direction === 'outbound') continue;
      return this.score(peer) + margin < score ? peer.id : undefined;
    }
    return undefined;
  }

  #newPeer(id: NodeId): ModelPeer {
    return {
      id,
      tie: this.#tieOf(id),
      addresses: [],
      mutable: 0,
      height: 0,
      inactive: false,
      activeAtMs: Infinity,
      lastConnectedMs: undefined,
      lastDisconnectedMs: undefined,
      cooldownUntilMs: 0,
      flaps: 0,
      forgiveAtMs: Infinity,
      decayAtMs: Infinity,
      late: undefined,
    };
  }

  #newAddress(
    address: NodeAddress,
    source: string | undefined,
    tried: boolean,
    bootstrap: boolean,
  ): ModelAddress {
    return {
      address,
      failures: 0,
      retryAtMs: 0,
      lastSuccessMs: undefined,
      lastFailureMs: undefined,
      source,
      firstSeenMs: this.nowMs,
      tried,
      bootstrap,
      wrongIds: 0,
    };
  }

  #add(given: NodeAddress, source: string | undefined, tried: boolean, bootstrap: boolean): ModelAnswer {
    const accepted = acceptNodeAddress(given);
    if (!accepted.ok) return { outcome: 'InvalidAddress' };
    const { address } = accepted;
    if (address.nodeId === this.#selfId) return { outcome: 'SelfAddress' };
    const known = this.peers.get(address.nodeId);
    const twin = known?.addresses.find((other) => sameNodeAddress(other.address, address));
    if (twin !== undefined) {
      this.#strengthen(twin, source, tried, bootstrap);
      return { outcome: 'duplicate' };
    }
    if (known?.inactive === true) return { outcome: 'inactive' };
    const peer = known ?? this.#newPeer(address.nodeId);
    const next = this.#newAddress(address, source, tried, bootstrap);
    if (!this.#makeRoom(peer, next)) return { outcome: 'address-limit' };
    if (known === undefined && this.#isRefused(peer)) return { outcome: 'store-full' };
    this.signals.add('wakeDial');
    return { outcome: 'added' };
  }

  #strengthen(known: ModelAddress, source: string | undefined, tried: boolean, bootstrap: boolean): void {
    const trust = (who: string | undefined): number =>
      who === undefined ? 0 : who === 'configured' ? 3 : who === 'self-declared' ? 2 : 1;
    if (trust(source) > trust(known.source)) known.source = source;
    known.tried ||= tried;
    known.bootstrap ||= bootstrap;
  }

  #makeRoom(peer: ModelPeer, next: ModelAddress): boolean {
    const limit = this.#options.maxAddressesPerPeer;
    if (limit > 0 && peer.addresses.length >= limit) {
      const worst = this.sortedAddresses(peer)
        .reverse()
        .find(({ failures, bootstrap }) => failures > 0 && !bootstrap);
      if (worst === undefined) return false;
      peer.addresses = peer.addresses.filter((other) => other !== worst);
    }
    peer.addresses.push(next);
    return true;
  }

  /** Puts a newcomer in the table unless that would only prune it again. */
  #isRefused(peer: ModelPeer): boolean {
    this.peers.set(peer.id, peer);
    this.#newcomer = peer.id;
    const isOver = this.#options.maxPeers > 0 && this.peers.size > this.#options.maxPeers;
    if (!isOver || this.#pruneVictim() !== peer.id) return false;
    this.peers.delete(peer.id);
    return true;
  }

  #pruneVictim(): NodeId | undefined {
    const ranks = this.ranked().map(({ id }) => id);
    const prunable = [...this.peers.values()].filter(
      ({ id, addresses }) =>
        !this.persistent.has(id) &&
        !this.connected.has(id) &&
        !this.dialing.has(id) &&
        !addresses.some(({ bootstrap }) => bootstrap),
    );
    const [first] = prunable.sort(
      (a, b) =>
        this.score(a) - this.score(b) ||
        Number(b.id === this.#newcomer) - Number(a.id === this.#newcomer) ||
        (a.lastConnectedMs ?? -1) - (b.lastConnectedMs ?? -1) ||
        ranks.indexOf(b.id) - ranks.indexOf(a.id),
    );
    return first?.id;
  }

  #prune(): void {
    while (this.#options.maxPeers > 0 && this.peers.size > this.#options.maxPeers) {
      const victim = this.#pruneVictim();
      if (victim === undefined) return;
      this.peers.delete(victim);
    }
  }

  #networkOf(address: NodeAddress, id: NodeId): string {
    if (this.persistent.has(id) || classifyIp(address.hostname) !== 'global') return '';
    const network = ipNetworkKey(address.hostname)!;
    return this.#options.exemptNetworks.has(network) ? '' : network;
  }

  #isOpen(address: NodeAddress, id: NodeId): boolean {
    const { maxDialsPerHost, maxPeersPerNetwork } = this.#options;
    const hostOf = (other: NodeAddress): string =>
      ipHostKey(other.hostname) ?? (other.hostname === '' ? other.nodeId : other.hostname);
    const dials = [...this.dialing.values()].filter(
      (dial) => hostOf(dial.address) === hostOf(address),
    ).length;
    if (maxDialsPerHost > 0 && dials >= maxDialsPerHost) return false;
    const network = this.#networkOf(address, id);
    if (maxPeersPerNetwork === 0 || network === '') return true;
    const out = [...this.peers.keys()].filter((other) => {
      const used = this.dialing.get(other)?.address ?? this.connected.get(other)?.address;
      return used !== undefined && this.#networkOf(used, other) === network;
    });
    return out.length < maxPeersPerNetwork;
  }

  #dialNext(): ModelAnswer {
    if (this.#isHardFull()) return NONE;
    const isOutFull = this.#isOutFull();
    const hopeless = new Set<boolean>();
    for (const peer of this.ranked()) {
      const { id } = peer;
      const isPersistent = this.persistent.has(id);
      if (this.dialing.has(id) || this.connected.has(id) || peer.inactive || this.bans.has(id)) continue;
      if ((isOutFull && !isPersistent) || peer.cooldownUntilMs > this.nowMs) continue;
      const due = this.sortedAddresses(peer).filter((known) => known.retryAtMs <= this.nowMs);
      const found = due.find((known) => this.#isOpen(known.address, id));
      if (found === undefined || hopeless.has(isPersistent)) continue;
      const plain = [...this.dialing.keys()].filter(
        (other) => !this.connected.has(other) && this.#claimOf(other) === undefined,
      ).length;
      const needsUpgrade = this.#isLimited() && this.#staying().length + plain >= this.#options.maxConnected;
      const victim = needsUpgrade ? this.#candidate(id, this.score(peer)) : undefined;
      if (needsUpgrade && victim === undefined) {
        hopeless.add(isPersistent);
        continue;
      }
      if (victim !== undefined) this.upgrading.set(victim, id);
      const { dialTimeoutMs } = this.#options;
      const deadlineMs = dialTimeoutMs > 0 ? this.nowMs + dialTimeoutMs : Infinity;
      this.dialing.set(id, { address: found.address, deadlineMs });
      return { outcome: 'dial', peer: id, address: formatNodeAddress(found.address), victim };
    }
    return NONE;
  }

  #isLate(peer: ModelPeer | undefined, address: NodeAddress): boolean {
    if (peer?.late === undefined || !sameNodeAddress(peer.late, address)) return false;
    const dial = this.dialing.get(peer.id);
    return dial === undefined || !sameNodeAddress(dial.address, address);
  }

  #dialFailed(event: Extract<PeerEvent, { type: 'dialFailed' }>): ModelAnswer {
    const address = canonicalNodeAddress(event.address);
    this.signals.add('wakeDial');
    const peer = this.peers.get(address.nodeId);
    if (this.#isLate(peer, address)) {
      peer!.late = undefined;
      return { outcome: 'late' };
    }
    this.#release(address.nodeId);
    this.dialing.delete(address.nodeId);
    return this.#fail(peer, address, event.cause, event.retryAfterMs ?? 0, event.soft ?? false);
  }

  #fail(
    peer: ModelPeer | undefined,
    address: NodeAddress,
    cause: string | undefined,
    askedMs: number,
    soft: boolean,
  ): ModelAnswer {
    const known = peer?.addresses.find((other) => sameNodeAddress(other.address, address));
    if (peer === undefined || known === undefined) return IGNORED;
    if (!soft) {
      known.failures += 1;
      known.lastFailureMs = this.nowMs;
      known.wrongIds = cause === 'wrong-id' ? known.wrongIds + 1 : 0;
    }
    const { addressFailureLimit, wrongIdLimit, minRetryMs } = this.#options;
    const isWorn =
      (addressFailureLimit > 0 && known.failures >= addressFailureLimit) ||
      (wrongIdLimit > 0 && known.wrongIds >= wrongIdLimit);
    if (isWorn && !this.persistent.has(peer.id) && !known.bootstrap) {
      peer.addresses = peer.addresses.filter((other) => other !== known);
      if (peer.addresses.length > 0 || this.connected.has(peer.id)) return { outcome: 'address-dropped' };
      this.peers.delete(peer.id);
      return { outcome: 'peer-dropped' };
    }
    if (soft && minRetryMs === 0 && askedMs > 0) known.retryAtMs = this.nowMs + askedMs;
    else known.retryAtMs = this.nowMs + Math.max(askedMs, this.#delay(Math.max(known.failures, 1), peer.id));
    return { outcome: 'recorded' };
  }

  #delay(failures: number, id: NodeId): number {
    const { minRetryMs, maxRetryMs, maxRetryPersistentMs, retryJitterMs, retryBackoff } = this.#options;
    if (minRetryMs === 0) return Infinity;
    const longest = this.persistent.has(id) && maxRetryPersistentMs > 0 ? maxRetryPersistentMs : maxRetryMs;
    const cap = longest > 0 ? longest : Infinity;
    const jitter = retryJitterMs > 0 ? this.#rng.below(retryJitterMs) : 0;
    if (retryBackoff === 'exponential') return Math.min(minRetryMs * 2 ** (failures - 1), cap) + jitter;
    return Math.min(minRetryMs * failures + jitter, cap);
  }

  #dialed(address: NodeAddress): ModelAnswer {
    const id = address.nodeId;
    const peer = this.peers.get(id);
    this.signals.add('wakeDial');
    if (this.#isLate(peer, address)) {
      peer!.late = undefined;
      return { outcome: this.connected.has(id) ? 'AlreadyConnected' : 'DialTimedOut' };
    }
    const wasDialing = this.dialing.delete(id);
    this.#release(id);
    if (id === this.#selfId) return { outcome: 'SelfConnection' };
    if (this.connected.has(id)) return { outcome: 'AlreadyConnected' };
    if (this.bans.has(id)) return { outcome: 'Banned' };
    if (this.#isLimited() && this.connected.size >= this.#slots()) return { outcome: 'MaxConnected' };
    if (this.#isTableFull() && !wasDialing) return { outcome: 'MaxConnected' };
    if (peer === undefined) return { outcome: 'UnknownPeer' };
    const known = peer.addresses.find((other) => sameNodeAddress(other.address, address));
    let victim: NodeId | undefined;
    if (this.#isTableFull()) {
      const failures = known?.failures ?? 0;
      if (known !== undefined) known.failures = 0;
      victim = this.#candidate(id, this.score(peer));
      if (known !== undefined) known.failures = failures;
      if (victim === undefined) return { outcome: 'MaxConnected' };
    }
    if (known !== undefined) {
      Object.assign(known, {
        failures: 0,
        retryAtMs: 0,
        wrongIds: 0,
        lastSuccessMs: this.nowMs,
        tried: true,
      });
    }
    return this.#connect(peer, 'outbound', address, victim);
  }

  #accepted(id: NodeId): ModelAnswer {
    if (id === this.#selfId) return { outcome: 'SelfConnection' };
    if (this.connected.has(id)) return { outcome: 'AlreadyConnected' };
    if (this.bans.has(id)) return { outcome: 'Banned' };
    if (this.#isLimited() && this.connected.size >= this.#slots()) return { outcome: 'MaxConnected' };
    const peer = this.peers.get(id) ?? this.#newPeer(id);
    const cleared = { ...peer, addresses: peer.addresses.map((known) => ({ ...known, failures: 0 })) };
    const inbound = this.#staying().filter((other) => this.connected.get(other)!.direction === 'inbound');
    const limit = this.#options.maxIncomingConnections;
    const isIncomingFull = limit > 0 && inbound.length >= limit && !this.persistent.has(id);
    let victim: NodeId | undefined;
    if (isIncomingFull || this.#isTableFull()) {
      victim = this.#candidate(id, this.score(cleared), isIncomingFull);
      if (victim === undefined) return { outcome: isIncomingFull ? 'MaxIncoming' : 'MaxConnected' };
    }
    for (const known of peer.addresses) {
      if (known.failures > 0 || known.retryAtMs > 0)
        Object.assign(known, { failures: 0, retryAtMs: 0, wrongIds: 0 });
    }
    if (!this.peers.has(id)) this.#newcomer = id;
    this.peers.set(id, peer);
    this.#release(id);
    return this.#connect(peer, 'inbound', undefined, victim);
  }

  #connect(
    peer: ModelPeer,
    direction: 'inbound' | 'outbound',
    address: NodeAddress | undefined,
    victim: NodeId | undefined,
  ): ModelAnswer {
    peer.inactive = false;
    peer.activeAtMs = Infinity;
    peer.lastConnectedMs = this.nowMs;
    this.connected.set(peer.id, { direction, sinceMs: this.nowMs, address });
    if (victim !== undefined) this.#schedule(victim, 'upgraded');
    this.signals.add('wakeDial');
    return { outcome: 'connected', victim };
  }

  #schedule(peer: NodeId, why: string): void {
    this.evict.push({ peer, why });
    this.signals.add('wakeEvict').add('wakeDial');
  }

  #evictNext(): ModelAnswer {
    const next = this.evict.shift();
    if (next === undefined) return NONE;
    this.evicting.set(next.peer, next.why);
    return { outcome: 'evict', peer: next.peer };
  }

  #disconnected(id: NodeId): ModelAnswer {
    const link = this.connected.get(id);
    if (link === undefined) return IGNORED;
    const peer = this.peers.get(id)!;
    const why = this.evict.find((entry) => entry.peer === id)?.why ?? this.evicting.get(id);
    this.connected.delete(id);
    this.evict = this.evict.filter((entry) => entry.peer !== id);
    this.evicting.delete(id);
    this.upgrading.delete(id);
    if (this.ready.delete(id)) this.signals.add(`down ${id}`);
    this.signals.add('wakeDial');
    peer.lastDisconnectedMs = this.nowMs;
    this.#cool(peer, link, why === undefined || why === 'errored');
    if (this.connected.size === 0) {
      for (const { addresses } of this.peers.values()) {
        for (const known of addresses) if (known.bootstrap) known.retryAtMs = 0;
      }
    }
    return { outcome: 'disconnected' };
  }

  #cool(peer: ModelPeer, link: Link, isTheirs: boolean): void {
    const { disconnectCooldownMs, flapDamping, retryJitterMs } = this.#options;
    if (flapDamping === undefined) {
      peer.cooldownUntilMs = disconnectCooldownMs > 0 ? this.nowMs + disconnectCooldownMs : 0;
      return;
    }
    const isShort = this.nowMs - link.sinceMs < flapDamping.thresholdMs;
    peer.flaps = isTheirs && isShort ? peer.flaps + 1 : 0;
    const cap = Math.max(flapDamping.maxCooldownMs, disconnectCooldownMs);
    const waitMs = Math.min(disconnectCooldownMs * 2 ** peer.flaps, cap);
    peer.cooldownUntilMs = this.nowMs + waitMs + (retryJitterMs > 0 ? this.#rng.below(retryJitterMs) : 0);
    const isForgiven = peer.flaps > 0 && flapDamping.forgiveMs > 0;
    peer.forgiveAtMs = isForgiven ? this.nowMs + flapDamping.forgiveMs : Infinity;
  }

  #report(id: NodeId, status: string, weight: number): ModelAnswer {
    const peer = this.peers.get(id);
    const points = Number.isInteger(weight) && weight > 0 ? weight : 0;
    if (peer === undefined || points === 0 || (status !== 'good' && status !== 'bad')) return IGNORED;
    this.#earn(peer, status === 'good' ? points : -points);
    return { outcome: 'scored' };
  }

  #earn(peer: ModelPeer, points: number): void {
    const before = this.score(peer);
    peer.mutable = Math.max(-32768, Math.min(32766, peer.mutable + points));
    if (peer.mutable === 0 || this.#options.scoreHalfLifeMs === 0) peer.decayAtMs = Infinity;
    else if (peer.decayAtMs === Infinity) peer.decayAtMs = this.#decayInstant(this.nowMs);
    this.#wakeOnChance(peer, before);
  }

  #decayInstant(sinceMs: number): number {
    const { scoreHalfLifeMs } = this.#options;
    const step = Math.max(1, Math.floor(scoreHalfLifeMs / 64));
    return Math.ceil((sinceMs + scoreHalfLifeMs) / step) * step;
  }

  #wakeOnChance(peer: ModelPeer, before: number): void {
    const after = this.score(peer);
    if (this.connected.has(peer.id) ? after < before : after > before) this.signals.add('wakeDial');
  }

  #inactivate(id: NodeId): ModelAnswer {
    const peer = this.peers.get(id);
    if (peer === undefined || this.persistent.has(id)) return IGNORED;
    const { inactiveTtlMs } = this.#options;
    peer.inactive = true;
    peer.activeAtMs = inactiveTtlMs > 0 ? this.nowMs + inactiveTtlMs : Infinity;
    return { outcome: 'inactivated' };
  }

  #dialNow(given: NodeAddress): ModelAnswer {
    const accepted = acceptNodeAddress(given);
    if (!accepted.ok) return { outcome: 'InvalidAddress' };
    const { address } = accepted;
    const id = address.nodeId;
    if (id === this.#selfId) return { outcome: 'SelfAddress' };
    if (this.bans.has(id)) return { outcome: 'Banned' };
    const known = this.peers.get(id);
    const peer = known ?? this.#newPeer(id);
    const twin = peer.addresses.find((other) => sameNodeAddress(other.address, address));
    if (twin !== undefined) {
      this.#strengthen(twin, 'configured', false, false);
      twin.retryAtMs = 0;
    } else if (!this.#makeRoom(peer, this.#newAddress(address, 'configured', false, false))) {
      return { outcome: 'address-limit' };
    }
    if (known === undefined && this.#isRefused(peer)) return { outcome: 'store-full' };
    Object.assign(peer, { cooldownUntilMs: 0, inactive: false, activeAtMs: Infinity });
    this.signals.add('wakeDial');
    if (this.connected.has(id)) return { outcome: 'already-connected' };
    return { outcome: this.dialing.has(id) ? 'already-dialing' : 'due' };
  }

  #ban(id: NodeId, untilMs: number): ModelAnswer {
    if (id === this.#selfId) return { outcome: 'SelfConnection' };
    if (!(untilMs > this.nowMs)) return IGNORED;
    this.bans.delete(id);
    this.bans.set(id, Math.min(untilMs, Number.MAX_SAFE_INTEGER));
    if (this.#isStaying(id)) this.#schedule(id, 'banned');
    const [oldest] = this.bans.keys();
    if (this.bans.size > this.#options.maxBans) {
      this.bans.delete(oldest!);
      this.signals.add('wakeDial');
    }
    return { outcome: 'banned' };
  }

  #setPersistent(id: NodeId, persistent: boolean): ModelAnswer {
    if (id === this.#selfId) return { outcome: 'SelfConnection' };
    if (this.persistent.has(id) === persistent) return IGNORED;
    if (persistent && this.#isLimited() && this.persistent.size >= this.#options.maxConnected) {
      return { outcome: 'PersistentLimit' };
    }
    if (persistent) this.persistent.add(id);
    else this.persistent.delete(id);
    const peer = this.peers.get(id);
    if (peer !== undefined && persistent) Object.assign(peer, { inactive: false, activeAtMs: Infinity });
    this.signals.add('wakeDial');
    return { outcome: 'set' };
  }

  /** What is due by itself, in the order dial, ban, parking, decay, flap within one instant. */
  #expire(): void {
    for (;;) {
      const alarms: { atMs: number; kind: number; id: NodeId }[] = [];
      for (const [id, { deadlineMs }] of this.dialing) alarms.push({ atMs: deadlineMs, kind: 0, id });
      for (const [id, untilMs] of this.bans) alarms.push({ atMs: untilMs, kind: 1, id });
      for (const { id, activeAtMs, decayAtMs, forgiveAtMs } of this.peers.values()) {
        alarms.push({ atMs: activeAtMs, kind: 2, id }, { atMs: decayAtMs, kind: 3, id });
        alarms.push({ atMs: forgiveAtMs, kind: 4, id });
      }
      alarms.sort((a, b) => a.atMs - b.atMs || a.kind - b.kind || (a.id < b.id ? -1 : 1));
      const [first] = alarms;
      if (first === undefined || first.atMs > this.nowMs) return;
      this.#ring(first.kind, first.id);
    }
  }

  #ring(kind: number, id: NodeId): void {
    const peer = this.peers.get(id);
    if (kind === 0) {
      const { address } = this.dialing.get(id)!;
      this.dialing.delete(id);
      this.#release(id);
      peer!.late = address;
      this.#fail(peer, address, 'timeout', 0, false);
    } else if (kind === 1) {
      this.bans.delete(id);
    } else if (kind === 2) {
      Object.assign(peer!, { inactive: false, activeAtMs: Infinity });
    } else if (kind === 3) {
      const before = this.score(peer!);
      peer!.mutable = Math.trunc(peer!.mutable / 2);
      peer!.decayAtMs = peer!.mutable === 0 ? Infinity : this.#decayInstant(peer!.decayAtMs);
      this.#wakeOnChance(peer!, before);
      return;
    } else {
      peer!.flaps -= 1;
      peer!.forgiveAtMs =
        peer!.flaps > 0 ? peer!.forgiveAtMs + this.#options.flapDamping!.forgiveMs : Infinity;
      return;
    }
    this.signals.add('wakeDial');
  }
}
