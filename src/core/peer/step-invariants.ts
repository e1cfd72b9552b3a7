import type { Direction } from '../direction.ts';
import type { NodeId } from '../node-id.ts';
import { describeState, type DescribedState } from './describe-state.ts';
import type { Invariant, Transition } from './invariant.ts';
import { step } from './peer-core.ts';
import type { Effect } from './peer-event.ts';
import { peerRecord, samePeerRecord } from './peer-info.ts';
import type { PeerRecord } from './peer-record.ts';
import { occupiedCount, type PeerState } from './peer-state.ts';
import { nextDialAt, status } from './queries.ts';

/** What is true of every step. */
export const STEP_INVARIANTS: readonly Invariant<Transition>[] = [
  {
    name: 'I12',
    statement: 'A connection keeps its direction until it ends.',
    violation: ({ before, after }) =>
      [...before.orders.connected.keys()].find((id) => {
        const is = directionOf(after, id);
        return is !== undefined && is !== directionOf(before, id);
      }),
  },
  {
    name: 'I16',
    statement: 'A dial is handed out only into a slot, upgrade slots included.',
    violation: ({ result, after }) => {
      const { maxConnected, maxConnectedUpgrade } = after.settings;
      if (result.outcome !== 'dial' || maxConnected === 0) return undefined;
      const occupied = occupiedCount(after);
      return occupied > maxConnected + maxConnectedUpgrade ? `${occupied} occupied` : undefined;
    },
  },
  {
    name: 'I18',
    statement: 'An ordinary peer is dialled only while outbound connections and dials leave room for it.',
    violation: ({ result, after }) => {
      const limit = after.settings.maxOutgoingConnections;
      if (result.outcome !== 'dial' || limit === 0 || after.persistentPeers.has(result.peer))
        return undefined;
      const { outbound, dialing, dialingConnected } = after.counters;
      const outgoing = outbound + dialing - dialingConnected;
      return outgoing > limit ? `${outgoing} of ${limit}` : undefined;
    },
  },
  {
    name: 'I20',
    statement: 'A peer that is persistent, or has a bootstrap address, stays known.',
    violation: ({ before, after }) => {
      const persistent = [...before.persistentPeers].filter((id) => after.persistentPeers.has(id));
      const kept = [...persistent, ...before.bootstrapPeers];
      return kept.find((id) => before.orders.peers.has(id) && !after.orders.peers.has(id));
    },
  },
  {
    name: 'I23-dial',
    statement: 'An inactive or banned peer is never handed out.',
    violation: ({ result, after }) => {
      if (result.outcome !== 'dial') return undefined;
      const { inactive, banned } = after.orders.peers.get(result.peer)!;
      return inactive || banned ? result.peer : undefined;
    },
  },
  {
    name: 'I24',
    statement:
      'A refused event changes nothing, but that a dialed ends its dial and may so make a peer prunable.',
    violation: ({ before, event, result, after }) => {
      if (result.outcome !== 'refused' || before.nowMs !== after.nowMs) return undefined;
      if (event.type !== 'dialed') return before === after ? undefined : event.type;
      const id = event.address.nodeId.toLowerCase();
      const isLate =
        result.why.rule === 'late-report' || before.orders.peers.get(id as NodeId)?.lateDial !== undefined;
      const known = describeState(before);
      const was = { ...known, peers: known.peers.filter((peer) => after.orders.peers.has(peer.id)) };
      const allowed = isLate ? [was, withoutDial(was, id)] : [withoutDial(was, id)];
      const is = JSON.stringify(describeState(after));
      return allowed.some((described) => JSON.stringify(described) === is) ? undefined : event.type;
    },
  },
  {
    name: 'I25-I26',
    statement: 'Updates tell every change of who is up, in turns, and nothing else.',
    violation: ({ before, effects, after }) => {
      const told = effects.filter((effect) => effect.type === 'update');
      const wrong = told.find(
        ({ peer, status: now }) => status(before, peer) === now || status(after, peer) !== now,
      );
      const toldOf = new Set(told.map(({ peer }) => peer));
      const untold = [...before.orders.connected.keys(), ...after.orders.connected.keys()].find(
        (id) => status(before, id) !== status(after, id) && !toldOf.has(id),
      );
      return wrong?.peer ?? untold;
    },
  },
  {
    name: 'I27',
    statement: 'Whatever changes in a stored record is written, once, and nothing else is.',
    violation: ({ before, effects, after }) => {
      const records = effects.filter((effect) => effect.type === 'put').map(({ record }) => record);
      const removed = effects.filter((effect) => effect.type === 'delete').map(({ peer }) => peer);
      const ids = [...records.map(({ id }) => id), ...removed];
      if (new Set(ids).size < ids.length) return 'written twice';
      const all = new Set([...before.orders.peers.keys(), ...after.orders.peers.keys()]);
      const wrong = [...all].find((id) => isStale(before, after, id) !== ids.includes(id));
      return wrong ?? removed.find((id) => after.orders.peers.has(id)) ?? records.find(isOutdated(after))?.id;
    },
  },
  {
    name: 'I29',
    statement: 'Nobody becomes due without a wake-up, but by time.',
    violation: ({ before, event, effects, after }) => {
      const due = nextDialAt(before, before.nowMs) ?? Infinity;
      const isExpected = event.type === 'dialNext' || after.nowMs >= due;
      if (isExpected || effects.some(({ type }) => type === 'wakeDial')) return undefined;
      const env = { now: after.nowMs, rng: { below: () => 0 } };
      const couldDial = step(before, { type: 'dialNext' }, env).result.outcome === 'dial';
      const { result } = step(after, { type: 'dialNext' }, env);
      return !couldDial && result.outcome === 'dial' ? result.peer : undefined;
    },
  },
  {
    name: 'I30',
    statement: 'No eviction is scheduled without a wake-up.',
    violation: ({ before, effects, after }) => {
      const isScheduled = before.orders.evictions.size === 0 && after.orders.evictions.size > 0;
      return isScheduled && !effects.some(({ type }) => type === 'wakeEvict') ? 'no wakeEvict' : undefined;
    },
  },
  {
    name: 'I32',
    statement: 'A connection taken in schedules at most one eviction, and only for the slot it needs.',
    violation: ({ before, result, after }) => {
      if (result.outcome !== 'connected') return undefined;
      const scheduled = after.orders.evictions.size - before.orders.evictions.size;
      const expected = result.victim === undefined ? 0 : 1;
      return scheduled === expected ? undefined : `${scheduled} evictions`;
    },
  },
  {
    name: 'effects',
    statement: 'Effects come in the order writes, updates, wake-ups, and each wake-up once.',
    violation: ({ effects }) => {
      const ranks = effects.map(({ type }) => EFFECT_RANKS[type]);
      return ranks.some((rank, at) => at > 0 && rank < ranks[at - 1]!) || hasTwice(effects)
        ? effects.map(({ type }) => type).join(', ')
        : undefined;
    },
  },
  {
    name: 'time',
    statement: 'Time does not run backwards.',
    violation: ({ before, after }) => (after.nowMs < before.nowMs ? `${after.nowMs}` : undefined),
  },
];

const EFFECT_RANKS: Readonly<Record<Effect['type'], number>> = {
  put: 0,
  delete: 0,
  putBan: 0,
  deleteBan: 0,
  update: 1,
  wakeDial: 2,
  wakeEvict: 2,
};

function hasTwice(effects: readonly Effect[]): boolean {
  const wakes = effects
    .map(({ type }) => type)
    .filter((type) => EFFECT_RANKS[type] === EFFECT_RANKS.wakeDial);
  return new Set(wakes).size < wakes.length;
}

function directionOf({ orders }: PeerState, id: NodeId): Direction | undefined {
  return orders.peers.get(id)?.connection?.direction;
}

function withoutDial(described: DescribedState, id: string): DescribedState {
  const claims = Object.entries(described.upgrading).filter(([, claimant]) => claimant !== id);
  return {
    ...described,
    dialing: described.dialing.filter((other) => other !== id),
    upgrading: Object.fromEntries(claims),
  };
}

function isStale(before: PeerState, after: PeerState, id: NodeId): boolean {
  const was = before.orders.peers.get(id);
  const is = after.orders.peers.get(id);
  return was === undefined || is === undefined ? was !== is : !samePeerRecord(was, is);
}

function isOutdated({ orders }: PeerState): (record: PeerRecord) => boolean {
  return (record) => {
    const peer = orders.peers.get(record.id);
    return peer === undefined || JSON.stringify(peerRecord(peer)) !== JSON.stringify(record);
  };
}
