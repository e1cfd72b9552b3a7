import { expect } from 'chai';
import fc from 'fast-check';
import { maxPacketBytes, packetBytes, writePacket } from '../../../src/core/mconn/packet-writer.ts';
import type { MconnOptions } from '../../../src/transports/mconn/mconn-options.ts';
import { cutAt, hex, pattern, unhex } from '../../support/bytes.ts';
import { rawSession, type RawSession } from '../../support/raw-session.ts';
import vectors from '../../vectors/mconn.json' with { type: 'json' };

const LIMITS = new Map([
  [0x00, 64_000],
  [0x01, 100_000],
  [0x22, 100_000],
  [0x23, 10],
]);

const PING = unhex('020a00');
const PONG = '021200';

function packet(channelId: number, data: Uint8Array, eof = true): Uint8Array {
  const out = new Uint8Array(packetBytes(channelId, data.length, eof));
  writePacket(out, 0, channelId, data, 0, data.length, eof);
  return out;
}

const text = (message: Uint8Array): string => Buffer.from(message).toString();

describe('mconn connection against a hand-driven peer', () => {
  let open: RawSession[];

  beforeEach(() => {
    open = [];
  });

  afterEach(async () => {
    for (const session of open) await session.close();
  });

  async function start(options: MconnOptions = {}): Promise<RawSession> {
    const session = await rawSession(LIMITS, options);
    open.push(session);
    return session;
  }

  it('TR-099: a message that was queued is on the wire before flushClose closes', async () => {
    const { env, peer, connection, probe } = await start();
    probe.queue(1, Buffer.from('abc'));
    const flushed = connection.flushClose();
    expect(hex(await peer.readPlain(12))).to.equal('0b1a09080110011a03616263');
    await peer.over;
    peer.end();
    await flushed;
    expect(await probe.ended).to.deep.equal({ by: 'local' });
    expect(peer.unreadBytes).to.equal(0);
    expect(env.timers).to.deep.equal([]);
  });

  it('TR-127: fifty queued messages are all on the wire when flushClose resolves, in order', async () => {
    const { peer, connection, probe } = await start();
    for (let i = 0; i < 50; i++) probe.queue(1, pattern(1000, 7, i));
    const flushed = connection.flushClose();
    for (let i = 0; i < 50; i++) {
      const expected = packet(1, pattern(1000, 7, i));
      expect(hex(await peer.readPlain(expected.length))).to.equal(hex(expected));
    }
    peer.end();
    await flushed;
    expect(probe.ends).to.deep.equal([{ by: 'local' }]);
  });

  it('flushClose does not wait for ever for the remote to end it too', async () => {
    const { env, peer, connection, probe } = await start();
    probe.queue(1, Buffer.from('abc'));
    const flushed = connection.flushClose();
    await peer.over;
    while (env.timers.length < 2) await new Promise((turn) => setImmediate(turn));
    await env.advance(1000);
    await flushed;
    expect(probe.ends).to.deep.equal([{ by: 'local' }]);
    expect(env.timers).to.deep.equal([]);
  });

  it('nothing is delivered while flushing', async () => {
    const { peer, connection, probe } = await start();
    const flushed = connection.flushClose();
    peer.writePlain(packet(1, Buffer.from('too late')));
    await peer.over;
    peer.end();
    await flushed;
    expect(probe.delivered).to.deep.equal([]);
  });

  it('close during a flush ends it', async () => {
    const { peer, connection, probe } = await start();
    peer.socket.pause();
    for (let i = 0; i < 200; i++) probe.queue(1, new Uint8Array(100_000));
    let isFlushed = false;
    const flushed = connection.flushClose().then(() => {
      isFlushed = true;
    });
    for (let turn = 0; turn < 50; turn++) await new Promise((next) => setImmediate(next));
    expect(isFlushed).to.equal(false);
    connection.close();
    await flushed;
    expect(probe.ends).to.deep.equal([{ by: 'local' }]);
  });

  it('what comes before start waits in the socket', async () => {
    const session = await rawSession(LIMITS, {}, 'not started');
    open.push(session);
    const { peer, connection, probe } = session;
    for (let i = 0; i < 20; i++) peer.writePlain(packet(1, pattern(1000, 7, i)));
    peer.write(new Uint8Array(16 * 1024 * 1024));
    for (let turn = 0; turn < 200; turn++) await new Promise((next) => setImmediate(next));
    expect(connection.status().bytesReceived).to.be.below(1024 * 1024);
    connection.start(probe);
    await probe.deliveries(20);
    expect(await probe.ended).to.have.nested.include({ 'error.reason': 'frame-tag' });
  });

  it('TR-106: pongs nobody asked for do no harm', async () => {
    const { peer, probe } = await start();
    peer.writePlain(unhex(PONG.repeat(3)));
    peer.writePlain(packet(1, Buffer.from('still here')));
    await probe.deliveries(1);
    expect(probe.ends).to.deep.equal([]);
  });

  it('TR-107: every ping is answered at once', async () => {
    const { peer, probe } = await start();
    for (let i = 0; i < 3; i++) {
      peer.writePlain(PING);
      expect(hex(await peer.readPlain(3))).to.equal(PONG);
    }
    expect(probe.delivered).to.deep.equal([]);
    expect(probe.ends).to.deep.equal([]);
  });

  it('TR-109: of a thousand pings in one write at least one and at most one each is answered', async () => {
    const { peer, connection, probe } = await start();
    const before = connection.status().bytesSent;
    peer.writePlain(Buffer.concat(Array.from({ length: 1000 }, () => PING)));
    expect(hex(await peer.readPlain(3))).to.equal(PONG);
    peer.writePlain(packet(1, Buffer.from('after')));
    await probe.deliveries(1);
    const pongFrames = (connection.status().bytesSent - before) / 1044;
    expect(pongFrames).to.be.within(1, 4);
    expect(probe.ends).to.deep.equal([]);
  });

  it('pings are answered while the peer does not read, as soon as it does again', async () => {
    const { peer, connection, probe } = await start();
    peer.socket.pause();
    for (let i = 0; i < 100; i++) probe.queue(1, new Uint8Array(100_000));
    connection.wake();
    while (probe.pulledBytes === 0) await new Promise((turn) => setImmediate(turn));
    peer.writePlain(PING);
    peer.socket.resume();
    let found = '';
    while (!found.includes(PONG)) found = hex(await peer.readPlain(1024));
    expect(probe.ends).to.deep.equal([]);
  });

  for (const { name, bytes, error } of vectors.reject.flatMap((row) =>
    'bytes' in row ? [{ name: row.name, bytes: row.bytes, error: row.error }] : [],
  )) {
    it(`TR-111, TR-116, TR-119, TR-120: ${name} ends the connection (${error})`, async () => {
      const { peer, probe } = await start();
      peer.writePlain(Buffer.concat([packet(1, Buffer.from('fine')), unhex(bytes)]));
      const end = await probe.ended;
      expect(end).to.have.nested.include({
        by: 'fault',
        'error.code': 'protocol-violation',
        'error.blame': 'peer',
      });
      expect(probe.delivered.map(({ message }) => text(message))).to.deep.equal(['fine']);
      await peer.over;
      expect(probe.ends).to.have.length(1);
    });
  }

  for (const [payload, maxPacket, outcome] of [
    [1024, maxPacketBytes(1024), 'delivered'],
    [1124, maxPacketBytes(1024), 'packet-too-large'],
    [1400, maxPacketBytes(1024), 'packet-too-large'],
    [1400, undefined, 'delivered'],
    [16_384, undefined, 'delivered'],
    [16_385, undefined, 'packet-too-large'],
  ] as const) {
    it(`TR-114, TR-115, TR-155: ${payload} data bytes with a limit of ${maxPacket ?? 'our default'}: ${outcome}`, async () => {
      const { peer, probe } = await start(maxPacket === undefined ? {} : { maxPacketBytes: maxPacket });
      peer.writePlain(packet(1, new Uint8Array(payload)));
      if (outcome === 'delivered') {
        await probe.deliveries(1);
        expect(probe.delivered[0]!.message).to.have.length(payload);
      } else {
        expect(await probe.ended).to.have.nested.include({ 'error.reason': outcome });
      }
    });
  }

  it('TR-121: a message may be as long as its channel allows, and not a byte longer', async () => {
    const { peer, probe } = await start();
    peer.writePlain(Buffer.concat([packet(0x23, new Uint8Array(6), false), packet(0x23, new Uint8Array(4))]));
    await probe.deliveries(1);
    peer.writePlain(Buffer.concat([packet(0x23, new Uint8Array(6), false), packet(0x23, new Uint8Array(5))]));
    const end = await probe.ended;
    expect(end).to.have.nested.include({ 'error.code': 'message-too-large', 'error.blame': 'peer' });
    expect(end.error!.message).to.contain('10 < 11');
  });

  for (const [length, sizes] of [
    [1023, [1023]],
    [1024, [1024]],
    [1025, [1024, 1]],
    [2048, [1024, 1024]],
    [2049, [1024, 1024, 1]],
  ] as const) {
    it(`TR-122: a message of ${length} bytes leaves in ${sizes.length} packets, the last of which ends it`, async () => {
      const { peer, connection, probe } = await start();
      const message = pattern(length);
      probe.queue(1, message);
      connection.wake();
      let at = 0;
      const packets = sizes.map((size, index) => {
        at += size;
        return packet(1, message.subarray(at - size, at), index === sizes.length - 1);
      });
      const expected = Buffer.concat(packets);
      expect(hex(await peer.readPlain(expected.length))).to.equal(hex(expected));
    });
  }

  it('a full packet on a channel above 0x7f is cut so that a strict remote accepts it', async () => {
    const { peer, connection, probe } = await start();
    const message = pattern(1024);
    probe.queue(0xf0, message);
    connection.wake();
    const expected = Buffer.concat([
      packet(0xf0, message.subarray(0, 1023), false),
      packet(0xf0, message.subarray(1023), true),
    ]);
    expect(hex(await peer.readPlain(expected.length))).to.equal(hex(expected));
  });

  it('TR-123: interleaved messages of two channels are joined each on its own', async () => {
    const { peer, probe } = await start();
    peer.writePlain(
      Buffer.concat([
        packet(0x01, Buffer.from('on'), false),
        packet(0x22, Buffer.from('tw'), false),
        packet(0x01, Buffer.from('e')),
        packet(0x22, Buffer.from('o')),
      ]),
    );
    await probe.deliveries(2);
    expect(probe.delivered.map(({ channelId, message }) => [channelId, text(message)])).to.deep.equal([
      [0x01, 'one'],
      [0x22, 'two'],
    ]);
  });

  for (const [reason, frameOf] of [
    ['frame-tag', (sealed: Uint8Array) => sealed.map((byte, index) => (index === 500 ? byte ^ 1 : byte))],
    ['frame-tag', (sealed: Uint8Array) => Buffer.concat([sealed, sealed])],
  ] as const) {
    it(`TR-095: a damaged or repeated frame ends the connection: ${reason}`, async () => {
      const { peer, probe } = await start();
      const sealed = peer.seal(packet(1, Buffer.from('once')));
      peer.write(frameOf(sealed));
      expect(await probe.ended).to.have.nested.include({ 'error.reason': reason, 'error.blame': 'peer' });
      await peer.over;
      expect(probe.delivered.length).to.be.at.most(1);
    });
  }

  for (const [title, cut, expected] of [
    ['between frames', 1044, { by: 'remote' }],
    ['inside a frame', 1043, { by: 'fault', 'error.reason': 'unexpected-eof' }],
  ] as const) {
    it(`TR-098: a stream that ends ${title} → ${JSON.stringify(expected)}`, async () => {
      const { peer, probe } = await start();
      peer.write(peer.seal(packet(1, Buffer.from('bye'))).subarray(0, cut));
      peer.end();
      expect(await probe.ended).to.have.nested.include(expected);
    });
  }

  it('TR-098: a stream that ends inside a packet is a lost connection; inside a message it is an end', async () => {
    const first = await start();
    first.peer.writePlain(packet(1, Buffer.from('cut off')).subarray(0, 5));
    first.peer.end();
    expect(await first.probe.ended).to.have.nested.include({ 'error.code': 'connection-lost' });
    const second = await start();
    second.peer.writePlain(packet(1, Buffer.from('unfinished'), false));
    second.peer.end();
    expect(await second.probe.ended).to.deep.equal({ by: 'remote' });
  });

  it('TR-110: a connection reset by the peer is told once, as lost', async () => {
    const { peer, probe } = await start();
    peer.socket.resetAndDestroy();
    const end = await probe.ended;
    expect(end).to.have.nested.include({
      by: 'fault',
      'error.code': 'connection-lost',
      'error.reason': 'ECONNRESET',
    });
    for (let turn = 0; turn < 10; turn++) await new Promise((next) => setImmediate(next));
    expect(probe.ends).to.have.length(1);
  });

  it('a close from within a delivery stops the rest of the chunk', async () => {
    const { peer, connection, probe } = await start();
    const deliver = probe.deliver.bind(probe);
    probe.deliver = (channelId, message) => {
      deliver(channelId, message);
      connection.close();
    };
    peer.writePlain(
      Buffer.concat([packet(1, Buffer.from('one')), packet(1, Buffer.from('two')), unhex('00')]),
    );
    expect(await probe.ended).to.deep.equal({ by: 'local' });
    expect(probe.delivered).to.have.length(1);
  });

  it('a close from within a pull stops the writing', async () => {
    const { peer, connection, probe } = await start();
    const pull = probe.pull.bind(probe);
    probe.pull = (maxBytes, slice) => {
      connection.close();
      return pull(maxBytes, slice);
    };
    probe.queue(1, new Uint8Array(100_000));
    connection.wake();
    expect(await probe.ended).to.deep.equal({ by: 'local' });
    expect(probe.pulledBytes).to.be.at.most(1024);
    expect(await peer.readAll()).to.have.length(0);
  });

  it('a burst of messages leaves in full frames, not in one frame each', async () => {
    const { peer, connection, probe } = await start();
    const before = connection.status().bytesSent;
    const messages = Array.from({ length: 100 }, (_, index) => packet(1, pattern(90, 3, index)));
    for (let i = 0; i < 100; i++) {
      probe.queue(1, pattern(90, 3, i));
      connection.wake();
    }
    const expected = Buffer.concat(messages);
    expect(hex(await peer.readPlain(expected.length))).to.equal(hex(expected));
    expect((connection.status().bytesSent - before) / 1044).to.equal(Math.ceil(expected.length / 1024));
  });

  it('messages sent one after the other within a turn leave in two writes at most', async () => {
    const { peer, connection, probe } = await start();
    const before = connection.status().bytesSent;
    for (let i = 0; i < 50; i++) {
      probe.queue(1, pattern(10, 3, i));
      connection.wake();
      await Promise.resolve();
      await Promise.resolve();
    }
    await peer.readPlain(50 * packetBytes(1, 10, true));
    expect((connection.status().bytesSent - before) / 1044).to.equal(2);
  });

  it('start without a handshake is a mistake of the caller', async () => {
    const { connection } = await start();
    expect(() => connection.start(open[0]!.probe))
      .to.throw()
      .with.property('code', 'internal');
  });

  it('what arrives is the same however the stream is cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(20_000), { maxLength: 12 }),
        fc.array(fc.nat(3000), { minLength: 1, maxLength: 8 }),
        async (places, lengths) => {
          const session = await start();
          const plain = Buffer.concat(lengths.flatMap((length) => packetsOf(pattern(length, 5, length))));
          const sealed = session.peer.seal(Buffer.concat([plain, PING]));
          for (const piece of cutAt(sealed, places)) {
            if (piece.length > 0) await session.peer.writeAlone(piece);
          }
          await session.probe.deliveries(lengths.length);
          for (const [index, length] of lengths.entries()) {
            const { message } = session.probe.delivered[index]!;
            expect(hex(message)).to.equal(hex(pattern(length, 5, length)));
          }
          expect(hex(await session.peer.readPlain(3))).to.equal(PONG);
          await session.close();
        },
      ),
      { numRuns: 25 },
    );
  });
});

function packetsOf(message: Uint8Array): Uint8Array[] {
  const packets: Uint8Array[] = [];
  for (let at = 0; at < message.length || at === 0; at += 1024) {
    const end = Math.min(message.length, at + 1024);
    packets.push(packet(1, message.subarray(at, end), end === message.length));
  }
  return packets;
}
