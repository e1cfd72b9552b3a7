import { getEventListeners } from 'node:events';
import { expect } from 'chai';
import type { Endpoint } from '../../../src/core/endpoint.ts';
import { realEnv } from '../../../src/env/real-env.ts';
import { mconn } from '../../../src/transports/mconn/mconn-transport.ts';
import type { MconnOptions } from '../../../src/transports/mconn/mconn-options.ts';
import type { Connection, Transport } from '../../../src/transports/transport.ts';
import { p2pRejection } from '../../support/p2p-rejection.ts';
import { p2pThrow } from '../../support/p2p-throw.ts';
import { RawListener, RawPeer } from '../../support/raw-peer.ts';
import { rejection } from '../../support/rejection.ts';

const quiet = new AbortController().signal;
const env = realEnv();

/** Sockets and listening ports of this process. */
function networkResources(): string[] {
  return process.getActiveResourcesInfo().filter((name) => /TCP/.test(name));
}

async function turns(count = 20): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise<void>((next) => env.clock.defer(next));
}

describe('mconn transport', () => {
  let transports: Transport[];
  let connections: Connection[];
  let resourcesBefore: string[];

  beforeEach(() => {
    transports = [];
    connections = [];
    resourcesBefore = networkResources();
  });

  afterEach(async () => {
    for (const connection of connections) connection.close();
    for (const transport of transports) await transport.close();
    await turns();
    expect(networkResources(), 'left open').to.deep.equal(resourcesBefore);
  });

  function make(options: MconnOptions = {}): Transport {
    const transport = mconn(options)(env);
    transports.push(transport);
    return transport;
  }

  async function listening(options: MconnOptions = {}): Promise<[Transport, Endpoint]> {
    const transport = make({ listen: '127.0.0.1:0', ...options });
    await transport.listen();
    return [transport, transport.endpoints()[0]!];
  }

  async function connect(
    from: Transport,
    to: Transport,
    endpoint: Endpoint,
  ): Promise<[Connection, Connection]> {
    const pair = await Promise.all([from.dial(endpoint, quiet), to.accept()]);
    connections.push(...pair);
    return pair;
  }

  for (const ip of ['0.0.0.0', '::']) {
    it(`TR-007: ${ip} reaches a listener on 127.0.0.1`, async () => {
      const [transport, endpoint] = await listening();
      const [dialled] = await connect(make(), transport, { ...endpoint, ip });
      expect(dialled.remoteEndpoint).to.deep.equal(endpoint);
    });
  }

  it('TR-039: accepted connections mirror the dialled ones', async () => {
    const [transport, endpoint] = await listening();
    for (let i = 0; i < 2; i++) {
      const [dialled, accepted] = await connect(make(), transport, endpoint);
      expect(dialled.localEndpoint).to.deep.equal(accepted.remoteEndpoint);
    }
  });

  for (const [ip, text] of [
    ['0.0.0.0', '0.0.0.0:0'],
    ['127.0.0.1', 'tcp://127.0.0.1:0'],
    ['::', '[::]:0'],
    ['::1', 'mconn://[::1]:0'],
  ] as const) {
    it(`TR-042, TR-043: listening at ${text} shows one endpoint with a port`, async () => {
      const [transport] = await listening({ listen: text });
      const [endpoint, ...more] = transport.endpoints();
      expect(more).to.deep.equal([]);
      expect(endpoint).to.include({ protocol: 'mconn', ip, path: '' });
      expect(endpoint!.port).to.be.above(0);
    });
  }

  it('an IPv4 dialler of a dual-stack listener is seen with its IPv4 address', async () => {
    const [transport, endpoint] = await listening({ listen: '[::]:0' });
    const [dialled, accepted] = await connect(make(), transport, { ...endpoint, ip: '127.0.0.1' });
    expect(accepted.remoteEndpoint).to.deep.equal(dialled.localEndpoint);
    expect(accepted.localEndpoint.ip).to.equal('127.0.0.1');
  });

  it('TR-044: closing a connection whose other end is long gone does nothing', async () => {
    const [transport, endpoint] = await listening();
    const [dialled, accepted] = await connect(make(), transport, endpoint);
    accepted.close();
    await turns();
    dialled.close();
    dialled.close();
    expect(dialled.status().bytesReceived).to.equal(0);
  });

  it('TR-046: nobody answers where a closed transport listened, and the refusal is named', async () => {
    const [transport, endpoint] = await listening();
    await transport.close();
    const failure = await p2pRejection(make().dial(endpoint, quiet));
    expect(failure).to.include({ code: 'dial-failed', reason: 'ECONNREFUSED' });
    expect(failure.message).to.contain(String(endpoint.port));
  });

  it('a port in use is named in the failure, and listening may be tried again', async () => {
    const [first, endpoint] = await listening();
    const second = make({ listen: endpoint });
    const failure = await p2pRejection(second.listen());
    expect(failure).to.include({ code: 'listen-failed', reason: 'EADDRINUSE', blame: 'local' });
    expect(failure.message).to.contain(`127.0.0.1:${endpoint.port}`);
    expect(await p2pRejection(second.accept())).to.include({ code: 'not-listening' });
    await first.close();
    await second.listen();
    expect(second.endpoints()).to.deep.equal([endpoint]);
  });

  it('an endpoint that cannot be listened at is refused when it is tried', async () => {
    const transport = make({ listen: 'localhost:0' });
    expect(await p2pRejection(transport.listen())).to.include({
      code: 'invalid-endpoint',
      reason: 'invalid-ip',
    });
  });

  it('a transport that only dials listens to nothing, and its accept waits for the close', async () => {
    const transport = make();
    await transport.listen();
    expect(transport.endpoints()).to.deep.equal([]);
    const accepting = p2pRejection(transport.accept());
    await transport.close();
    expect(await accepting).to.include({ code: 'eof' });
  });

  it('a transport closed while it binds does not listen', async () => {
    const transport = make({ listen: '127.0.0.1:0' });
    const binding = transport.listen();
    await transport.close();
    await binding;
    expect(transport.endpoints()).to.deep.equal([]);
    expect(await p2pRejection(transport.accept())).to.include({ code: 'eof' });
    expect(await p2pRejection(transport.listen())).to.include({ code: 'listen-failed', reason: 'closed' });
  });

  it('TR-154: an endpoint without a port is dialled at the default port', async () => {
    const [transport, endpoint] = await listening();
    const dialler = make({ defaultPort: endpoint.port });
    const controller = new AbortController();
    const dialling = dialler.dial({ ...endpoint, port: 0 }, controller.signal);
    const [dialled, accepted] = await Promise.all([dialling, transport.accept()]);
    connections.push(dialled, accepted);
    expect(getEventListeners(controller.signal, 'abort')).to.deep.equal([]);
    expect(dialled.remoteEndpoint).to.deep.equal(endpoint);
  });

  it('TR-011: a dial that is aborted while it connects gives the reason back and leaves no socket', async () => {
    const listener = await RawListener.listen();
    const controller = new AbortController();
    const why = new Error('no longer wanted');
    const dialling = rejection(make().dial(listener.endpoint, controller.signal));
    // The system has been asked to connect by then, and has not said yet that it did.
    await new Promise<void>((next) => process.nextTick(next));
    controller.abort(why);
    expect(await dialling).to.equal(why);
    const peer = await listener.accept();
    await peer.over;
    peer.destroy();
    listener.close();
  });

  it('an abort between the two tries of :: stops the second', async () => {
    const listener = await RawListener.listen();
    const controller = new AbortController();
    const why = new Error('no longer wanted');
    const dialling = rejection(make().dial({ ...listener.endpoint, ip: '::' }, controller.signal));
    controller.abort(why);
    expect(await dialling).to.equal(why);
    listener.close();
  });

  it('sockets beyond the backlog are closed at once, those within it wait', async () => {
    const [transport, endpoint] = await listening({ acceptBacklog: 2 });
    const peers: RawPeer[] = [];
    for (let i = 0; i < 3; i++) {
      peers.push(await RawPeer.connect(endpoint));
      await turns(5);
    }
    await peers[2]!.over;
    expect(await peers[2]!.readAll()).to.have.length(0);
    for (const peer of peers.slice(0, 2)) {
      const connection = await transport.accept();
      connections.push(connection);
      expect(connection.remoteEndpoint.port).to.equal(peer.socket.localPort);
    }
    for (const peer of peers) peer.destroy();
  });

  it('sockets nobody accepted are closed with the transport', async () => {
    const [transport, endpoint] = await listening();
    const peer = await RawPeer.connect(endpoint);
    await turns(5);
    await transport.close();
    expect(await peer.readAll()).to.have.length(0);
    peer.destroy();
  });

  it('a socket that nobody reads yet holds back what its peer sends', async () => {
    const [transport, endpoint] = await listening();
    const peer = await RawPeer.connect(endpoint);
    peer.write(Buffer.alloc(1024 * 1024));
    const connection = await transport.accept();
    connections.push(connection);
    await turns(50);
    expect(connection.status().bytesReceived).to.equal(0);
    peer.destroy();
  });

  for (const [option, value] of [
    ['defaultPort', 0],
    ['maxPayloadBytes', 63],
    ['maxPayloadBytes', 32_769],
    ['maxPacketBytes', 1.5],
    ['pingIntervalMs', 0],
    ['pongTimeoutMs', Number.NaN],
    ['acceptBacklog', -1],
  ] as const) {
    it(`refuses ${option} = ${value}`, () => {
      expect(p2pThrow(() => mconn({ [option]: value }))).to.include({
        code: 'invalid-option',
        reason: option,
      });
    });
  }
});
