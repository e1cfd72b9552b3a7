import type { NodeAddress } from '../node-address.ts';
import type { NodeId } from '../node-id.ts';
import type { Chance } from './peer-event.ts';
import { advertisedAddresses, isAdvertisable } from './peer-info.ts';
import type { PeerState } from './peer-state.ts';

/** An address that may be told, with what its chances depend on. */
interface Offer {
  readonly address: NodeAddress;
  readonly score: number;
  /** Of its peer among all peers, the best being 0. */
  readonly rank: number;
}

/** Passes over all offers, per address wanted, before the rest is taken in order. */
const PASSES_PER_ADDRESS = 2;

/** One in so many addresses is taken whatever its score. */
const LUCK = 10;

/**
 * Addresses to tell `to`, our own first: exactly as many as there are, within `limit`. The better a peer ranks the
 * likelier it is chosen, but everybody has a chance (Tendermint v0.35 PeerManager.Advertise).
 */
export function advertise(state: PeerState, to: NodeId, limit: number, rng: Chance): readonly NodeAddress[] {
  if (!(limit >= 1)) return [];
  const self = selfAddress(state);
  const room = Math.floor(limit) - self.length;
  if (advertisedCount(state, to) <= room)
    return [...self, ...[...offers(state, to)].map(({ address }) => address)];
  return [...self, ...draw(state, to, room, rng)];
}

function selfAddress({ settings }: PeerState): readonly NodeAddress[] {
  const own = settings.selfAddress;
  return own !== undefined && own.hostname !== '' && own.port > 0 ? [own] : [];
}

/** How many addresses may be told to `to`, our own aside. */
function advertisedCount({ counters, orders, settings }: PeerState, to: NodeId): number {
  const peer = orders.peers.get(to);
  const own = peer && isAdvertisable(peer, settings) ? advertisedAddresses(peer, settings).length : 0;
  return counters.advertised - own;
}

/** Everything that may be told to `to`, best first. */
function* offers({ orders, settings }: PeerState, to: NodeId): Generator<Offer, undefined> {
  let rank = 0;
  for (const { id, score } of orders.ranking.keys()) {
    const peer = orders.peers.get(id)!;
    if (id !== to && isAdvertisable(peer, settings)) {
      for (const { address } of advertisedAddresses(peer, settings)) yield { address, score, rank };
    }
    rank += 1;
  }
  return undefined;
}

/** `count` of the addresses, of which there are more. */
function draw(state: PeerState, to: NodeId, count: number, rng: Chance): readonly NodeAddress[] {
  const mean = meanScore(state, to);
  const taken: NodeAddress[] = [];
  let left: Offer[] = [];
  let source: Iterable<Offer> = offers(state, to);
  for (let pass = 0; pass < PASSES_PER_ADDRESS * count && taken.length < count; pass++) {
    const passed: Offer[] = [];
    for (const offer of source) {
      if (taken.length < count && isLucky(offer, mean, rng)) taken.push(offer.address);
      else passed.push(offer);
      if (taken.length === count) break;
    }
    left = passed;
    source = left;
  }
  const missing = left.slice(0, count - taken.length).map(({ address }) => address);
  return [...taken, ...missing];
}

function isLucky({ score, rank }: Offer, mean: number, rng: Chance): boolean {
  return rng.below(2 * mean + 1) <= score + 1 || rng.below(LUCK * (rank + 1)) <= rank + 1;
}

/** The mean of the absolute scores of all peers but `to`, rounded down. */
function meanScore({ counters, orders }: PeerState, to: NodeId): number {
  const own = orders.peers.get(to);
  const count = orders.peers.size - (own === undefined ? 0 : 1);
  const sum = counters.absoluteScore - Math.abs(own?.rank.score ?? 0);
  return Math.floor((sum + 1) / (count + 1));
}
