import { expect } from 'chai';
import fc from 'fast-check';
import { parseNodeId, type NodeId } from '../../src/core/node-id.ts';
import type { PeerUpdate } from '../../src/core/peer-update.ts';
import { UpdateBuffer } from '../../src/core/update-buffer.ts';

function peer(n: number): NodeId {
  return parseNodeId(n.toString(16).padStart(40, '0'));
}

function up(n: number, connectionId = n, channels: readonly number[] = [1]): PeerUpdate {
  return { peer: peer(n), status: 'up', channels, direction: 'inbound', connectionId };
}

function down(n: number, connectionId = n, channels: readonly number[] = [1]): PeerUpdate {
  return {
    peer: peer(n),
    status: 'down',
    channels,
    direction: 'inbound',
    connectionId,
    cause: 'connection-lost',
  };
}

function drain(buffer: UpdateBuffer): PeerUpdate[] {
  const taken: PeerUpdate[] = [];
  for (let update = buffer.take(); update !== undefined; update = buffer.take()) taken.push(update);
  return taken;
}

/** `+1#7`: peer 1 is up on connection 7. */
function shown(updates: readonly PeerUpdate[]): string[] {
  return updates.map((update) => {
    const sign = update.status === 'up' ? '+' : '-';
    return `${sign}${Number(`0x${update.peer}`)}#${update.connectionId}`;
  });
}

/** The connection of each peer that is up for whoever has seen `updates`; fails when up and down do not alternate. */
function viewOf(updates: readonly PeerUpdate[]): Map<NodeId, number> {
  const view = new Map<NodeId, number>();
  for (const update of updates) {
    expect(view.has(update.peer), `alternation at ${shown([update])[0]}`).to.equal(update.status === 'down');
    if (update.status === 'up') view.set(update.peer, update.connectionId);
    else view.delete(update.peer);
  }
  return view;
}

interface Row {
  readonly title: string;
  readonly ready?: readonly PeerUpdate[];
  readonly capacity?: number;
  readonly channelId?: number;
  readonly put: readonly PeerUpdate[];
  readonly taken: readonly string[];
}

const rows: readonly Row[] = [
  {
    title: 'CH-115: a late subscriber is told of two ready peers first, then of what happens',
    ready: [up(2), up(1)],
    put: [up(3), down(1)],
    taken: ['+2#2', '+1#1', '+3#3', '-1#1'],
  },
  {
    title: 'CH-115: the peers that are ready may be more than the capacity',
    ready: [up(1), up(2), up(3)],
    capacity: 2,
    put: [],
    taken: ['+1#1', '+2#2', '+3#3'],
  },
  {
    title: 'keeps every step of a peer while there is room',
    capacity: 4,
    put: [up(1, 1), down(1, 1), up(1, 2), down(1, 2)],
    taken: ['+1#1', '-1#1', '+1#2', '-1#2'],
  },
  {
    title: 'tells the latest of each peer when there is none, in the order of the latest changes',
    capacity: 4,
    put: [up(1, 1), up(2, 2), down(1, 1), up(3, 3), up(1, 4)],
    taken: ['+2#2', '+3#3', '+1#4'],
  },
  {
    title: 'tells nothing of a peer that came and went when there is no room',
    capacity: 2,
    put: [up(1), up(2), down(1), up(3)],
    taken: ['+2#2', '+3#3'],
  },
  {
    title: 'CH-116: a subscriber of a channel hears nothing of a peer without it',
    channelId: 7,
    put: [up(1, 1, [1, 2]), up(2, 2, [7]), down(1, 1, [1, 2]), down(2, 2, [7])],
    taken: ['+2#2', '-2#2'],
  },
  {
    title: 'a subscriber of a channel hears of a peer that gains and loses it while connected',
    channelId: 7,
    put: [up(1, 1, [1]), up(1, 1, [1, 7]), up(1, 1, [7]), up(1, 1, [1]), down(1, 1, [1])],
    taken: ['+1#1', '-1#1'],
  },
  {
    title: 'passes over what would not alternate',
    put: [down(1), up(1), up(1), down(1), down(1)],
    taken: ['+1#1', '-1#1'],
  },
];

describe('a buffer of peer updates', () => {
  for (const { title, ready = [], put, taken, ...options } of rows) {
    it(title, () => {
      const buffer = new UpdateBuffer(ready, options);
      for (const update of put) buffer.put(update);
      expect(shown(drain(buffer))).to.deep.equal(taken);
      expect(buffer.size).to.equal(0);
    });
  }

  it('CH-117: hands on what the peer declared and why it went', () => {
    const buffer = new UpdateBuffer([]);
    buffer.put(up(1, 5, [1, 2, 3]));
    buffer.put(down(1, 5, [1, 2, 3]));
    expect(drain(buffer)).to.deep.equal([up(1, 5, [1, 2, 3]), down(1, 5, [1, 2, 3])]);
  });

  it('CH-118: shows two subscribers the same order', () => {
    const slow = new UpdateBuffer([]);
    const quick = new UpdateBuffer([]);
    const seen: PeerUpdate[] = [];
    for (let n = 0; n < 100; n++) {
      const id = n % 10;
      const update = n % 20 < 10 ? up(id, n) : down(id, n - 10);
      slow.put(update);
      quick.put(update);
      seen.push(...drain(quick));
    }
    expect(seen).to.have.length(100);
    expect(drain(slow)).to.deep.equal(seen);
  });

  it('CH-119: coalesces 50 changes of 10 peers into the latest of each, with a buffer of 4', () => {
    const buffer = new UpdateBuffer([], { capacity: 4 });
    for (let n = 0; n < 50; n++) {
      const id = n % 10;
      buffer.put(Math.floor(n / 10) % 2 === 0 ? up(id, n) : down(id, n - 10));
    }
    const taken = drain(buffer);
    expect(shown(taken)).to.deep.equal(Array.from({ length: 10 }, (_, id) => `+${id}#${40 + id}`));
  });

  it('tells a down and an up when a peer it spoke of has another connection by now', () => {
    const buffer = new UpdateBuffer([], { capacity: 1 });
    buffer.put(up(1, 1));
    expect(shown([buffer.take()!])).to.deep.equal(['+1#1']);
    for (const update of [down(1, 1), up(1, 2), down(1, 2), up(1, 3)]) buffer.put(update);
    expect(shown(drain(buffer))).to.deep.equal(['-1#1', '+1#3']);
  });

  it('tells only the down when the peer goes again between the two', () => {
    const buffer = new UpdateBuffer([], { capacity: 1 });
    buffer.put(up(1, 1));
    buffer.take();
    for (const update of [down(1, 1), up(1, 2)]) buffer.put(update);
    expect(shown([buffer.take()!])).to.deep.equal(['-1#1']);
    buffer.put(down(1, 2));
    expect(shown(drain(buffer))).to.deep.equal([]);
  });

  it('tells the down of the connection it spoke of when later ones came and went unseen', () => {
    const buffer = new UpdateBuffer([], { capacity: 1 });
    buffer.put(up(1, 1));
    buffer.take();
    for (const update of [down(1, 1), up(1, 2), down(1, 2)]) buffer.put(update);
    expect(shown(drain(buffer))).to.deep.equal(['-1#1']);
  });

  it('alternates for a peer that lost and regained the channel unseen', () => {
    const buffer = new UpdateBuffer([], { capacity: 1, channelId: 7 });
    buffer.put(up(1, 1, [7]));
    buffer.take();
    for (const channels of [[], [7], [], [7, 8]]) buffer.put(up(1, 1, channels));
    expect(drain(buffer).map(({ status, channels }) => [status, channels])).to.deep.equal([
      ['down', [7]],
      ['up', [7, 8]],
    ]);
  });

  it('keeps every step again once the subscriber has caught up', () => {
    const buffer = new UpdateBuffer([], { capacity: 2 });
    for (const update of [up(1), up(2), up(3)]) buffer.put(update);
    drain(buffer);
    for (const update of [down(1, 1), up(1, 9)]) buffer.put(update);
    expect(shown(drain(buffer))).to.deep.equal(['-1#1', '+1#9']);
  });

  it('keeps every step again once everything it coalesced has cancelled out', () => {
    const buffer = new UpdateBuffer([], { capacity: 2 });
    for (const update of [up(1), up(2), up(3), down(1), down(2), down(3)]) buffer.put(update);
    for (const update of [up(4), down(4)]) buffer.put(update);
    expect(shown(drain(buffer))).to.deep.equal(['+4#4', '-4#4']);
  });

  it('RT-171: holds no more than the peers that are up, however many come and go unread', () => {
    const buffer = new UpdateBuffer([], { capacity: 4 });
    for (let n = 0; n < 10_000; n++) {
      buffer.put(up(n));
      if (n >= 8) buffer.put(down(n - 8));
      expect(buffer.size).to.be.at.most(9);
    }
  });

  it('RT-134: alternates strictly and ends in the actual state when a peer flaps 100 times', () => {
    for (const capacity of [1, 7, 256, 1_000]) {
      const buffer = new UpdateBuffer([], { capacity });
      const taken: PeerUpdate[] = [];
      for (let n = 0; n < 100; n++) {
        buffer.put(up(1, n));
        if (n % 3 === 0) taken.push(...[buffer.take()].filter((update) => update !== undefined));
        if (n < 99) buffer.put(down(1, n));
      }
      taken.push(...drain(buffer));
      expect([...viewOf(taken)]).to.deep.equal([[peer(1), 99]]);
    }
  });

  it('converges on the actual state for any history, capacity and pace', () => {
    const step = fc.record({ peer: fc.integer({ min: 1, max: 5 }), takes: fc.nat(2) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), fc.integer({ min: 1, max: 12 }), (steps, capacity) => {
        const buffer = new UpdateBuffer([up(1, 1_001), up(2, 1_002)], { capacity });
        const actual = new Map([
          [peer(1), 1_001],
          [peer(2), 1_002],
        ]);
        const taken: PeerUpdate[] = [];
        steps.forEach(({ peer: n, takes }, connectionId) => {
          const connection = actual.get(peer(n));
          if (connection === undefined) {
            actual.set(peer(n), connectionId);
            buffer.put(up(n, connectionId));
          } else {
            actual.delete(peer(n));
            buffer.put(down(n, connection));
          }
          expect(buffer.size).to.be.at.most(Math.max(capacity, 5));
          for (let left = takes; left > 0; left--) {
            const update = buffer.take();
            if (update !== undefined) taken.push(update);
          }
        });
        taken.push(...drain(buffer));
        expect([...viewOf(taken)].sort()).to.deep.equal([...actual].sort());
      }),
    );
  });
});
