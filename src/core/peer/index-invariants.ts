import { compareAddresses } from './address-info.ts';
import { NO_COUNTERS, tally } from './counters.ts';
import { bestSlot, isFree } from './dial-queue.ts';
import { hostOf, networkOf, ORDINARY_LANE, PERSISTENT_LANE, UNLIMITED, type Lane } from './dial-slot.ts';
import { offenders, type Invariant, type StateView } from './invariant.ts';
import type { Order, OrderedMap } from './order.ts';
import { isDialable, isEvictable, isPrunable, type PeerInfo } from './peer-info.ts';
import type { Alarm, PeerState } from './peer-state.ts';
import { rankOrder } from './rank-order.ts';

/** What the orders and counters must agree on with the peers, so that a look at them is as good as a search. */
export const INDEX_INVARIANTS: readonly Invariant<StateView>[] = [
  {
    name: 'rank-orders',
    statement: 'The orders by rank hold exactly those they are for, at their current rank.',
    violation: ({ state: { orders }, peers }) => {
      const evictable = peers.filter(isEvictable);
      const inbound = evictable.filter(({ connection }) => connection!.direction === 'inbound');
      const outbound = evictable.filter(({ connection }) => connection!.direction === 'outbound');
      return (
        mismatch('ranking', orders.ranking, peers.map(rankOf)) ??
        mismatch('prunable', orders.prunable, peers.filter(isPrunable).map(rankOf)) ??
        mismatch('evictableInbound', orders.evictableInbound, inbound.map(rankOf)) ??
        mismatch('evictableOutbound', orders.evictableOutbound, outbound.map(rankOf))
      );
    },
  },
  {
    name: 'marks',
    statement: 'The lists of connected, dialled and scheduled peers agree with the peers.',
    violation: ({ state: { orders }, peers }) => {
      const connected = peers.filter(({ connection }) => connection !== undefined);
      const scheduled = connected.filter(({ connection }) => connection!.leaving?.phase === 'evict');
      const evictions = scheduled.map(({ id, connection }) => ({
        id,
        sequence: connection!.leaving!.sequence,
      }));
      const dialing = peers.filter(({ dial }) => dial !== undefined);
      return (
        mismatch('connected', orders.connected, connected.map(idOf)) ??
        mismatch('dialing', orders.dialing, dialing.map(idOf)) ??
        mismatch('evictions', orders.evictions, evictions)
      );
    },
  },
  {
    name: 'address-order',
    statement: 'The addresses of every peer are in address order.',
    violation: ({ peers }) =>
      offenders(
        peers.filter(({ addresses }) =>
          addresses.some((info, at) => at > 0 && compareAddresses(addresses[at - 1]!, info) >= 0),
        ),
      ),
  },
  {
    name: 'slots',
    statement: 'Every way to dial a dialable peer is waiting or due, as the time says.',
    violation: ({ state: { orders, nowMs }, peers }) => {
      const slots = peers.filter(isDialable).flatMap((peer) => peer.slots);
      const due = slots.filter(({ dueMs }) => dueMs <= nowMs);
      const waiting = slots.filter(({ dueMs }) => dueMs > nowMs);
      return mismatch('due', orders.due, due) ?? mismatch('waiting', orders.waiting, waiting);
    },
  },
  {
    name: 'best-slot',
    statement: 'The best due peer of each lane is the one a search finds.',
    violation: ({ state, peers }) =>
      [PERSISTENT_LANE, ORDINARY_LANE]
        .map((lane) => bestSlotViolation(state, peers, lane as Lane))
        .find((violation) => violation !== undefined),
  },
  {
    name: 'group-use',
    statement: 'The use of hosts and networks is that of the dials and outbound connections.',
    violation: ({ state: { orders, settings }, peers }) => {
      const dials = peers.map(({ dial }) => dial?.address).filter((address) => address !== undefined);
      const hosts = settings.maxDialsPerHost > 0 ? dials.map(hostOf) : [];
      const networks = peers.flatMap(({ dial, connection, persistent }) => {
        const address = dial?.address ?? connection?.address;
        return address === undefined ? [] : [networkOf(address, persistent, settings)];
      });
      return (
        miscount('hostUse', orders.hostUse, hosts) ??
        miscount(
          'networkUse',
          orders.networkUse,
          networks.filter((network) => network !== UNLIMITED),
        )
      );
    },
  },
  {
    name: 'alarms',
    statement: 'Exactly what is to happen by itself has an alarm, and none is overdue.',
    violation: ({ state: { orders, nowMs }, peers }) => {
      const expected: Alarm[] = [];
      const expect = (id: Alarm['id'], kind: Alarm['kind'], atMs: number | undefined): void => {
        if (atMs !== undefined) expected.push({ id, kind, atMs });
      };
      for (const { id, untilMs } of orders.bans.values()) expect(id, 'ban', untilMs);
      for (const { id, dial, activeAtMs, decayAtMs, forgiveAtMs } of peers) {
        expect(id, 'dial', dial?.deadlineMs);
        expect(id, 'parking', activeAtMs);
        expect(id, 'decay', decayAtMs);
        expect(id, 'flap', forgiveAtMs);
      }
      const overdue = expected.find(({ atMs }) => atMs <= nowMs);
      return overdue?.id ?? mismatch('alarms', orders.alarms, expected);
    },
  },
  {
    name: 'counters',
    statement: 'The counters are the sums over all peers.',
    violation: ({ state, peers }) => {
      const expected = { ...NO_COUNTERS };
      for (const peer of peers) tally(expected, peer, state.settings, 1);
      const wrong = Object.entries(expected).find(
        ([name, sum]) => sum !== state.counters[name as keyof typeof expected],
      );
      return wrong && `${wrong[0]} should be ${wrong[1]}`;
    },
  },
  {
    name: 'bootstraps',
    statement: 'The list of bootstrap peers agrees with their addresses; the ages of bans with the bans.',
    violation: ({ state: { bootstrapPeers, orders }, peers }) => {
      const expected = peers
        .filter(({ addresses }) => addresses.some(({ bootstrap }) => bootstrap))
        .map(idOf);
      const isSame =
        expected.length === bootstrapPeers.length && expected.every((id) => bootstrapPeers.includes(id));
      return isSame ? mismatch('banAges', orders.banAges, [...orders.bans.values()]) : 'bootstrapPeers';
    },
  },
];

function rankOf({ rank }: PeerInfo): PeerInfo['rank'] {
  return rank;
}

function idOf({ id }: PeerInfo): PeerInfo['id'] {
  return id;
}

function bestSlotViolation(state: PeerState, peers: readonly PeerInfo[], lane: Lane): string | undefined {
  const open = peers.filter((peer) => {
    const isInLane = peer.persistent === (lane === PERSISTENT_LANE);
    const isOver = peer.cooldownUntilMs <= state.nowMs;
    const isOpen = peer.addresses.some(
      (info) => info.retryAtMs <= state.nowMs && isFree(state, info.address, peer.persistent),
    );
    return isInLane && isOver && isOpen && isDialable(peer);
  });
  const compare = rankOrder(state.settings);
  const [best] = open.map(rankOf).sort(compare);
  const found = bestSlot(state, lane);
  return best?.id === found?.id
    ? undefined
    : `lane ${lane}: ${found?.id ?? 'nobody'}, not ${best?.id ?? 'nobody'}`;
}

function mismatch<T>(name: string, order: Order<T>, expected: readonly T[]): string | undefined {
  const isSame = order.size === expected.length && expected.every((item) => order.has(item));
  return isSame ? undefined : `${name} has ${order.size} of ${expected.length}`;
}

function miscount(
  name: string,
  use: OrderedMap<string, number>,
  groups: readonly string[],
): string | undefined {
  const counts = new Map<string, number>();
  for (const group of groups) counts.set(group, (counts.get(group) ?? 0) + 1);
  const isSame = use.size === counts.size && [...counts].every(([group, count]) => use.get(group) === count);
  return isSame ? undefined : name;
}
