import { expect } from 'chai';
import { KeepAlive } from '../../../src/core/mconn/keep-alive.ts';

const S = 1000;

/** What happens to a connection in order: bytes or a pong arrive, or the time is looked at. */
type Scene = readonly [atS: number, what: 'bytes' | 'pong' | 'ping' | 'dead' | 'nothing'];

function play(scenes: readonly Scene[]): void {
  const keepAlive = new KeepAlive(0);
  for (const [atS, what] of scenes) {
    if (what === 'bytes') {
      keepAlive.received(atS * S);
    } else if (what === 'pong') {
      keepAlive.received(atS * S);
      keepAlive.ponged();
    } else {
      expect(keepAlive.step(atS * S) ?? 'nothing', `at ${atS} s`).to.equal(what);
    }
  }
}

describe('keeping a connection alive', () => {
  const rows: readonly [string, readonly Scene[]][] = [
    [
      'pings every 60 s, first after 60 s',
      [
        [59.999, 'nothing'],
        [60, 'ping'],
        [60, 'nothing'],
        [61, 'pong'],
        [119.999, 'nothing'],
        [120, 'ping'],
      ],
    ],
    [
      'TR-104, TR-105: gives up after 45 s of silence on a ping',
      [
        [60, 'ping'],
        [104.999, 'nothing'],
        [105, 'dead'],
        [106, 'dead'],
      ],
    ],
    [
      'TR-106: bears pongs nobody asked for, and the answer to the first ping',
      [
        [1, 'pong'],
        [1, 'pong'],
        [1, 'pong'],
        [60, 'ping'],
        [60.1, 'pong'],
        [119, 'nothing'],
      ],
    ],
    [
      'TR-106: does not count a pong that came before the ping',
      [
        [59.9, 'pong'],
        [60, 'ping'],
        [105, 'dead'],
      ],
    ],
    [
      'TR-108: lives on when every ping is answered',
      [
        [60, 'ping'],
        [61, 'pong'],
        [120, 'ping'],
        [121, 'pong'],
        [179, 'nothing'],
        [180, 'ping'],
      ],
    ],
    [
      'TR-105: any byte postpones the end while a ping is open',
      [
        [60, 'ping'],
        [100, 'bytes'],
        [105, 'nothing'],
        [120, 'ping'],
        [144.999, 'nothing'],
        [145, 'dead'],
      ],
    ],
    [
      'traffic alone keeps a remote alive that never answers',
      [
        [60, 'ping'],
        [100, 'bytes'],
        [120, 'ping'],
        [140, 'bytes'],
        [180, 'ping'],
        [184, 'bytes'],
        [228, 'nothing'],
        [229, 'dead'],
      ],
    ],
    [
      'an answered remote may be silent until the next ping',
      [
        [60, 'ping'],
        [61, 'pong'],
        [119, 'nothing'],
        [120, 'ping'],
        [164, 'nothing'],
        [165, 'dead'],
      ],
    ],
    [
      'bytes without an open ping mean nothing',
      [
        [10, 'bytes'],
        [60, 'ping'],
        [105, 'dead'],
      ],
    ],
    [
      'a later ping does not restart the time of the first',
      [
        [60, 'ping'],
        [61, 'bytes'],
        [105.9, 'nothing'],
        [106, 'dead'],
      ],
    ],
    [
      'a late look sends one ping, not those that were missed',
      [
        [250, 'ping'],
        [250, 'nothing'],
        [309, 'dead'],
      ],
    ],
    [
      'pings even when there is traffic',
      [
        [30, 'bytes'],
        [59, 'bytes'],
        [60, 'ping'],
      ],
    ],
  ];
  for (const [title, scenes] of rows) {
    it(title, () => play(scenes));
  }

  it('names the one instant to look again', () => {
    const keepAlive = new KeepAlive(5 * S);
    expect([keepAlive.nextAt(), keepAlive.pingOpen]).to.deep.equal([65 * S, false]);
    expect(keepAlive.step(65 * S)).to.equal('ping');
    expect([keepAlive.nextAt(), keepAlive.pingOpen]).to.deep.equal([110 * S, true]);
    keepAlive.received(100 * S);
    expect(keepAlive.nextAt()).to.equal(125 * S);
    keepAlive.ponged();
    expect([keepAlive.nextAt(), keepAlive.pingOpen]).to.deep.equal([125 * S, false]);
  });

  it('says something at the instant it names, and nothing before', () => {
    const keepAlive = new KeepAlive(0);
    for (let round = 0; round < 3; round++) {
      const at = keepAlive.nextAt();
      expect(keepAlive.step(at - 1)).to.equal(undefined);
      expect(keepAlive.step(at)).to.equal('ping');
      keepAlive.ponged();
    }
  });

  it('takes other times', () => {
    const keepAlive = new KeepAlive(0, { pingIntervalMs: 90, pongTimeoutMs: 45 });
    expect(keepAlive.step(90)).to.equal('ping');
    expect(keepAlive.step(134)).to.equal(undefined);
    expect(keepAlive.step(135)).to.equal('dead');
  });

  it('is not confused by bytes reported for an earlier instant', () => {
    const keepAlive = new KeepAlive(0);
    keepAlive.step(60 * S);
    keepAlive.received(50 * S);
    expect(keepAlive.step(105 * S)).to.equal('dead');
  });
});
