import { expect } from 'chai';
import type { Endpoint } from '../../src/core/endpoint.ts';
import { createRouter, P2PError, type Router } from '../../src/index.ts';
import { simulatedEnv, type ScriptedConnection, type SimulatedEnv } from '../../src/testing/index.ts';
import { MemoryNetwork, type Connection, type Transport } from '../../src/transports/index.ts';
import { identityOf } from '../support/nodes.ts';
import { connectionsOf, makePair, startBoth, type PairNode } from '../support/pair.ts';
import {
  heard,
  plainRemoteOf,
  remoteOf,
  sayAccept,
  sayReject,
  ScriptedRouter,
  TEXT,
} from '../support/scripted-router.ts';

const SEEDS = 300;
const SEEDS_PER_TEST = 50;

function statuses({ updates }: PairNode): readonly string[] {
  return updates.map(({ status }) => status);
}

describe('two nodes that dial each other in the same instant', () => {
  it('RT-124 keep the connection dialled by the greater id, and each tells of it once', async () => {
    const pair = makePair({ seed: 'equal', latencyMs: 10 });
    void startBoth(pair);
    await pair.network.advance(10_000);
    expect(connectionsOf(pair.greater)).to.deep.equal(['outbound connected']);
    expect(connectionsOf(pair.lesser)).to.deep.equal(['inbound connected']);
    for (const node of [pair.lesser, pair.greater]) expect(statuses(node)).to.deep.equal(['up']);
    await pair.network.stop();
  });

  it('RT-128 hold nothing against each other', async () => {
    const pair = makePair({ seed: 'equal', latencyMs: 10 });
    void startBoth(pair);
    await pair.network.advance(1_000);
    for (const { router } of [pair.lesser, pair.greater]) {
      expect(router.stats()).to.include({ dialFailures: 0, protocolFaults: 0, crashes: 0, dialing: 0 });
      const failed = router.recorder
        .records()
        .filter((record) => record.kind === 'decision' && record.event === 'dialFailed');
      expect(failed).to.deep.equal([]);
    }
    await pair.network.stop();
  });

  for (let from = 0; from < SEEDS; from += SEEDS_PER_TEST) {
    const to = from + SEEDS_PER_TEST;
    it(`RT-125 end with one shared connection and lose no message, whatever the latencies (seeds ${from} to ${to - 1})`, async () => {
      for (let seed = from; seed < to; seed++) await settles(`latencies ${seed}`);
    });
  }

  async function settles(seed: string): Promise<void> {
    const pair = makePair({ seed });
    const { network, lesser, greater } = pair;
    const links = new Set<unknown>();
    for (const [node, other] of [
      [lesser, greater],
      [greater, lesser],
    ] as const) {
      node.router.updates$.subscribe(({ status }) => {
        if (status === 'down') return;
        for (const message of ['1', '2', '3']) node.channel.trySend({ to: other.id, message });
      });
    }
    void startBoth(pair);
    await network.advance(4_000);
    for (const link of network.memory.links) links.add(link);
    expect(links.size, `${seed}: links`).to.equal(2);
    const shared = [connectionsOf(lesser), connectionsOf(greater)].flat().sort();
    expect(shared, seed).to.deep.equal(['inbound connected', 'outbound connected']);
    for (const node of [lesser, greater]) {
      expect(statuses(node), seed).to.deep.equal(['up']);
      expect(node.received, seed).to.deep.equal(['1', '2', '3']);
      const { crashes, protocolFaults, dialFailures, messagesDropped } = node.router.stats();
      expect({ crashes, protocolFaults, dialFailures, messagesDropped }, seed).to.deep.equal({
        crashes: 0,
        protocolFaults: 0,
        dialFailures: 0,
        messagesDropped: 0,
      });
    }
    await network.stop();
    expect(network.env.clock.pending().timers, seed).to.deep.equal([]);
  }

  it('RT-126 use the other connection when the winner dies before both have accepted it', async () => {
    for (let cutAt = 20; cutAt <= 120; cutAt += 5) {
      const { env, lesser, greater } = tappedPair(20);
      void Promise.all([lesser.router.start(), greater.router.start()]);
      await env.clock.advance(cutAt);
      greater.tap.dialled[0]?.close();
      await env.clock.advance(10_000);
      const shared = [lesser, greater].flatMap(({ router }) =>
        router.peers().map(({ direction, state }) => `${direction} ${state}`),
      );
      expect(shared.sort(), `cut at ${cutAt}`).to.deep.equal(['inbound connected', 'outbound connected']);
      for (const { router, history } of [lesser, greater]) {
        expect(history, `cut at ${cutAt}`).to.be.oneOf(HISTORIES);
        expect(router.stats(), `cut at ${cutAt}`).to.include({ protocolFaults: 0, crashes: 0 });
      }
      await env.clock.complete(Promise.all([lesser.router.stop(), greater.router.stop()]));
    }
  });
});

/** Whether the winner was up before it was cut, or not. */
const HISTORIES = ['up', 'up down up'];

/** A transport that shows the connections it made. */
class Tap implements Transport {
  readonly dialled: Connection[] = [];
  readonly name = 'tapped';
  readonly protocols: readonly string[];
  readonly #inner: Transport;

  constructor(inner: Transport) {
    this.#inner = inner;
    this.protocols = inner.protocols;
  }

  async dial(endpoint: Endpoint, signal: AbortSignal): Promise<Connection> {
    const connection = await this.#inner.dial(endpoint, signal);
    this.dialled.push(connection);
    return connection;
  }

  endpoints(): readonly Endpoint[] {
    return this.#inner.endpoints();
  }

  listen(): Promise<void> {
    return this.#inner.listen();
  }

  accept(): Promise<Connection> {
    return this.#inner.accept();
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}

interface TappedNode {
  readonly router: Router;
  readonly tap: Tap;
  /** What it was told of the other, in one text. */
  readonly history: string;
}

/** Two nodes that will dial each other, with their connections in reach. */
function tappedPair(latencyMs: number): { env: SimulatedEnv; lesser: TappedNode; greater: TappedNode } {
  const env = simulatedEnv();
  const memory = new MemoryNetwork({ latencyMs });
  const identities = [identityOf('alice'), identityOf('bob')].sort((a, b) => (a.nodeId < b.nodeId ? -1 : 1));
  const [lesser, greater] = identities.map((identity, index): TappedNode => {
    const own = env.fork(identity.nodeId);
    const tap = new Tap(memory.transport(identity.nodeId)(own));
    const router = createRouter({
      identity,
      network: 'tapped',
      transports: [() => tap],
      bootstrapPeers: [`memory:${identities[1 - index]!.nodeId}`],
      pex: false,
      env: own,
    });
    const updates: string[] = [];
    router.updates$.subscribe(({ status }) => updates.push(status));
    return {
      router,
      tap,
      get history() {
        return updates.join(' ');
      },
    };
  });
  return { env, lesser: lesser!, greater: greater! };
}

describe('a second connection of a peer', () => {
  const alice = identityOf('alice');
  /** Ids on both sides of the router's own. */
  const candidates = ['alice', 'bob', 'carol', 'dora', 'emil', 'fred'].map(identityOf);
  const lesser = candidates.find(({ nodeId }) => nodeId < identityOf('router under test').nodeId)!;
  const greater = candidates.find(({ nodeId }) => nodeId > identityOf('router under test').nodeId)!;
  let scripted: ScriptedRouter;

  afterEach(() => scripted.stop());

  function refusedAs(connection: ScriptedConnection): number | undefined {
    const verdict = heard(connection).findLast((message) => message.type === 'verdict');
    return verdict?.type === 'verdict' && !verdict.accept ? verdict.code : undefined;
  }

  const DUPLICATE = 9;

  it('RT-122 is refused while the first shows life, which is not touched', async () => {
    scripted = await ScriptedRouter.running();
    const first = await scripted.upInbound(alice);
    await scripted.advance(1_000);
    const second = await scripted.inbound(remoteOf(alice));
    expect(refusedAs(second)).to.equal(DUPLICATE);
    expect(second.ended?.by).to.equal('local');
    expect(first.ended).to.equal(undefined);
    expect(scripted.history(alice.nodeId)).to.deep.equal(['up']);
    expect(scripted.decided('disconnected')).to.deep.equal([]);
  });

  it('RT-123 takes over when the first has been silent for 6 s', async () => {
    scripted = await ScriptedRouter.running();
    const first = await scripted.upInbound(alice);
    await scripted.advance(6_000);
    const second = await scripted.inbound(remoteOf(alice));
    sayAccept(second);
    await scripted.advance();
    expect(first.ended?.by).to.equal('local');
    expect(second.ended).to.equal(undefined);
    expect(scripted.history(alice.nodeId)).to.deep.equal(['up', 'down', 'up']);
    expect(scripted.updates[1]).to.include({ cause: 'superseded', connectionId: 1 });
    expect(scripted.updates[2]).to.include({ connectionId: 2 });
  });

  it('RT-123 does not take over from one that shows life without messages', async () => {
    scripted = await ScriptedRouter.running();
    const first = await scripted.upInbound(alice);
    await scripted.advance(4_000);
    first.showLife();
    await scripted.advance(4_000);
    expect(refusedAs(await scripted.inbound(remoteOf(alice)))).to.equal(DUPLICATE);
    expect(first.ended).to.equal(undefined);
  });

  it('RT-131 has the messages of the first counted as superseded, and carries the new ones', async () => {
    scripted = await ScriptedRouter.running();
    const first = await scripted.upInbound(alice);
    first.stall();
    for (let count = 0; count < 10; count++) scripted.text!.trySend({ to: alice.nodeId, message: 'old' });
    await scripted.advance(6_000);
    const second = await scripted.inbound(remoteOf(alice));
    await scripted.advance();
    sayAccept(second);
    await scripted.advance();
    expect(scripted.text!.trySend({ to: alice.nodeId, message: 'new' })).to.equal('queued');
    await scripted.advance();
    expect(second.sentOn(TEXT)).to.have.length(1);
    expect(scripted.router.stats().drops).to.deep.equal([
      { direction: 'out', channelId: TEXT, reason: 'superseded', messages: 10, bytes: 30 },
    ]);
  });

  it('RT-129 waits for one that is closing', async () => {
    scripted = await ScriptedRouter.running();
    const first = await scripted.upInbound(alice);
    first.stall();
    scripted.text!.trySend({ to: alice.nodeId, message: 'stuck' });
    scripted.router.disconnect(alice.nodeId);
    await scripted.advance();
    const second = await scripted.inbound(remoteOf(alice));
    await scripted.advance(100);
    expect(heard(second)).to.deep.equal([]);
    first.resume();
    await scripted.advance();
    sayAccept(second);
    await scripted.advance();
    expect(scripted.history(alice.nodeId)).to.deep.equal(['up', 'down', 'up']);
    expect(scripted.now).to.equal(100);
  });

  it('RT-129 waits no longer than 250 ms for one that is closing', async () => {
    scripted = await ScriptedRouter.running();
    const first = await scripted.upInbound(alice);
    first.stall();
    scripted.text!.trySend({ to: alice.nodeId, message: 'stuck' });
    scripted.router.disconnect(alice.nodeId);
    await scripted.advance();
    const second = await scripted.inbound(remoteOf(alice));
    await scripted.advance(249);
    expect([first.ended, heard(second).length]).to.deep.equal([undefined, 0]);
    await scripted.advance(1);
    expect(first.ended?.by).to.equal('local');
    sayAccept(second);
    await scripted.advance();
    expect(scripted.history(alice.nodeId)).to.deep.equal(['up', 'down', 'up']);
    expect(scripted.decided('disconnected')).to.deep.equal(['disconnected']);
  });

  it('replaces one of the same direction that is not ready yet', async () => {
    scripted = await ScriptedRouter.running();
    const first = await scripted.inbound(remoteOf(alice));
    const second = await scripted.inbound(remoteOf(alice));
    expect(refusedAs(first)).to.equal(DUPLICATE);
    sayAccept(second);
    await scripted.advance();
    expect(scripted.history(alice.nodeId)).to.deep.equal(['up']);
    expect(scripted.decided('accepted')).to.deep.equal(['connected', 'connected']);
    expect(scripted.decided('disconnected')).to.deep.equal(['disconnected']);
  });

  it('RT-127 is not dialled for a peer that has proven itself on an inbound one', async () => {
    scripted = await ScriptedRouter.running({ filters: [() => new Promise(() => undefined)] });
    await scripted.inbound(remoteOf(alice));
    scripted.router.dial(`memory:${alice.nodeId}`);
    await scripted.advance(1_999);
    expect(scripted.transport.dials).to.deep.equal([]);
    expect(scripted.router.stats().dialFailures).to.equal(0);
    await scripted.advance(2_000);
    expect(scripted.transport.dials.length).to.be.greaterThan(0);
  });

  /** Both connections of one peer are under way; the filters have let both through. */
  async function both(
    peer: typeof alice,
    remote = remoteOf(peer),
  ): Promise<{ inbound: ScriptedConnection; outbound: ScriptedConnection }> {
    scripted = await ScriptedRouter.running();
    const outbound = scripted.transport.connection();
    await scripted.dial(peer, outbound);
    const inbound = await scripted.inbound(remote);
    outbound.releaseHandshake(remote);
    await scripted.advance();
    return { inbound, outbound };
  }

  it('holds the one that the lesser id dialled, and refuses it when the other is up', async () => {
    const { inbound, outbound } = await both(lesser);
    expect(scripted.router.peers().map(({ direction, state }) => `${direction} ${state}`)).to.deep.equal([
      'outbound handshaking.confirming',
      'inbound handshaking.held',
    ]);
    sayAccept(outbound);
    await scripted.advance();
    expect(refusedAs(inbound)).to.equal(DUPLICATE);
    expect(scripted.history(lesser.nodeId)).to.deep.equal(['up']);
    expect(scripted.updates[0]).to.include({ direction: 'outbound' });
  });

  it('keeps what the remote sends on a held connection that it takes for settled', async () => {
    const received: string[] = [];
    const { inbound, outbound } = await both(lesser);
    scripted.text!.messages$.subscribe(({ message }) => received.push(message));
    sayAccept(inbound);
    for (const message of ['one', 'two']) inbound.deliver(TEXT, new TextEncoder().encode(message));
    await scripted.advance();
    expect(inbound.ended).to.equal(undefined);
    sayReject(outbound, 'duplicate');
    await scripted.advance();
    expect(scripted.history(lesser.nodeId)).to.deep.equal(['up']);
    expect(scripted.updates[0]).to.include({ direction: 'inbound' });
    expect(received).to.deep.equal(['one', 'two']);
    expect(scripted.router.stats()).to.include({ protocolFaults: 0, messagesDropped: 0 });
  });

  it('counts what the remote has sent on a held connection that ends', async () => {
    const { inbound, outbound } = await both(lesser);
    sayAccept(inbound);
    for (let count = 0; count < 70; count++) inbound.deliver(TEXT, new Uint8Array(10));
    sayAccept(outbound);
    await scripted.advance();
    expect(scripted.router.stats().drops).to.deep.equal([
      { direction: 'in', channelId: TEXT, reason: 'inbox_full', messages: 6, bytes: 60 },
      { direction: 'in', channelId: TEXT, reason: 'peer_down', messages: 64, bytes: 640 },
    ]);
  });

  it('takes over when the one that held it dies', async () => {
    const { inbound, outbound } = await both(lesser);
    outbound.fail(new P2PError('connection-lost', 'reset', { reason: 'ECONNRESET' }));
    await scripted.advance();
    sayAccept(inbound);
    await scripted.advance();
    expect(scripted.history(lesser.nodeId)).to.deep.equal(['up']);
    expect(scripted.updates[0]).to.include({ direction: 'inbound' });
  });

  it('goes ahead when the greater id dialled it, and costs the attempt nothing', async () => {
    const { inbound, outbound } = await both(greater);
    sayAccept(inbound);
    await scripted.advance();
    expect(refusedAs(outbound)).to.equal(DUPLICATE);
    expect(scripted.history(greater.nodeId)).to.deep.equal(['up']);
    expect(scripted.updates[0]).to.include({ direction: 'inbound' });
    expect(scripted.decided('dialFailed')).to.deep.equal([]);
    expect(scripted.decided('dialed')).to.deep.equal(['AlreadyConnected']);
    expect(scripted.router.stats().dialing).to.equal(0);
  });

  it('of another implementation is settled alike', async () => {
    const { inbound, outbound } = await both(greater, plainRemoteOf(greater));
    await scripted.advance(500);
    const survivors = [inbound, outbound].filter(({ ended }) => ended === undefined);
    expect(survivors).to.have.length(1);
    expect(scripted.history(greater.nodeId)).to.deep.equal(['up']);
    expect(outbound.sent).to.deep.equal([]);
  });

  it('RT-130 is tried at most three times in 10 s with a peer that takes us for connected', async () => {
    scripted = await ScriptedRouter.running();
    const refuse = (): ScriptedConnection => {
      const connection = scripted.transport.connection({ handshake: remoteOf(alice) });
      scripted.env.clock.defer(() => sayReject(connection, 'duplicate'));
      return connection;
    };
    scripted.transport.answerOtherDials(refuse);
    scripted.router.dial(`memory:${alice.nodeId}`);
    await scripted.advance(10_000);
    expect(scripted.transport.dials.length).to.be.within(2, 3);
    expect(scripted.router.stats().dialFailures).to.equal(0);
  });

  it('RT-128 that loses leaves no failure and no back-off', async () => {
    const { inbound } = await both(greater);
    sayAccept(inbound);
    await scripted.advance();
    await scripted.stop();
    await scripted.store.open();
    const { records } = await scripted.store.load();
    await scripted.store.close();
    expect(records.flatMap(({ addresses }) => addresses.map((info) => info.dialFailures))).to.deep.equal([0]);
  });
});
