import type { RefusalCode } from './codes.ts';
import { ipHostKey } from './ip.ts';
import { INBOUND_KEYS_MAX } from './limits.ts';
import { RecencyMap } from './recency-map.ts';
import type { RouterLimits } from './router-options.ts';

/** What one host has open, and how soon it may open more. */
interface Host {
  readonly key: string;
  open: number;
  tokens: number;
  /** When `tokens` was right; advances by whole refills. */
  refilledAt: number;
}

/** The place an admitted connection holds until it is released. */
export interface InboundPass {
  readonly admitted: true;
}

export type InboundAdmission = InboundPass | { readonly admitted: false; readonly code: RefusalCode };

class Pass implements InboundPass {
  readonly admitted = true;
  readonly host: Host | undefined;
  isHandshaking = true;
  isReleased = false;

  constructor(host: Host | undefined) {
    this.host = host;
  }
}

/**
 * The gates an inbound connection passes before anything is read from it: all inbound connections, running handshakes,
 * connections of its host, and the rate of its host as a token bucket. A host is an IPv4 address or an IPv6 /64;
 * connections without an IP address count in the first two gates only. A refused connection takes nothing, and a failed
 * handshake gives no token back.
 *
 * Tendermint v0.35 `connTracker` applies its spacing only while nothing is open, and keeps a stamp of every address that
 * left early for ever; here a host is forgotten when it has nothing open and a full bucket.
 */
export class InboundLimiter {
  readonly #limits: RouterLimits['inbound'];
  /** Hosts with connections open. */
  readonly #active = new RecencyMap<string, Host>();
  /** Hosts without, as long as their bucket is not full. */
  readonly #idle = new RecencyMap<string, Host>();
  #accepted = 0;
  #handshaking = 0;

  constructor(limits: RouterLimits['inbound']) {
    this.#limits = limits;
  }

  /** Inbound connections admitted and not released. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Those whose handshake runs. */
  get handshaking(): number {
    return this.#handshaking;
  }

  /** Hosts with connections open. */
  get activeHosts(): number {
    return this.#active.size;
  }

  /** Hosts remembered at all. */
  get trackedHosts(): number {
    return this.#active.size + this.#idle.size;
  }

  /**
   * Admits or refuses a connection.
   *
   * @param ip the remote IP address; empty for a transport without.
   */
  admit(ip: string, now: number): InboundAdmission {
    this.sweep(now);
    const { maxAccepted, maxPendingHandshakes, maxPerIp } = this.#limits;
    if (this.#accepted >= maxAccepted) return { admitted: false, code: 'at_capacity' };
    if (this.#handshaking >= maxPendingHandshakes) return { admitted: false, code: 'handshake_backlog' };
    const key = ipHostKey(ip);
    if (key === undefined) return this.#pass(undefined);
    const host = this.#host(key, now);
    const code = host.open >= maxPerIp ? 'per_ip' : host.tokens === 0 ? 'rate' : undefined;
    if (code === undefined) {
      host.tokens--;
      host.open++;
    }
    this.#place(host);
    return code === undefined ? this.#pass(host) : { admitted: false, code };
  }

  /** The handshake of an admitted connection is over, well or not. Repeating it does nothing. */
  handshakeEnded(pass: InboundPass): void {
    if (!(pass instanceof Pass) || !pass.isHandshaking) return;
    pass.isHandshaking = false;
    this.#handshaking--;
  }

  /** An admitted connection has closed. Repeating it does nothing. */
  release(pass: InboundPass, now: number): void {
    if (!(pass instanceof Pass) || pass.isReleased) return;
    pass.isReleased = true;
    this.handshakeEnded(pass);
    this.#accepted--;
    const { host } = pass;
    if (host === undefined) return;
    host.open--;
    if (this.#active.get(host.key) === host) {
      this.#refill(host, now);
      this.#place(host);
    }
  }

  /** Forgets hosts with nothing open and a full bucket. Done on every `admit`; for statistics and idle times. */
  sweep(now: number): void {
    for (let oldest = this.#idle.first(); oldest !== undefined; oldest = this.#idle.first()) {
      const [key, host] = oldest;
      this.#refill(host, now);
      if (host.tokens < this.#limits.burstPerIp) return;
      this.#idle.delete(key);
    }
  }

  #pass(host: Host | undefined): InboundPass {
    this.#accepted++;
    this.#handshaking++;
    return new Pass(host);
  }

  #host(key: string, now: number): Host {
    const known = this.#active.get(key) ?? this.#idle.get(key);
    if (known === undefined) return { key, open: 0, tokens: this.#limits.burstPerIp, refilledAt: now };
    this.#refill(known, now);
    return known;
  }

  /** Puts a host last where it belongs, and forgets the host touched longest ago when there are too many. */
  #place(host: Host): void {
    this.#active.delete(host.key);
    this.#idle.delete(host.key);
    (host.open > 0 ? this.#active : this.#idle).set(host.key, host);
    if (this.trackedHosts <= INBOUND_KEYS_MAX) return;
    const table = this.#idle.size > 0 ? this.#idle : this.#active;
    table.delete(table.first()![0]);
  }

  #refill(host: Host, now: number): void {
    const { burstPerIp, windowMs } = this.#limits;
    const refills = Math.floor((now - host.refilledAt) / windowMs);
    host.refilledAt += refills * windowMs;
    host.tokens += refills;
    if (host.tokens < burstPerIp) return;
    host.tokens = burstPerIp;
    host.refilledAt = now;
  }
}
