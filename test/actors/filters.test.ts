import { expect } from 'chai';
import type { EndpointFilter, PeerFilter } from '../../src/index.ts';
import { Scope } from '../../src/actors/scope.ts';
import { firstRefusal } from '../../src/actors/filters.ts';
import { simulatedEnv, type ScriptedConnection } from '../../src/testing/index.ts';
import { identityOf } from '../support/nodes.ts';
import { endpointOf, heard, remoteOf, sayAccept, ScriptedRouter } from '../support/scripted-router.ts';

const alice = identityOf('alice');
const bob = identityOf('bob');

/** A filter that a test answers by hand. */
class ManualFilter {
  readonly signals: AbortSignal[] = [];
  readonly #settles: ((reason: string | undefined) => void)[] = [];

  readonly filter: PeerFilter & EndpointFilter = (_subject: unknown, signal: AbortSignal) => {
    this.signals.push(signal);
    return new Promise<string | undefined>((settle) => this.#settles.push(settle));
  };

  answer(reason?: string): void {
    this.#settles.shift()!(reason);
  }
}

let scripted: ScriptedRouter;

function lastClosed(): Readonly<Record<string, unknown>> {
  return scripted.noted('connection-closed').at(-1) as Readonly<Record<string, unknown>>;
}

describe('endpoint filters', () => {
  afterEach(() => scripted.stop());

  it('RT-046 refuse before anything is read, and are asked once', async () => {
    let calls = 0;
    const limits = { inbound: { maxPerIp: 1 } };
    const endpointFilters: EndpointFilter[] = [
      () => {
        calls += 1;
        throw new Error('not you');
      },
    ];
    scripted = await ScriptedRouter.running({ limits, endpointFilters });
    const connection = await scripted.inbound(remoteOf(alice), '10.0.0.7');
    expect(calls).to.equal(1);
    expect(connection.count('handshake')).to.equal(0);
    expect(connection.ended?.by).to.equal('local');
    expect(scripted.noted('filtered')).to.deep.equal([{ reason: 'not you' }]);
    expect(lastClosed()).to.include({ reason: 'filtered', by: 'local', bytesReceived: 0 });
    expect(scripted.router.stats()).to.include({ refusals: 1, handshakeFailures: 0, crashes: 0 });
    await scripted.advance(1_000);
    expect(scripted.router.stats().accepts).to.equal(1);
    await scripted.inbound(remoteOf(alice), '10.0.0.7');
    expect(calls, 'its place behind the gate was free again').to.equal(2);
  });

  it('RT-047 are told the IP address and the port', async () => {
    const asked: string[] = [];
    const endpointFilters: EndpointFilter[] = [
      ({ ip, port }) => {
        asked.push(`${ip}:${port}`);
        return undefined;
      },
    ];
    scripted = await ScriptedRouter.running({ endpointFilters });
    const remoteEndpoint = endpointOf('10.0.0.7', 4000);
    const connection = await scripted.accept(
      scripted.transport.connection({ handshake: remoteOf(alice), remoteEndpoint }),
    );
    sayAccept(connection);
    await scripted.advance();
    expect(asked).to.deep.equal(['10.0.0.7:4000']);
    expect(scripted.statusOf(alice.nodeId)).to.equal('up');
  });

  it('are not asked about whom we dial', async () => {
    scripted = await ScriptedRouter.running({ endpointFilters: [() => 'nobody'] });
    await scripted.upOutbound(alice);
  });

  it('hold back the handshake until they have answered, and nobody else', async () => {
    const manual = new ManualFilter();
    const endpointFilters: EndpointFilter[] = [
      (endpoint, signal) => (endpoint.ip === '10.0.0.7' ? manual.filter(endpoint, signal) : undefined),
    ];
    scripted = await ScriptedRouter.running({ endpointFilters });
    const connection = await scripted.inbound(remoteOf(alice), '10.0.0.7');
    await scripted.upInbound(bob);
    expect(connection.calls).to.deep.equal([]);
    manual.answer();
    await scripted.advance();
    expect(connection.calls[0]).to.equal('handshake');
  });

  it('that do not answer refuse after their time', async () => {
    const manual = new ManualFilter();
    scripted = await ScriptedRouter.running({ endpointFilters: [manual.filter] });
    const connection = await scripted.inbound(remoteOf(alice), '10.0.0.7');
    await scripted.advance(1_999);
    expect(connection.ended).to.equal(undefined);
    await scripted.advance(1);
    expect(connection.count('handshake')).to.equal(0);
    expect(connection.ended?.by).to.equal('local');
    expect(manual.signals[0]!.aborted).to.equal(true);
    expect(scripted.noted('filtered')).to.deep.equal([{ reason: 'timeout(filter)' }]);
  });

  it('have the time of the handshake at most', async () => {
    const manual = new ManualFilter();
    const limits = { filterTimeoutMs: 60_000 };
    scripted = await ScriptedRouter.running({ limits, endpointFilters: [manual.filter] });
    await scripted.inbound(remoteOf(alice), '10.0.0.7');
    await scripted.advance(10_000);
    expect(lastClosed()).to.include({ reason: 'timeout(filter)', by: 'fault' });
    expect(manual.signals[0]!.aborted).to.equal(true);
    manual.answer();
    await scripted.advance();
    expect(scripted.router.peers()).to.deep.equal([]);
  });

  it('are abandoned when the router stops', async () => {
    const manual = new ManualFilter();
    scripted = await ScriptedRouter.running({ endpointFilters: [manual.filter] });
    await scripted.inbound(remoteOf(alice), '10.0.0.7');
    await scripted.stop(0);
    expect(manual.signals[0]!.aborted).to.equal(true);
  });
});

describe('peer filters', () => {
  afterEach(() => scripted.stop());

  it('RT-048 refuse who comes in, and the core never hears of it', async () => {
    const asked: unknown[] = [];
    scripted = await ScriptedRouter.running({
      filters: [
        (peer) => {
          asked.push(peer);
          return 'not you';
        },
      ],
    });
    const connection = await scripted.inbound(remoteOf(alice), '10.0.0.7');
    expect(asked).to.deep.equal([{ id: alice.nodeId, moniker: 'node', ip: '10.0.0.7' }]);
    expect(connection.ended?.by).to.equal('local');
    expect(scripted.decided('accepted')).to.deep.equal([]);
    expect(scripted.updates).to.deep.equal([]);
    expect(scripted.router.stats()).to.include({ refusals: 1, handshakeFailures: 0 });
  });

  it('RT-049 refuse whom we dial', async () => {
    scripted = await ScriptedRouter.running({ filters: [() => 'not you'] });
    const connection = scripted.transport.connection({ handshake: remoteOf(alice) });
    await scripted.dial(alice, connection);
    expect(lastClosed()).to.include({ reason: 'filtered', by: 'local' });
    expect(scripted.updates).to.deep.equal([]);
    expect(scripted.router.stats()).to.include({ dials: 1, dialing: 0, dialFailures: 0 });
    expect(scripted.decided('dialFailed', alice.nodeId)).to.deep.equal(['recorded']);
  });

  it('RT-050 that never answer refuse after 2 s, and others are admitted meanwhile', async () => {
    const manual = new ManualFilter();
    const filters: PeerFilter[] = [
      (peer, signal) => (peer.id === alice.nodeId ? manual.filter(peer, signal) : undefined),
    ];
    scripted = await ScriptedRouter.running({ filters });
    const connection = await scripted.inbound(remoteOf(alice));
    await scripted.upInbound(bob);
    await scripted.advance(1_999);
    expect(connection.ended).to.equal(undefined);
    await scripted.advance(1);
    expect(connection.ended?.by).to.equal('local');
    expect(lastClosed()).to.include({ peer: alice.nodeId, reason: 'filtered' });
  });

  it('RT-051 that throw refuse that one connection', async () => {
    const filters: PeerFilter[] = [
      ({ id }) => {
        if (id === alice.nodeId) throw new Error('broken filter');
        return undefined;
      },
    ];
    scripted = await ScriptedRouter.running({ filters });
    await scripted.inbound(remoteOf(alice));
    expect(lastClosed()).to.include({ peer: alice.nodeId, reason: 'filtered' });
    expect(scripted.noted('filtered')).to.deep.equal([{ reason: 'broken filter' }]);
    expect(scripted.router.stats().crashes).to.equal(0);
    await scripted.upInbound(bob);
  });

  it('RT-052 are abandoned when the remote leaves, whose place is free once', async () => {
    const manual = new ManualFilter();
    const limits = { inbound: { maxAccepted: 1 } };
    scripted = await ScriptedRouter.running({ limits, filters: [manual.filter] });
    const connection = await scripted.inbound(remoteOf(alice));
    connection.end();
    await scripted.advance();
    expect(manual.signals[0]!.aborted).to.equal(true);
    expect(lastClosed()).to.include({ reason: 'remote_closed', by: 'remote' });
    manual.answer('too late');
    await scripted.advance();
    expect(scripted.noted('filtered')).to.deep.equal([]);
    expect(scripted.decided('accepted')).to.deep.equal([]);
    const [next, surplus] = [await scripted.inbound(remoteOf(bob)), await scripted.inbound(remoteOf(bob))];
    expect([next.ended, surplus.ended?.by]).to.deep.equal([undefined, 'local']);
  });

  it('RT-053 are asked in order until one refuses', async () => {
    const asked: string[] = [];
    const filter =
      (name: string, reason?: string): PeerFilter =>
      async () => {
        asked.push(name);
        return await Promise.resolve(reason);
      };
    scripted = await ScriptedRouter.running({
      filters: [filter('first'), filter('second', 'reason of the second'), filter('third', 'no')],
    });
    await scripted.inbound(remoteOf(alice));
    expect(asked).to.deep.equal(['first', 'second']);
    expect(scripted.noted('filtered')).to.deep.equal([{ reason: 'reason of the second' }]);
  });

  it('RT-085 are disguised: the remote is told what a full node would tell it', async () => {
    const refusals = [];
    for (const options of [
      { filters: [({ id }: { id: string }) => (id === bob.nodeId ? 'not you' : undefined)] },
      { peers: { maxConnected: 1, maxConnectedUpgrade: 0 } },
    ]) {
      scripted = await ScriptedRouter.running(options);
      await scripted.upInbound(alice);
      const connection = await scripted.inbound(remoteOf(bob));
      refusals.push({ reason: lastClosed()['reason'], heard: heard(connection) });
      await scripted.stop();
    }
    expect(refusals.map(({ reason }) => reason)).to.deep.equal(['filtered', 'at_capacity']);
    expect(refusals[0]!.heard).to.deep.equal(refusals[1]!.heard);
    expect(refusals[0]!.heard[0]).to.include({ type: 'verdict', accept: false, code: 10 });
  });

  // Of two connections in opposite directions the one dialled by the greater id goes ahead, so that the other is held.
  const lesser = ['alice', 'bob', 'carol', 'dora', 'emil']
    .map(identityOf)
    .find(({ nodeId }) => nodeId < identityOf('router under test').nodeId)!;

  async function heldWhileAsked(manual: ManualFilter): Promise<readonly ScriptedConnection[]> {
    scripted = await ScriptedRouter.running({ filters: [manual.filter] });
    const outbound = scripted.transport.connection({ handshake: remoteOf(lesser) });
    await scripted.dial(lesser, outbound);
    const inbound = await scripted.inbound(remoteOf(lesser));
    manual.answer();
    await scripted.advance();
    const states = scripted.router.peers().map(({ state }) => state);
    expect(states).to.deep.equal(['handshaking.confirming', 'handshaking.held']);
    return [outbound, inbound];
  }

  it('are asked once about a connection that is held while they think', async () => {
    const manual = new ManualFilter();
    const [outbound, inbound] = await heldWhileAsked(manual);
    manual.answer();
    await scripted.advance();
    outbound!.end();
    await scripted.advance();
    sayAccept(inbound!);
    await scripted.advance();
    expect(manual.signals).to.have.length(2);
    expect(scripted.history(lesser.nodeId)).to.deep.equal(['up']);
  });

  it('are not asked again about a connection that goes on before they have answered', async () => {
    const manual = new ManualFilter();
    const [outbound, inbound] = await heldWhileAsked(manual);
    outbound!.end();
    await scripted.advance();
    expect(manual.signals).to.have.length(2);
    manual.answer();
    await scripted.advance();
    sayAccept(inbound!);
    await scripted.advance();
    expect(scripted.history(lesser.nodeId)).to.deep.equal(['up']);
  });

  it('that refuse a held connection end it, and the other goes on', async () => {
    const manual = new ManualFilter();
    const [outbound, inbound] = await heldWhileAsked(manual);
    manual.answer('not you');
    await scripted.advance();
    expect(inbound!.ended?.by).to.equal('local');
    sayAccept(outbound!);
    await scripted.advance();
    expect(scripted.history(lesser.nodeId)).to.deep.equal(['up']);
  });
});

describe('asking filters', () => {
  const { clock } = simulatedEnv();
  const signalAborted = (_: unknown, signal: AbortSignal): string => String(signal.aborted);

  it('of a connection that is gone already does not wait for them', async () => {
    const scope = new Scope(() => undefined);
    scope.dispose();
    const never: EndpointFilter = () => new Promise(() => undefined);
    const run = { clock, scope, timeoutMs: Infinity };
    expect(await firstRefusal([never], endpointOf('10.0.0.7'), run)).to.equal('aborted');
    expect(await firstRefusal([signalAborted], undefined, run)).to.be.oneOf(['true', 'aborted']);
  });

  it('leaves nothing in the scope of the connection', async () => {
    const scope = new Scope(() => undefined);
    const run = { clock, scope, timeoutMs: 1_000 };
    expect(await firstRefusal([() => undefined, () => 'no'], undefined, run)).to.equal('no');
    expect(await firstRefusal([() => undefined], undefined, run)).to.equal(undefined);
    expect(clock.pending().timers).to.deep.equal([]);
    scope.dispose();
  });
});
