import { expect } from 'chai';
import type { NodeId } from '../../../src/core/node-id.ts';
import {
  ALL_STATE_INVARIANTS,
  ALL_STEP_INVARIANTS,
  stateViolations,
  stepViolations,
} from '../../../src/core/peer/invariants.ts';
import type { Transition } from '../../../src/core/peer/invariant.ts';
import type { Effect, PeerEvent, PeerResult } from '../../../src/core/peer/peer-event.ts';
import type { PeerInfo } from '../../../src/core/peer/peer-info.ts';
import type { Orders, PeerState } from '../../../src/core/peer/peer-state.ts';
import { address, id, T0 } from './shorthand.ts';
import { after, newTable, take } from './table-builder.ts';

const WHY = { rule: 'errored' } as const;

/** One outbound and two inbound peers, one leaving, one dialled as an upgrade, one known, one banned. */
const busy = after(
  newTable({ maxConnected: 2, maxConnectedUpgrade: 2, peerScores: [[id('d'), 5]], maxBans: 1 }),
  { type: 'add', address: address('m:a') },
  { type: 'dialNext' },
  { type: 'dialed', address: address('m:a') },
  { type: 'ready', peer: id('a'), channels: [1] },
  { type: 'accepted', peer: id('b') },
  { type: 'errored', peer: id('b'), cause: 'broken' },
  { type: 'accepted', peer: id('c') },
  { type: 'add', address: address('m:d') },
  { type: 'dialNext' },
  { type: 'add', address: address('m:e') },
  { type: 'ban', peer: id('9'), untilMs: T0 + 5, reason: 'spam' },
);

/** `busy` with one peer replaced in the table, behind the back of every order. */
function withPeer(digit: string, change: (peer: PeerInfo) => Partial<PeerInfo>): PeerState {
  const peer = busy.orders.peers.get(id(digit))!;
  const peers = new Map([...busy.orders.peers.values()].map((known) => [known.id, known]));
  peers.set(peer.id, { ...peer, ...change(peer) });
  return { ...busy, orders: { ...busy.orders, peers } };
}

function withOrders(orders: Partial<Orders>): PeerState {
  return { ...busy, orders: { ...busy.orders, ...orders } };
}

function namesOf(state: PeerState): string[] {
  return stateViolations(state).map(({ name }) => name);
}

describe('the invariants of a state', () => {
  it('hold for a busy table', () => {
    expect(stateViolations(busy)).to.deep.equal([]);
  });

  it('each have a name and a sentence of their own', () => {
    const all = [...ALL_STATE_INVARIANTS, ...ALL_STEP_INVARIANTS];
    expect(new Set(all.map(({ name }) => name)).size).to.equal(all.length);
    expect(all.every(({ statement }) => /^[A-Z].*\.$/.test(statement))).to.equal(true);
  });

  const broken: readonly [name: string, what: string, state: PeerState][] = [
    ['I1-I3', 'a ready peer that is not connected', withOrders({ connected: newTable().orders.connected })],
    [
      'I1-I3',
      'a scheduled peer that is not connected',
      withOrders({ evictions: ordersWith('evictions', { id: id('7'), sequence: 99 }) }),
    ],
    ['I4', 'a peer scheduled and evicting', withPeer('b', leavingAs('evicting'))],
    ['I5', 'a victim that is not connected', withPeer('e', () => ({ claimant: id('d') }))],
    ['I6-I8', 'a claim its claimant does not know of', withPeer('c', () => ({ claimant: id('e') }))],
    ['I6-I8', 'a claim on oneself', withPeer('c', () => ({ claimant: id('c') }))],
    ['I6-I8', 'a claim its victim does not know of', withPeer('c', () => ({ claimant: undefined }))],
    ['I9', 'more staying than slots', { ...busy, settings: { ...busy.settings, maxConnected: 1 } }],
    [
      'I10',
      'more connected than all slots',
      { ...busy, settings: { ...busy.settings, maxConnected: 2, maxConnectedUpgrade: 0 } },
    ],
    [
      'I13-I14',
      'a connected peer that is not known',
      withOrders({ connected: ordersWith('connected', id('7')) }),
    ],
    ['I15', 'ourselves in the table', { ...busy, selfId: id('a') }],
    ['I19', 'too many peers', { ...busy, settings: { ...busy.settings, maxPeers: 4 } }],
    ['I21', 'a rank that is not current', withPeer('e', () => ({ mutableScore: 3 }))],
    ['I22', 'a score beyond its range', withPeer('e', ({ rank }) => ({ rank: { ...rank, score: 40_000 } }))],
    [
      'I22',
      'the highest score for an ordinary peer',
      withPeer('e', ({ rank }) => ({ rank: { ...rank, score: 32767 } })),
    ],
    ['I23', 'an inactive persistent peer', withPeer('e', () => ({ inactive: true, persistent: true }))],
    [
      'I28',
      'an address of another peer',
      withPeer('e', ({ addresses }) => ({ addresses: readdressed(addresses, 'f') })),
    ],
    ['persistence', 'a persistent peer that nobody made one', withPeer('e', () => ({ persistent: true }))],
    ['bans', 'a banned peer that nobody banned', withPeer('e', () => ({ banned: true }))],
    ['bans', 'too many bans', { ...busy, settings: { ...busy.settings, maxBans: 0 } }],
    [
      'addresses',
      'an address twice',
      withPeer('e', ({ addresses }) => ({ addresses: [...addresses, ...addresses] })),
    ],
    [
      'address-order',
      'an address twice',
      withPeer('e', ({ addresses }) => ({ addresses: [...addresses, ...addresses] })),
    ],
    [
      'rank-orders',
      'a peer that may not be pruned among those that may',
      withOrders({ prunable: busy.orders.ranking as Orders['prunable'] }),
    ],
    ['rank-orders', 'nobody in the ranking', withOrders({ ranking: newTable().orders.ranking })],
    ['rank-orders', 'nobody that may give way', withOrders({ evictableOutbound: newTable().orders.ranking })],
    ['rank-orders', 'somebody that may give way', withOrders({ evictableInbound: busy.orders.ranking })],
    ['marks', 'a dial without a mark', withOrders({ dialing: newTable().orders.dialing })],
    ['marks', 'an eviction without a mark', withOrders({ evictions: newTable().orders.evictions })],
    ['slots', 'nobody due', withOrders({ due: newTable().orders.due })],
    ['slots', 'somebody waiting', withOrders({ waiting: busy.orders.due })],
    ['best-slot', 'nobody best', withOrders({ dueNetworks: newTable().orders.due })],
    ['group-use', 'a use of nobody', withOrders({ hostUse: new Map([['h', 1]]) })],
    ['group-use', 'a network of nobody', withOrders({ networkUse: new Map([['n', 1]]) })],
    ['alarms', 'no alarm', withOrders({ alarms: newTable().orders.alarms })],
    ['alarms', 'an alarm that is overdue', { ...busy, nowMs: T0 + 5 }],
    ['counters', 'a wrong sum', { ...busy, counters: { ...busy.counters, addresses: 99 } }],
    ['bootstraps', 'a bootstrap peer without a bootstrap address', { ...busy, bootstrapPeers: [id('a')] }],
    ['bootstraps', 'a ban without an age', withOrders({ banAges: newTable().orders.banAges })],
  ];

  for (const [name, what, state] of broken) {
    it(`${name} is broken by ${what}`, () => {
      expect(namesOf(state)).to.include(name);
    });
  }

  it('every one can be broken', () => {
    const names = new Set(broken.map(([name]) => name));
    expect(ALL_STATE_INVARIANTS.map(({ name }) => name).filter((name) => !names.has(name))).to.deep.equal([]);
  });
});

function leavingAs(phase: 'evict' | 'evicting'): (peer: PeerInfo) => Partial<PeerInfo> {
  return ({ connection }) => ({ connection: { ...connection!, leaving: { phase, sequence: 1, why: WHY } } });
}

function readdressed(addresses: PeerInfo['addresses'], digit: string): PeerInfo['addresses'] {
  return addresses.map((info) => ({ ...info, address: { ...info.address, nodeId: id(digit) } }));
}

/** An order of `busy` with one item more. */
function ordersWith<K extends 'connected' | 'evictions'>(
  name: K,
  item: K extends 'connected' ? NodeId : { id: NodeId; sequence: number },
): Orders[K] {
  const copy = (
    busy.orders[name] as Orders[K] & { clone(): Orders[K] & { set(item: unknown, nothing: undefined): void } }
  ).clone();
  copy.set(item, undefined);
  return copy;
}

describe('the invariants of a step', () => {
  const wake: Effect = { type: 'wakeDial' };
  const noWhy = { rule: 'no-change' } as const;

  function transition(
    before: PeerState,
    event: PeerEvent,
    result: PeerResult,
    effects: readonly Effect[],
    later: PeerState,
  ): string[] {
    const step: Transition = { before, event, result, effects, after: later };
    return stepViolations(step).map(({ name }) => name);
  }

  const empty = newTable();
  const known = after(empty, { type: 'add', address: address('m:a') });
  const accepted = take(known, { type: 'accepted', peer: id('a') });
  const twice = after(accepted.state, { type: 'accepted', peer: id('b') });
  const ready = take(accepted.state, { type: 'ready', peer: id('a'), channels: [] });
  const event: PeerEvent = { type: 'evictNext' };
  const none: PeerResult = { outcome: 'none', why: noWhy };
  const refused: PeerResult = { outcome: 'refused', error: 'MaxConnected', why: noWhy };
  const dialTo = (digit: string): PeerResult => ({
    outcome: 'dial',
    peer: id(digit),
    address: address(`m:${digit}`),
    why: noWhy,
  });
  const dialed = after(known, { type: 'dialNext' }, { type: 'dialed', address: address('m:a') });
  const limited = (state: PeerState, settings: Partial<PeerState['settings']>): PeerState => ({
    ...state,
    settings: { ...state.settings, ...settings },
  });
  const parked = after(known, { type: 'inactivate', peer: id('a') });
  const scheduled = take(accepted.state, { type: 'errored', peer: id('a'), cause: 'x' });
  const dialing = after(known, { type: 'dialNext' });

  const broken: readonly [name: string, what: string, violations: string[]][] = [
    ['I12', 'a connection that turns round', transition(accepted.state, event, none, [], dialed)],
    [
      'I16',
      'a dial beyond the slots',
      transition(twice, event, dialTo('a'), [], limited(twice, { maxConnected: 1 })),
    ],
    [
      'I18',
      'a dial beyond the outgoing limit',
      transition(
        dialing,
        event,
        dialTo('b'),
        [],
        limited(after(dialing, { type: 'add', address: address('m:b') }, { type: 'dialNext' }), {
          maxConnected: 9,
          maxOutgoingConnections: 1,
        }),
      ),
    ],
    [
      'I20',
      'a persistent peer that is forgotten',
      transition(after(known, { type: 'setPersistent', peer: id('a'), persistent: true }), event, none, [], {
        ...empty,
        persistentPeers: new Set([id('a')]),
      }),
    ],
    ['I23-dial', 'a dial of an inactive peer', transition(known, event, dialTo('a'), [], parked)],
    ['I24', 'a refused event that changed something', transition(known, event, refused, [], accepted.state)],
    [
      'I24',
      'a refused dialed that left its dial',
      transition(dialing, { type: 'dialed', address: address('m:a') }, refused, [wake], { ...dialing }),
    ],
    ['I25-I26', 'an update not told', transition(accepted.state, event, none, [], ready.state)],
    [
      'I25-I26',
      'an update told twice over',
      transition(ready.state, event, none, [{ type: 'update', peer: id('a'), status: 'up' }], ready.state),
    ],
    ['I27', 'a change that is not written', transition(known, event, none, [wake], accepted.state)],
    [
      'I27',
      'a write of nothing new',
      transition(known, event, none, [{ type: 'delete', peer: id('a') }], known),
    ],
    [
      'I27',
      'a record written twice',
      transition(known, event, none, [...accepted.effects, ...accepted.effects], accepted.state),
    ],
    [
      'I27',
      'a record that is not current',
      transition(
        known,
        event,
        none,
        accepted.effects.map((effect) =>
          effect.type === 'put' ? { ...effect, record: { ...effect.record, inactive: true } } : effect,
        ),
        accepted.state,
      ),
    ],
    ['I29', 'a peer that becomes due unnoticed', transition(empty, event, none, [], known)],
    [
      'I30',
      'an eviction scheduled unnoticed',
      transition(accepted.state, event, none, [wake], scheduled.state),
    ],
    [
      'I32',
      'two evictions for one connection',
      transition(
        accepted.state,
        { type: 'accepted', peer: id('b') },
        { outcome: 'connected', direction: 'inbound', why: noWhy },
        scheduled.effects,
        scheduled.state,
      ),
    ],
    [
      'effects',
      'effects out of order',
      transition(known, event, none, [...accepted.effects].reverse(), accepted.state),
    ],
    ['effects', 'a wake-up twice', transition(known, event, none, [wake, wake], known)],
    ['time', 'time that runs backwards', transition({ ...known, nowMs: T0 + 1 }, event, none, [], known)],
  ];

  for (const [name, what, violations] of broken) {
    it(`${name} is broken by ${what}`, () => {
      expect(violations).to.include(name);
    });
  }

  it('every one can be broken', () => {
    const names = new Set(broken.map(([name]) => name));
    expect(ALL_STEP_INVARIANTS.map(({ name }) => name).filter((name) => !names.has(name))).to.deep.equal([]);
  });

  it('hold for real steps', () => {
    const { state, result, effects } = accepted;
    const real = transition(known, { type: 'accepted', peer: id('a') }, result, effects, state);
    expect(real).to.deep.equal([]);
  });
});
