import { expect } from 'chai';
import { P2PError } from '../../src/index.ts';
import type { ScriptedCall, ScriptedConnection } from '../../src/testing/index.ts';
import { identityOf } from '../support/nodes.ts';
import { textCodec } from '../support/text-codec.ts';
import { plainRemoteOf, remoteOf, say, sayAccept, ScriptedRouter, TEXT } from '../support/scripted-router.ts';

const alice = identityOf('alice');
const bob = identityOf('bob');
const text = new TextEncoder().encode('text');
let scripted: ScriptedRouter;

function lastClosed(): Readonly<Record<string, unknown>> {
  return scripted.noted('connection-closed').at(-1) as Readonly<Record<string, unknown>>;
}

/** Points a peer lost, one number per event. */
function demerits(): readonly unknown[] {
  return scripted
    .records('decision')
    .filter(({ event }) => event === 'processPeerEvent')
    .map(({ why }) => (why as { readonly inputs: { readonly points: number } }).inputs.points);
}

describe('the end of a connection', () => {
  afterEach(() => scripted.stop());

  it('RT-140 by the remote is no failure', async () => {
    scripted = await ScriptedRouter.running();
    const connection = await scripted.upInbound(alice);
    connection.end();
    await scripted.advance();
    expect(lastClosed()).to.include({ peer: alice.nodeId, reason: 'remote_closed', by: 'remote' });
    expect(lastClosed()).to.not.have.property('error');
    expect(scripted.updates.at(-1)).to.not.have.property('cause');
    expect(demerits()).to.deep.equal([]);
  });

  it('RT-140 by the remote with a goodbye carries its reason', async () => {
    scripted = await ScriptedRouter.running();
    const connection = await scripted.upInbound(alice);
    say(connection, { type: 'goodbye', code: 11, retryAfterMs: 0 });
    await scripted.advance();
    expect(scripted.statusOf(alice.nodeId)).to.equal('up');
    connection.end();
    await scripted.advance();
    expect(scripted.updates.at(-1)).to.include({ status: 'down', cause: 'shutting_down' });
    expect(demerits()).to.deep.equal([]);
  });

  it('RT-141, RT-166 by a reset is a failure with its cause, and costs a point', async () => {
    scripted = await ScriptedRouter.running();
    const connection = await scripted.upInbound(alice);
    connection.fail(new P2PError('connection-lost', 'it was reset', { reason: 'ECONNRESET' }));
    await scripted.advance();
    expect(lastClosed()).to.include({
      reason: 'connection-lost(ECONNRESET)',
      by: 'fault',
      error: 'it was reset',
    });
    expect(scripted.updates.at(-1)).to.include({ status: 'down', cause: 'connection-lost' });
    expect(demerits()).to.deep.equal([-1]);
  });

  it('RT-142 by a writer that fails stops the reader too, and is told once', async () => {
    scripted = await ScriptedRouter.running();
    const received: string[] = [];
    scripted.text!.messages$.subscribe(({ message }) => received.push(message));
    const connection = await scripted.upInbound(alice);
    connection.fail(new P2PError('connection-lost', 'broken pipe', { reason: 'EPIPE' }));
    connection.deliver(TEXT, text);
    connection.end();
    await scripted.advance();
    expect(scripted.history(alice.nodeId)).to.deep.equal(['up', 'down']);
    expect(received).to.deep.equal([]);
    expect(scripted.decided('disconnected')).to.deep.equal(['disconnected']);
  });

  it('RT-143 leaves what has arrived to be read', async () => {
    scripted = await ScriptedRouter.running();
    const connection = await scripted.upInbound(alice);
    for (let count = 0; count < 5; count++) connection.deliver(TEXT, text);
    connection.end();
    await scripted.advance();
    expect(scripted.statusOf(alice.nodeId)).to.equal('down');
    const reader = scripted.text!.receive();
    for (let count = 0; count < 5; count++)
      expect((await reader.next()).value).to.include({ message: 'text' });
    await reader.return?.();
  });

  it('RT-144 by a message that is too long is a violation', async () => {
    scripted = await ScriptedRouter.running();
    const connection = await scripted.upInbound(alice);
    connection.deliver(TEXT, new Uint8Array(1024 * 1024 + 1));
    await scripted.advance();
    expect(scripted.updates.at(-1)).to.include({ status: 'down', cause: 'message-too-large' });
    expect(lastClosed()).to.include({ by: 'fault', reason: 'message-too-large' });
    expect(scripted.router.stats().protocolFaults).to.equal(1);
    expect(demerits()).to.deep.equal([-10]);
  });

  it('by a stall in the keep-alive is no violation', async () => {
    scripted = await ScriptedRouter.running();
    const connection = await scripted.upInbound(alice);
    connection.fail(new P2PError('pong-timeout', 'no sign of life'));
    await scripted.advance();
    expect(scripted.updates.at(-1)).to.include({ cause: 'pong-timeout' });
    expect(scripted.router.stats().protocolFaults).to.equal(0);
    expect(demerits()).to.deep.equal([-1]);
  });
});

describe('a connection that throws', () => {
  afterEach(() => scripted.stop());

  /** Ends the connection in the named call, at the moment the router makes it. */
  const crashes: readonly {
    readonly call: ScriptedCall;
    readonly run: (connection: ScriptedConnection) => Promise<void>;
  }[] = [
    {
      call: 'start',
      run: async (connection) => {
        connection.throwFrom('start', new Error('broken start'));
        connection.releaseHandshake(remoteOf(alice));
        await scripted.advance();
      },
    },
    {
      call: 'wake',
      run: async (connection) => {
        connection.throwFrom('wake', new Error('broken wake'));
        connection.releaseHandshake(remoteOf(alice));
        await scripted.advance();
      },
    },
    {
      call: 'flushClose',
      run: async (connection) => {
        connection.releaseHandshake(remoteOf(alice));
        await scripted.advance();
        sayAccept(connection);
        await scripted.advance();
        connection.throwFrom('flushClose', new Error('broken flushClose'));
        scripted.router.disconnect(alice.nodeId);
        await scripted.advance(2_250);
      },
    },
    {
      call: 'close',
      run: async (connection) => {
        connection.releaseHandshake(remoteOf(alice));
        await scripted.advance();
        sayAccept(connection);
        await scripted.advance();
        connection.throwFrom('close', new Error('broken close'));
        scripted.router.disconnect(alice.nodeId);
        await scripted.advance(2_250);
      },
    },
  ];
  for (const { call, run } of crashes) {
    it(`in ${call} is released, reported once, and takes nobody else along`, async () => {
      scripted = await ScriptedRouter.running({ limits: { inbound: { maxAccepted: 2 } } });
      await scripted.upInbound(bob);
      const connection = await scripted.accept(scripted.transport.connection());
      await run(connection);
      expect(scripted.router.state).to.equal('running');
      expect(scripted.records('crash').map(({ message }) => message)).to.include(`broken ${call}`);
      if (call !== 'close') expect(connection.ended?.by).to.equal('local');
      const { updates } = scripted;
      expect(scripted.router.peers().map(({ id }) => id)).to.deep.equal([bob.nodeId]);
      const admitted = scripted.decided('accepted', alice.nodeId).length;
      expect(scripted.decided('disconnected', alice.nodeId)).to.have.length(admitted);
      expect(updates.filter(({ peer }) => peer === alice.nodeId)).to.have.length.within(0, 2);
      await scripted.upInbound(identityOf('carol'));
    });
  }

  it('when it is started for another implementation is released and reported', async () => {
    scripted = await ScriptedRouter.running();
    const connection = await scripted.accept(scripted.transport.connection());
    connection.throwFrom('start', new Error('broken start'));
    connection.releaseHandshake(plainRemoteOf(alice));
    await scripted.advance();
    expect(scripted.decided('accepted')).to.deep.equal(['connected']);
    expect(scripted.decided('disconnected')).to.deep.equal(['disconnected']);
    expect(scripted.updates).to.deep.equal([]);
    expect(scripted.router.peers()).to.deep.equal([]);
  });

  it('while it is up is told to be down by a defect, and no channel suffers', async () => {
    scripted = await ScriptedRouter.running();
    const connection = await scripted.upInbound(alice);
    await scripted.upInbound(bob);
    connection.throwFrom('wake', new Error('broken wake'));
    const channel = scripted.router.openChannel({ id: 0x30, codec: textCodec });
    await scripted.advance();
    expect(scripted.updates.at(-1)).to.include({ peer: alice.nodeId, status: 'down', cause: 'internal' });
    expect(channel.state).to.equal('open');
    expect(scripted.router.state).to.equal('running');
    expect(scripted.statusOf(bob.nodeId)).to.equal('up');
  });

  it('costs an attempt of ours like any failure', async () => {
    scripted = await ScriptedRouter.running();
    const connection = scripted.transport.connection({ handshake: remoteOf(alice) });
    connection.throwFrom('start', new Error('broken start'));
    await scripted.dial(alice, connection);
    expect(scripted.router.stats()).to.include({ dialing: 0, crashes: 1 });
    expect(scripted.decided('dialFailed', alice.nodeId)).to.deep.equal(['recorded']);
  });
});
