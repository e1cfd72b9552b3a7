import {
  PEX_SERVER_BURST,
  PEX_SERVER_MEMORY_MS,
  PEX_SERVER_MEMORY_PEERS,
  PEX_SERVER_REFILL_MS,
  PEX_STRIKE_DECAY_MS,
  PEX_STRIKES_MAX,
} from '../limits.ts';
import type { NodeId } from '../node-id.ts';
import { RecencyMap } from '../recency-map.ts';

/** What to do with a request: answer it, or not, and with `evict` report the peer as fatal too. */
export type PexServing = 'answer' | 'ignore' | 'evict';

interface Account {
  tokens: number;
  /** When `tokens` was right; advances by whole refills. */
  refilledAt: number;
  strikes: number;
  /** When `strikes` was right; advances by whole decays. */
  decayedAt: number;
}

/**
 * How much each peer may ask us, and how much it has misbehaved. Accounts outlive the connection for a while, so that
 * reconnecting wins nothing (Tendermint v0.35 forgets a peer when it disconnects).
 */
export class PexServer {
  readonly #connected = new Map<NodeId, Account>();
  /** Accounts of peers that have gone. */
  readonly #gone = new RecencyMap<NodeId, { readonly account: Account; readonly until: number }>();

  /** Accounts held, for statistics. */
  get size(): number {
    return this.#connected.size + this.#gone.size;
  }

  /** A peer with the PEX channel is ready. */
  up(peer: NodeId, now: number): void {
    this.#forgetExpired(now);
    if (this.#connected.has(peer)) return;
    this.#connected.set(peer, this.#gone.get(peer)?.account ?? freshAccount(now));
    this.#gone.delete(peer);
  }

  down(peer: NodeId, now: number): void {
    const account = this.#connected.get(peer);
    if (account === undefined) return;
    this.#connected.delete(peer);
    this.#remember(peer, account, now);
  }

  /** A peer asks for addresses. More than its budget goes unanswered and costs a strike. */
  request(peer: NodeId, now: number): PexServing {
    const account = this.#account(peer, now);
    refill(account, now);
    if (account.tokens > 0) {
      account.tokens--;
      return 'answer';
    }
    return this.strike(peer, 1, now) ? 'evict' : 'ignore';
  }

  /** Adds strikes to a peer. True when it now has too many and is to be reported as fatal. */
  strike(peer: NodeId, count: number, now: number): boolean {
    const account = this.#account(peer, now);
    decay(account, now);
    if (account.strikes === 0) account.decayedAt = now;
    account.strikes = Math.min(account.strikes + count, PEX_STRIKES_MAX);
    return account.strikes >= PEX_STRIKES_MAX;
  }

  /** Strikes that still count against a peer. */
  strikes(peer: NodeId, now: number): number {
    const account = this.#connected.get(peer) ?? this.#gone.get(peer)?.account;
    if (account === undefined) return 0;
    decay(account, now);
    return account.strikes;
  }

  #account(peer: NodeId, now: number): Account {
    const account = this.#connected.get(peer) ?? this.#gone.get(peer)?.account;
    return account ?? this.#remember(peer, freshAccount(now), now);
  }

  #remember(peer: NodeId, account: Account, now: number): Account {
    this.#gone.set(peer, { account, until: now + PEX_SERVER_MEMORY_MS });
    this.#forgetExpired(now);
    return account;
  }

  #forgetExpired(now: number): void {
    for (let oldest = this.#gone.first(); oldest !== undefined; oldest = this.#gone.first()) {
      const [peer, { until }] = oldest;
      if (until > now && this.#gone.size <= PEX_SERVER_MEMORY_PEERS) return;
      this.#gone.delete(peer);
    }
  }
}

function freshAccount(now: number): Account {
  return { tokens: PEX_SERVER_BURST, refilledAt: now, strikes: 0, decayedAt: now };
}

function refill(account: Account, now: number): void {
  const refills = Math.floor((now - account.refilledAt) / PEX_SERVER_REFILL_MS);
  account.refilledAt += refills * PEX_SERVER_REFILL_MS;
  account.tokens += refills;
  if (account.tokens < PEX_SERVER_BURST) return;
  account.tokens = PEX_SERVER_BURST;
  account.refilledAt = now;
}

function decay(account: Account, now: number): void {
  const decays = Math.floor((now - account.decayedAt) / PEX_STRIKE_DECAY_MS);
  account.decayedAt += decays * PEX_STRIKE_DECAY_MS;
  account.strikes = Math.max(0, account.strikes - decays);
}
