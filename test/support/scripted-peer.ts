import type { ChannelId } from '../../src/core/channel.ts';
import type { Env } from '../../src/core/env.ts';
import type { NodeId } from '../../src/core/node-id.ts';
import type { SimulatedNetwork, SimulatedNode } from '../../src/testing/index.ts';
import type { Connection, ConnectionEnd, RemoteHandshake } from '../../src/transports/transport.ts';
import { DuplexProbe } from './duplex-probe.ts';
import { identityOf, nodeInfoOf, type TestIdentity } from './nodes.ts';

export interface ScriptOptions {
  readonly name: string;
  /** Channels it declares, and all it receives on. */
  readonly channels: readonly ChannelId[];
  /** Default none: a node of another implementation, which takes no part in verdicts. */
  readonly capabilities?: readonly string[];
}

const MESSAGE_BYTES_MAX = 1024 * 1024;

/** A node of a simulated network that does nothing but what a test tells it. */
export class ScriptedPeer {
  readonly id: NodeId;
  readonly remote: RemoteHandshake;
  readonly #connection: Connection;
  readonly #probe: DuplexProbe;

  private constructor(
    identity: TestIdentity,
    connection: Connection,
    remote: RemoteHandshake,
    probe: DuplexProbe,
  ) {
    this.id = identity.nodeId;
    this.remote = remote;
    this.#connection = connection;
    this.#probe = probe;
  }

  /** Connects to a node, and waits until that node has announced it when it is to be announced at all. */
  static async dial(
    network: SimulatedNetwork,
    to: SimulatedNode,
    options: ScriptOptions,
  ): Promise<ScriptedPeer> {
    const { name, channels, capabilities = [] } = options;
    const env: Env = network.env.fork(name);
    const identity = identityOf(name);
    const transport = network.memory.transport(identity.nodeId)(env);
    const never = new AbortController().signal;
    const endpoint = { protocol: 'memory', ip: '', port: 0, path: to.id };
    const connection = await network.env.clock.complete(transport.dial(endpoint, never));
    const nodeInfo = nodeInfoOf(identity, { network: 'simulated', channels, capabilities, moniker: name });
    const remote = await network.env.clock.complete(connection.handshake({ identity, nodeInfo }, never));
    const probe = new DuplexProbe(new Map(channels.map((id) => [id, MESSAGE_BYTES_MAX])));
    connection.start(probe);
    await network.advance(600);
    return new ScriptedPeer(identity, connection, remote, probe);
  }

  get delivered(): DuplexProbe['delivered'] {
    return this.#probe.delivered;
  }

  /** How the connection ended; undefined while it lives. */
  get ended(): ConnectionEnd | undefined {
    return this.#probe.ends[0];
  }

  send(channelId: ChannelId, bytes: Uint8Array): void {
    this.#probe.queue(channelId, bytes);
    this.#connection.wake();
  }

  close(): void {
    this.#connection.close();
  }
}
