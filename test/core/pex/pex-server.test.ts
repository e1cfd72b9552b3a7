import { expect } from 'chai';
import { PEX_SERVER_MEMORY_PEERS } from '../../../src/core/limits.ts';
import { parseNodeId, type NodeId } from '../../../src/core/node-id.ts';
import { PexServer, type PexServing } from '../../../src/core/pex/pex-server.ts';

function peer(n: number): NodeId {
  return parseNodeId(n.toString(16).padStart(40, '0'));
}

const P = peer(1);

function serverWith(...peers: NodeId[]): PexServer {
  const server = new PexServer();
  for (const id of peers) server.up(id, 0);
  return server;
}

interface Row {
  readonly title: string;
  /** Requests at these instants. */
  readonly at: readonly number[];
  readonly served: readonly PexServing[];
}

const rows: readonly Row[] = [
  {
    title: 'PX-004: answers a burst of three, not the fourth',
    at: [0, 0, 0, 0],
    served: ['answer', 'answer', 'answer', 'ignore'],
  },
  {
    title: 'answers one more for each second that passed',
    at: [0, 0, 0, 999, 1_000, 1_000, 3_500, 3_500, 3_500],
    served: ['answer', 'answer', 'answer', 'ignore', 'answer', 'ignore', 'answer', 'answer', 'ignore'],
  },
  {
    title: 'lets no budget grow beyond the burst',
    at: [0, 600_000, 600_000, 600_000, 600_000],
    served: ['answer', 'answer', 'answer', 'answer', 'ignore'],
  },
  {
    title: 'refills a second after the first request of a full budget, not earlier',
    at: [1_900, 1_900, 1_900, 2_800, 2_900],
    served: ['answer', 'answer', 'answer', 'ignore', 'answer'],
  },
  {
    title: 'PX-029: evicts at the fifth strike within a minute',
    at: [0, 0, 0, 100, 200, 300, 400, 500],
    served: ['answer', 'answer', 'answer', 'ignore', 'ignore', 'ignore', 'ignore', 'evict'],
  },
];

describe('the PEX server', () => {
  for (const { title, at, served } of rows) {
    it(title, () => {
      const server = serverWith(P);
      expect(at.map((now) => server.request(P, now))).to.deep.equal(served);
    });
  }

  it('counts each peer for itself', () => {
    const server = serverWith(P, peer(2));
    for (let n = 0; n < 4; n++) server.request(P, 0);
    expect(server.request(peer(2), 0)).to.equal('answer');
    expect([server.strikes(P, 0), server.strikes(peer(2), 0)]).to.deep.equal([1, 0]);
  });

  it('PX-028: gives a peer that reconnects no new budget', () => {
    const server = serverWith(P);
    for (let n = 0; n < 3; n++) expect(server.request(P, 100)).to.equal('answer');
    server.down(P, 200);
    server.up(P, 300);
    expect(server.request(P, 400)).to.equal('ignore');
    expect(server.strikes(P, 400)).to.equal(1);
  });

  it('forgets a peer ten minutes after it has gone', () => {
    for (const [backAt, strikes] of [
      [600_999, 4],
      [601_000, 0],
    ] as const) {
      const server = serverWith(P);
      server.down(P, 1_000);
      server.strike(P, 4, 600_500);
      server.up(P, backAt);
      expect(server.strikes(P, backAt)).to.equal(strikes);
    }
  });

  it('PX-005: two unsolicited responses and one more strike are too many', () => {
    const server = serverWith(P);
    expect([2, 2, 1].map((count) => server.strike(P, count, 0))).to.deep.equal([false, false, true]);
  });

  it('PX-029: counts strikes within a minute in full', () => {
    const server = serverWith(P);
    const evicts = [0, 15_000, 30_000, 45_000, 59_999].map((now) => server.strike(P, 1, now));
    expect(evicts).to.deep.equal([false, false, false, false, true]);
  });

  it('takes one strike back for every minute since the first', () => {
    const server = serverWith(P);
    server.strike(P, 2, 0);
    server.strike(P, 2, 50_000);
    const left = [59_999, 60_000, 119_999, 120_000, 240_000, 999_999].map((now) => server.strikes(P, now));
    expect(left).to.deep.equal([4, 3, 3, 2, 0, 0]);
  });

  it('counts the minutes from the first strike, not from when the peer came', () => {
    const server = serverWith(P);
    server.strike(P, 1, 30_000);
    expect([89_999, 90_000].map((now) => server.strikes(P, now))).to.deep.equal([1, 0]);
  });

  it('PX-030: does not evict for four strikes, ten quiet minutes, and one more', () => {
    const server = serverWith(P);
    server.strike(P, 4, 0);
    expect(server.strike(P, 1, 600_000)).to.equal(false);
    expect(server.strikes(P, 600_000)).to.equal(1);
    expect(server.strikes(P, 659_999)).to.equal(1);
  });

  it('keeps strikes of a peer that has gone, without taking it for connected', () => {
    const server = serverWith(P);
    server.down(P, 0);
    server.strike(P, 4, 1_000);
    server.strike(peer(2), 4, 1_000);
    server.up(P, 2_000);
    expect(server.strikes(P, 2_000)).to.equal(4);
    server.down(P, 3_000);
    server.up(peer(3), 603_001);
    expect(server.size).to.equal(1);
  });

  it('remembers a bounded number of peers that have gone, the latest', () => {
    const server = new PexServer();
    for (let n = 1; n <= PEX_SERVER_MEMORY_PEERS + 50; n++) {
      server.up(peer(n), n);
      server.strike(peer(n), 4, n);
      server.down(peer(n), n);
    }
    expect(server.size).to.equal(PEX_SERVER_MEMORY_PEERS);
    expect(server.strikes(peer(50), 20_000)).to.equal(0);
    expect(server.strikes(peer(51), 20_000)).to.equal(4);
  });
});
