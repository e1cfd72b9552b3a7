import { expect } from 'chai';
import { SimulatedClock } from '../../../src/testing/simulated-clock.ts';
import { Liveness } from '../../../src/transports/mconn/liveness.ts';
import { hex, unhex } from '../../support/bytes.ts';
import { rawSession, type RawSession } from '../../support/raw-session.ts';

const LIMITS = new Map([[1, 1000]]);
const PING = '020a00';
const PONG = unhex('021200');

describe('mconn liveness', () => {
  let session: RawSession;

  beforeEach(async () => {
    session = await rawSession(LIMITS);
  });

  afterEach(async () => {
    await session.close();
    expect(session.env.timers, 'timers left').to.deep.equal([]);
  });

  /** Lets bytes on the way come through the event loop. */
  async function settle(): Promise<void> {
    for (let turn = 0; turn < 20; turn++) await new Promise((next) => setImmediate(next));
  }

  async function advance(ms: number): Promise<void> {
    await session.env.advance(ms);
    await settle();
  }

  it('sends the first ping after a minute, and one every minute, while pongs come', async () => {
    const { peer, probe } = session;
    await advance(59_999);
    expect(peer.unreadBytes).to.equal(0);
    for (let minute = 0; minute < 3; minute++) {
      await advance(minute === 0 ? 1 : 60_000);
      expect(hex(await peer.readPlain(3))).to.equal(PING);
      expect(peer.unreadBytes).to.equal(0);
      peer.writePlain(PONG);
      await settle();
    }
    expect(probe.ends).to.deep.equal([]);
  });

  it('TR-105: ends the connection 45 s after an unanswered ping, and not before', async () => {
    const { peer, probe } = session;
    await advance(60_000);
    await advance(44_999);
    expect(probe.ends).to.deep.equal([]);
    await advance(1);
    expect(await probe.ended).to.have.nested.include({ by: 'fault', 'error.code': 'pong-timeout' });
    await peer.over;
  });

  it('TR-106, TR-108: a pong that answers the ping ends the waiting, however long nothing else comes', async () => {
    const { peer, probe } = session;
    peer.writePlain(Buffer.concat([PONG, PONG, PONG]));
    await settle();
    await advance(60_000);
    peer.writePlain(PONG);
    await settle();
    await advance(59_000);
    expect(probe.ends).to.deep.equal([]);
  });

  it('any byte counts as life, even one that completes nothing', async () => {
    const { peer, probe } = session;
    await advance(60_000);
    await advance(44_000);
    peer.write(Uint8Array.of(0xff));
    await settle();
    await advance(44_999);
    expect(probe.ends).to.deep.equal([]);
    await advance(1);
    expect(await probe.ended).to.have.nested.include({ 'error.code': 'pong-timeout' });
  });

  it('what came in while this process stood still is seen before the peer is judged', async () => {
    const clock = new SimulatedClock();
    const seen: string[] = [];
    const liveness = new Liveness(
      clock,
      {},
      { ping: () => seen.push('ping'), dead: () => seen.push('dead') },
    );
    await clock.advance(60_000);
    // Due at the same instant, but after the timer that would judge the peer.
    clock.setTimer(() => liveness.ponged(), 45_000);
    await clock.advance(45_000);
    expect(seen).to.deep.equal(['ping']);
    liveness.stop();
    expect(clock.pending().timers).to.deep.equal([]);
  });

  it('a ping is answered and a pong awaited on the settings given', async () => {
    await session.close();
    session = await rawSession(LIMITS, { pingIntervalMs: 90, pongTimeoutMs: 45 });
    await advance(90);
    expect(hex(await session.peer.readPlain(3))).to.equal(PING);
    await advance(45);
    expect(await session.probe.ended).to.have.nested.include({ 'error.code': 'pong-timeout' });
  });
});
