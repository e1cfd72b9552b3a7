import { expect } from 'chai';
import { CONTROL_CHANNEL_ID } from '../../src/core/channel.ts';
import type { ControlMessage, Verdict } from '../../src/core/control-message.ts';
import type { Endpoint } from '../../src/core/endpoint.ts';
import type { NodeInfo } from '../../src/core/node-info.ts';
import {
  createRouter,
  type Channel,
  type FlightRecord,
  type PeerUpdate,
  type RejectCode,
  type Router,
  type RouterOptions,
} from '../../src/index.ts';
import {
  ScriptedTransport,
  simulatedEnv,
  type ScriptedConnection,
  type ScriptedTransportOptions,
  type SimulatedEnv,
} from '../../src/testing/index.ts';
import { memoryPeerStore } from '../../src/store/memory-peer-store.ts';
import type { PeerStore } from '../../src/store/peer-store.ts';
import type { RemoteHandshake } from '../../src/transports/transport.ts';
import { controlCodec } from '../../src/wire/control-codec.ts';
import { rejectNumber } from '../../src/core/reject-code.ts';
import { identityOf, nodeInfoOf, type TestIdentity } from './nodes.ts';
import { textCodec } from './text-codec.ts';

export const NETWORK = 'test-network';
export const TEXT = 0x20;

/** What a remote shows in a handshake: a peerchart node unless `changes` takes its capabilities away. */
export function remoteOf(identity: TestIdentity, changes: Partial<NodeInfo> = {}): RemoteHandshake {
  return { nodeInfo: nodeInfoOf(identity, changes), publicKey: identity.publicKey };
}

/** A remote of another implementation, which knows no verdicts. */
export function plainRemoteOf(identity: TestIdentity, changes: Partial<NodeInfo> = {}): RemoteHandshake {
  return remoteOf(identity, { capabilities: [], ...changes });
}

export function endpointOf(ip: string, port = 26656): Endpoint {
  return { protocol: 'scripted', ip, port, path: '' };
}

/** The remote says something on the control channel. */
export function say(connection: ScriptedConnection, message: ControlMessage): void {
  connection.deliver(CONTROL_CHANNEL_ID, controlCodec.encode(message));
}

export function sayAccept(connection: ScriptedConnection): void {
  say(connection, { type: 'verdict', accept: true, code: 0, retryAfterMs: 0, addresses: [] });
}

export function sayReject(connection: ScriptedConnection, code: RejectCode, retryAfterMs = 0): void {
  const verdict: Verdict = {
    type: 'verdict',
    accept: false,
    code: rejectNumber(code),
    retryAfterMs,
    addresses: [],
  };
  say(connection, verdict);
}

/** What the router said on the control channel. */
export function heard(connection: ScriptedConnection): readonly ControlMessage[] {
  return connection.sentOn(CONTROL_CHANNEL_ID).map((bytes) => controlCodec.decode(bytes));
}

export type ScriptedRouterOptions = Partial<Omit<RouterOptions, 'env' | 'identity'>> & {
  readonly transport?: ScriptedTransportOptions;
  readonly seed?: string;
  /** Whether the text channel is opened; default true. */
  readonly text?: boolean;
};

/** One router on a scripted transport under a simulated clock, and everything a test wants to know of it. */
export class ScriptedRouter {
  readonly env: SimulatedEnv;
  readonly identity = identityOf('router under test');
  readonly transport: ScriptedTransport;
  readonly store: PeerStore;
  readonly router: Router;
  readonly updates: PeerUpdate[] = [];
  readonly text: Channel<string> | undefined;

  constructor({
    transport = {},
    seed = 'scripted',
    text = true,
    store = memoryPeerStore(),
    ...options
  }: ScriptedRouterOptions = {}) {
    this.env = simulatedEnv({ seed });
    this.transport = new ScriptedTransport(this.env.clock, transport);
    this.store = store;
    this.router = createRouter({
      identity: this.identity,
      network: NETWORK,
      transports: [this.transport.factory],
      pex: false,
      ...options,
      store,
      env: this.env,
    });
    this.text = text
      ? this.router.openChannel({ id: TEXT, name: 'text', codec: textCodec, send: { maxMessages: 1000 } })
      : undefined;
    this.router.updates$.subscribe((update) => this.updates.push(update));
  }

  static async running(options: ScriptedRouterOptions = {}): Promise<ScriptedRouter> {
    const scripted = new ScriptedRouter(options);
    await scripted.env.clock.complete(scripted.router.start(), { limitMs: 0 });
    return scripted;
  }

  /** Lets time pass; without an argument only what is due now happens. */
  advance(ms = 0): Promise<void> {
    return this.env.clock.advance(ms);
  }

  get now(): number {
    return this.env.clock.now();
  }

  /** A connection comes in. */
  async accept(connection: ScriptedConnection): Promise<ScriptedConnection> {
    this.transport.offer(connection);
    await this.advance();
    return connection;
  }

  /** A remote comes in and shakes hands at once; not accepted by it yet. */
  inbound(handshake: RemoteHandshake, ip = ''): Promise<ScriptedConnection> {
    const from = ip === '' ? {} : { remoteEndpoint: endpointOf(ip) };
    return this.accept(this.transport.connection({ handshake, ...from }));
  }

  /** A remote comes in and is up. */
  async upInbound(identity: TestIdentity, ip = ''): Promise<ScriptedConnection> {
    const connection = await this.inbound(remoteOf(identity), ip);
    sayAccept(connection);
    await this.advance();
    expect(this.statusOf(identity.nodeId)).to.equal('up');
    return connection;
  }

  /** Learns the address of a peer, whose next dial leads to `connection`. */
  async dial(
    identity: TestIdentity,
    ...answers: Parameters<ScriptedTransport['answerDials']>[1][]
  ): Promise<void> {
    this.transport.answerDials(`memory:${identity.nodeId}`, ...answers);
    this.router.dial(`memory:${identity.nodeId}`);
    await this.advance();
  }

  /** We dial a peer, and it is up. */
  async upOutbound(identity: TestIdentity): Promise<ScriptedConnection> {
    const connection = this.transport.connection({ handshake: remoteOf(identity) });
    await this.dial(identity, connection);
    sayAccept(connection);
    await this.advance();
    expect(this.statusOf(identity.nodeId)).to.equal('up');
    return connection;
  }

  statusOf(peer: string): 'up' | 'down' {
    return this.updates.findLast((update) => update.peer === peer)?.status ?? 'down';
  }

  /** `up` and `down` of a peer so far. */
  history(peer: string): readonly string[] {
    return this.updates.filter((update) => update.peer === peer).map(({ status }) => status);
  }

  records<K extends FlightRecord['kind']>(kind: K): readonly Extract<FlightRecord, { kind: K }>[] {
    return this.router.recorder
      .records()
      .filter((record): record is Extract<FlightRecord, { kind: K }> => record.kind === kind);
  }

  /** Results of one event of the core about a peer, in order. */
  decided(event: string, peer?: string): readonly string[] {
    return this.records('decision')
      .filter((record) => record.event === event && (peer === undefined || record.peer === peer))
      .map(({ result }) => result);
  }

  /** `about` of every note with a code. */
  noted(code: string): readonly unknown[] {
    return this.records('note')
      .filter((record) => record.code === code)
      .map(({ about }) => about);
  }

  /** The transitions of one actor: `from → to`. */
  path(actor: string): readonly string[] {
    return this.records('transition')
      .filter((record) => record.actor === actor)
      .map(({ to }) => to);
  }

  /** Reason of the attempt that ended last. */
  lastDialFailure(peer: string): { readonly cause?: unknown } | undefined {
    const last = this.records('decision').findLast(
      (record) => record.event === 'dialFailed' && record.peer === peer,
    );
    const { inputs } = (last?.why ?? {}) as { readonly inputs?: { readonly cause?: unknown } };
    return inputs;
  }

  /** Stops the router and requires that nothing of it is left. */
  async stop(limitMs = 3_000): Promise<void> {
    const stopped = this.router.stop();
    await this.env.clock.complete(stopped, { limitMs });
    await this.expectNothingLeft();
  }

  async expectNothingLeft(): Promise<void> {
    await this.advance();
    expect(this.env.clock.pending().timers, 'timers').to.deep.equal([]);
    expect(this.router.actors(), 'actors').to.deep.equal([]);
    expect(
      this.router.peers().map(({ state }) => state),
      'connections',
    ).to.deep.equal([]);
    expect(this.transport.isListening, 'listening').to.equal(false);
    expect(this.transport.pendingDials, 'dials').to.deep.equal([]);
    await this.store.open();
    await this.store.close();
  }
}
