import { expect } from 'chai';
import { createServer, type AddressInfo } from 'node:net';
import type { Channel, Codec, Inbound, NodeId } from '../../src/index.ts';
import type { Endpoint } from '../../src/core/endpoint.ts';
import { encodeDelimited } from '../../src/wire/delimited.ts';
import { pattern } from '../support/bytes.ts';
import { manualEnv } from '../support/manual-env.ts';
import { identityOf, nodeInfoOf } from '../support/nodes.ts';
import { p2pRejection } from '../support/p2p-rejection.ts';
import { RawPeer } from '../support/raw-peer.ts';
import {
  addressOf,
  endsOf,
  openHandles,
  tcpNode,
  when,
  type TcpNode,
  type TcpNodeOptions,
} from '../support/tcp-node.ts';

const CHANNEL = 0x42;
const bytesCodec: Codec<Uint8Array> = { encode: (bytes) => bytes, decode: (bytes) => bytes };

/** A node with an open channel. */
type Talker = TcpNode & { readonly channel: Channel<Uint8Array> };

describe('routers over TCP', () => {
  let nodes: Talker[];
  let handlesBefore: readonly string[];

  beforeEach(() => {
    nodes = [];
    handlesBefore = openHandles();
  });

  afterEach(async () => {
    await Promise.all(nodes.map(({ router }) => router.stop()));
  });

  function make(name: string, options: TcpNodeOptions = {}): Talker {
    const node = tcpNode(name, options);
    const channel = node.router.openChannel({
      id: CHANNEL,
      name: 'bytes',
      codec: bytesCodec,
      maxMessageBytes: 2 * 1024 * 1024,
      send: { maxBytes: 4 * 1024 * 1024 },
      receive: { maxMessages: 20_000 },
    });
    const talker = { ...node, channel };
    nodes.push(talker);
    return talker;
  }

  async function start(name: string, options: TcpNodeOptions = {}): Promise<Talker> {
    const node = make(name, options);
    await node.router.start();
    return node;
  }

  function isConnected(node: Talker, peers: number): boolean {
    return node.channel.peers().length === peers;
  }

  /** Two nodes that are connected. */
  async function pair(options: TcpNodeOptions = {}): Promise<[Talker, Talker]> {
    const a = await start('a', { pex: false, ...options });
    const b = await start('b', { pex: false, bootstrapPeers: [addressOf(a)], ...options });
    await when([a, b], () => isConnected(a, 1) && isConnected(b, 1), 'a connection');
    return [a, b];
  }

  async function receive(node: Talker, count: number): Promise<readonly Inbound<Uint8Array>[]> {
    const received: Inbound<Uint8Array>[] = [];
    for await (const inbound of node.channel.receive()) {
      received.push(inbound);
      if (received.length === count) break;
    }
    return received;
  }

  function endpointOf(node: Talker): Endpoint {
    const [address] = node.router.addresses;
    return { protocol: 'mconn', ip: address!.hostname, port: address!.port, path: '' };
  }

  it('exchange a message of 1 MiB and 5,000 small ones in both directions, in order', async () => {
    const [a, b] = await pair();
    const large = pattern(1024 * 1024);
    const flood = async (from: Talker, to: Talker): Promise<void> => {
      expect(await from.channel.send({ to: to.router.id, message: large })).to.equal('queued');
      for (let index = 0; index < 5_000; index++) {
        const message = Uint8Array.of(index & 0xff, index >> 8);
        expect(await from.channel.send({ to: to.router.id, message })).to.equal('queued');
      }
    };
    const [atA, atB] = await Promise.all([receive(a, 5_001), receive(b, 5_001), flood(a, b), flood(b, a)]);
    for (const [received, from] of [
      [atA, b.router.id],
      [atB, a.router.id],
    ] as const) {
      expect(Buffer.compare(received[0]!.message, large)).to.equal(0);
      const numbers = received.slice(1).map(({ message }) => message[0]! + 256 * message[1]!);
      expect(numbers).to.deep.equal(Array.from({ length: 5_000 }, (_, index) => index));
      expect(new Set(received.map((inbound) => inbound.from))).to.deep.equal(new Set<NodeId>([from]));
    }
    expect(a.router.stats()).to.deep.include({
      messagesSent: 5_001,
      messagesReceived: 5_001,
      messagesDropped: 0,
    });
  });

  it('CH-072 hand out messages that keep nothing else alive', async () => {
    const [a, b] = await pair();
    for (const length of [0, 1, 1_000, 5_000])
      a.channel.trySend({ to: b.router.id, message: new Uint8Array(length) });
    const received = await receive(b, 4);
    expect(received.map(({ message }) => message.length)).to.deep.equal([0, 1, 1_000, 5_000]);
    for (const { message } of received) expect(message.buffer.byteLength).to.equal(message.length);
  });

  it('PX-047 find each other, five of them from one address, and all hear a broadcast', async () => {
    const pex = { minMs: 20 };
    const first = await start('n0', { pex });
    for (const name of ['n1', 'n2', 'n3', 'n4'])
      await start(name, { pex, bootstrapPeers: [addressOf(first)] });
    await when(nodes, () => nodes.every((node) => isConnected(node, 4)), 'a mesh of five');
    const listening = nodes.slice(1).map((node) => receive(node, 1));
    expect(first.channel.broadcast(Uint8Array.of(7)).queued).to.have.length(4);
    const heard = await Promise.all(listening);
    expect(heard.flat().map(({ message, from }) => [...message, from])).to.deep.equal(
      Array.from({ length: 4 }, () => [7, first.router.id]),
    );
    for (const { router } of nodes) expect(router.stats()).to.deep.include({ crashes: 0, protocolFaults: 0 });
  });

  it('release every socket, listener, timer and actor when they stop', async () => {
    const [a, b] = await pair({ pex: {} });
    for (const { channel } of [a, b]) channel.messages$.subscribe();
    for (let count = 0; count < 100; count++)
      a.channel.trySend({ to: b.router.id, message: pattern(10_000) });
    const stranger = await RawPeer.connect(endpointOf(a));
    await when([a], () => a.router.peers().length === 2, 'an unfinished handshake');
    expect(openHandles().length).to.be.greaterThan(handlesBefore.length);
    await Promise.all([a.router.stop(), b.router.stop()]);
    await stranger.over;
    stranger.destroy();
    await new Promise((resolve) => setImmediate(resolve));
    expect(openHandles().length).to.be.at.most(handlesBefore.length);
    for (const node of nodes) {
      expect(node.router.actors()).to.deep.equal([]);
      expect(node.liveTimers()).to.equal(0);
      expect(node.router.stats()).to.deep.include({
        state: 'stopped',
        connectedPeers: 0,
        crashes: 0,
      });
      expect(node.router.addresses).to.deep.equal([]);
    }
    expect(a.router.stats().queuedBytes, 'what was to be sent').to.equal(0);
  });

  it('fail to start on a port that is taken, name it, and leave nothing open', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = taken.address() as AddressInfo;
      const before = openHandles();
      const node = make('a', { listen: `127.0.0.1:${port}` });
      const error = await p2pRejection(node.router.start());
      expect(error).to.include({ code: 'listen-failed', reason: 'EADDRINUSE' });
      expect(error.message).to.include(`127.0.0.1:${port}`);
      expect(node.router.state).to.equal('failed');
      await node.router.stop();
      await new Promise((resolve) => setImmediate(resolve));
      expect(openHandles().length).to.be.at.most(before.length);
      expect([node.router.actors(), node.liveTimers()]).to.deep.equal([[], 0]);
    } finally {
      taken.close();
    }
  });

  describe('under attack', () => {
    let a: Talker;
    let b: Talker;

    beforeEach(async () => {
      [a, b] = await pair();
    });

    /** The node lives, and its honest peer has noticed nothing. */
    async function expectUnharmed(): Promise<void> {
      expect(a.router.state).to.equal('running');
      expect(a.router.peers().map(({ id }) => id)).to.deep.equal([b.router.id]);
      expect(b.channel.trySend({ to: a.router.id, message: Uint8Array.of(1) })).to.equal('queued');
      const [inbound] = await receive(a, 1);
      expect(inbound).to.include({ from: b.router.id });
      expect([a, b].map(({ router }) => router.stats().crashes)).to.deep.equal([0, 0]);
      expect(endsOf(b)).to.deep.equal([]);
    }

    const early: readonly [string, (peer: RawPeer) => Promise<void> | void, string][] = [
      ['garbage instead of a handshake', (peer) => peer.write(pattern(500, 31, 200)), 'handshake-failed'],
      [
        'the length of an endless message',
        (peer) => peer.write(new Uint8Array(20).fill(0xff)),
        'handshake-failed(bad-length)',
      ],
      [
        'a message that is too long',
        (peer) => peer.write(Uint8Array.of(0x80, 0x80, 0x04)),
        'handshake-failed(message-too-large)',
      ],
      [
        'garbage in the middle of the handshake',
        async (peer) => {
          const hello = await peer.read(35);
          peer.write(hello.map((byte, index) => (index < 3 ? byte : byte ^ 0x55)));
          peer.write(pattern(5_000));
        },
        'handshake-failed(frame-tag)',
      ],
      [
        'our own key sent back',
        async (peer) => peer.write(await peer.read(35)),
        'handshake-failed(reflection)',
      ],
      ['an end without a word', (peer) => peer.end(), 'eof'],
    ];

    for (const [what, attack, reason] of early) {
      it(`close a connection that sends ${what}, and only that`, async () => {
        const peer = await RawPeer.connect(endpointOf(a));
        await attack(peer);
        await peer.over;
        await when([a], () => endsOf(a).length === 1, 'an end');
        expect(endsOf(a)[0]).to.include(reason);
        expect(a.router.stats()).to.deep.include({
          handshakeFailures: 1,
          protocolFaults: 0,
          connectedPeers: 1,
        });
        peer.destroy();
        await expectUnharmed();
      });
    }

    const late: readonly [string, (peer: RawPeer) => void, string][] = [
      ['garbage after the handshake', (peer) => peer.write(pattern(3_000)), 'protocol-violation(frame-tag)'],
      ['sealed garbage', (peer) => peer.writePlain(pattern(900, 31, 200)), 'protocol-violation'],
      [
        'a packet of no known type',
        (peer) => peer.writePlain(encodeDelimited(Uint8Array.of(0x22, 0x00))),
        'protocol-violation(unknown-message-type)',
      ],
      [
        'a packet that is too long',
        (peer) => peer.writePlain(Uint8Array.of(0x80, 0x80, 0x80, 0x01)),
        'protocol-violation(packet-too-large)',
      ],
    ];

    for (const [what, attack, reason] of late) {
      it(`close a connection that sends ${what}, count it, and hold it against its peer`, async () => {
        const stranger = identityOf('stranger');
        const peer = await RawPeer.connect(endpointOf(a));
        await peer.handshake(
          stranger,
          nodeInfoOf(stranger, { network: 'tcp-test', channels: [CHANNEL], capabilities: [] }),
        );
        await when([a], () => a.router.peers().some(({ id }) => id === stranger.nodeId), 'a proven id');
        attack(peer);
        await peer.over;
        await when([a], () => endsOf(a).length === 1, 'an end');
        expect(endsOf(a)[0]).to.match(/^fault /);
        expect(endsOf(a)[0]).to.include(reason);
        expect(a.router.stats()).to.deep.include({ protocolFaults: 1, handshakeFailures: 0 });
        const [demerit] = a.router.recorder
          .records()
          .filter((record) => record.kind === 'decision' && record.event === 'processPeerEvent');
        expect(demerit).to.deep.include({ peer: stranger.nodeId, result: 'scored' });
        expect(demerit).to.have.nested.property('why.inputs.points', -10);
        peer.destroy();
        await expectUnharmed();
      });
    }
  });

  it('close a connection whose handshake stalls, at the deadline', async () => {
    const env = manualEnv();
    const a = await start('a', { pex: false, env, limits: { handshakeTimeoutMs: 300 } });
    const silent = await RawPeer.connect(endpointOf(a));
    const halfway = await RawPeer.connect(endpointOf(a));
    halfway.write(await halfway.read(3));
    await when([a], () => a.router.peers().length === 2, 'two handshakes');
    await env.advance(299);
    expect(endsOf(a)).to.deep.equal([]);
    await env.advance(1);
    expect(endsOf(a)).to.deep.equal(['fault timeout(exchange)', 'fault timeout(exchange)']);
    await Promise.all([silent.over, halfway.over]);
    expect(a.router.stats()).to.deep.include({ handshakeFailures: 2, protocolFaults: 0 });
    expect(a.router.peers()).to.deep.equal([]);
    for (const peer of [silent, halfway]) peer.destroy();
    expect(env.timers).to.deep.equal([]);
  });
});
