import { expect } from 'chai';
import { endpointFault, formatEndpoint, type Endpoint } from '../../src/core/endpoint.ts';
import type { Env } from '../../src/core/env.ts';
import type { NodeInfo } from '../../src/core/node-info.ts';
import { ConnectionMessages } from '../../src/testing/connection-messages.ts';
import type { Connection, ConnectionEnd, Transport } from '../../src/transports/transport.ts';
import { DuplexProbe } from '../support/duplex-probe.ts';
import { identityOf, nodeInfoOf, nonsenseNodeInfo, type TestIdentity } from '../support/nodes.ts';
import { p2pRejection } from '../support/p2p-rejection.ts';
import { rejection } from '../support/rejection.ts';

/** How the suite makes the transports of one implementation. */
export interface TransportHarness {
  readonly env: Env;
  /** A fresh transport for `identity` that does not listen yet. */
  transport(identity: TestIdentity): Transport;
  /** Awaits a promise, moving time where time has to be moved. */
  run<T>(promise: Promise<T>): Promise<T>;
  /** Lets everything that is under way come to rest. */
  settle(): Promise<void>;
}

const CHANNEL = 0x20;
const CHANNELS = new Map([[CHANNEL, 1024 * 1024]]);
const quiet = new AbortController().signal;

/** What every transport has to do, run against one implementation. */
export function transportSuite(name: string, makeHarness: () => TransportHarness): void {
  describe(`${name}: transport compliance`, () => {
    const alice = identityOf('alice');
    const bob = identityOf('bob');
    let harness: TransportHarness;
    let a: Transport;
    let b: Transport;
    let opened: Connection[];

    beforeEach(async () => {
      harness = makeHarness();
      a = harness.transport(alice);
      b = harness.transport(bob);
      opened = [];
      await run(a.listen());
      await run(b.listen());
    });

    afterEach(async () => {
      for (const connection of opened) connection.close();
      await run(Promise.all([a.close(), b.close()]));
      await harness.settle();
    });

    const run = <T>(promise: Promise<T>): Promise<T> => harness.run(promise);

    function endpointOf(transport: Transport): Endpoint {
      return transport.endpoints()[0] ?? expect.fail('no endpoint');
    }

    /** A connection from a to b: the dialled end and the accepted one. */
    async function connect(): Promise<[Connection, Connection]> {
      const pair = await run(Promise.all([a.dial(endpointOf(b), quiet), b.accept()]));
      opened.push(...pair);
      return pair;
    }

    async function handshake(
      [dialled, accepted]: [Connection, Connection],
      aInfo: NodeInfo = nodeInfoOf(alice),
      bInfo: NodeInfo = nodeInfoOf(bob),
    ): Promise<void> {
      await run(
        Promise.all([
          dialled.handshake({ identity: alice, nodeInfo: aInfo }, quiet),
          accepted.handshake({ identity: bob, nodeInfo: bInfo }, quiet),
        ]),
      );
    }

    async function talk(): Promise<[ConnectionMessages, ConnectionMessages]> {
      const [dialled, accepted] = await connect();
      await handshake([dialled, accepted]);
      const options = { channels: CHANNELS, clock: harness.env.clock };
      return [new ConnectionMessages(dialled, options), new ConnectionMessages(accepted, options)];
    }

    const textOf = (message: Uint8Array): string => Buffer.from(message).toString();

    async function expectEof(messages: ConnectionMessages): Promise<void> {
      expect(await p2pRejection(run(messages.receive()))).to.include({ code: 'eof' });
      expect(await p2pRejection(run(messages.send(CHANNEL, Buffer.from('late'))))).to.include({
        code: 'eof',
      });
      expect(() => messages.trySend(CHANNEL, Buffer.from('late')))
        .to.throw()
        .with.property('code', 'eof');
    }

    it('TR-001: a waiting accept ends with eof when the transport closes', async () => {
      const accepting = p2pRejection(b.accept());
      await run(b.close());
      expect(await run(accepting)).to.include({ code: 'eof' });
    });

    it('TR-002: accept on a closed transport ends with eof at once', async () => {
      await run(b.close());
      expect(await p2pRejection(run(b.accept()))).to.include({ code: 'eof' });
    });

    it('TR-003: a transport can dial itself', async () => {
      const [dialled, accepted] = await run(Promise.all([b.dial(endpointOf(b), quiet), b.accept()]));
      opened.push(dialled, accepted);
      expect(dialled.remoteEndpoint).to.deep.equal(accepted.localEndpoint);
    });

    for (const [id, title, spoil] of [
      ['TR-004', 'an empty endpoint', () => ({ protocol: '', ip: '', port: 0, path: '' })],
      ['TR-005', 'no protocol', (endpoint: Endpoint) => ({ ...endpoint, protocol: '' })],
      [
        'TR-006',
        'the protocol of something else',
        (endpoint: Endpoint) => ({ ...endpoint, protocol: 'foo' }),
      ],
    ] as const) {
      it(`${id}: refuses to dial ${title}`, async () => {
        expect(await p2pRejection(run(a.dial(spoil(endpointOf(b)), quiet)))).to.include({
          code: 'invalid-endpoint',
        });
      });
    }

    it('TR-011: a dial with an aborted signal gives back its reason', async () => {
      const why = new Error('no longer wanted');
      expect(await rejection(run(a.dial(endpointOf(b), AbortSignal.abort(why))))).to.equal(why);
    });

    it('TR-012: nobody answers at the endpoint of a closed transport', async () => {
      const endpoint = endpointOf(b);
      await run(b.close());
      expect(await p2pRejection(run(a.dial(endpoint, quiet)))).to.include({ code: 'dial-failed' });
    });

    it('TR-013: a closed transport can still dial', async () => {
      await run(b.close());
      const [dialled, accepted] = await run(Promise.all([b.dial(endpointOf(a), quiet), a.accept()]));
      opened.push(dialled, accepted);
      expect(accepted.remoteEndpoint).to.deep.equal(dialled.localEndpoint);
    });

    it('TR-014: endpoints are valid and differ between transports', () => {
      for (const transport of [a, b]) {
        expect(transport.endpoints()).to.have.length.above(0);
        for (const endpoint of transport.endpoints()) expect(endpointFault(endpoint)).to.equal(undefined);
      }
      expect(a.endpoints()).to.not.deep.equal(b.endpoints());
    });

    it('TR-015: closing one transport takes away its endpoints and no others', async () => {
      await run(a.close());
      expect(a.endpoints()).to.deep.equal([]);
      expect(b.endpoints()).to.have.length.above(0);
    });

    it('TR-016: endpoints speak a protocol of the transport', () => {
      expect(a.protocols).to.have.length.above(0);
      for (const { protocol } of a.endpoints()) expect(a.protocols).to.include(protocol);
    });

    it('TR-017: transports and fresh connections have names for logs', async () => {
      const [dialled, accepted] = await connect();
      expect(a.name).to.not.equal('');
      for (const connection of [dialled, accepted]) {
        expect(formatEndpoint(connection.remoteEndpoint)).to.match(/^\w+:./);
      }
    });

    for (const [title, aInfo, bInfo] of [
      ['full node information', nodeInfoOf(alice), nodeInfoOf(bob, { moniker: 'b', channels: [] })],
      ['node information no router would accept', nonsenseNodeInfo(), nodeInfoOf(bob)],
    ] as const) {
      it(`TR-018: each side gets exactly the other's key and ${title}`, async () => {
        const [dialled, accepted] = await connect();
        const [atA, atB] = await run(
          Promise.all([
            dialled.handshake({ identity: alice, nodeInfo: aInfo }, quiet),
            accepted.handshake({ identity: bob, nodeInfo: bInfo }, quiet),
          ]),
        );
        expect(atA.nodeInfo).to.deep.equal(bInfo);
        expect(atB.nodeInfo).to.deep.equal(aInfo);
        expect(Buffer.from(atA.publicKey).equals(bob.publicKey)).to.equal(true);
        expect(Buffer.from(atB.publicKey).equals(alice.publicKey)).to.equal(true);
      });
    }

    it('TR-019: a handshake with an aborted signal gives back its reason', async () => {
      const [dialled] = await connect();
      const why = new Error('no longer wanted');
      const local = { identity: alice, nodeInfo: nodeInfoOf(alice) };
      expect(await rejection(run(dialled.handshake(local, AbortSignal.abort(why))))).to.equal(why);
    });

    it('TR-020, TR-023: a handshake with a silent peer ends when its signal says so', async () => {
      const [dialled] = await connect();
      const controller = new AbortController();
      const why = new Error('deadline');
      const local = { identity: alice, nodeInfo: nodeInfoOf(alice) };
      const shaking = rejection(dialled.handshake(local, controller.signal));
      await harness.settle();
      controller.abort(why);
      expect(await run(shaking)).to.equal(why);
    });

    it('TR-024: a second handshake is refused', async () => {
      const [dialled, accepted] = await connect();
      await handshake([dialled, accepted]);
      const local = { identity: alice, nodeInfo: nodeInfoOf(alice) };
      expect(await p2pRejection(run(dialled.handshake(local, quiet)))).to.include({
        code: 'already-handshaked',
      });
    });

    it('TR-025: after flushClose nothing is received or sent, and a second one does nothing', async () => {
      const [atA] = await talk();
      await run(atA.flushClose());
      await expectEof(atA);
      await run(atA.flushClose());
    });

    it('flushClose sends what was accepted before it', async () => {
      const [atA, atB] = await talk();
      expect(atA.trySend(CHANNEL, Buffer.from('last words'))).to.equal(true);
      await run(atA.flushClose());
      expect(textOf((await run(atB.receive())).message)).to.equal('last words');
      expect(await run(atB.ended)).to.deep.equal({ by: 'remote' });
      await expectEof(atB);
    });

    it('TR-026: the endpoints of both ends mirror each other', async () => {
      const [dialled, accepted] = await connect();
      expect(dialled.localEndpoint).to.deep.equal(accepted.remoteEndpoint);
      expect(dialled.remoteEndpoint).to.deep.equal(accepted.localEndpoint);
      expect(dialled.localEndpoint).to.not.deep.equal(dialled.remoteEndpoint);
    });

    it('TR-027, TR-028: messages arrive on their channel, both ways', async () => {
      const [atA, atB] = await talk();
      expect(await run(atA.send(CHANNEL, Buffer.from('foo')))).to.equal(true);
      const foo = await run(atB.receive());
      expect([foo.channelId, textOf(foo.message)]).to.deep.equal([CHANNEL, 'foo']);
      expect(await run(atB.send(CHANNEL, Buffer.from('bar')))).to.equal(true);
      const bar = await run(atA.receive());
      expect([bar.channelId, textOf(bar.message)]).to.deep.equal([CHANNEL, 'bar']);
    });

    it('TR-029: trySend does the same without waiting', async () => {
      const [atA, atB] = await talk();
      expect(atB.trySend(CHANNEL, Buffer.from('try'))).to.equal(true);
      expect(textOf((await run(atA.receive())).message)).to.equal('try');
    });

    it('TR-030: connections outlive their transports', async () => {
      const [atA, atB] = await talk();
      await run(Promise.all([a.close(), b.close()]));
      expect(await run(atA.send(CHANNEL, Buffer.from('still here')))).to.equal(true);
      expect(textOf((await run(atB.receive())).message)).to.equal('still here');
    });

    it('TR-031, TR-032: a close ends both sides with eof, and says who closed', async () => {
      const [atA, atB] = await talk();
      await run(atB.close());
      expect(await run(atB.ended)).to.deep.equal({ by: 'local' });
      expect(await run(atA.ended)).to.deep.equal({ by: 'remote' });
      await expectEof(atA);
      await expectEof(atB);
    });

    it('TR-033: status never fails, and counts', async () => {
      const [dialled, accepted] = await connect();
      expect(dialled.status()).to.include({ bytesSent: 0, bytesReceived: 0 });
      await handshake([dialled, accepted]);
      const [atA, atB] = [
        new ConnectionMessages(dialled, { channels: CHANNELS }),
        new ConnectionMessages(accepted, { channels: CHANNELS }),
      ];
      await run(atA.send(CHANNEL, Buffer.alloc(5000)));
      await run(atB.receive());
      expect(dialled.status().bytesSent).to.be.at.least(5000);
      expect(accepted.status().bytesReceived).to.equal(dialled.status().bytesSent);
      expect(accepted.status().lastReceivedAt).to.be.at.most(harness.env.clock.now());
      await run(atA.close());
      expect(dialled.status().bytesSent).to.be.at.least(5000);
    });

    it('TR-045: listening twice is refused', async () => {
      expect(await p2pRejection(run(a.listen()))).to.include({ code: 'already-listening' });
    });

    it('TR-047: a transport can be closed twice', async () => {
      await run(a.close());
      await run(a.close());
      expect(a.endpoints()).to.deep.equal([]);
    });

    it('TR-037, TR-038: before listening there is no endpoint, and accept fails but not with eof', async () => {
      const fresh = harness.transport(identityOf('carol'));
      expect(fresh.endpoints()).to.deep.equal([]);
      expect(await p2pRejection(run(fresh.accept()))).to.include({ code: 'not-listening' });
    });

    it('TR-048: a channel id above 255 is refused', async () => {
      const [atA] = await talk();
      expect(await p2pRejection(run(atA.send(256, Buffer.from('far'))))).to.include({
        code: 'invalid-channel',
      });
    });

    it('TR-049: sending on a channel that is not open is refused, and the connection lives', async () => {
      const [atA, atB] = await talk();
      expect(await run(atA.send(0x77, Buffer.from('lost')))).to.equal(false);
      expect(await run(atA.send(CHANNEL, Buffer.from('fine')))).to.equal(true);
      expect(textOf((await run(atB.receive())).message)).to.equal('fine');
    });

    it('TR-052, TR-113: a message on a channel the receiver does not know ends the connection, blaming the sender', async () => {
      const [dialled, accepted] = await connect();
      await handshake([dialled, accepted]);
      const atA = new ConnectionMessages(dialled, { channels: new Map([[0x66, 100]]) });
      const atB = new ConnectionMessages(accepted, { channels: CHANNELS });
      expect(atA.trySend(0x66, Buffer.from('what'))).to.equal(true);
      const fault = await p2pRejection(run(atB.receive()));
      expect(fault).to.include({ code: 'protocol-violation', reason: 'unknown-channel', blame: 'peer' });
      await expectEof(atB);
      expect(await run(atA.ended)).to.deep.equal({ by: 'remote' });
      await expectEof(atA);
    });

    it('TR-121: a message longer than the channel allows ends the connection; one of just that length does not', async () => {
      const [dialled, accepted] = await connect();
      await handshake([dialled, accepted]);
      const atA = new ConnectionMessages(dialled, { channels: CHANNELS });
      const atB = new ConnectionMessages(accepted, { channels: new Map([[CHANNEL, 5000]]) });
      await run(atA.send(CHANNEL, Buffer.alloc(5000)));
      expect((await run(atB.receive())).message).to.have.length(5000);
      await run(atA.send(CHANNEL, Buffer.alloc(5001)));
      expect(await run(atB.ended)).to.have.nested.include({ by: 'fault', 'error.code': 'message-too-large' });
    });

    it('TR-156: an empty message is delivered as one', async () => {
      const [atA, atB] = await talk();
      expect(await run(atA.send(CHANNEL, new Uint8Array(0)))).to.equal(true);
      expect((await run(atB.receive())).message).to.have.length(0);
    });

    it('what is received belongs to the receiver', async () => {
      const [dialled, accepted] = await connect();
      await handshake([dialled, accepted]);
      const [atA, atB] = [new DuplexProbe(CHANNELS), new DuplexProbe(CHANNELS)];
      const sent = Buffer.from('shared?');
      atA.queue(CHANNEL, sent);
      dialled.start(atA);
      accepted.start(atB);
      await run(atB.deliveries(1));
      const { message } = atB.delivered[0]!;
      sent.fill(0);
      expect(textOf(message)).to.equal('shared?');
      message.fill(1);
      expect([...sent]).to.deep.equal([0, 0, 0, 0, 0, 0, 0]);
    });

    it('TR-128: a throw of the receiver ends its connection with that as the cause', async () => {
      const [dialled, accepted] = await connect();
      await handshake([dialled, accepted]);
      const thrown = new Error('reactor bug');
      const end = endOf(accepted, () => {
        throw thrown;
      });
      const atA = new ConnectionMessages(dialled, { channels: CHANNELS });
      atA.trySend(CHANNEL, Buffer.from('boom'));
      expect(await run(end)).to.have.nested.include({
        by: 'fault',
        'error.code': 'internal',
        'error.cause': thrown,
      });
      expect(await run(atA.ended)).to.deep.equal({ by: 'remote' });
    });

    it('TR-110, TR-125, TR-126: an end is told exactly once, whatever follows it', async () => {
      const [dialled, accepted] = await connect();
      await handshake([dialled, accepted]);
      const ends: ConnectionEnd[] = [];
      const calls: string[] = [];
      const duplex = {
        pull: () => {
          calls.push('pull');
          return false;
        },
        receiveLimit: () => 10,
        deliver: () => calls.push('deliver'),
        closed: (end: ConnectionEnd) => ends.push(end),
      };
      dialled.start(duplex);
      expect(calls).to.deep.equal([]);
      await harness.settle();
      calls.length = 0;
      const flushed = dialled.flushClose();
      dialled.close();
      dialled.close();
      expect(ends, 'told from within close').to.deep.equal([]);
      accepted.close();
      dialled.wake();
      await run(flushed);
      await harness.settle();
      expect(ends).to.deep.equal([{ by: 'local' }]);
      expect(calls).to.deep.equal([]);
    });

    it('a connection that ended before it was started says so', async () => {
      const [dialled, accepted] = await connect();
      await handshake([dialled, accepted]);
      accepted.close();
      await harness.settle();
      const end = endOf(dialled, () => undefined);
      expect(await run(end)).to.deep.equal({ by: 'remote' });
    });

    it('a connection closed right after it was started is told so, and nothing else', async () => {
      const [dialled, accepted] = await connect();
      await handshake([dialled, accepted]);
      const calls: string[] = [];
      dialled.start({
        pull: () => calls.push('pull') === 0,
        receiveLimit: () => calls.push('receiveLimit'),
        deliver: () => calls.push('deliver'),
        closed: ({ by }) => calls.push(by),
      });
      dialled.close();
      expect(calls).to.deep.equal([]);
      await harness.settle();
      expect(calls).to.deep.equal(['local']);
    });

    it('a closed connection refuses to shake hands', async () => {
      const [dialled, accepted] = await connect();
      dialled.close();
      const local = { identity: alice, nodeInfo: nodeInfoOf(alice) };
      expect(await p2pRejection(run(dialled.handshake(local, quiet)))).to.include({ code: 'eof' });
      expect(await p2pRejection(run(accepted.handshake(local, quiet)))).to.include({ code: 'eof' });
    });

    it('messages of one channel keep their order', async () => {
      const [atA, atB] = await talk();
      const texts = Array.from({ length: 300 }, (_, index) =>
        `message ${index}`.padEnd(1 + ((index * 37) % 4000), '.'),
      );
      const received: string[] = [];
      const sending = (async () => {
        for (const text of texts) await atA.send(CHANNEL, Buffer.from(text));
      })();
      const receiving = (async () => {
        while (received.length < texts.length) received.push(textOf((await atB.receive()).message));
      })();
      await run(Promise.all([sending, receiving]));
      expect(received).to.deep.equal(texts);
    });

    /** Starts a connection with a receiver of one's own, and gives its end. */
    function endOf(connection: Connection, deliver: () => void): Promise<ConnectionEnd> {
      return new Promise((closed) => {
        connection.start({ pull: () => false, receiveLimit: (id) => CHANNELS.get(id), deliver, closed });
      });
    }
  });
}
