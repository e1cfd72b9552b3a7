import { expect } from 'chai';
import { P2PError } from '../../src/index.ts';
import { resolveNodeAddress } from '../../src/core/endpoint.ts';
import type { NodeInfo } from '../../src/core/node-info.ts';
import { identityOf, nodeInfoOf, type TestIdentity } from '../support/nodes.ts';
import { p2pRejection } from '../support/p2p-rejection.ts';
import { remoteOf, sayAccept, sayReject, ScriptedRouter } from '../support/scripted-router.ts';

const alice = identityOf('alice');
const bob = identityOf('bob');
const self = identityOf('router under test');
const nobody: NodeInfo = { ...nodeInfoOf(alice), nodeId: '', listenAddr: '', network: '', moniker: '' };

let scripted: ScriptedRouter;

/** Ids that are nobody else's, in order. */
function crowd(count: number): readonly TestIdentity[] {
  return Array.from({ length: count }, (_, index) => identityOf(`crowd ${index}`));
}

/** What the core was told of a failed dial, or of one that was nobody's fault. */
function failures(identity: TestIdentity): readonly unknown[] {
  return scripted
    .records('decision')
    .filter(({ event, peer }) => event === 'dialFailed' && peer === identity.nodeId)
    .map(({ why }) => (why as { readonly inputs: unknown }).inputs);
}

function dialInstants(): readonly number[] {
  return scripted.transport.dials.map(({ at }) => at);
}

describe('an outbound attempt', () => {
  afterEach(() => scripted.stop());

  it('RT-094 brings the peer up', async () => {
    scripted = await ScriptedRouter.running();
    await scripted.upOutbound(alice);
    expect(scripted.updates.at(-1)).to.include({ peer: alice.nodeId, status: 'up', direction: 'outbound' });
    expect(scripted.path('router/dial#1')).to.deep.equal([
      'attempting.resolving',
      'attempting.dialing',
      'attempting.handshaking',
      'admitted',
    ]);
    expect(scripted.router.stats()).to.include({ dials: 1, dialFailures: 0, dialing: 0 });
  });

  it('RT-095 that finds nobody is reported for its address, without a handshake', async () => {
    scripted = await ScriptedRouter.running();
    await scripted.dial(alice, new P2PError('dial-failed', 'refused', { reason: 'ECONNREFUSED' }));
    expect(failures(alice)).to.deep.equal([{ failures: 1, cause: 'dial-failed(ECONNREFUSED)' }]);
    expect(scripted.router.peers()).to.deep.equal([]);
    expect(scripted.router.stats()).to.include({ dialFailures: 1, dialing: 0 });
  });

  for (const { title, remote, cause } of [
    {
      title: 'RT-096 answered without node information and key',
      remote: { nodeInfo: nobody, publicKey: new Uint8Array(0) },
      cause: 'wrong-id',
    },
    {
      title: 'RT-097 answered with our own key',
      remote: { nodeInfo: nodeInfoOf(alice), publicKey: self.publicKey },
      cause: 'wrong-id',
    },
    { title: 'RT-098 answered by another node', remote: remoteOf(bob), cause: 'wrong-id' },
    {
      title: 'RT-099 answered from another network',
      remote: remoteOf(alice, { network: 'elsewhere' }),
      cause: 'incompatible_network',
    },
    {
      title: 'answered with a broken handshake',
      remote: new P2PError('handshake-failed', 'no', { reason: 'bad-signature', blame: 'peer' }),
      cause: 'handshake-failed(bad-signature)',
    },
  ]) {
    it(`${title} is closed and reported once for the address`, async () => {
      scripted = await ScriptedRouter.running();
      const connection = scripted.transport.connection({ handshake: remote });
      await scripted.dial(alice, connection);
      expect(connection.ended?.by).to.equal('local');
      expect(failures(alice)).to.deep.equal([{ failures: 1, cause }]);
      expect(scripted.updates).to.deep.equal([]);
      expect(scripted.router.stats()).to.include({ dialFailures: 1, dialing: 0 });
    });
  }

  it('RT-098 that leads to another node three times in a row costs the peer the address', async () => {
    scripted = await ScriptedRouter.running({ peers: { retryJitterMs: 0 } });
    const wrong = (): ReturnType<typeof scripted.transport.connection> =>
      scripted.transport.connection({ handshake: remoteOf(bob) });
    await scripted.dial(alice, wrong(), wrong(), wrong());
    await scripted.advance(60_000);
    expect(scripted.decided('dialFailed', alice.nodeId)).to.deep.equal([
      'recorded',
      'recorded',
      'peer-dropped',
    ]);
  });

  it('RT-100 does not wait for others that are stuck', async () => {
    scripted = await ScriptedRouter.running({ limits: { dial: { maxConcurrent: 3 } } });
    const stuck = [1, 2, 3].map(() => scripted.transport.connection());
    scripted.transport.answerOtherDials(() => stuck[scripted.transport.dials.length - 1]!);
    for (const { nodeId } of crowd(3)) scripted.router.addBootstrap(`memory:${nodeId}`);
    await scripted.advance();
    expect(stuck.map(({ isHandshaking }) => isHandshaking)).to.deep.equal([true, true, true]);
  });

  it('RT-101 runs beside 39 others that hang', async () => {
    scripted = await ScriptedRouter.running({ peers: { maxConnected: 64 } });
    scripted.transport.answerOtherDials('hang');
    for (const { nodeId } of crowd(40)) scripted.router.addBootstrap(`memory:${nodeId}`);
    await scripted.advance();
    expect(scripted.transport.pendingDials).to.have.length(40);
  });

  it('RT-102 comes for each of 100 addresses within a second when all refuse', async () => {
    scripted = await ScriptedRouter.running();
    for (const { nodeId } of crowd(100)) scripted.router.addBootstrap(`memory:${nodeId}`);
    await scripted.advance(1_000);
    expect(new Set(scripted.transport.dials.map(({ endpoint }) => endpoint)).size).to.equal(100);
  });

  it('RT-103 keeps the interval an operator sets', async () => {
    const limits = { dial: { minIntervalMs: 50, jitterMs: 0 } };
    scripted = await ScriptedRouter.running({ limits });
    scripted.transport.answerOtherDials('hang');
    for (const { nodeId } of crowd(5)) scripted.router.addBootstrap(`memory:${nodeId}`);
    await scripted.advance(1_000);
    expect(dialInstants()).to.deep.equal([0, 50, 100, 150, 200]);
  });

  it('RT-103 keeps the interval though the core is woken in between', async () => {
    const limits = { dial: { minIntervalMs: 50, jitterMs: 0 } };
    scripted = await ScriptedRouter.running({ limits });
    scripted.transport.answerOtherDials('hang');
    for (const { nodeId } of crowd(5)) {
      scripted.router.addBootstrap(`memory:${nodeId}`);
      await scripted.advance(10);
    }
    await scripted.advance(1_000);
    expect(dialInstants()).to.deep.equal([0, 50, 100, 150, 200]);
  });

  it('RT-104 is not begun beyond the limit, and the others stay candidates', async () => {
    scripted = await ScriptedRouter.running({ limits: { dial: { maxConcurrent: 2 } } });
    scripted.transport.answerOtherDials('hang');
    for (const { nodeId } of crowd(5)) scripted.router.addBootstrap(`memory:${nodeId}`);
    await scripted.advance();
    expect(scripted.router.stats()).to.include({ dialing: 2, dials: 2 });
    expect(scripted.path('router').at(-1)).to.contain('dialing.saturated');
    scripted.transport.dials[0]!.answer(new Error('gone'));
    await scripted.advance();
    expect(scripted.router.stats()).to.include({ dialing: 2, dials: 3 });
  });

  it('RT-105 tries the second IP address of a name when the first refuses, and reports once', async () => {
    scripted = await ScriptedRouter.running();
    scripted.env.resolver.set('two.example', { ips: ['10.0.0.7', '10.0.0.8'] });
    const connection = scripted.transport.connection({ handshake: remoteOf(alice) });
    scripted.transport.answerDials('scripted://10.0.0.8:1', connection);
    scripted.router.dial(`scripted://${alice.nodeId}@two.example:1`);
    await scripted.advance();
    sayAccept(connection);
    await scripted.advance();
    expect(scripted.statusOf(alice.nodeId)).to.equal('up');
    const tried = scripted.transport.dials.map(({ endpoint }) => endpoint);
    expect(tried).to.deep.equal(['scripted://10.0.0.7:1', 'scripted://10.0.0.8:1']);
    expect(scripted.decided('dialed', alice.nodeId)).to.deep.equal(['connected']);
    expect(scripted.decided('dialFailed', alice.nodeId)).to.deep.equal([]);
  });

  it('RT-107 lists why every endpoint failed', async () => {
    scripted = await ScriptedRouter.running();
    scripted.env.resolver.set('three.example', { ips: ['10.0.0.7', '10.0.0.8', '10.0.0.9'] });
    scripted.transport.answerDials('scripted://10.0.0.8:1', 'hang');
    scripted.router.dial(`scripted://${alice.nodeId}@three.example:1`);
    await scripted.advance(3_000);
    const cause = 'dial-failed(ECONNREFUSED); timeout(dial); dial-failed(ECONNREFUSED)';
    expect(failures(alice)).to.deep.equal([{ failures: 1, cause }]);
  });

  it('RT-107 fails when no transport serves the protocol', async () => {
    scripted = await ScriptedRouter.running();
    scripted.router.dial(`quic://${alice.nodeId}@10.0.0.7:1`);
    await scripted.advance();
    expect(failures(alice)).to.deep.equal([{ failures: 1, cause: 'no-transport(quic)' }]);
    expect(scripted.transport.dials).to.deep.equal([]);
  });

  it('RT-108 fails when the name leads nowhere', async () => {
    scripted = await ScriptedRouter.running();
    scripted.env.resolver.resolve = () => Promise.resolve([]);
    scripted.router.dial(`scripted://${alice.nodeId}@none.example:1`);
    await scripted.advance();
    expect(failures(alice)).to.deep.equal([{ failures: 1, cause: 'no-endpoints' }]);
  });

  it('RT-109 fails after 5 s when the resolver hangs', async () => {
    scripted = await ScriptedRouter.running();
    let signal: AbortSignal | undefined;
    scripted.env.resolver.resolve = (_, given) => {
      signal = given;
      return new Promise(() => undefined);
    };
    scripted.router.dial(`scripted://${alice.nodeId}@slow.example:1`);
    await scripted.advance(4_999);
    expect(failures(alice)).to.deep.equal([]);
    await scripted.advance(1);
    expect(failures(alice)).to.deep.equal([{ failures: 1, cause: 'timeout(resolve)' }]);
    expect(signal?.aborted).to.equal(true);
  });

  it('RT-110, RT-113 looks up neither a node id nor an IP address', async () => {
    scripted = await ScriptedRouter.running();
    scripted.router.dial(`memory:${alice.nodeId}`);
    scripted.router.dial(`scripted://${bob.nodeId}@[2001:db8::1]:1`);
    await scripted.advance();
    expect(scripted.transport.dials.map(({ endpoint }) => endpoint)).to.deep.equal([
      `memory:${alice.nodeId}`,
      'scripted://[2001:db8::1]:1',
    ]);
    expect(scripted.env.resolver.lookups).to.deep.equal([]);
  });

  it('RT-111, RT-112 needs a protocol, and a host or a node id', async () => {
    scripted = await ScriptedRouter.running();
    const { resolver } = scripted.env;
    const { signal } = new AbortController();
    const nowhere = { protocol: 'scripted', nodeId: '', hostname: '', port: 0, path: '' };
    for (const [address, reason] of [
      [{ ...nowhere, protocol: '', hostname: '10.0.0.7' }, 'no-protocol'],
      [nowhere, 'id-missing'],
    ] as const) {
      const error = await p2pRejection(resolveNodeAddress(address, resolver, signal));
      expect([error.code, error.reason]).to.deep.equal(['invalid-address', reason]);
    }
  });

  it('RT-114 closes the connection that comes after its time', async () => {
    scripted = await ScriptedRouter.running();
    scripted.transport.stubborn = true;
    scripted.env.resolver.set('two.example', { ips: ['10.0.0.7', '10.0.0.8'] });
    scripted.transport.answerDials('scripted://10.0.0.7:1', 'hang');
    scripted.transport.answerDials('scripted://10.0.0.8:1', 'hang');
    scripted.router.dial(`scripted://${alice.nodeId}@two.example:1`);
    await scripted.advance(3_000);
    const [first, second] = scripted.transport.dials;
    const late = scripted.transport.connection({ handshake: remoteOf(alice) });
    first!.answer(late);
    await scripted.advance();
    expect(late.calls).to.deep.equal(['close']);
    await scripted.advance(3_000);
    expect(failures(alice)).to.deep.equal([{ failures: 1, cause: 'timeout(dial); timeout(dial)' }]);
    const later = scripted.transport.connection({ handshake: remoteOf(alice) });
    second!.answer(later);
    await scripted.advance();
    expect(later.calls).to.deep.equal(['close']);
    expect(scripted.router.peers()).to.deep.equal([]);
  });

  it('RT-115 leaves no timer behind, however it ends', async () => {
    scripted = await ScriptedRouter.running({
      peers: { minRetryMs: 0, maxRetryMs: 0, maxRetryPersistentMs: 0 },
    });
    const idle = scripted.env.clock.pending().timers.length;
    const [refused, hung, silent, stuck, rejected, resolving] = crowd(6);
    await scripted.dial(refused!, new Error('no'));
    await scripted.dial(hung!, 'hang');
    await scripted.dial(silent!, scripted.transport.connection());
    const unanswered = scripted.transport.connection({ handshake: remoteOf(stuck!) });
    await scripted.dial(stuck!, unanswered);
    const refusing = scripted.transport.connection({ handshake: remoteOf(rejected!) });
    await scripted.dial(rejected!, refusing);
    sayReject(refusing, 'bad_node_info');
    scripted.env.resolver.set('slow.example', { ips: ['10.0.0.7'], delayMs: 60_000 });
    scripted.router.dial(`scripted://${resolving!.nodeId}@slow.example:1`);
    await scripted.advance(30_000);
    expect(scripted.router.stats()).to.include({ dialing: 0, dialFailures: 6 });
    expect(scripted.env.clock.pending().timers).to.have.length(idle);
  });

  it('has a deadline over everything', async () => {
    const limits = { attemptTimeoutMs: 4_000, handshakeTimeoutMs: 10_000 };
    scripted = await ScriptedRouter.running({ limits });
    const connection = scripted.transport.connection();
    await scripted.dial(alice, connection);
    await scripted.advance(4_000);
    expect(connection.ended?.by).to.equal('local');
    expect(failures(alice)).to.deep.equal([{ failures: 1, cause: 'timeout(attempt)' }]);
    expect(scripted.router.stats().dialing).to.equal(0);
  });
});

describe('the next attempt', () => {
  afterEach(() => scripted.stop());

  const peers = { minRetryMs: 250, retryJitterMs: 3_000 };

  it('RT-116, RT-117 comes at the drawn instant, by time alone, and the jitter is drawn once', async () => {
    scripted = await ScriptedRouter.running({ peers });
    await scripted.dial(alice, new Error('no'));
    const retryAt = scripted
      .records('timer')
      .findLast(({ actor, op, name }) => actor === 'router' && op === 'set' && name === 'nextDial')!.delayMs!;
    expect(retryAt).to.be.within(250, 3_250);
    await scripted.advance(retryAt - 1);
    expect(dialInstants()).to.deep.equal([0]);
    await scripted.advance(1);
    expect(dialInstants()).to.deep.equal([0, retryAt]);
  });

  it('RT-116 does not come earlier or later because of other events', async () => {
    const instants: (readonly number[])[] = [];
    for (const isDisturbed of [false, true]) {
      scripted = await ScriptedRouter.running({ peers });
      await scripted.dial(alice, new Error('no'), 'hang');
      for (let step = 0; step < 40; step++) {
        if (isDisturbed) scripted.router.setPersistent(bob.nodeId, step % 2 === 0);
        await scripted.advance(100);
      }
      instants.push(dialInstants());
      if (!isDisturbed) await scripted.stop();
    }
    expect(instants[0]).to.have.length(2);
    expect(instants[1]).to.deep.equal(instants[0]);
  });

  it('RT-118 waits for the cool-down after a disconnect', async () => {
    scripted = await ScriptedRouter.running({
      peers: { flapDamping: { thresholdMs: 0, maxCooldownMs: 0, forgiveMs: 0 }, retryJitterMs: 0 },
    });
    const connection = await scripted.upOutbound(alice);
    scripted.transport.answerDials(`memory:${alice.nodeId}`, 'hang');
    await scripted.advance(1_000);
    connection.end();
    await scripted.advance(1_999);
    expect(dialInstants()).to.have.length(1);
    await scripted.advance(1);
    expect(dialInstants()).to.deep.equal([0, 3_000]);
  });

  it('RT-119 comes at once when the core refuses the connection another one brought', async () => {
    scripted = await ScriptedRouter.running({ limits: { dial: { maxConcurrent: 1 } } });
    const connection = scripted.transport.connection({ handshake: remoteOf(alice) });
    await scripted.dial(alice, connection);
    scripted.transport.answerDials(`memory:${bob.nodeId}`, 'hang');
    scripted.router.dial(`memory:${bob.nodeId}`);
    scripted.router.ban(alice.nodeId);
    sayAccept(connection);
    await scripted.advance();
    expect(scripted.decided('dialed', alice.nodeId)).to.deep.equal(['Banned']);
    expect(connection.ended?.by).to.equal('local');
    expect(scripted.transport.dials.map(({ endpoint, at }) => [endpoint, at])).to.deep.equal([
      [`memory:${alice.nodeId}`, 0],
      [`memory:${bob.nodeId}`, 0],
    ]);
  });

  it('RT-120 never leads to ourselves', async () => {
    scripted = await ScriptedRouter.running();
    expect(scripted.router.dial(`memory:${self.nodeId}`)).to.include({
      outcome: 'refused',
      error: 'SelfAddress',
    });
    await scripted.advance(60_000);
    expect(scripted.transport.dials).to.deep.equal([]);
  });

  it('RT-120 stops leading to ourselves when an address of another peer does', async () => {
    scripted = await ScriptedRouter.running({ peers: { retryJitterMs: 0 } });
    const mirror = (): ReturnType<typeof scripted.transport.connection> =>
      scripted.transport.connection({ handshake: remoteOf(self) });
    await scripted.dial(alice, mirror(), mirror(), mirror());
    await scripted.advance(3_600_000);
    expect(scripted.transport.dials).to.have.length(3);
    expect(scripted.router.stats().knownPeers).to.equal(0);
  });

  it('RT-121 is refused when the peer was forgotten while it was dialled', async () => {
    const limits = { attemptTimeoutMs: Infinity, handshakeTimeoutMs: Infinity, dialTimeoutMs: Infinity };
    scripted = await ScriptedRouter.running({
      limits,
      peers: { dialTimeoutMs: 1_000, addressFailureLimit: 1 },
    });
    const connection = scripted.transport.connection({ handshake: remoteOf(alice) });
    await scripted.dial(alice, connection);
    await scripted.advance(1_000);
    expect(scripted.router.stats().knownPeers).to.equal(0);
    sayAccept(connection);
    await scripted.advance();
    expect(scripted.decided('dialed', alice.nodeId)).to.deep.equal(['UnknownPeer']);
    expect(connection.ended?.by).to.equal('local');
    expect(scripted.router.stats()).to.include({ state: 'running', crashes: 0, dialing: 0 });
  });
});

describe('an attempt the core has given up', () => {
  afterEach(() => scripted.stop());

  it('is told so when it succeeds late, and costs nothing more', async () => {
    const limits = { attemptTimeoutMs: Infinity, handshakeTimeoutMs: Infinity, dialTimeoutMs: Infinity };
    scripted = await ScriptedRouter.running({ limits, peers: { dialTimeoutMs: 1_000, minRetryMs: 60_000 } });
    const connection = scripted.transport.connection({ handshake: remoteOf(alice) });
    await scripted.dial(alice, connection);
    await scripted.advance(1_500);
    scripted.router.addBootstrap(`memory:${bob.nodeId}`);
    sayAccept(connection);
    await scripted.advance();
    expect(scripted.decided('dialed', alice.nodeId)).to.deep.equal(['DialTimedOut']);
    expect(connection.ended?.by).to.equal('local');
    expect(scripted.decided('dialFailed', alice.nodeId)).to.deep.equal([]);
    expect(scripted.router.stats().dialing).to.equal(0);
  });

  it('is told so when it fails late, and costs nothing more', async () => {
    const limits = { attemptTimeoutMs: Infinity, dialTimeoutMs: Infinity };
    scripted = await ScriptedRouter.running({ limits, peers: { dialTimeoutMs: 1_000, minRetryMs: 60_000 } });
    await scripted.dial(alice, 'hang');
    await scripted.advance(1_500);
    scripted.transport.dials[0]!.answer(new Error('late'));
    await scripted.advance();
    expect(scripted.decided('dialFailed', alice.nodeId)).to.deep.equal(['late']);
    expect(scripted.router.stats()).to.include({ dialing: 0, dialFailures: 0 });
  });
});

describe('a transport that breaks its contract', () => {
  afterEach(() => scripted.stop());

  it('by throwing where it should reject costs one attempt', async () => {
    scripted = await ScriptedRouter.running();
    scripted.transport.answerOtherDials(() => {
      throw new Error('thrown');
    });
    await scripted.dial(alice);
    expect(failures(alice)).to.deep.equal([{ failures: 1, cause: 'thrown' }]);
    expect(scripted.router.stats()).to.include({ crashes: 0, dialing: 0 });
  });

  it('by a connection without endpoints costs one attempt', async () => {
    scripted = await ScriptedRouter.running();
    const broken = scripted.transport.connection();
    Object.defineProperty(broken, 'remoteEndpoint', {
      get: () => {
        throw new Error('no endpoint');
      },
    });
    await scripted.dial(alice, broken);
    expect(failures(alice)).to.deep.equal([{ failures: 1, cause: 'internal: no endpoint' }]);
    expect(broken.ended?.by).to.equal('local');
    expect(scripted.router.state).to.equal('running');
  });
});
