import { expect } from 'chai';
import { createRouter, P2PError, type FlightRecord } from '../../src/index.ts';
import {
  ScriptedTransport,
  simulatedEnv,
  SimulatedNetwork,
  type ScriptedConnection,
} from '../../src/testing/index.ts';
import { memoryPeerStore } from '../../src/store/memory-peer-store.ts';
import type { PeerStore } from '../../src/store/peer-store.ts';
import { identityOf } from '../support/nodes.ts';
import { p2pRejection } from '../support/p2p-rejection.ts';
import { p2pThrow } from '../support/p2p-throw.ts';
import { remoteOf, ScriptedRouter, TEXT } from '../support/scripted-router.ts';
import { textCodec } from '../support/text-codec.ts';

const alice = identityOf('alice');
const bob = identityOf('bob');
const carol = identityOf('carol');

/** A store one of whose calls throws, against its contract. */
function brokenStore(call: 'write' | 'load', error: Error): PeerStore {
  const store = memoryPeerStore();
  return {
    name: 'broken',
    open: () => store.open(),
    load: () => (call === 'load' ? Promise.reject(error) : store.load()),
    write: () => {
      if (call === 'write') throw error;
    },
    flush: () => store.flush(),
    close: () => store.close(),
  };
}

describe('making a router', () => {
  it('RT-013 refuses two transports that serve one protocol, naming it', () => {
    const { clock } = simulatedEnv();
    const transports = [new ScriptedTransport(clock).factory, new ScriptedTransport(clock).factory];
    const error = p2pThrow(() => createRouter({ identity: alice, network: 'n', transports }));
    expect(error.code).to.equal('invalid-option');
    expect(error.message).to.contain('scripted');
  });

  it('RT-014 has the id of its key, whatever else the identity says', () => {
    const { clock } = simulatedEnv();
    const identity = { ...alice, nodeId: bob.nodeId };
    const router = createRouter({
      identity,
      network: 'n',
      transports: [new ScriptedTransport(clock).factory],
    });
    expect(router.id).to.equal(alice.nodeId);
  });

  it('RT-015 takes a frozen options object twice and leaves it alone', () => {
    const { clock } = simulatedEnv();
    const options = Object.freeze({
      identity: alice,
      network: 'n',
      transports: Object.freeze([new ScriptedTransport(clock).factory]),
      peers: Object.freeze({ maxConnected: 3 }),
    });
    const before = structuredClone({ network: options.network, peers: options.peers });
    expect(createRouter(options).id).to.equal(createRouter(options).id);
    expect({ network: options.network, peers: options.peers }).to.deep.equal(before);
  });

  it('RT-016 gives statistics of zeros before it is started', () => {
    const { env } = new ScriptedRouter();
    const transports = [new ScriptedTransport(env.clock).factory];
    const router = createRouter({ identity: alice, network: 'n', transports });
    const { state, actors, channels, drops, accepting, ...counts } = router.stats();
    expect(state).to.equal('idle');
    expect(accepting).to.equal(false);
    expect(drops).to.deep.equal([]);
    expect(actors).to.be.greaterThan(0);
    expect(Object.keys(channels)).to.deep.equal(['pex']);
    expect(new Set(Object.values(counts))).to.deep.equal(new Set([0]));
    expect(router.peers()).to.deep.equal([]);
    expect(router.addresses).to.deep.equal([]);
  });
});

describe('starting a router', () => {
  it('RT-017 fails with the cause when a transport cannot listen, and leaves nothing behind', async () => {
    const scripted = new ScriptedRouter();
    const cause = new P2PError('listen-failed', 'port in use', { reason: 'EADDRINUSE' });
    scripted.transport.scriptListen(cause);
    const error = await p2pRejection(scripted.env.clock.complete(scripted.router.start()));
    expect(error).to.equal(cause);
    expect(scripted.router.state).to.equal('failed');
    await scripted.expectNothingLeft();
    expect(await scripted.router.closed).to.equal(cause);
    await scripted.router.stop();
  });

  it('RT-017 closes the listeners that were open when a later one fails', async () => {
    const env = simulatedEnv();
    const first = new ScriptedTransport(env.clock, { protocols: ['first'] });
    const second = new ScriptedTransport(env.clock, { protocols: ['second'] });
    second.scriptListen(new P2PError('listen-failed', 'port in use', { reason: 'EADDRINUSE' }));
    const transports = [first.factory, second.factory];
    const router = createRouter({ identity: alice, network: 'n', transports, env });
    await p2pRejection(env.clock.complete(router.start()));
    expect([first.isListening, second.isListening]).to.deep.equal([false, false]);
    expect(first.closes).to.be.greaterThan(0);
    expect(router.actors()).to.deep.equal([]);
  });

  it('RT-017 fails with the cause when the store cannot be read', async () => {
    const cause = new P2PError('store-failed', 'broken');
    const scripted = new ScriptedRouter({ store: brokenStore('load', cause) });
    expect(await p2pRejection(scripted.env.clock.complete(scripted.router.start()))).to.equal(cause);
    await scripted.expectNothingLeft();
  });

  it('RT-018 gives the same promise while it is starting', async () => {
    const scripted = new ScriptedRouter();
    scripted.transport.scriptListen('held');
    const starting = scripted.router.start();
    await scripted.advance();
    expect(scripted.router.start()).to.equal(starting);
    scripted.transport.releaseListen();
    await scripted.env.clock.complete(starting);
    await scripted.stop();
  });

  it('RT-019 rejects with already-started when it runs', async () => {
    const scripted = await ScriptedRouter.running();
    expect((await p2pRejection(scripted.router.start())).code).to.equal('already-started');
    await scripted.stop();
  });

  it('RT-020 rejects with stopped once it has stopped, and once it has failed', async () => {
    const stopped = await ScriptedRouter.running();
    await stopped.stop();
    expect((await p2pRejection(stopped.router.start())).code).to.equal('stopped');
    expect(p2pThrow(() => stopped.router.openChannel({ id: 9, codec: textCodec })).code).to.equal('stopped');

    const failed = new ScriptedRouter();
    failed.transport.scriptListen(new Error('no'));
    await failed.env.clock.complete(failed.router.start()).catch(() => undefined);
    expect((await p2pRejection(failed.router.start())).code).to.equal('stopped');
  });

  it('RT-021 starts and stops without transports and without peers', async () => {
    const env = simulatedEnv();
    const router = createRouter({ identity: alice, network: 'n', transports: [], env });
    const channel = router.openChannel({ id: 1, codec: textCodec });
    await env.clock.complete(router.start());
    expect(channel.state).to.equal('open');
    await env.clock.complete(router.stop());
    expect(router.state).to.equal('stopped');
    expect(channel.state).to.equal('closed');
    expect(env.clock.pending().timers).to.deep.equal([]);
  });

  it('RT-030 rejects with stopped when it is stopped meanwhile, and closes the late listener', async () => {
    const scripted = new ScriptedRouter();
    scripted.transport.scriptListen('held');
    const starting = scripted.router.start();
    await scripted.advance();
    const stopping = scripted.router.stop();
    expect((await p2pRejection(starting)).code).to.equal('stopped');
    scripted.transport.releaseListen();
    await scripted.env.clock.complete(stopping);
    expect(scripted.router.state).to.equal('stopped');
    expect(scripted.transport.closes).to.be.greaterThan(0);
    await scripted.expectNothingLeft();
  });

  it('RT-030 ends in bounded time when the listener never comes, and still closes it when it does', async () => {
    const scripted = new ScriptedRouter();
    scripted.transport.scriptListen('held');
    void scripted.router.start().catch(() => undefined);
    await scripted.advance();
    await scripted.env.clock.complete(scripted.router.stop(), { limitMs: 15_000 });
    scripted.transport.releaseListen();
    await scripted.expectNothingLeft();
  });

  it('RT-030 leaves the store closed when it is stopped while the store opens', async () => {
    const scripted = new ScriptedRouter();
    const starting = scripted.router.start();
    const stopping = scripted.router.stop();
    expect((await p2pRejection(starting)).code).to.equal('stopped');
    await scripted.env.clock.complete(stopping);
    await scripted.expectNothingLeft();
  });
});

describe('stopping a router', () => {
  it('RT-022 closes the listener and every peer, and tells of each once', async () => {
    const scripted = await ScriptedRouter.running();
    const connections = [
      await scripted.upInbound(alice),
      await scripted.upInbound(bob),
      await scripted.upOutbound(carol),
    ];
    await scripted.stop();
    expect(scripted.router.state).to.equal('stopped');
    for (const { nodeId } of [alice, bob, carol])
      expect(scripted.history(nodeId)).to.deep.equal(['up', 'down']);
    for (const { ended } of connections) expect(ended?.by).to.equal('local');
    expect(scripted.updates.slice(-3).map(({ cause }) => cause)).to.deep.equal([
      'shutting_down',
      'shutting_down',
      'shutting_down',
    ]);
  });

  it('RT-023 does not wait for channels that nobody closed', async () => {
    const scripted = await ScriptedRouter.running();
    const other = scripted.router.openChannel({ id: 0x21, codec: textCodec });
    const received = [scripted.text!.receive().next(), other.receive().next()];
    await scripted.upInbound(alice);
    const from = scripted.now;
    await scripted.stop();
    expect(scripted.now - from).to.be.at.most(2_250);
    for (const result of await Promise.all(received)) expect(result.done).to.equal(true);
  });

  it('RT-024 gives up attempts in every stage within the turn, and holds nothing against their addresses', async () => {
    const scripted = await ScriptedRouter.running({
      transport: { protocols: ['scripted', 'memory'] },
    });
    scripted.env.resolver.set('slow.example', { ips: ['10.0.0.9'], delayMs: 4_000 });
    scripted.router.dial(`scripted://${alice.nodeId}@slow.example:1`);
    const shaking = scripted.transport.connection();
    await scripted.dial(bob, 'hang');
    await scripted.dial(carol, shaking);
    expect(scripted.router.stats().dialing).to.equal(3);
    expect(shaking.isHandshaking).to.equal(true);
    const stopping = scripted.router.stop();
    expect(scripted.router.stats().dialing).to.equal(0);
    expect(scripted.transport.dials[0]!.signal.aborted).to.equal(true);
    await scripted.env.clock.complete(stopping, { limitMs: 0 });
    expect(shaking.ended?.by).to.equal('local');
    expect(scripted.router.stats().dialFailures).to.equal(0);
    const { records } = await openedAgain(scripted.store);
    const failures = records.flatMap(({ addresses }) => addresses.map(({ dialFailures }) => dialFailures));
    expect(failures).to.deep.equal([0, 0, 0]);
    await scripted.expectNothingLeft();
  });

  it('RT-025 does the work once for two calls', async () => {
    const scripted = await ScriptedRouter.running();
    const connection = await scripted.upInbound(alice);
    await scripted.env.clock.complete(Promise.all([scripted.router.stop(), scripted.router.stop()]));
    expect(connection.count('flushClose')).to.equal(1);
    expect(scripted.path('router').filter((state) => state === 'draining')).to.have.length(1);
    await scripted.router.stop();
  });

  it('RT-026 stops a router that was never started', async () => {
    const scripted = new ScriptedRouter();
    await scripted.stop();
    expect(scripted.router.state).to.equal('stopped');
    expect(await scripted.router.closed).to.equal(undefined);
  });

  it('RT-027 ends the iteration of a consumer that waits', async () => {
    const scripted = await ScriptedRouter.running();
    const items: unknown[] = [];
    const consuming = (async () => {
      for await (const item of scripted.text!.receive()) items.push(item);
    })();
    await scripted.advance();
    await scripted.stop();
    await consuming;
    expect(items).to.deep.equal([]);
  });

  it('RT-028 settles a send that waits for room with router_stopped', async () => {
    const scripted = await ScriptedRouter.running();
    const channel = scripted.router.openChannel({
      id: 0xef,
      name: 'narrow',
      codec: textCodec,
      send: { maxMessages: 1 },
    });
    const connection = await scripted.upInbound(alice);
    connection.stall();
    expect(channel.trySend({ to: alice.nodeId, message: 'one' })).to.equal('queued');
    const waiting = channel.send({ to: alice.nodeId, message: 'two' });
    await scripted.advance();
    const stopping = scripted.router.stop();
    expect(await scripted.env.clock.complete(waiting, { limitMs: 0 })).to.equal('router_stopped');
    await scripted.env.clock.complete(stopping, { limitMs: 2_250 });
  });

  it('RT-029 aborts a filter that never settles and ends in bounded time', async () => {
    let signal: AbortSignal | undefined;
    const scripted = await ScriptedRouter.running({
      filters: [
        (_, given) => {
          signal = given;
          return new Promise(() => undefined);
        },
      ],
    });
    await scripted.inbound(remoteOf(alice));
    expect(signal?.aborted).to.equal(false);
    await scripted.stop(2_250);
    expect(signal?.aborted).to.equal(true);
  });

  it('RT-031 flushes what a healthy peer takes in time', async () => {
    const scripted = await ScriptedRouter.running();
    const connection = await scripted.upInbound(alice);
    const message = 'x'.repeat(1024);
    for (let count = 0; count < 100; count++) scripted.text!.trySend({ to: alice.nodeId, message });
    await scripted.stop();
    expect(connection.sentOn(TEXT)).to.have.length(100);
    expect(scripted.router.stats().messagesDropped).to.equal(0);
  });

  it('RT-031 counts what a stalled peer does not take as router_stopped', async () => {
    const scripted = await ScriptedRouter.running();
    const connection = await scripted.upInbound(alice);
    connection.stall();
    for (let count = 0; count < 10; count++) scripted.text!.trySend({ to: alice.nodeId, message: 'x' });
    const from = scripted.now;
    await scripted.stop();
    expect(scripted.now - from).to.be.within(2_000, 2_250);
    expect(scripted.router.stats().drops).to.deep.equal([
      { direction: 'out', channelId: TEXT, reason: 'router_stopped', messages: 10, bytes: 10 },
    ]);
  });

  it('ends in bounded time and without a rejection when a transport does not close', async () => {
    for (const closing of ['hangs', new Error('no')] as const) {
      const scripted = await ScriptedRouter.running();
      scripted.transport.closing = closing;
      await scripted.stop(12_000);
      expect(scripted.router.state).to.equal('stopped');
    }
  });

  it('refuses a connection that comes in while it drains', async () => {
    const scripted = await ScriptedRouter.running();
    (await scripted.upInbound(alice)).stall();
    const late = scripted.transport.connection({ handshake: remoteOf(bob) });
    scripted.transport.offer(late);
    const stopping = scripted.router.stop();
    await scripted.advance(1_000);
    expect(late.count('handshake')).to.equal(0);
    expect(late.ended?.by).to.equal('local');
    await scripted.env.clock.complete(stopping, { limitMs: 2_250 });
  });

  it('ends with the peers it has even with every time-out switched off', async () => {
    const scripted = await ScriptedRouter.running({
      limits: {
        resolveTimeoutMs: Infinity,
        dialTimeoutMs: Infinity,
        attemptTimeoutMs: Infinity,
        handshakeTimeoutMs: Infinity,
        filterTimeoutMs: Infinity,
        drainTimeoutMs: Infinity,
        supersedeAfterMs: Infinity,
      },
      peers: { dialTimeoutMs: 0 },
      filters: [() => undefined],
    });
    await scripted.upInbound(alice);
    await scripted.dial(bob, 'hang');
    await scripted.accept(scripted.transport.connection());
    expect(scripted.env.clock.pending().timers).to.deep.equal([]);
    await scripted.stop();
  });
});

describe('a router that breaks', () => {
  /** Breaks the supervisor itself: whatever applies an event of this type to the core throws. */
  function breakSupervisor({ router }: ScriptedRouter, type: string): void {
    const { recorder } = router;
    const write = recorder.write.bind(recorder);
    recorder.write = (event, cause) => {
      if (event.kind === 'decision' && event.event === type) throw new Error(`broken ${type}`);
      return write(event, cause);
    };
  }

  async function broken(): Promise<ScriptedRouter & { readonly connections: readonly ScriptedConnection[] }> {
    const scripted = await ScriptedRouter.running();
    const connections = [
      await scripted.upInbound(alice),
      await scripted.upInbound(bob),
      await scripted.accept(scripted.transport.connection()),
    ];
    for (const connection of connections) connection.stall();
    await scripted.dial(carol, 'hang');
    breakSupervisor(scripted, 'dialNext');
    scripted.router.addBootstrap(`memory:${identityOf('dora').nodeId}`);
    return Object.assign(scripted, { connections });
  }

  it('RT-032 goes to failed, closes everything and tells the error once', async () => {
    const scripted = await broken();
    const { router } = scripted;
    expect(router.state).to.equal('failed');
    const error = await scripted.env.clock.complete(router.closed, { limitMs: 0 });
    expect(error?.message).to.equal('broken dialNext');
    await scripted.expectNothingLeft();
    for (const { ended } of scripted.connections) expect(ended?.by).to.equal('local');
    expect(scripted.history(alice.nodeId)).to.deep.equal(['up', 'down']);
    expect(scripted.history(bob.nodeId)).to.deep.equal(['up', 'down']);
    const crashes = scripted.records('crash');
    expect(crashes.map(({ actor, message }) => ({ actor, message }))).to.deep.equal([
      { actor: 'router', message: 'broken dialNext' },
    ]);
    expect(scripted.path('router').at(-1)).to.equal('failed');
  });

  it('RT-032 can be stopped, and is over then', async () => {
    const scripted = await broken();
    await scripted.env.clock.complete(scripted.router.stop(), { limitMs: 0 });
    expect(scripted.router.state).to.equal('failed');
    expect(scripted.text!.state).to.equal('closed');
    expect(p2pThrow(() => scripted.router.ban(alice.nodeId)).code).to.equal('not-running');
  });

  it('RT-032 goes to failed when the core breaks in the job of a connection, also while it drains', async () => {
    for (const drains of [false, true]) {
      const scripted = await ScriptedRouter.running();
      const connection = await scripted.upInbound(alice);
      await scripted.upInbound(bob);
      breakSupervisor(scripted, 'disconnected');
      if (drains) void scripted.router.stop();
      else connection.end();
      const error = await scripted.env.clock.complete(scripted.router.closed, { limitMs: 2_250 });
      expect(error?.message).to.equal('broken disconnected');
      expect(scripted.router.state).to.equal('failed');
      await scripted.expectNothingLeft();
    }
  });

  it('RT-032 rejects the start when it breaks during it', async () => {
    const scripted = new ScriptedRouter({ bootstrapPeers: [`memory:${alice.nodeId}`] });
    breakSupervisor(scripted, 'addBootstrap');
    const starting = scripted.router.start();
    let failure: unknown;
    starting.catch((error: unknown) => (failure = error));
    await scripted.advance();
    expect(failure).to.have.property('message', 'broken addBootstrap');
    expect(scripted.router.state).to.equal('failed');
    await scripted.expectNothingLeft();
  });

  it('survives a store that throws instead of writing', async () => {
    const scripted = await ScriptedRouter.running({ store: brokenStore('write', new Error('disk')) });
    await scripted.upInbound(alice);
    expect(scripted.router.state).to.equal('running');
    expect(scripted.records('crash').map(({ message }) => message)).to.include('disk');
    await scripted.stop();
  });
});

describe('the history of a router', () => {
  it('RT-033 does not change the router when whoever reads it throws', async () => {
    const quiet = await ScriptedRouter.running();
    const noisy = await ScriptedRouter.running();
    noisy.router.recorder.subscribe(() => {
      throw new Error('log sink');
    });
    for (const scripted of [quiet, noisy]) {
      const connection = await scripted.upInbound(alice);
      scripted.text!.trySend({ to: alice.nodeId, message: 'hello' });
      await scripted.advance();
      expect(connection.sentOn(TEXT)).to.have.length(1);
      await scripted.stop();
    }
    const story = ({ router }: ScriptedRouter): readonly FlightRecord[] => router.recorder.records();
    expect(story(noisy)).to.deep.equal(story(quiet));
    expect(noisy.router.recorder.subscriberFaults).to.be.greaterThan(10);
    expect(noisy.router.state).to.equal('stopped');
  });

  it('RT-034 is plain data: nothing alive hangs on a record', async () => {
    const network = new SimulatedNetwork();
    const first = await network.startNode('first');
    await network.startNode('second', { bootstrapPeers: [first.address] });
    await network.runUntil(() => first.router.stats().connectedPeers === 1);
    await network.stop();
    for (const record of first.router.recorder.records()) {
      expect(JSON.parse(JSON.stringify(record))).to.deep.equal(record);
    }
  });
});

async function openedAgain(store: PeerStore): ReturnType<PeerStore['load']> {
  await store.open();
  const loaded = await store.load();
  await store.close();
  return loaded;
}
