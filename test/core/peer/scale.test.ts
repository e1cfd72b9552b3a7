import { expect } from 'chai';
import type { NodeId } from '../../../src/core/node-id.ts';
import type { PeerEvent } from '../../../src/core/peer/peer-event.ts';
import type { PeerRecord } from '../../../src/core/peer/peer-record.ts';
import type { PeerState } from '../../../src/core/peer/peer-state.ts';
import * as queries from '../../../src/core/peer/queries.ts';
import { DEFAULT_RANKING, type Ranking } from '../../../src/core/peer/ranking.ts';
import type { PeerOptions } from '../../../src/core/peer/options.ts';
import { T0 } from './shorthand.ts';
import { newTable, take } from './table-builder.ts';

/** Counts how often two peers are compared: what a search or a sort cannot hide. */
let comparisons = 0;
const counting: Ranking = {
  ...DEFAULT_RANKING,
  compareRank(a, b) {
    comparisons += 1;
    return DEFAULT_RANKING.compareRank(a, b);
  },
  comparePrune(a, b) {
    comparisons += 1;
    return DEFAULT_RANKING.comparePrune(a, b);
  },
};

const OPTIONS: PeerOptions = {
  ranking: counting,
  maxConnected: 64,
  maxConnectedUpgrade: 4,
  maxOutgoingConnections: 12,
  minRetryMs: 3_600_000,
  disconnectCooldownMs: 2000,
};

function nodeId(number: number): NodeId {
  return number.toString(16).padStart(8, '0').repeat(5) as NodeId;
}

function addressOf(number: number): PeerRecord['addresses'][number]['address'] {
  const hostname = `${1 + ((number >> 14) & 63)}.${(number >> 7) & 127}.${number & 127}.9`;
  return { protocol: 'mconn', nodeId: nodeId(number), hostname, port: 26656, path: '' };
}

/** A table of `size` peers, 99 of 100 of them in back-off. */
function crowd(size: number, options: PeerOptions = {}): PeerState {
  const records = Array.from({ length: size }, (_, at): PeerRecord => {
    const failures = at % 100 === 0 ? {} : { lastDialFailureMs: T0 };
    const dialFailures = at % 100 === 0 ? 0 : 1 + (at % 7);
    return {
      id: nodeId(at + 1),
      addresses: [{ address: addressOf(at + 1), dialFailures, tried: false, ...failures }],
      inactive: false,
    };
  });
  return newTable({ ...OPTIONS, ...options }, { records, bans: [] });
}

/** The most comparisons any one of the events takes. */
function worst(state: PeerState, events: Iterable<PeerEvent>): number {
  let most = 0;
  let current = state;
  for (const event of events) {
    comparisons = 0;
    current = take(current, event).state;
    most = Math.max(most, comparisons);
  }
  return most;
}

/** Fills the table, then goes on when nobody can be dialled any more. */
function* life(state: PeerState): Generator<PeerEvent> {
  const size = state.orders.peers.size;
  for (let number = 1; number <= 80; number++) {
    const peer = nodeId(((number * 37) % size) + 1);
    const address = addressOf(((number * 100) % size) + 1);
    yield { type: 'dialNext' };
    yield number % 2 === 0 ? { type: 'dialed', address } : { type: 'dialFailed', address };
    yield { type: 'accepted', peer };
    yield { type: 'processPeerEvent', peer, status: number % 3 === 0 ? 'bad' : 'good' };
    yield { type: 'errored', peer, cause: 'broken' };
    yield { type: 'evictNext' };
    if (number % 4 === 0) yield { type: 'disconnected', peer };
    yield { type: 'add', address: addressOf(size + number) };
    yield { type: 'inactivate', peer: nodeId((number % size) + 1) };
  }
}

describe('the cost of a decision', () => {
  let small: PeerState;
  let large: PeerState;

  before(() => {
    small = crowd(500);
    large = crowd(20_000);
  });

  it('hardly grows from 500 to 20,000 known peers', () => {
    const few = worst(small, life(small));
    const many = worst(large, life(large));
    expect(many).to.be.below(2 * few);
    expect(many).to.be.below(400);
  });

  it('is the same when every peer of a network has to wait for it', () => {
    const options = { maxPeersPerNetwork: 1, maxDialsPerHost: 1 };
    const crowded = crowd(20_000, options);
    expect(worst(crowded, life(crowded))).to.be.below(600);
  });

  it('of looking for the next instant compares no ranks at all', () => {
    comparisons = 0;
    expect(queries.nextDialAt(large, T0)).to.be.above(T0);
    expect(comparisons).to.equal(0);
  });

  it('of pruning is that of finding the first', () => {
    const limited = crowd(5000, { maxPeers: 5000 });
    const adds = Array.from({ length: 50 }, (_, at): PeerEvent => ({
      type: 'add',
      address: addressOf(9000 + at),
    }));
    expect(worst(limited, adds)).to.be.below(400);
    expect(limited.orders.peers.size).to.equal(5000);
  });
}).timeout(60_000);

describe('the parts of a state', () => {
  it('are shared with the state before, but for what changed', () => {
    const before = crowd(2000);
    const { state } = take(before, { type: 'setHeight', peer: nodeId(7), height: 1 });
    expect(state.orders.ranking).to.equal(before.orders.ranking);
    expect(state.orders.waiting).to.equal(before.orders.waiting);
    const kept = [...before.orders.peers.values()].filter((peer) => state.orders.peers.get(peer.id) === peer);
    expect(kept).to.have.length(1999);
  });
});
