import { expect } from 'chai';
import { RouterSupervisor } from '../../src/actors/router.actor.ts';
import { routerConfig } from '../../src/actors/router-config.ts';
import { CONTROL_CHANNEL_ID } from '../../src/core/channel.ts';
import { stateViolations } from '../../src/core/peer/invariants.ts';
import { connectedPeers, dialingPeers } from '../../src/core/peer/queries.ts';
import { P2PError, REJECTS, type PeerUpdate, type RejectCode } from '../../src/index.ts';
import {
  ScriptedTransport,
  SeededRandom,
  simulatedEnv,
  type ScriptedConnection,
  type SimulatedEnv,
} from '../../src/testing/index.ts';
import type { RemoteHandshake } from '../../src/transports/transport.ts';
import { identityOf } from '../support/nodes.ts';
import {
  endpointOf,
  plainRemoteOf,
  remoteOf,
  sayAccept,
  sayReject,
  TEXT,
} from '../support/scripted-router.ts';
import { textCodec } from '../support/text-codec.ts';

const SEEDS = 120;
const SEEDS_PER_TEST = 20;
const STEPS = 60;
const identities = ['alice', 'bob', 'carol'].map(identityOf);
const codes = Object.keys(REJECTS) as RejectCode[];

/** A router to which anything may happen at any time, and what must be true of it whatever happens. */
class RandomLife {
  readonly env: SimulatedEnv;
  readonly transport: ScriptedTransport;
  readonly supervisor: RouterSupervisor;
  readonly updates = new Map<string, PeerUpdate[]>();
  readonly log: string[] = [];
  readonly #random: SeededRandom;
  readonly #connections: ScriptedConnection[] = [];
  readonly #text;

  constructor(seed: string) {
    this.env = simulatedEnv({ seed });
    this.#random = SeededRandom.from(seed).fork('life');
    this.transport = new ScriptedTransport(this.env.clock);
    this.transport.answerOtherDials(() => this.#answer());
    this.supervisor = new RouterSupervisor(
      routerConfig({
        identity: identityOf('router under test'),
        network: 'test-network',
        transports: [this.transport.factory],
        pex: false,
        env: this.env,
        peers: {
          maxConnected: 2,
          maxConnectedUpgrade: 1,
          upgradeMargin: 0,
          dialTimeoutMs: 15_000,
          retryJitterMs: 100,
          disconnectCooldownMs: 0,
          flapDamping: { thresholdMs: 0, maxCooldownMs: 0, forgiveMs: 0 },
        },
        limits: { inbound: { maxAccepted: 8, burstPerIp: 16 } },
        filters: [() => (this.#random.below(20) === 0 ? 'no' : undefined)],
      }),
    );
    this.#text = this.supervisor.openChannel({ id: TEXT, codec: textCodec, send: { maxMessages: 4 } });
    this.#text.messages$.subscribe(() => undefined);
    this.supervisor.feed.observe().subscribe((update) => {
      const known = this.updates.get(update.peer);
      if (known === undefined) this.updates.set(update.peer, [update]);
      else known.push(update);
    });
  }

  #pick<T>(items: readonly T[]): T {
    return items[this.#random.below(items.length)]!;
  }

  #remote(): RemoteHandshake {
    const identity = this.#pick(identities);
    const changes = this.#random.below(16) === 0 ? { network: 'elsewhere' } : {};
    return this.#random.below(3) === 0 ? plainRemoteOf(identity, changes) : remoteOf(identity, changes);
  }

  #connection(): ScriptedConnection {
    const held = this.#random.below(3) === 0;
    const connection = this.transport.connection({
      ...(held ? {} : { handshake: this.#remote() }),
      remoteEndpoint: endpointOf(`10.0.0.${this.#random.below(3)}`),
    });
    this.#connections.push(connection);
    return connection;
  }

  #answer(): ScriptedConnection | Error | 'hang' {
    const kind = this.#random.below(6);
    if (kind === 0) return 'hang';
    return kind === 1 ? new P2PError('dial-failed', 'no') : this.#connection();
  }

  /** One thing the outside world or the user does. */
  async step(): Promise<void> {
    const actions: readonly (readonly [string, () => void])[] = [
      ['inbound', () => this.transport.offer(this.#connection())],
      ['inbound', () => this.transport.offer(this.#connection())],
      ['accept error', () => this.transport.offer(new Error('EMFILE'))],
      ['dial', () => this.#core({ type: 'dial', address: addressOf(this.#pick(identities).nodeId) })],
      ['disconnect', () => this.#core({ type: 'disconnect', peer: this.#pick(identities).nodeId })],
      ['ban', () => this.#ban()],
      ['unban', () => this.#core({ type: 'unban', peer: this.#pick(identities).nodeId })],
      ['persistent', () => this.#setPersistent()],
      ['report', () => this.#report()],
      ['send', () => this.#text.broadcast('x'.repeat(this.#random.below(100)))],
      ['late answer', () => this.transport.pendingDials[0]?.answer(this.#connection())],
      ...Array.from({ length: 16 }, () => ['remote', () => this.#remoteActs()] as const),
    ];
    const [name, act] = this.#pick(actions);
    this.log.push(name);
    act();
    await this.env.clock.advance(this.#random.below(3) === 0 ? this.#random.below(2_000) : 0);
  }

  #core(event: Parameters<NonNullable<RouterSupervisor['decisions']>['apply']>[0]): void {
    this.supervisor.kernel.call(() => this.supervisor.peerDecisions.apply(event));
  }

  #ban(): void {
    const untilMs = this.supervisor.peerDecisions.now + this.#random.below(5_000);
    this.#core({ type: 'ban', peer: this.#pick(identities).nodeId, untilMs, reason: 'random' });
  }

  #setPersistent(): void {
    const persistent = this.#random.below(2) === 0;
    this.#core({ type: 'setPersistent', peer: this.#pick(identities).nodeId, persistent });
  }

  #report(): void {
    const fatal = this.#random.below(2) === 0;
    this.#text.report({ peer: this.#pick(identities).nodeId, error: new Error('bad'), fatal });
  }

  #remoteActs(): void {
    const living = this.#connections.filter(({ ended }) => ended === undefined);
    if (living.length === 0) return;
    const connection = this.#pick(living);
    const acts: readonly (() => void)[] = [
      () => connection.releaseHandshake(this.#remote()),
      () => connection.releaseHandshake(this.#remote()),
      () => connection.releaseHandshake(new P2PError('handshake-failed', 'no', { blame: 'peer' })),
      () => sayAccept(connection),
      () => sayAccept(connection),
      () => sayAccept(connection),
      () => sayReject(connection, this.#pick(codes)),
      () => connection.deliver(TEXT, this.#random.bytes(this.#random.below(50))),
      () => connection.deliver(CONTROL_CHANNEL_ID, this.#random.bytes(5)),
      () => connection.deliver(this.#random.below(256), new Uint8Array(3)),
      () => connection.end(),
      () => connection.fail(new P2PError('connection-lost', 'reset', { reason: 'ECONNRESET' })),
      () => connection.stall(),
      () => connection.resume(),
      () => connection.showLife(),
    ];
    this.#pick(acts)();
  }

  /** What is true after each step. */
  check(): void {
    const { supervisor } = this;
    const { state } = supervisor.peerDecisions;
    const where = this.log.join(', ');
    expect(stateViolations(state), where).to.deep.equal([]);
    expect(supervisor.kernel.crashes, where).to.equal(0);
    expect(supervisor.state, where).to.equal('running');
    const { links } = supervisor.table;
    const admitted = links.flatMap(({ admitted: isAdmitted, peer }) => (isAdmitted ? [peer!] : []));
    const inCore = connectedPeers(state).map(({ peer }) => peer);
    expect(admitted.sort(), `one place for each admitted link: ${where}`).to.deep.equal(inCore.sort());
    expect(dialingPeers(state).length, `an attempt for each dial: ${where}`).to.be.at.most(
      supervisor.dialing,
    );
    const routed = links.flatMap(({ routed: isRouted, peer }) => (isRouted ? [peer!] : []));
    expect(new Set(routed).size, `one route per peer: ${where}`).to.equal(routed.length);
    const up = [...this.updates].flatMap(([peer, updates]) =>
      updates.at(-1)?.status === 'up' ? [peer] : [],
    );
    expect(up.sort(), `told of who is routed: ${where}`).to.deep.equal(routed.sort());
    for (const updates of this.updates.values()) {
      const wrong = updates.findIndex(({ status }, index) => (status === 'up') !== (index % 2 === 0));
      expect(wrong, `up and down take turns: ${where}`).to.equal(-1);
    }
  }

  async stop(): Promise<void> {
    const { supervisor, env } = this;
    await env.clock.complete(supervisor.stop(), { limitMs: 2_250 });
    await env.clock.advance(0);
    expect(env.clock.pending().timers).to.deep.equal([]);
    expect(supervisor.kernel.actors).to.deep.equal([]);
    expect(supervisor.table.links).to.deep.equal([]);
    expect(supervisor.routerBudget.used).to.equal(0);
    expect(connectedPeers(supervisor.peerDecisions.state)).to.deep.equal([]);
    for (const [peer, updates] of this.updates) expect(updates.at(-1)?.status, peer).to.equal('down');
    const open = this.#connections.filter(({ ended, calls }) => calls.length > 0 && ended === undefined);
    expect(open).to.deep.equal([]);
  }
}

function addressOf(nodeId: (typeof identities)[number]['nodeId']) {
  return { protocol: 'memory', nodeId, hostname: '', port: 0, path: '' };
}

describe('a router to which anything may happen', () => {
  for (let from = 0; from < SEEDS; from += SEEDS_PER_TEST) {
    const to = from + SEEDS_PER_TEST;
    it(`agrees with its core after every step and leaves nothing behind (seeds ${from} to ${to - 1})`, async () => {
      for (let seed = from; seed < to; seed++) {
        const life = new RandomLife(`life ${seed}`);
        await life.env.clock.complete(life.supervisor.start());
        for (let step = 0; step < STEPS; step++) {
          await life.step();
          life.check();
        }
        await life.stop();
      }
    });
  }
});
