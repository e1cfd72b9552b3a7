import { formatNodeAddress, parseNodeAddressResult, sameNodeAddress } from '../node-address.ts';
import { offenders, type Invariant, type StateView } from './invariant.ts';
import { isPrunable, isStaying, scoreOf, type PeerInfo } from './peer-info.ts';
import { stayingCount } from './peer-state.ts';
import { rankOrder } from './rank-order.ts';
import { SCORE_MAX, SCORE_MIN } from './ranking.ts';

/** What is true of the table as the peer manager describes it. */
export const STATE_INVARIANTS: readonly Invariant<StateView>[] = [
  {
    name: 'I1-I3',
    statement: 'Ready, scheduled and evicting peers are connected.',
    violation: ({ state, peers }) => {
      const { connected } = state.orders;
      const marked = peers.filter(
        ({ connection }) => connection?.channels !== undefined || connection?.leaving !== undefined,
      );
      const scheduled = [...state.orders.evictions.keys()].map(({ id }) => id);
      const strays = scheduled.filter((id) => !connected.has(id));
      return offenders(marked.filter(({ id }) => !connected.has(id))) ?? firstOf(strays);
    },
  },
  {
    name: 'I4',
    statement: 'No peer is scheduled for eviction and evicting at once.',
    violation: ({ state, peers }) => {
      const scheduled = new Set([...state.orders.evictions.keys()].map(({ id }) => id));
      return offenders(
        peers.filter(({ id, connection }) => scheduled.has(id) && connection?.leaving?.phase !== 'evict'),
      );
    },
  },
  {
    name: 'I5',
    statement: 'Every victim is connected.',
    violation: ({ peers }) =>
      offenders(
        peers.filter(({ claimant, connection }) => claimant !== undefined && connection === undefined),
      ),
  },
  {
    name: 'I6-I8',
    statement: 'A claimant is dialled, not connected, and holds exactly the claim its victim knows of.',
    violation: ({ state, peers }) => {
      const find = (id: PeerInfo['id'] | undefined): PeerInfo | undefined =>
        id === undefined ? undefined : state.orders.peers.get(id);
      const isWrongVictim = ({ id, claimant }: PeerInfo): boolean =>
        claimant !== undefined && (claimant === id || find(claimant)?.dial?.victim !== id);
      const isWrongClaimant = ({ id, dial, connection }: PeerInfo): boolean =>
        dial?.victim !== undefined && (connection !== undefined || find(dial.victim)?.claimant !== id);
      return offenders(peers.filter((peer) => isWrongVictim(peer) || isWrongClaimant(peer)));
    },
  },
  {
    name: 'I9',
    statement: 'With a limit, no more peers are staying than there are ordinary slots.',
    violation: ({ state }) => {
      const { maxConnected } = state.settings;
      const staying = stayingCount(state);
      return maxConnected > 0 && staying > maxConnected ? `${staying} of ${maxConnected}` : undefined;
    },
  },
  {
    name: 'I10',
    statement: 'With a limit, no more peers are connected than there are slots, upgrade slots included.',
    violation: ({ state: { settings, counters } }) => {
      const slots = settings.maxConnected + settings.maxConnectedUpgrade;
      const isOver = settings.maxConnected > 0 && counters.connected > slots;
      return isOver ? `${counters.connected} of ${slots}` : undefined;
    },
  },
  {
    name: 'I13-I14',
    statement: 'Connected and dialled peers are known.',
    violation: ({ state: { orders } }) =>
      firstOf([...orders.connected.keys(), ...orders.dialing.keys()].filter((id) => !orders.peers.has(id))),
  },
  {
    name: 'I15',
    statement: 'We are not in our own table.',
    violation: ({ state, peers }) => offenders(peers.filter(({ id }) => id === state.selfId)),
  },
  {
    name: 'I19',
    statement: 'No more peers are known than the limit says, unless nobody may be forgotten.',
    violation: ({ state, peers }) => {
      const { maxPeers } = state.settings;
      if (maxPeers === 0 || peers.length <= maxPeers) return undefined;
      return offenders(peers.filter(isPrunable));
    },
  },
  {
    name: 'I21',
    statement: 'The ranking is in order of current scores.',
    violation: ({ state, peers }) => {
      const compare = rankOrder(state.settings);
      const stale = peers.filter((peer) => peer.rank.score !== scoreOf(peer, state.settings));
      const ranked = [...state.orders.ranking.keys()];
      const swapped = ranked.find((rank, at) => at > 0 && compare(ranked[at - 1]!, rank) >= 0);
      return offenders(stale) ?? swapped?.id;
    },
  },
  {
    name: 'I22',
    statement: 'Scores fit 16 bits, and only fixed scores and persistence reach the highest.',
    violation: ({ state, peers }) => {
      const isOutside = ({ rank, persistent, fixedScore }: PeerInfo): boolean =>
        !(rank.score >= SCORE_MIN && rank.score <= SCORE_MAX) ||
        (rank.score === SCORE_MAX && !persistent && fixedScore === 0 && hasDefaultScores(state));
      return offenders(peers.filter(isOutside));
    },
  },
  {
    name: 'I23',
    statement: 'An inactive peer is not persistent.',
    violation: ({ peers }) => offenders(peers.filter(({ inactive, persistent }) => inactive && persistent)),
  },
  {
    name: 'I28',
    statement:
      'Every address has a text that reads back as the same address, and carries the id of its peer.',
    violation: ({ peers }) =>
      offenders(
        peers.filter(({ id, addresses }) => !addresses.every(({ address }) => isReadable(address, id))),
      ),
  },
  {
    name: 'persistence',
    statement: 'Exactly the persistent peers are marked so.',
    violation: ({ state, peers }) =>
      offenders(peers.filter(({ id, persistent }) => persistent !== state.persistentPeers.has(id))),
  },
  {
    name: 'bans',
    statement:
      'Exactly the banned peers are marked so; none of them is staying; bans are within their limit.',
    violation: ({ state, peers }) => {
      const { bans } = state.orders;
      if (bans.size > state.settings.maxBans) return `${bans.size} bans`;
      return offenders(
        peers.filter((peer) => peer.banned !== bans.has(peer.id) || (peer.banned && isStaying(peer))),
      );
    },
  },
  {
    name: 'addresses',
    statement: 'No peer has an address twice, or more addresses than the limit says.',
    violation: ({ state, peers }) => {
      const limit = state.settings.maxAddressesPerPeer || Infinity;
      const isCrowded = ({ addresses }: PeerInfo): boolean =>
        addresses.length > limit ||
        new Set(addresses.map(({ address }) => formatNodeAddress(address))).size < addresses.length;
      return offenders(peers.filter(isCrowded));
    },
  },
];

function hasDefaultScores({ settings }: StateView['state']): boolean {
  return settings.ranking.score({ fixed: 0, persistent: false, mutable: SCORE_MAX, failures: 0 }) < SCORE_MAX;
}

function isReadable(address: PeerInfo['addresses'][number]['address'], id: PeerInfo['id']): boolean {
  const readBack = parseNodeAddressResult(formatNodeAddress(address));
  return readBack.ok && address.nodeId === id && sameNodeAddress(readBack.address, address);
}

function firstOf(ids: readonly string[]): string | undefined {
  return ids[0];
}
