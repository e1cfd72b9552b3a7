import { getEventListeners } from 'node:events';
import { expect } from 'chai';
import { identityFromSeed } from '../../../src/crypto/node-key.ts';
import { encodeNodeInfo } from '../../../src/wire/node-info-codec.ts';
import { mconn } from '../../../src/transports/mconn/mconn-transport.ts';
import type { Connection, RemoteHandshake, Transport } from '../../../src/transports/transport.ts';
import { unhex } from '../../support/bytes.ts';
import { manualEnv } from '../../support/manual-env.ts';
import { identityOf, nodeInfoOf } from '../../support/nodes.ts';
import { p2pRejection } from '../../support/p2p-rejection.ts';
import { RawPeer } from '../../support/raw-peer.ts';
import { rejection } from '../../support/rejection.ts';
import vectors from '../../vectors/secret-connection.json' with { type: 'json' };
import transcripts from '../../vectors/session-transcripts.json' with { type: 'json' };

const { local: us, rows } = vectors.handshakeFailures;
const quiet = new AbortController().signal;
const identity = identityFromSeed(unhex(us.ed25519Seed));
const nodeInfo = nodeInfoOf(identity);
const session = transcripts.sessions[0]!;

/** Bytes the remote of the vectors sends: ephemeral key, proof, node information. */
const honest = [2, 4, 6].map((step) => unhex(session.steps.find((one) => one.step === step)!.wire));
const honestBytes = Buffer.concat(honest);

/** How upstream's texts read in our terms. */
const REASONS: Record<string, string> = {
  EOF: 'eof',
  'wrong wire type': 'bad-encoding',
  'failed to decrypt': 'frame-tag',
  'challenge verification failed': 'bad-signature',
  'key type not supported': 'key-missing',
  'invalid size for ed25519 key': 'key-size',
  'expected ed25519 pubkey': 'key-type',
  'message exceeds max size (1048577 > 1048576)': 'message-too-large',
};

describe('mconn handshake against hand-made bytes', () => {
  let transport: Transport;
  let peer: RawPeer;
  let connection: Connection;

  beforeEach(async () => {
    transport = mconn({ listen: '127.0.0.1:0' })(manualEnv(unhex(us.ephemeralPrivate)));
    await transport.listen();
    peer = await RawPeer.connect(transport.endpoints()[0]!);
    connection = await transport.accept();
  });

  afterEach(async () => {
    connection.close();
    peer.destroy();
    await transport.close();
  });

  const shake = (signal = quiet): Promise<RemoteHandshake> =>
    connection.handshake({ identity, nodeInfo }, signal);

  /** What a handshake ends with, as one word. */
  async function failureOf(handshake: Promise<RemoteHandshake>): Promise<string> {
    const error = await p2pRejection(handshake);
    if (error.code === 'eof') return 'eof';
    expect(error).to.include({ code: 'handshake-failed', blame: 'peer' });
    return error.reason!;
  }

  for (const { name, error, remoteBytes } of rows) {
    if (error === null) continue;
    const reason = REASONS[error]!;
    it(`TR-078 to TR-090: ${name} → ${reason}`, async () => {
      const handshake = failureOf(shake());
      peer.write(unhex(remoteBytes));
      if (reason === 'eof') peer.end();
      expect(await handshake).to.equal(reason);
      expect((await peer.readAll()).length, 'we told who we are').to.be.at.most(35 + 1044);
    });
  }

  for (const { name, error, remoteBytes } of rows) {
    if (error !== null) continue;
    it(`TR-082, TR-087, TR-088: ${name} → proven`, async () => {
      const handshake = shake();
      peer.write(unhex(remoteBytes));
      // Only a proven peer is told who we are: after key and proof comes a third message.
      await peer.read(35 + 1044 + 1044);
      peer.end();
      await handshake.catch(() => undefined);
    });
  }

  it('TR-088: node information that shares a frame with the proof is not lost', async () => {
    const row = rows.find((one) => 'leftover' in one)!;
    const handshake = shake();
    peer.write(unhex(row.remoteBytes));
    expect((await handshake).nodeInfo.nodeId).to.equal(session.B.nodeId);
  });

  for (const point of vectors.lowOrderPoints.points) {
    for (const topBit of [0, 0x80]) {
      it(`TR-083: the low-order point ${point.slice(0, 8)}… with top bit ${topBit >> 7} is refused`, async () => {
        const key = unhex(point);
        key[31]! |= topBit;
        const handshake = failureOf(shake());
        peer.write(Buffer.concat([unhex('220a20'), key]));
        expect(await handshake).to.equal('low-order-point');
        expect((await peer.readAll()).length).to.equal(35);
      });
    }
  }

  for (const [bytes, reason] of [
    ['00', 'ephemeral-key-size'],
    [`210a1f${'11'.repeat(31)}`, 'ephemeral-key-size'],
    [`230a21${'11'.repeat(33)}`, 'ephemeral-key-size'],
    ['8108', 'message-too-large'],
    ['ffffffffffffffffffff01', 'bad-length'],
  ] as const) {
    it(`TR-084, TR-090: first bytes ${bytes.slice(0, 8)} (${bytes.length / 2}) are refused: ${reason}`, async () => {
      const handshake = failureOf(shake());
      peer.write(unhex(bytes));
      expect(await handshake).to.equal(reason);
      await peer.over;
    });
  }

  it('TR-089: the same handshake in one segment', async () => {
    const handshake = shake();
    peer.write(honestBytes);
    expect(Buffer.from((await handshake).publicKey).toString('hex')).to.equal(session.B.publicKey);
  });

  it('TR-089: the same handshake before we have begun ours', async () => {
    peer.write(honestBytes);
    await new Promise((turn) => setImmediate(turn));
    expect((await shake()).nodeInfo.nodeId).to.equal(session.B.nodeId);
  });

  it('TR-089: the same handshake, one byte per segment', async () => {
    const handshake = shake();
    for (const byte of honestBytes) await peer.writeAlone(Uint8Array.of(byte));
    expect((await handshake).nodeInfo.nodeId).to.equal(session.B.nodeId);
  });

  it('TR-079: a stream cut inside the first message is a lost connection, not an end', async () => {
    const handshake = p2pRejection(shake());
    peer.write(honestBytes.subarray(0, 20));
    peer.end();
    expect(await handshake).to.include({ code: 'connection-lost', reason: 'unexpected-eof' });
  });

  it('TR-098: a stream cut inside a frame is a lost connection', async () => {
    const handshake = p2pRejection(shake());
    peer.write(honestBytes.subarray(0, 35 + 1043));
    peer.end();
    expect(await handshake).to.include({ code: 'connection-lost', reason: 'unexpected-eof' });
  });

  for (const [bytes, outcome] of [
    [10_240, 'success'],
    [10_241, 'message-too-large'],
  ] as const) {
    it(`TR-140: node information of ${bytes} bytes → ${outcome}`, async () => {
      const mallory = identityOf('mallory');
      const info = nodeInfoOf(mallory, { moniker: '' });
      const moniker = 'm'.repeat(bytes - encodeNodeInfo(info).length - 3);
      const handshake = shake();
      const outcomeOf = outcome === 'success' ? handshake.then(() => 'success') : failureOf(handshake);
      await peer.handshake(mallory, { ...info, moniker }).catch(() => undefined);
      expect(await outcomeOf).to.equal(outcome);
    });
  }

  it('TR-054: a peer that closes before the handshake leaves the transport unharmed', async () => {
    peer.end();
    expect(await failureOf(shake())).to.equal('eof');
    const next = await RawPeer.connect(transport.endpoints()[0]!);
    (await transport.accept()).close();
    await next.over;
  });

  it('TR-055: garbage as the first bytes ends the handshake at once', async () => {
    const handshake = p2pRejection(shake());
    peer.write(Buffer.alloc(100_000, 0xa7));
    expect(await handshake).to.include({ code: 'handshake-failed', blame: 'peer' });
  });

  it('a peer that resets the connection is a lost connection', async () => {
    const handshake = p2pRejection(shake());
    await peer.read(35);
    peer.socket.resetAndDestroy();
    expect(await handshake).to.include({ code: 'connection-lost', reason: 'ECONNRESET' });
  });

  it('TR-056: closing before the handshake ends the peer without a byte', async () => {
    connection.close();
    expect(await peer.readAll()).to.have.length(0);
  });

  it('TR-021: an aborted handshake gives its reason and closes the socket', async () => {
    const controller = new AbortController();
    const why = new Error('deadline');
    const handshake = rejection(shake(controller.signal));
    await peer.read(35);
    controller.abort(why);
    expect(await handshake).to.equal(why);
    await peer.over;
    expect(await p2pRejection(shake())).to.include({ code: 'already-handshaked' });
  });

  it('a signal is left alone after the handshake', async () => {
    const controller = new AbortController();
    const handshake = shake(controller.signal);
    peer.write(honestBytes);
    await handshake;
    expect(getEventListeners(controller.signal, 'abort')).to.deep.equal([]);
  });

  it('TR-076: a local key that is no key fails the handshake without naming us', async () => {
    const broken = { publicKey: new Uint8Array(0), sign: () => new Uint8Array(64) };
    const handshake = p2pRejection(connection.handshake({ identity: broken, nodeInfo }, quiet));
    peer.write(honestBytes.subarray(0, 35));
    expect(await handshake).to.include({ code: 'encode-failed' });
    expect((await peer.readAll()).length).to.equal(35);
  });

  it('a signer that fails ends the handshake with that as the cause', async () => {
    const why = new Error('signer is gone');
    const broken = { publicKey: identity.publicKey, sign: () => Promise.reject(why) };
    const handshake = p2pRejection(connection.handshake({ identity: broken, nodeInfo }, quiet));
    peer.write(honestBytes);
    expect(await handshake).to.include({ code: 'internal', blame: 'local', cause: why });
    await peer.over;
  });

  it('a signer that takes long makes nobody wait but the peer: the abort is heeded', async () => {
    const slow = { publicKey: identity.publicKey, sign: () => new Promise<Uint8Array>(() => undefined) };
    const controller = new AbortController();
    const handshake = rejection(connection.handshake({ identity: slow, nodeInfo }, controller.signal));
    peer.write(honestBytes);
    await peer.read(35);
    const why = new Error('deadline');
    controller.abort(why);
    expect(await handshake).to.equal(why);
    await peer.over;
  });

  it('TR-085: our own ephemeral key sent back is refused', async () => {
    const handshake = failureOf(shake());
    peer.write(await peer.read(35));
    expect(await handshake).to.equal('reflection');
  });
});
