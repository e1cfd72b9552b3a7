import { expect } from 'chai';
import { P2PError, type RejectCode } from '../../src/index.ts';
import { rejectFromNumber } from '../../src/core/reject-code.ts';
import type { NodeInfo } from '../../src/core/node-info.ts';
import type { ScriptedConnection } from '../../src/testing/index.ts';
import { identityOf, nodeInfoOf } from '../support/nodes.ts';
import {
  endpointOf,
  heard,
  plainRemoteOf,
  remoteOf,
  say,
  sayAccept,
  sayReject,
  ScriptedRouter,
  TEXT,
} from '../support/scripted-router.ts';

const alice = identityOf('alice');
const bob = identityOf('bob');
const carol = identityOf('carol');
const self = identityOf('router under test');
const text = new TextEncoder().encode('text');

let scripted: ScriptedRouter;

/** The code of the reject verdict the remote was sent. */
function rejectedWith(connection: ScriptedConnection): RejectCode | undefined {
  const verdict = heard(connection).find((message) => message.type === 'verdict');
  return verdict?.type === 'verdict' && !verdict.accept ? rejectFromNumber(verdict.code) : undefined;
}

function hasAccepted(connection: ScriptedConnection): boolean {
  return heard(connection).some((message) => message.type === 'verdict' && message.accept);
}

/** The code the router wrote down for a refused handshake. */
function refusal(): unknown {
  return scripted.noted('handshake-refused').at(-1);
}

/** What the router wrote down about the connection that closed last. */
function lastClosed(): Readonly<Record<string, unknown>> {
  return scripted.noted('connection-closed').at(-1) as Readonly<Record<string, unknown>>;
}

describe('an inbound connection', () => {
  afterEach(() => scripted.stop());

  it('RT-035 of a node that fits comes up', async () => {
    scripted = await ScriptedRouter.running();
    const connection = await scripted.inbound(remoteOf(alice));
    expect(scripted.history(alice.nodeId)).to.deep.equal([]);
    sayAccept(connection);
    await scripted.advance();
    expect(scripted.updates).to.deep.equal([
      {
        peer: alice.nodeId,
        status: 'up',
        channels: [0x01, 0x20, 0xef],
        direction: 'inbound',
        connectionId: 1,
      },
    ]);
  });

  const nobody: NodeInfo = {
    ...nodeInfoOf(alice),
    nodeId: '',
    listenAddr: '',
    network: '',
    version: '',
    channels: [],
    moniker: '',
    capabilities: [],
  };
  const rejected: readonly {
    readonly title: string;
    readonly remote: ReturnType<typeof remoteOf>;
    readonly code: RejectCode;
    readonly reason?: string;
  }[] = [
    {
      title: 'RT-036 without node information and key',
      remote: { nodeInfo: nobody, publicKey: new Uint8Array(0) },
      code: 'id_mismatch',
    },
    {
      title: 'RT-037 that claims to be another node than it has proven to be',
      remote: { nodeInfo: nodeInfoOf(alice), publicKey: self.publicKey },
      code: 'id_mismatch',
    },
    { title: 'RT-038 that is ourselves', remote: remoteOf(self), code: 'self' },
    {
      title: 'RT-039 from another network',
      remote: remoteOf(alice, { network: 'elsewhere' }),
      code: 'incompatible_network',
    },
    {
      title: 'RT-069 with 17 channels',
      remote: remoteOf(alice, { channels: Array.from({ length: 17 }, (_, id) => id + 0x20) }),
      code: 'bad_node_info',
      reason: 'too-many-channels',
    },
    {
      title: 'RT-070 with a channel listed twice',
      remote: remoteOf(alice, { channels: [TEXT, TEXT] }),
      code: 'bad_node_info',
      reason: 'duplicate-channel',
    },
    {
      title: 'RT-071 without a moniker',
      remote: remoteOf(alice, { moniker: '' }),
      code: 'bad_node_info',
      reason: 'moniker',
    },
    {
      title: 'RT-071 with a tab in its moniker',
      remote: remoteOf(alice, { moniker: 'a\tb' }),
      code: 'bad_node_info',
      reason: 'moniker',
    },
    {
      title: 'RT-072 with a listen address that is none',
      remote: remoteOf(alice, { listenAddr: 'nope' }),
      code: 'bad_node_info',
      reason: 'listen-address',
    },
    {
      title: 'RT-073 with a transaction index that is none',
      remote: remoteOf(alice, { other: { txIndex: 'maybe', rpcAddress: '' } }),
      code: 'bad_node_info',
      reason: 'tx-index',
    },
    {
      title: 'RT-074 with a version beyond ASCII',
      remote: remoteOf(alice, { version: 'v1–2' }),
      code: 'bad_node_info',
      reason: 'version',
    },
    {
      title: 'RT-075 with another block protocol',
      remote: remoteOf(alice, { protocolVersion: { p2p: 8n, block: 12n, app: 0n } }),
      code: 'incompatible_protocol',
    },
    {
      title: 'RT-076 without a channel in common',
      remote: remoteOf(alice, { channels: [3] }),
      code: 'no_common_channel',
    },
    {
      title: 'RT-078 without any channel',
      remote: remoteOf(alice, { channels: [] }),
      code: 'no_common_channel',
    },
  ];
  for (const { title, remote, code, reason } of rejected) {
    it(`${title} is refused as ${code}`, async () => {
      scripted = await ScriptedRouter.running();
      const connection = await scripted.inbound(remote);
      await scripted.advance();
      expect(connection.ended?.by).to.equal('local');
      expect(refusal()).to.include({ code, ...(reason === undefined ? {} : { reason }) });
      if (remote.nodeInfo.capabilities.length > 0) expect(rejectedWith(connection)).to.equal(code);
      expect(hasAccepted(connection)).to.equal(false);
      expect(scripted.updates).to.deep.equal([]);
      expect(scripted.router.peers()).to.deep.equal([]);
      expect(scripted.router.stats()).to.include({ knownPeers: 0, refusals: 1, crashes: 0 });
    });
  }

  it('RT-077 with channels is welcome to a node that has none', async () => {
    scripted = await ScriptedRouter.running({ text: false });
    const connection = await scripted.inbound(remoteOf(alice, { channels: [3] }));
    expect(hasAccepted(connection)).to.equal(true);
  });

  it('RT-065 teaches the declared port and never the one it comes from', async () => {
    scripted = await ScriptedRouter.running();
    const handshake = remoteOf(alice, { listenAddr: 'tcp://0.0.0.0:26656' });
    const remoteEndpoint = endpointOf('10.0.0.7', 51234);
    const connection = await scripted.accept(scripted.transport.connection({ handshake, remoteEndpoint }));
    sayAccept(connection);
    await scripted.advance();
    await scripted.stop();
    await scripted.store.open();
    const { records } = await scripted.store.load();
    await scripted.store.close();
    const known = records.flatMap(({ addresses }) => addresses.map(({ address }) => address));
    expect(known.map(({ hostname, port }) => `${hostname}:${port}`)).to.deep.equal(['10.0.0.7:26656']);
  });
});

describe('accepting', () => {
  afterEach(() => scripted.stop());

  it('RT-040 ends with the transport, and the router runs on', async () => {
    scripted = await ScriptedRouter.running();
    expect(scripted.transport.accepts).to.equal(1);
    scripted.transport.endListening();
    await scripted.advance(60_000);
    expect(scripted.transport.accepts).to.equal(1);
    expect(scripted.router.stats()).to.include({ state: 'running', accepting: false });
    await scripted.upOutbound(alice);
  });

  it('RT-041 tries again after 5, 10, 20, 40 and 80 ms, and takes the sixth', async () => {
    scripted = await ScriptedRouter.running();
    const tries: number[] = [];
    const emfile = new Error('EMFILE');
    const handshake = remoteOf(alice);
    scripted.transport.offer(
      emfile,
      emfile,
      emfile,
      emfile,
      emfile,
      scripted.transport.connection({ handshake }),
    );
    let seen = scripted.transport.accepts - 1;
    for (let at = 0; at <= 200; at++) {
      await scripted.env.clock.advanceTo(at);
      for (; seen < scripted.transport.accepts; seen++) tries.push(at);
    }
    expect(tries.slice(0, 6)).to.deep.equal([0, 5, 15, 35, 75, 155]);
    expect(scripted.router.peers()).to.have.length(1);
  });

  it('RT-042 pauses for at most 5 s while it fails, and shows that it does not accept', async () => {
    scripted = await ScriptedRouter.running();
    expect(scripted.router.stats().accepting).to.equal(true);
    scripted.transport.offer(...Array.from({ length: 100 }, () => new Error('EMFILE')));
    await scripted.advance(60_000);
    expect(scripted.router.stats().accepting).to.equal(false);
    const pauses = scripted
      .records('timer')
      .filter(({ actor, op }) => actor === 'router/acceptor#1' && op === 'set')
      .map(({ delayMs }) => delayMs!);
    expect(Math.max(...pauses)).to.equal(5_000);
    expect(pauses.slice(-3)).to.deep.equal([5_000, 5_000, 5_000]);
    expect(scripted.noted('connection-closed')).to.deep.equal([]);
  });

  it('RT-043 does not wait for a handshake that is stuck', async () => {
    scripted = await ScriptedRouter.running();
    const stuck = [1, 2, 3].map(() => scripted.transport.connection());
    scripted.transport.offer(...stuck);
    await scripted.advance();
    expect(stuck.map(({ isHandshaking }) => isHandshaking)).to.deep.equal([true, true, true]);
    await scripted.upInbound(alice);
  });

  it('RT-044 closes what comes when too many handshakes run, and lets those go on', async () => {
    scripted = await ScriptedRouter.running({ limits: { inbound: { maxPendingHandshakes: 2 } } });
    const [first, second, third] = [1, 2, 3].map(() => scripted.transport.connection());
    scripted.transport.offer(first!, second!, third!);
    await scripted.advance();
    expect(third!.calls).to.deep.equal(['close']);
    expect(scripted.noted('gate-refused')).to.deep.include.members([
      { code: 'handshake_backlog', ip: '', transport: 'scripted' },
    ]);
    expect(scripted.path('router').at(-1)).to.contain('accepting.refusing');
    first!.releaseHandshake(remoteOf(alice));
    await scripted.advance();
    sayAccept(first!);
    await scripted.advance();
    expect(scripted.statusOf(alice.nodeId)).to.equal('up');
    expect(second!.isHandshaking).to.equal(true);
    expect(scripted.path('router').at(-1)).to.contain('accepting.open');
  });

  it('RT-045 closes what comes at the limit at once instead of parking it', async () => {
    scripted = await ScriptedRouter.running({ limits: { inbound: { maxAccepted: 1 } } });
    await scripted.upInbound(alice);
    const late = await scripted.inbound(remoteOf(bob));
    expect(late.calls).to.deep.equal(['close']);
    expect(scripted.router.stats()).to.include({ accepts: 1, refusals: 1 });
  });

  it('RT-060 lets a burst of one host in, and one more every window', async () => {
    scripted = await ScriptedRouter.running({ limits: { inbound: { maxPerIp: 16 } } });
    const offer = (count: number): ScriptedConnection[] => {
      const connections = Array.from({ length: count }, () =>
        scripted.transport.connection({ remoteEndpoint: endpointOf('10.0.0.7', 4000) }),
      );
      scripted.transport.offer(...connections);
      return connections;
    };
    const taken = (connections: readonly ScriptedConnection[]): number =>
      connections.filter(({ ended }) => ended === undefined).length;
    const first = offer(20);
    await scripted.advance();
    expect(taken(first)).to.equal(4);
    expect(
      new Set(scripted.noted('gate-refused').map((about) => (about as { code: string }).code)),
    ).to.have.all.keys('rate');
    await scripted.advance(400);
    const second = offer(20);
    await scripted.advance();
    expect(taken(second)).to.equal(4);
  });

  it('RT-063 does not count connections without an IP address per host', async () => {
    const limits = { inbound: { maxPerIp: 16, maxPendingHandshakes: 120 } };
    scripted = await ScriptedRouter.running({ limits, peers: { maxConnected: 0 } });
    scripted.transport.offer(...Array.from({ length: 120 }, () => scripted.transport.connection()));
    await scripted.advance();
    expect(scripted.router.stats()).to.include({ accepts: 120, refusals: 0 });
  });

  it('RT-064 touches nothing the core knows when the gate refuses', async () => {
    scripted = await ScriptedRouter.running({ limits: { inbound: { maxAccepted: 1 } } });
    await scripted.upInbound(alice);
    const before = scripted.records('decision').length;
    await scripted.inbound(remoteOf(bob));
    expect(scripted.records('decision')).to.have.length(before);
  });

  it('goes on when a connection cannot even be taken over', async () => {
    scripted = await ScriptedRouter.running();
    const broken = scripted.transport.connection();
    Object.defineProperty(broken, 'remoteEndpoint', {
      get: () => {
        throw new Error('no endpoint');
      },
    });
    scripted.transport.offer(broken);
    await scripted.advance();
    expect(scripted.router.stats()).to.include({ crashes: 1, accepting: true });
    await scripted.upInbound(alice);
  });
});

describe('the handshake', () => {
  afterEach(() => scripted.stop());

  for (const [title, begin] of [
    ['inbound', () => scripted.accept(scripted.transport.connection())],
    [
      'outbound',
      async () => {
        const connection = scripted.transport.connection();
        await scripted.dial(alice, connection);
        return connection;
      },
    ],
  ] as const) {
    it(`RT-066 ends after its time when the remote is silent, ${title}`, async () => {
      scripted = await ScriptedRouter.running();
      const connection = await begin();
      await scripted.advance(9_999);
      expect(connection.ended).to.equal(undefined);
      await scripted.advance(1);
      expect(connection.ended?.by).to.equal('local');
      expect(lastClosed()).to.include({ reason: 'timeout(exchange)', by: 'fault', ageMs: 10_000 });
      expect(scripted.updates).to.deep.equal([]);
    });
  }

  it('RT-067 has one deadline that no progress extends', async () => {
    scripted = await ScriptedRouter.running();
    const connection = await scripted.accept(scripted.transport.connection());
    for (let second = 1; second < 10; second++) {
      await scripted.advance(1_000);
      connection.showLife();
    }
    connection.releaseHandshake(remoteOf(alice));
    await scripted.advance(999);
    expect(hasAccepted(connection)).to.equal(true);
    await scripted.advance(1);
    expect(lastClosed()).to.include({ reason: 'timeout(verdict)', ageMs: 10_000 });
  });

  it('RT-079 ends with the peer up once when both accept', async () => {
    scripted = await ScriptedRouter.running();
    await scripted.upInbound(alice);
    await scripted.upOutbound(bob);
    expect(scripted.history(alice.nodeId)).to.deep.equal(['up']);
    expect(scripted.history(bob.nodeId)).to.deep.equal(['up']);
    const states = scripted.router.peers().map(({ state }) => state);
    expect(states).to.deep.equal(['connected', 'connected']);
  });

  it('RT-080 tells a dialler that finds us full so, when to come again, and whom to ask', async () => {
    scripted = await ScriptedRouter.running({ peers: { maxConnected: 1, maxConnectedUpgrade: 0 } });
    await scripted.upInbound(alice);
    scripted.router.addBootstrap(`memory:${carol.nodeId}`);
    const connection = await scripted.inbound(remoteOf(bob));
    const [verdict] = heard(connection);
    expect(verdict).to.include({ type: 'verdict', accept: false, retryAfterMs: 5_000 });
    expect(rejectedWith(connection)).to.equal('at_capacity');
    const known = [alice, carol].map(({ nodeId }) => `memory:${nodeId}`);
    expect(verdict).to.have.property('addresses').that.has.members(known);
    expect(scripted.history(bob.nodeId)).to.deep.equal([]);
  });

  it('RT-080 waits as long as an acceptor without room asks, and learns whom to ask instead', async () => {
    scripted = await ScriptedRouter.running();
    const connection = scripted.transport.connection({ handshake: remoteOf(alice) });
    await scripted.dial(alice, connection);
    say(connection, {
      type: 'verdict',
      accept: false,
      code: 10,
      retryAfterMs: 60_000,
      addresses: [`memory:${carol.nodeId}`],
    });
    await scripted.advance();
    expect(lastClosed()).to.include({ reason: 'at_capacity', by: 'remote' });
    expect(scripted.router.stats().dialFailures).to.equal(1);
    expect(scripted.decided('dialFailed', carol.nodeId)).to.deep.equal(['recorded']);
    await scripted.advance(59_999);
    const dialled = scripted.transport.dials.map(({ endpoint }) => endpoint);
    expect(dialled.filter((endpoint) => endpoint === `memory:${alice.nodeId}`)).to.have.length(1);
    expect(dialled).to.include(`memory:${carol.nodeId}`);
    await scripted.advance(2_000);
    expect(scripted.transport.dials.at(-1)?.endpoint).to.equal(`memory:${alice.nodeId}`);
  });

  it('RT-081 sends no message to an acceptor that has not accepted', async () => {
    scripted = await ScriptedRouter.running();
    const connection = scripted.transport.connection({ handshake: remoteOf(alice) });
    await scripted.dial(alice, connection);
    expect(scripted.text!.trySend({ to: alice.nodeId, message: 'early' })).to.equal('no_such_peer');
    expect(scripted.text!.broadcast('early').queued).to.deep.equal([]);
    sayReject(connection, 'at_capacity');
    await scripted.advance();
    expect(connection.sent).to.deep.equal([]);
  });

  it('RT-082 ends after its time when the remote says no verdict', async () => {
    scripted = await ScriptedRouter.running();
    const connection = await scripted.inbound(remoteOf(alice));
    await scripted.advance(9_999);
    expect(connection.ended).to.equal(undefined);
    await scripted.advance(1);
    expect(lastClosed()).to.include({ reason: 'timeout(verdict)' });
    expect(scripted.updates).to.deep.equal([]);
    expect(scripted.decided('disconnected', alice.nodeId)).to.deep.equal(['disconnected']);
  });

  it('RT-083 refuses a peerchart node that sends messages before its verdict', async () => {
    scripted = await ScriptedRouter.running();
    const connection = await scripted.inbound(remoteOf(alice));
    connection.deliver(TEXT, text);
    await scripted.advance();
    expect(connection.ended?.by).to.equal('local');
    expect(lastClosed()).to.include({ reason: 'protocol_violation', by: 'local' });
    expect(scripted.updates).to.deep.equal([]);
    expect(scripted.router.stats().protocolFaults).to.equal(1);
    expect(scripted.decided('processPeerEvent', alice.nodeId)).to.deep.equal(['scored']);
  });

  it('refuses a remote that accepts twice', async () => {
    scripted = await ScriptedRouter.running();
    const connection = await scripted.upInbound(alice);
    sayAccept(connection);
    await scripted.advance();
    expect(lastClosed()).to.include({ reason: 'protocol_violation', by: 'local' });
    expect(scripted.history(alice.nodeId)).to.deep.equal(['up', 'down']);
  });

  it('refuses a remote whose control messages nobody can read', async () => {
    scripted = await ScriptedRouter.running();
    const connection = await scripted.inbound(remoteOf(alice));
    connection.deliver(0xf0, new Uint8Array([0xff]));
    await scripted.advance();
    expect(lastClosed()).to.include({ reason: 'protocol_violation', by: 'local' });
  });

  it('takes over the channels a remote opens and closes, and none that is no channel', async () => {
    scripted = await ScriptedRouter.running();
    const connection = await scripted.upInbound(alice);
    say(connection, {
      type: 'channel-set-update',
      opened: [0x30, 0x100, 70_000],
      closed: [0x01],
      revision: 1,
    });
    await scripted.advance();
    expect(scripted.router.peers()[0]!.channels).to.deep.equal([0x20, 0xef, 0x30]);
  });

  it('RT-084 reads a reject code that nobody has assigned as internal', async () => {
    scripted = await ScriptedRouter.running();
    const connection = await scripted.inbound(remoteOf(alice));
    say(connection, { type: 'verdict', accept: false, code: 99, retryAfterMs: 0, addresses: [] });
    await scripted.advance();
    expect(lastClosed()).to.include({ reason: 'internal', by: 'remote' });
  });

  it('takes an acceptance that is taken back for a goodbye, and blames nobody', async () => {
    scripted = await ScriptedRouter.running();
    const connection = await scripted.upOutbound(alice);
    sayReject(connection, 'shutting_down');
    connection.end();
    await scripted.advance();
    expect(scripted.updates.at(-1)).to.include({ status: 'down', cause: 'shutting_down' });
    expect(scripted.router.stats().protocolFaults).to.equal(0);
    expect(scripted.decided('processPeerEvent')).to.deep.equal([]);
  });

  it('RT-086 never announces another implementation that leaves during its probation', async () => {
    scripted = await ScriptedRouter.running();
    const connection = await scripted.inbound(plainRemoteOf(alice));
    await scripted.advance(100);
    connection.end();
    await scripted.advance(1_000);
    expect(scripted.updates).to.deep.equal([]);
    expect(scripted.decided('disconnected', alice.nodeId)).to.deep.equal(['disconnected']);
  });

  it('RT-087 announces another implementation that stays half a second', async () => {
    scripted = await ScriptedRouter.running();
    const connection = await scripted.inbound(plainRemoteOf(alice));
    await scripted.advance(499);
    expect(scripted.history(alice.nodeId)).to.deep.equal([]);
    await scripted.advance(1);
    expect(scripted.history(alice.nodeId)).to.deep.equal(['up']);
    expect(connection.sent).to.deep.equal([]);
  });

  it('RT-087 announces another implementation at its first message, and delivers all of them in order', async () => {
    scripted = await ScriptedRouter.running();
    const connection = await scripted.inbound(plainRemoteOf(alice));
    const received: string[] = [];
    scripted.text!.messages$.subscribe(({ message }) => received.push(message));
    for (const message of ['one', 'two', 'three'])
      connection.deliver(TEXT, new TextEncoder().encode(message));
    await scripted.advance();
    expect(scripted.history(alice.nodeId)).to.deep.equal(['up']);
    expect(received).to.deep.equal(['one', 'two', 'three']);
  });

  it('never sends another implementation a control message, whatever happens to it', async () => {
    scripted = await ScriptedRouter.running({
      peers: { maxConnected: 2, maxConnectedUpgrade: 0, maxIncomingConnections: 0 },
    });
    const refused = await scripted.inbound(plainRemoteOf(alice, { network: 'elsewhere' }));
    const evicted = await scripted.inbound(plainRemoteOf(bob));
    const onProbation = await scripted.inbound(plainRemoteOf(carol));
    const full = await scripted.inbound(plainRemoteOf(identityOf('dora')));
    evicted.deliver(TEXT, text);
    await scripted.advance();
    scripted.router.disconnect(bob.nodeId);
    scripted.router.disconnect(carol.nodeId);
    await scripted.advance(3_000);
    for (const connection of [refused, evicted, onProbation, full]) {
      expect(connection.ended?.by).to.equal('local');
      expect(connection.sent).to.deep.equal([]);
    }
  });

  it('RT-088 tells each remote what nodeInfoFor says for it', async () => {
    scripted = await ScriptedRouter.running({
      nodeInfoFor: ({ remoteEndpoint: { ip }, direction }) =>
        ip === '10.0.0.7' ? { listenAddr: 'tcp://10.0.0.1:1', moniker: direction } : {},
    });
    const near = await scripted.upInbound(alice, '10.0.0.7');
    const far = await scripted.upInbound(bob, '8.8.8.8');
    expect(near.local?.nodeInfo).to.include({ listenAddr: 'tcp://10.0.0.1:1', moniker: 'inbound' });
    expect(far.local?.nodeInfo).to.include({ listenAddr: 'tcp://10.0.0.1:26656', moniker: 'peerchart' });
  });

  it('RT-088 closes a connection for which nodeInfoFor throws, and only that', async () => {
    scripted = await ScriptedRouter.running({
      nodeInfoFor: ({ remoteEndpoint: { ip } }) => {
        if (ip === '10.0.0.7') throw new Error('no idea');
        return {};
      },
    });
    const connection = await scripted.inbound(remoteOf(alice), '10.0.0.7');
    expect(connection.count('handshake')).to.equal(0);
    expect(lastClosed()).to.include({ reason: 'no idea' });
    await scripted.upInbound(bob);
  });

  it('RT-089 shows the channels as they were when it began, and later ones afterwards', async () => {
    scripted = await ScriptedRouter.running();
    const connection = await scripted.accept(scripted.transport.connection());
    scripted.router.openChannel({ id: 0x21, codec: { encode: () => text, decode: () => '' } });
    connection.releaseHandshake(remoteOf(alice));
    await scripted.advance();
    sayAccept(connection);
    await scripted.advance();
    expect(connection.local?.nodeInfo.channels).to.deep.equal([TEXT]);
    expect(heard(connection).at(-1)).to.deep.include({ type: 'channel-set-update', opened: [0x21] });
    expect(scripted.statusOf(alice.nodeId)).to.equal('up');
  });

  it('RT-090 is given up on stop without a failure', async () => {
    scripted = await ScriptedRouter.running();
    const inbound = await scripted.accept(scripted.transport.connection());
    const outbound = scripted.transport.connection();
    await scripted.dial(alice, outbound);
    await scripted.stop();
    expect([inbound.ended?.by, outbound.ended?.by]).to.deep.equal(['local', 'local']);
    const { dialFailures, handshakeFailures, refusals, crashes } = scripted.router.stats();
    expect({ dialFailures, handshakeFailures, refusals, crashes }).to.deep.equal({
      dialFailures: 0,
      handshakeFailures: 0,
      refusals: 0,
      crashes: 0,
    });
  });

  it('RT-091 holds bad node information against the node that proved its key', async () => {
    scripted = await ScriptedRouter.running();
    scripted.router.addBootstrap(`memory:${alice.nodeId}`);
    await scripted.inbound(remoteOf(alice, { moniker: '' }));
    const scored = scripted.records('decision').filter(({ event }) => event === 'processPeerEvent');
    expect(scored.map(({ peer, result }) => ({ peer, result }))).to.deep.equal([
      { peer: alice.nodeId, result: 'scored' },
    ]);
  });

  it('RT-092 tells the core nothing of garbage from a stranger', async () => {
    scripted = await ScriptedRouter.running();
    const before = scripted.records('decision').length;
    const garbage = new P2PError('handshake-failed', 'garbage', { reason: 'bad-encoding', blame: 'peer' });
    const connection = await scripted.accept(scripted.transport.connection());
    connection.releaseHandshake(garbage);
    await scripted.advance();
    expect(connection.ended?.by).to.equal('local');
    expect(scripted.records('decision')).to.have.length(before);
    expect(scripted.router.stats()).to.include({ handshakeFailures: 1, protocolFaults: 0, refusals: 0 });
  });

  it('RT-093 parks a peer that is incompatible, so that it is not dialled again', async () => {
    scripted = await ScriptedRouter.running();
    const handshake = remoteOf(alice, { network: 'elsewhere' });
    await scripted.dial(alice, scripted.transport.connection({ handshake }));
    expect(scripted.transport.dials).to.have.length(1);
    await scripted.advance(23 * 3_600_000);
    expect(scripted.transport.dials).to.have.length(1);
    await scripted.advance(2 * 3_600_000);
    expect(scripted.transport.dials.length).to.be.greaterThan(1);
  });

  it('RT-093 parks a peer that finds us incompatible', async () => {
    scripted = await ScriptedRouter.running();
    const connection = scripted.transport.connection({ handshake: remoteOf(alice) });
    await scripted.dial(alice, connection);
    sayReject(connection, 'incompatible_network');
    await scripted.advance(23 * 3_600_000);
    expect(scripted.transport.dials).to.have.length(1);
  });
});
