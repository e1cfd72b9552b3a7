import { expect } from 'chai';
import type { Endpoint } from '../../../src/core/endpoint.ts';
import { ConnectionMessages } from '../../../src/testing/connection-messages.ts';
import { simulatedEnv } from '../../../src/testing/simulated-env.ts';
import { MemoryNetwork, type MemoryNetworkOptions } from '../../../src/transports/memory/memory-network.ts';
import type { Connection, Transport } from '../../../src/transports/transport.ts';
import { identityOf, nodeInfoOf } from '../../support/nodes.ts';
import { p2pRejection } from '../../support/p2p-rejection.ts';
import { rejection } from '../../support/rejection.ts';

const quiet = new AbortController().signal;
const alice = identityOf('alice');
const bob = identityOf('bob');
const CHANNEL = 0x20;
const CHANNELS = new Map([[CHANNEL, 1000]]);
const toBob: Endpoint = { protocol: 'memory', ip: '', port: 0, path: bob.nodeId };
const bytes = (text: string): Uint8Array => Buffer.from(text);

describe('memory network', () => {
  function world(options: MemoryNetworkOptions = {}) {
    const env = simulatedEnv();
    const network = new MemoryNetwork(options);
    const [a, b] = [alice, bob].map(({ nodeId }) => network.transport(nodeId)(env)) as [Transport, Transport];
    const run = <T>(promise: Promise<T>): Promise<T> => env.clock.complete(promise);

    async function connect(): Promise<[Connection, Connection]> {
      if (b.endpoints().length === 0) await run(b.listen());
      const pair = await run(Promise.all([a.dial(toBob, quiet), b.accept()]));
      await run(
        Promise.all([
          pair[0].handshake({ identity: alice, nodeInfo: nodeInfoOf(alice) }, quiet),
          pair[1].handshake({ identity: bob, nodeInfo: nodeInfoOf(bob) }, quiet),
        ]),
      );
      return pair;
    }

    const messages = (connection: Connection): ConnectionMessages =>
      new ConnectionMessages(connection, { channels: CHANNELS, clock: env.clock });

    return { env, clock: env.clock, network, a, b, run, connect, messages };
  }

  it('TR-010: refuses to dial without a path', async () => {
    const { a, run } = world();
    const endpoint = { ...toBob, path: '', ip: '0.0.0.0' };
    expect(await p2pRejection(run(a.dial(endpoint, quiet)))).to.include({
      code: 'invalid-endpoint',
      reason: 'no-path',
    });
  });

  it('TR-057: two transports cannot listen as one node', async () => {
    const { env, network, b, run } = world();
    await run(b.listen());
    const twin = network.transport(bob.nodeId)(env);
    expect(await p2pRejection(run(twin.listen()))).to.include({
      code: 'listen-failed',
      reason: 'EADDRINUSE',
    });
    expect(twin.endpoints()).to.deep.equal([]);
    await run(twin.close());
    expect(network.listeners).to.deep.equal([bob.nodeId]);
  });

  it('TR-058: refuses to dial a node nobody listens as', async () => {
    const { a, run } = world();
    expect(await p2pRejection(run(a.dial(toBob, quiet)))).to.include({
      code: 'dial-failed',
      reason: 'unknown-peer',
    });
  });

  for (const path of ['nonsense', bob.nodeId.toUpperCase(), `${bob.nodeId}00`]) {
    it(`TR-059: refuses to dial ${path}, which is no node id`, async () => {
      const { a, run } = world();
      expect(await p2pRejection(run(a.dial({ ...toBob, path }, quiet)))).to.include({
        code: 'invalid-endpoint',
        reason: 'path-not-a-node-id',
      });
    });
  }

  it('TR-060: a dial waits until its target accepts', async () => {
    const { clock, a, b, run } = world();
    await run(b.listen());
    let isDialled = false;
    const dialling = a.dial(toBob, quiet).then((connection) => {
      isDialled = true;
      return connection;
    });
    await clock.advance(60_000);
    expect(isDialled).to.equal(false);
    const accepted = await run(b.accept());
    expect((await run(dialling)).remoteEndpoint).to.deep.equal(accepted.localEndpoint);
  });

  it('TR-061: a waiting dial ends when its target closes', async () => {
    const { clock, a, b, run } = world();
    await run(b.listen());
    const dialling = p2pRejection(a.dial(toBob, quiet));
    await clock.advance(0);
    await run(b.close());
    expect(await run(dialling)).to.include({ code: 'dial-failed', reason: 'eof' });
  });

  it('a dial that is still on its way when the target closes ends the same', async () => {
    const { clock, a, b, run } = world({ latencyMs: 100 });
    await run(b.listen());
    const dialling = p2pRejection(a.dial(toBob, quiet));
    await clock.advance(50);
    await run(b.close());
    expect(await run(dialling)).to.include({ code: 'dial-failed', reason: 'eof' });
    expect(clock.now()).to.equal(100);
  });

  for (const [title, advanceMs] of [
    ['on its way', 5],
    ['waiting at its target', 50],
  ] as const) {
    it(`TR-062: a dial ${title} ends with the reason of its signal, and is not accepted later`, async () => {
      const { clock, a, b, run } = world({ latencyMs: 10 });
      await run(b.listen());
      const controller = new AbortController();
      const why = new Error('gave up');
      const dialling = rejection(a.dial(toBob, controller.signal));
      await clock.advance(advanceMs);
      controller.abort(why);
      expect(clock.pending().timers).to.deep.equal([]);
      expect(await run(dialling)).to.equal(why);
      let isAccepted = false;
      void b.accept().then(
        () => {
          isAccepted = true;
        },
        () => undefined,
      );
      await clock.advance(1000);
      expect(isAccepted).to.equal(false);
      await run(b.close());
      expect(clock.pending()).to.deep.equal({ timers: [], deferred: [] });
    });
  }

  it('a dial that is given up on the way back ends the accepted connection', async () => {
    const { clock, a, b, run, messages } = world({ latencyMs: 10 });
    await run(b.listen());
    const controller = new AbortController();
    const dialling = rejection(a.dial(toBob, controller.signal));
    const accepted = await run(b.accept());
    controller.abort(new Error('gave up'));
    await run(dialling);
    expect(await run(messages(accepted).ended)).to.deep.equal({ by: 'remote' });
    expect(clock.now()).to.equal(20);
  });

  it('TR-063: with a window of one and the link held, a second message does not fit', async () => {
    const { clock, network, connect, messages } = world({ windowMessages: 1 });
    const [atA, atB] = (await connect()).map(messages) as [ConnectionMessages, ConnectionMessages];
    const link = network.links.find(({ from }) => from === alice.nodeId)!;
    link.hold();
    expect(atA.trySend(CHANNEL, bytes('in flight'))).to.equal(true);
    await clock.advance(0);
    expect(atA.trySend(CHANNEL, bytes('queued'))).to.equal(true);
    await clock.advance(0);
    expect(atA.trySend(CHANNEL, bytes('too many'))).to.equal(false);
    expect(link.messagesOnTheWay).to.equal(1);
    link.release();
    await clock.advance(0);
    expect(atB.waitingMessages).to.equal(2);
  });

  it('TR-050, TR-051, TR-064: a send waits for room, for at most its time-out', async () => {
    const { clock, network, connect, messages, run } = world({ windowMessages: 1 });
    const [atA, atB] = (await connect()).map(messages) as [ConnectionMessages, ConnectionMessages];
    const [link] = network.links;
    link!.hold();
    for (let i = 0; i < 2; i++) expect(await run(atA.send(CHANNEL, bytes('fits')))).to.equal(true);
    const start = clock.now();
    expect(await run(atA.send(CHANNEL, bytes('late')))).to.equal(false);
    expect(clock.now() - start).to.equal(10_000);
    const waiting = atA.send(CHANNEL, bytes('third'));
    await clock.advance(5000);
    link!.release();
    expect(await run(waiting)).to.equal(true);
    expect(clock.now() - start).to.equal(15_000);
    await clock.advance(0);
    expect(atB.waitingMessages).to.equal(3);
    expect(clock.pending().timers).to.deep.equal([]);
  });

  for (const [title, closer, code] of [
    ['the sender', 0, 'eof'],
    ['the receiver', 1, 'eof'],
  ] as const) {
    it(`TR-065: a waiting send ends with eof when ${title} closes`, async () => {
      const { network, connect, messages, run } = world({ windowMessages: 1 });
      const pair = await connect();
      const atA = messages(pair[0]);
      network.links[0]!.hold();
      for (let i = 0; i < 2; i++) await run(atA.send(CHANNEL, bytes('fits')));
      const waiting = p2pRejection(atA.send(CHANNEL, bytes('waits')));
      pair[closer].close();
      expect(await run(waiting)).to.include({ code });
    });
  }

  it('TR-066: what is on the way when the sender closes is lost', async () => {
    const { clock, connect, messages, run } = world({ latencyMs: 10 });
    const [dialled, accepted] = await connect();
    const [atA, atB] = [messages(dialled), messages(accepted)];
    atA.trySend(CHANNEL, bytes('lost'));
    await clock.advance(5);
    await run(atA.close());
    expect(await run(atB.ended)).to.deep.equal({ by: 'remote' });
    expect(atB.waitingMessages).to.equal(0);
  });

  it('nothing is delivered to a connection that is being flushed', async () => {
    const { clock, network, connect, messages, run } = world({ windowMessages: 1 });
    const [atA, atB] = (await connect()).map(messages) as [ConnectionMessages, ConnectionMessages];
    const link = network.links.find(({ to }) => to === bob.nodeId)!;
    link.hold();
    for (let i = 0; i < 2; i++) await run(atA.send(CHANNEL, bytes('flushed')));
    const flushed = atA.flushClose();
    atB.trySend(CHANNEL, bytes('too late'));
    await clock.advance(1000);
    expect(atA.waitingMessages).to.equal(0);
    link.release();
    await run(flushed);
    await clock.advance(0);
    expect(atB.waitingMessages).to.equal(2);
  });

  it('a link can be held from within a delivery', async () => {
    const { clock, network, connect, messages } = world();
    const [dialled, accepted] = await connect();
    const atA = new ConnectionMessages(dialled, { channels: CHANNELS, queueMessages: 10 });
    const atB = messages(accepted);
    const link = network.links.find(({ to }) => to === bob.nodeId)!;
    const deliver = atB.deliver.bind(atB);
    atB.deliver = (channelId, message) => {
      deliver(channelId, message);
      link.hold();
    };
    for (let i = 0; i < 3; i++) atA.trySend(CHANNEL, bytes('one at a time'));
    await clock.advance(1000);
    expect(atB.waitingMessages).to.equal(1);
    link.release();
    await clock.advance(1000);
    expect(atB.waitingMessages).to.equal(2);
  });

  it('TR-066: what is on the way when the receiver closes is lost', async () => {
    const { clock, network, connect, messages, run } = world({ latencyMs: 10 });
    const pair = await connect();
    const [atA, atB] = pair.map(messages) as [ConnectionMessages, ConnectionMessages];
    atA.trySend(CHANNEL, bytes('lost'));
    await clock.advance(5);
    pair[1].close();
    expect(await p2pRejection(run(atB.receive()))).to.include({ code: 'eof' });
    expect(await run(atA.ended)).to.deep.equal({ by: 'remote' });
    await clock.advance(1000);
    expect(atB.waitingMessages).to.equal(0);
    expect(network.links).to.deep.equal([]);
  });

  it('TR-067: a message where node information should be fails the handshake', async () => {
    const { clock, a, b, run, messages } = world();
    await run(b.listen());
    const [dialled, accepted] = await run(Promise.all([a.dial(toBob, quiet), b.accept()]));
    messages(dialled).trySend(CHANNEL, bytes('hello'));
    await clock.advance(0);
    const failure = await p2pRejection(
      run(accepted.handshake({ identity: bob, nodeInfo: nodeInfoOf(bob) }, quiet)),
    );
    expect(failure).to.include({ code: 'handshake-failed', reason: 'no-node-info', blame: 'peer' });
  });

  it('TR-022: an aborted handshake leaves the connection open', async () => {
    const { clock, a, b, run } = world();
    await run(b.listen());
    const [dialled, accepted] = await run(Promise.all([a.dial(toBob, quiet), b.accept()]));
    const controller = new AbortController();
    const shaking = rejection(
      dialled.handshake({ identity: alice, nodeInfo: nodeInfoOf(alice) }, controller.signal),
    );
    await clock.advance(10);
    controller.abort(new Error('deadline'));
    await run(shaking);
    const remote = await run(accepted.handshake({ identity: bob, nodeInfo: nodeInfoOf(bob) }, quiet));
    expect(remote.nodeInfo.nodeId).to.equal(alice.nodeId);
  });

  it('TR-068: a removed node accepts nothing more, and its id is free again', async () => {
    const { env, network, b, run } = world();
    await run(b.listen());
    const accepting = p2pRejection(b.accept());
    await run(network.remove(bob.nodeId));
    expect(await run(accepting)).to.include({ code: 'eof' });
    expect(network.listeners).to.deep.equal([]);
    await run(network.transport(bob.nodeId)(env).listen());
    expect(network.listeners).to.deep.equal([bob.nodeId]);
    await run(network.remove(alice.nodeId));
  });

  it('TR-069: endpoints of transports have a path and 0.0.0.0, those of connections a path alone', async () => {
    const { b, connect } = world();
    const [dialled] = await connect();
    expect(b.endpoints()).to.deep.equal([{ protocol: 'memory', ip: '0.0.0.0', port: 0, path: bob.nodeId }]);
    expect(dialled.remoteEndpoint).to.deep.equal(toBob);
    expect(dialled.localEndpoint).to.deep.equal({ ...toBob, path: alice.nodeId });
  });

  it('TN-033: with a latency of 100 ms a ping arrives at 100 and its answer at 200', async () => {
    const { clock, connect, messages } = world({ latencyMs: 100 });
    const [atA, atB] = (await connect()).map(messages) as [ConnectionMessages, ConnectionMessages];
    const start = clock.now();
    const arrivals: number[] = [];
    void atB.receive().then(() => {
      arrivals.push(clock.now() - start);
      atB.trySend(CHANNEL, bytes('pong'));
    });
    void atA.receive().then(() => arrivals.push(clock.now() - start));
    atA.trySend(CHANNEL, bytes('ping'));
    await clock.advance(1000);
    expect(arrivals).to.deep.equal([100, 200]);
  });

  it('latency may differ by direction and change, and items never overtake', async () => {
    let latencyMs = 100;
    const { clock, connect, messages } = world({
      latencyMs: (from) => (from === alice.nodeId ? latencyMs : 1),
    });
    const [atA, atB] = (await connect()).map(messages) as [ConnectionMessages, ConnectionMessages];
    const start = clock.now();
    const arrivals: [string, number][] = [];
    const listen = async (): Promise<never> => {
      for (;;) {
        const { message } = await atB.receive();
        arrivals.push([Buffer.from(message).toString(), clock.now() - start]);
      }
    };
    void listen().catch(() => undefined);
    atA.trySend(CHANNEL, bytes('slow'));
    await clock.advance(10);
    latencyMs = 5;
    atA.trySend(CHANNEL, bytes('fast'));
    await clock.advance(200);
    expect(arrivals).to.deep.equal([
      ['slow', 100],
      ['fast', 100],
    ]);
  });

  it('a held link tells neither end anything, and delivers in order once released', async () => {
    const { clock, network, connect, messages } = world();
    const pair = await connect();
    const [atA, atB] = pair.map(messages) as [ConnectionMessages, ConnectionMessages];
    const link = network.links.find(({ to }) => to === bob.nodeId)!;
    link.hold();
    for (const text of ['one', 'two', 'three']) {
      atA.trySend(CHANNEL, bytes(text));
      await clock.advance(0);
    }
    const flushed = atA.flushClose();
    await clock.advance(10_000);
    expect(atB.waitingMessages).to.equal(0);
    link.release();
    await clock.complete(flushed);
    const texts: string[] = [];
    for (let i = 0; i < 3; i++)
      texts.push(Buffer.from((await clock.complete(atB.receive())).message).toString());
    expect(texts).to.deep.equal(['one', 'two', 'three']);
    expect(await clock.complete(atB.ended)).to.deep.equal({ by: 'remote' });
  });

  it('a window of bytes bounds what is on the way, but lets any one message through', async () => {
    const { clock, network, connect, messages } = world({ windowBytes: 1000 });
    const pair = await connect();
    const atA = new ConnectionMessages(pair[0], { channels: CHANNELS, queueMessages: 10 });
    const atB = messages(pair[1]);
    const link = network.links.find(({ to }) => to === bob.nodeId)!;
    link.hold();
    for (const length of [900, 900, 900]) atA.trySend(CHANNEL, new Uint8Array(length));
    await clock.advance(0);
    expect(link.messagesOnTheWay).to.equal(2);
    expect(atA.queuedMessages).to.equal(1);
    link.release();
    await clock.advance(0);
    expect(atB.waitingMessages).to.equal(3);
  });

  it('joins a message that is pulled in pieces', async () => {
    const { clock, connect, messages } = world();
    const [dialled, accepted] = await connect();
    const atB = messages(accepted);
    const pieces = ['in ', 'three ', 'pieces'].map(bytes);
    let next = 0;
    dialled.start({
      pull: (_, slice) => {
        const data = pieces[next++];
        if (data === undefined) return false;
        Object.assign(slice, {
          channelId: CHANNEL,
          data,
          start: 0,
          end: data.length,
          eof: next === pieces.length,
        });
        return true;
      },
      receiveLimit: () => 0,
      deliver: () => undefined,
      closed: () => undefined,
    });
    expect(Buffer.from((await clock.complete(atB.receive())).message).toString()).to.equal('in three pieces');
  });

  it('a throw of pull ends the connection', async () => {
    const { clock, connect, messages } = world();
    const [dialled, accepted] = await connect();
    const atB = messages(accepted);
    const thrown = new Error('outbox bug');
    const end = new Promise((closed) => {
      dialled.start({
        pull: () => {
          throw thrown;
        },
        receiveLimit: () => 0,
        deliver: () => undefined,
        closed,
      });
    });
    expect(await clock.complete(end)).to.have.nested.include({ by: 'fault', 'error.cause': thrown });
    expect(await clock.complete(atB.ended)).to.deep.equal({ by: 'remote' });
  });

  it('the same calls take the same course, event for event', async () => {
    const trace = async (): Promise<string[]> => {
      const seen: string[] = [];
      const { clock, connect, messages } = world({ latencyMs: (from) => (from === alice.nodeId ? 3 : 7) });
      const ends = (await connect()).map(messages);
      const echo = async (name: string, end: ConnectionMessages): Promise<never> => {
        for (;;) {
          const { message } = await end.receive();
          seen.push(`${clock.now()} ${name} ${message.length}`);
          if (message.length > 1) await end.send(CHANNEL, message.subarray(1));
        }
      };
      for (const [index, end] of ends.entries()) void echo(`node${index}`, end).catch(() => undefined);
      for (const end of ends) void end.send(CHANNEL, new Uint8Array(20));
      await clock.advance(1000);
      return seen;
    };
    const first = await trace();
    expect(first).to.have.length(40);
    expect(await trace()).to.deep.equal(first);
  });
});
