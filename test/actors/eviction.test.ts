import { expect } from 'chai';
import { RouterSupervisor } from '../../src/actors/router.actor.ts';
import { routerConfig, type RouterOptions } from '../../src/actors/router-config.ts';
import { P2PError, type FlightRecord } from '../../src/index.ts';
import {
  ScriptedTransport,
  simulatedEnv,
  type ScriptedConnection,
  type SimulatedEnv,
} from '../../src/testing/index.ts';
import { identityOf } from '../support/nodes.ts';
import {
  heard,
  plainRemoteOf,
  remoteOf,
  sayAccept,
  ScriptedRouter,
  TEXT,
} from '../support/scripted-router.ts';
import { textCodec } from '../support/text-codec.ts';

const alice = identityOf('alice');
const bob = identityOf('bob');
const bad = new Error('bad block');

describe('evicting', () => {
  let scripted: ScriptedRouter;
  afterEach(() => scripted.stop());

  it('RT-150 closes a peer that has erred, and tells of it', async () => {
    scripted = await ScriptedRouter.running();
    const connection = await scripted.upInbound(alice);
    expect(scripted.text!.report({ peer: alice.nodeId, error: bad, fatal: true })).to.equal('evicting');
    await scripted.advance();
    expect(connection.ended?.by).to.equal('local');
    expect(scripted.updates.at(-1)).to.include({ peer: alice.nodeId, status: 'down', cause: 'evicted' });
    expect(heard(connection).at(-1)).to.include({ type: 'goodbye', code: 14 });
    expect(scripted.router.stats()).to.include({ evictions: 1, connectedPeers: 0 });
  });

  it('lets what is queued leave first when the peer has done nothing wrong', async () => {
    scripted = await ScriptedRouter.running();
    const connection = await scripted.upInbound(alice);
    for (let count = 0; count < 50; count++) scripted.text!.trySend({ to: alice.nodeId, message: 'x' });
    scripted.router.disconnect(alice.nodeId);
    expect(scripted.text!.trySend({ to: alice.nodeId, message: 'late' })).to.equal('peer_closing');
    await scripted.advance();
    expect(connection.sentOn(TEXT)).to.have.length(50);
    expect(connection.ended?.by).to.equal('local');
  });

  it('RT-159 closes within the drain time a peer that takes nothing any more', async () => {
    scripted = await ScriptedRouter.running();
    const connection = await scripted.upInbound(alice);
    connection.stall();
    scripted.text!.trySend({ to: alice.nodeId, message: 'stuck' });
    scripted.router.disconnect(alice.nodeId);
    await scripted.advance(1_999);
    expect(connection.ended).to.equal(undefined);
    await scripted.advance(251);
    expect(connection.ended?.by).to.equal('local');
    expect(scripted.statusOf(alice.nodeId)).to.equal('down');
    expect(scripted.router.stats().drops).to.deep.equal([
      { direction: 'out', channelId: TEXT, reason: 'peer_gone', messages: 1, bytes: 5 },
    ]);
  });

  it('RT-160 flushes nothing to a peer that has broken the protocol', async () => {
    scripted = await ScriptedRouter.running();
    const connection = await scripted.upInbound(alice);
    connection.stall();
    for (let count = 0; count < 5; count++) scripted.text!.trySend({ to: alice.nodeId, message: 'x' });
    sayAccept(connection);
    await scripted.advance();
    expect(connection.ended?.by).to.equal('local');
    expect(connection.sentOn(TEXT)).to.deep.equal([]);
    expect(scripted.updates.at(-1)).to.include({ cause: 'protocol_violation' });
    expect(scripted.router.stats().drops).to.deep.include({
      direction: 'out',
      channelId: TEXT,
      reason: 'peer_closing',
      messages: 5,
      bytes: 5,
    });
  });

  it('RT-162 of a peer that is unknown, or not connected, does nothing', async () => {
    scripted = await ScriptedRouter.running({ peers: { minRetryMs: 60_000 } });
    await scripted.dial(bob, new Error('no'));
    expect(scripted.router.disconnect(alice.nodeId).outcome).to.equal('ignored');
    expect(scripted.router.disconnect(bob.nodeId).outcome).to.equal('ignored');
    expect(scripted.decided('evictNext')).to.deep.equal([]);
  });

  it('RT-163 twice is once', async () => {
    scripted = await ScriptedRouter.running();
    (await scripted.upInbound(alice)).stall();
    expect(scripted.router.disconnect(alice.nodeId).outcome).to.equal('scheduled');
    expect(scripted.router.disconnect(alice.nodeId).outcome).to.equal('ignored');
    await scripted.advance(2_250);
    expect(scripted.history(alice.nodeId)).to.deep.equal(['up', 'down']);
    expect(scripted.decided('evictNext').filter((result) => result === 'evict')).to.have.length(1);
  });

  it('RT-164 takes the lowest ranked peer when a better one needs the room', async () => {
    const [first, second, third] = ['p1', 'p2', 'p3'].map(identityOf);
    scripted = await ScriptedRouter.running({
      peers: {
        maxConnected: 2,
        maxConnectedUpgrade: 1,
        upgradeMargin: 0,
        peerScores: [
          [first!.nodeId, 20],
          [second!.nodeId, 10],
          [third!.nodeId, 30],
        ],
      },
    });
    await scripted.upInbound(first!);
    await scripted.upInbound(second!);
    await scripted.upInbound(third!);
    await scripted.advance();
    expect(scripted.statusOf(second!.nodeId)).to.equal('down');
    expect([first, third].map((peer) => scripted.statusOf(peer!.nodeId))).to.deep.equal(['up', 'up']);
    expect(scripted.router.stats()).to.include({ upgrades: 1, evictions: 1 });
  });

  it('RT-165 closes 100 peers at once, in parallel', async () => {
    const limits = { inbound: { maxPendingHandshakes: 200, maxAccepted: 200 } };
    const peers = { maxConnected: 0 };
    scripted = await ScriptedRouter.running({ limits, peers });
    const identities = Array.from({ length: 100 }, (_, index) => identityOf(`crowd ${index}`));
    const connections = identities.map((identity) =>
      scripted.transport.connection({ handshake: remoteOf(identity) }),
    );
    scripted.transport.offer(...connections);
    await scripted.advance();
    for (const connection of connections) sayAccept(connection);
    await scripted.advance();
    expect(scripted.router.stats().connectedPeers).to.equal(100);
    for (const connection of connections) connection.stall();
    for (const { nodeId } of identities) {
      scripted.text!.trySend({ to: nodeId, message: 'stuck' });
      scripted.router.disconnect(nodeId);
    }
    const from = scripted.now;
    await scripted.advance(2_250);
    expect(connections.every(({ ended }) => ended !== undefined)).to.equal(true);
    expect(scripted.router.stats()).to.include({ connectedPeers: 0, evictions: 100 });
    expect(scripted.now - from).to.equal(2_250);
  });

  it('RT-166 tells the cause', async () => {
    scripted = await ScriptedRouter.running();
    const connection = await scripted.upInbound(alice);
    connection.fail(new P2PError('connection-lost', 'gone', { reason: 'ECONNRESET' }));
    await scripted.upInbound(bob);
    scripted.router.ban(bob.nodeId);
    await scripted.advance();
    const causes = scripted.updates.filter(({ status }) => status === 'down').map(({ cause }) => cause);
    expect(causes).to.deep.equal(['connection-lost', 'evicted']);
  });
});

describe('a report', () => {
  let scripted: ScriptedRouter;
  afterEach(() => scripted.stop());

  function scoreOf(peer: string): number | undefined {
    return scripted.router.peers().find(({ id }) => id === peer)?.score;
  }

  it('RT-151 costs a point while there are free slots', async () => {
    scripted = await ScriptedRouter.running();
    await scripted.upInbound(alice);
    expect(scripted.text!.report({ peer: alice.nodeId, error: bad })).to.equal('noted');
    await scripted.advance();
    expect(scoreOf(alice.nodeId)).to.equal(-1);
    expect(scripted.statusOf(alice.nodeId)).to.equal('up');
  });

  it('RT-152 costs the slot when all are taken', async () => {
    scripted = await ScriptedRouter.running({
      peers: { maxConnected: 2, maxConnectedUpgrade: 0, maxIncomingConnections: 0 },
    });
    await scripted.upInbound(alice);
    await scripted.upInbound(bob);
    expect(scripted.text!.report({ peer: alice.nodeId, error: bad })).to.equal('evicting');
    await scripted.advance();
    expect(scripted.statusOf(alice.nodeId)).to.equal('down');
    expect(scripted.statusOf(bob.nodeId)).to.equal('up');
  });

  it('RT-153 costs no slot when there is no limit', async () => {
    scripted = await ScriptedRouter.running({ peers: { maxConnected: 0 } });
    await scripted.upInbound(alice);
    expect(scripted.text!.report({ peer: alice.nodeId, error: bad })).to.equal('noted');
    await scripted.advance();
    expect(scripted.statusOf(alice.nodeId)).to.equal('up');
  });

  for (const maxConnected of [0, 64]) {
    it(`RT-154 that is fatal costs the slot whatever the capacity (${maxConnected})`, async () => {
      scripted = await ScriptedRouter.running({ peers: { maxConnected } });
      await scripted.upInbound(alice);
      expect(scripted.text!.report({ peer: alice.nodeId, error: bad, fatal: true })).to.equal('evicting');
      await scripted.advance();
      expect(scripted.statusOf(alice.nodeId)).to.equal('down');
    });
  }

  it('RT-155 about an unknown peer makes none', async () => {
    scripted = await ScriptedRouter.running();
    for (const fatal of [false, true]) {
      expect(scripted.text!.report({ peer: alice.nodeId, error: bad, fatal })).to.equal('no_such_peer');
    }
    expect(scripted.text!.report({ peer: alice.nodeId, error: bad, banMs: 1 })).to.equal('no_such_peer');
    expect(scripted.router.stats().knownPeers).to.equal(0);
    expect(scripted.records('decision').map(({ event }) => event)).to.not.include('processPeerEvent');
  });

  it('RT-156 that a cancellation caused is ignored', async () => {
    scripted = await ScriptedRouter.running();
    await scripted.upInbound(alice);
    const abort = new DOMException('cancelled', 'AbortError');
    const timeout = new P2PError('timeout', 'ours', { cause: abort });
    for (const error of [abort, timeout, new Error('wrapped', { cause: abort })]) {
      expect(scripted.text!.report({ peer: alice.nodeId, error, fatal: true })).to.equal('ignored');
    }
    expect(scripted.statusOf(alice.nodeId)).to.equal('up');
  });

  it('RT-157 that is repeated 1000 times within a second counts once', async () => {
    scripted = await ScriptedRouter.running();
    await scripted.upInbound(alice);
    for (let count = 0; count < 1_000; count++) scripted.text!.report({ peer: alice.nodeId, error: bad });
    expect(scoreOf(alice.nodeId)).to.equal(-1);
    await scripted.advance(1_000);
    scripted.text!.report({ peer: alice.nodeId, error: bad });
    expect(scoreOf(alice.nodeId)).to.equal(-2);
  });

  it('RT-158 with a ban keeps the peer out, and from being dialled, for as long', async () => {
    scripted = await ScriptedRouter.running();
    await scripted.upInbound(alice);
    const outcome = scripted.text!.report({ peer: alice.nodeId, error: bad, banMs: 60_000 });
    expect(outcome).to.equal('evicting');
    await scripted.advance(100);
    expect(scripted.statusOf(alice.nodeId)).to.equal('down');
    const refused = await scripted.inbound(remoteOf(alice));
    expect(heard(refused)[0]).to.include({ type: 'verdict', accept: false, code: 10 });
    expect(scripted.noted('connection-closed').at(-1)).to.include({ reason: 'filtered' });
    scripted.transport.answerOtherDials('hang');
    await scripted.advance(59_800);
    expect(scripted.transport.dials).to.deep.equal([]);
    await scripted.advance(200);
    expect(scripted.transport.dials.map(({ endpoint }) => endpoint)).to.deep.equal([
      `memory:${alice.nodeId}`,
    ]);
    await scripted.upInbound(alice);
  });

  it('is taken by the core in a turn of its own, also from within a subscriber', async () => {
    scripted = await ScriptedRouter.running();
    scripted.router.updates$.subscribe(({ peer, status }) => {
      if (status === 'up') scripted.text!.report({ peer, error: bad, fatal: true });
    });
    await scripted.inbound(remoteOf(alice)).then(sayAccept);
    await scripted.advance();
    expect(scripted.history(alice.nodeId)).to.deep.equal(['up', 'down']);
  });

  it('after the router has stopped changes nothing', async () => {
    scripted = await ScriptedRouter.running();
    await scripted.upInbound(alice);
    await scripted.stop();
    const before = scripted.records('decision').length;
    scripted.text!.praise(alice.nodeId);
    expect(scripted.text!.report({ peer: alice.nodeId, error: bad })).to.equal('no_such_peer');
    expect(scripted.records('decision')).to.have.length(before);
  });
});

describe('RT-161 evicting a connection that still shakes hands', () => {
  /** A supervisor with its parts in reach: nothing public evicts a connection nobody knows yet. */
  class Bench {
    readonly env: SimulatedEnv = simulatedEnv();
    readonly transport = new ScriptedTransport(this.env.clock);
    readonly supervisor: RouterSupervisor;

    constructor(options: Partial<RouterOptions>) {
      this.supervisor = new RouterSupervisor(
        routerConfig({
          identity: identityOf('router under test'),
          network: 'test-network',
          transports: [this.transport.factory],
          pex: false,
          limits: { inbound: { maxAccepted: 1 } },
          env: this.env,
          ...options,
        }),
      );
      this.supervisor.openChannel({ id: TEXT, codec: textCodec });
    }

    async start(): Promise<void> {
      await this.env.clock.complete(this.supervisor.start());
    }

    async accept(connection: ScriptedConnection): Promise<ScriptedConnection> {
      this.transport.offer(connection);
      await this.env.clock.advance(0);
      return connection;
    }

    decided(event: string): readonly string[] {
      return this.supervisor.kernel.recorder
        .records()
        .filter(
          (record): record is Extract<FlightRecord, { kind: 'decision' }> =>
            record.kind === 'decision' && record.event === event,
        )
        .map(({ result }) => result);
    }
  }

  const stuck = new Promise<undefined>(() => undefined);
  const stages: readonly {
    readonly stage: string;
    readonly options?: Partial<RouterOptions>;
    readonly begin: (bench: Bench) => Promise<ScriptedConnection>;
    readonly state: string;
    /** Whether the remote can be told. */
    readonly tells: boolean;
  }[] = [
    {
      stage: 'before its first byte',
      options: { endpointFilters: [() => stuck] },
      begin: ({ transport }) => Promise.resolve(transport.connection({ handshake: remoteOf(alice) })),
      state: 'screening',
      tells: false,
    },
    {
      stage: 'in stages A and B, inbound',
      begin: ({ transport }) => Promise.resolve(transport.connection()),
      state: 'securing',
      tells: false,
    },
    {
      stage: 'in stage C',
      options: { filters: [() => stuck] },
      begin: ({ transport }) => Promise.resolve(transport.connection({ handshake: remoteOf(alice) })),
      state: 'judging',
      tells: true,
    },
    {
      stage: 'in stage D',
      begin: ({ transport }) => Promise.resolve(transport.connection({ handshake: remoteOf(alice) })),
      state: 'confirming',
      tells: true,
    },
    {
      stage: 'on probation',
      begin: ({ transport }) => Promise.resolve(transport.connection({ handshake: plainRemoteOf(alice) })),
      state: 'probation',
      tells: false,
    },
  ];
  for (const { stage, options = {}, begin, state, tells } of stages) {
    it(`${stage} frees its places once, and nobody hears of a peer`, async () => {
      const bench = new Bench(options);
      await bench.start();
      const connection = await bench.accept(await begin(bench));
      const [link] = bench.supervisor.table.links;
      expect(link!.isIn({ handshaking: state as 'securing' })).to.equal(true);
      link!.actor.send({ type: 'peer.evict', reason: 'evicted', flush: true });
      await bench.env.clock.advance(0);
      expect(connection.ended?.by).to.equal('local');
      expect(heard(connection).some((message) => message.type === 'verdict' && message.code === 14)).to.equal(
        tells,
      );
      expect(bench.supervisor.table.links).to.deep.equal([]);
      const places = bench.decided('accepted').filter((result) => result === 'connected');
      expect(bench.decided('disconnected')).to.have.length(places.length);
      expect(bench.decided('ready')).to.deep.equal([]);
      const next = await bench.accept(bench.transport.connection());
      const surplus = await bench.accept(bench.transport.connection());
      expect([next.ended, surplus.ended?.by]).to.deep.equal([undefined, 'local']);
      const stopping = bench.supervisor.stop();
      await bench.env.clock.complete(stopping);
      expect(bench.env.clock.pending().timers).to.deep.equal([]);
    });
  }

  it('in any stage of an outbound one ends its attempt', async () => {
    for (const handshake of [undefined, remoteOf(alice)]) {
      const bench = new Bench({ bootstrapPeers: [`memory:${alice.nodeId}`] });
      const connection = bench.transport.connection(handshake === undefined ? {} : { handshake });
      bench.transport.answerDials(`memory:${alice.nodeId}`, connection);
      await bench.start();
      await bench.env.clock.advance(0);
      const [link] = bench.supervisor.table.links;
      link!.actor.send({ type: 'peer.evict', reason: 'evicted', flush: true });
      await bench.env.clock.advance(0);
      expect(connection.ended?.by).to.equal('local');
      expect(bench.supervisor.dialing).to.equal(0);
      expect(bench.decided('dialFailed')).to.deep.equal(['recorded']);
      await bench.env.clock.complete(bench.supervisor.stop());
    }
  });

  it('tells a remote that was accepted already as well, and the core once', async () => {
    const bench = new Bench({});
    await bench.start();
    const connection = await bench.accept(bench.transport.connection({ handshake: remoteOf(alice) }));
    bench.supervisor.decisions!.apply({ type: 'disconnect', peer: alice.nodeId });
    await bench.env.clock.advance(0);
    const verdicts = heard(connection).map((message) => message.type === 'verdict' && message.accept);
    expect(verdicts).to.deep.equal([true, false]);
    expect(bench.decided('disconnected')).to.deep.equal(['disconnected']);
    await bench.env.clock.complete(bench.supervisor.stop());
  });
});
