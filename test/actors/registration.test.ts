import { expect } from 'chai';
import { P2PError } from '../../src/index.ts';
import { identityOf } from '../support/nodes.ts';
import { heard, remoteOf, sayAccept, ScriptedRouter, TEXT } from '../support/scripted-router.ts';

const alice = identityOf('alice');
const bob = identityOf('bob');
let scripted: ScriptedRouter;

function texts(messages: readonly Uint8Array[]): readonly string[] {
  return messages.map((bytes) => new TextDecoder().decode(bytes));
}

describe('registration', () => {
  afterEach(() => scripted.stop());

  it('RT-132 lets whoever hears of a peer send to it at once', async () => {
    scripted = await ScriptedRouter.running();
    const outcomes: string[] = [];
    scripted.router.updates$.subscribe(({ peer, status }) => {
      if (status === 'up') outcomes.push(scripted.text!.trySend({ to: peer, message: 'welcome' }));
    });
    const inbound = await scripted.upInbound(alice);
    const outbound = await scripted.upOutbound(bob);
    expect(outcomes).to.deep.equal(['queued', 'queued']);
    expect(texts(inbound.sentOn(TEXT))).to.deep.equal(['welcome']);
    expect(texts(outbound.sentOn(TEXT))).to.deep.equal(['welcome']);
  });

  it('RT-132 sends our acceptance before anything a subscriber sends', async () => {
    scripted = await ScriptedRouter.running();
    scripted.router.updates$.subscribe(({ peer }) => {
      scripted.text!.trySend({ to: peer, message: 'welcome' });
    });
    const connection = await scripted.upOutbound(alice);
    expect(heard(connection)[0]).to.include({ type: 'verdict', accept: true });
    expect(connection.sent.map(({ channelId }) => channelId)).to.deep.equal([0xf0, TEXT]);
  });

  for (const by of ['disconnect', 'ban', 'report'] as const) {
    it(`RT-133 ends a connection that is evicted between admission and readiness, by ${by}`, async () => {
      scripted = await ScriptedRouter.running();
      const connection = await scripted.inbound(remoteOf(alice));
      expect(scripted.router.peers()[0]!.state).to.equal('handshaking.confirming');
      if (by === 'disconnect') scripted.router.disconnect(alice.nodeId);
      else if (by === 'ban') scripted.router.ban(alice.nodeId);
      else scripted.text!.report({ peer: alice.nodeId, error: new Error('bad'), fatal: true });
      sayAccept(connection);
      await scripted.advance();
      expect(connection.ended?.by).to.equal('local');
      expect(scripted.updates).to.deep.equal([]);
      expect(scripted.decided('disconnected', alice.nodeId)).to.deep.equal(['disconnected']);
      expect(scripted.decided('evictNext')).to.deep.equal(['evict', 'none']);
      expect(scripted.router.stats()).to.include({ connectedPeers: 0, protocolFaults: 0 });
    });
  }

  it('RT-134 keeps up and down alternating for a peer that flaps 100 times', async () => {
    scripted = await ScriptedRouter.running();
    for (let count = 0; count < 100; count++) {
      const connection = await scripted.upInbound(alice);
      if (count % 3 === 0) connection.end();
      else if (count % 3 === 1) connection.fail(new P2PError('connection-lost', 'reset'));
      else scripted.router.disconnect(alice.nodeId);
      await scripted.advance();
    }
    const expected = Array.from({ length: 200 }, (_, index) => (index % 2 === 0 ? 'up' : 'down'));
    expect(scripted.history(alice.nodeId)).to.deep.equal(expected);
    expect(scripted.router.stats()).to.include({ connectedPeers: 0, connectedPeersMax: 1 });
    await scripted.upInbound(alice);
    expect(scripted.router.stats().connectedPeers).to.equal(1);
  });

  it('RT-135 has unrouted a peer before anybody hears that it is down', async () => {
    scripted = await ScriptedRouter.running();
    const outcomes: string[] = [];
    scripted.router.updates$.subscribe(({ peer, status }) => {
      if (status === 'down') outcomes.push(scripted.text!.trySend({ to: peer, message: 'too late' }));
    });
    const connection = await scripted.upInbound(alice);
    connection.end();
    await scripted.advance();
    expect(outcomes).to.deep.equal(['no_such_peer']);
  });

  it('RT-136 tells nobody of a connection that ends before it was ready', async () => {
    scripted = await ScriptedRouter.running();
    const connection = await scripted.inbound(remoteOf(alice));
    connection.end();
    await scripted.advance();
    expect(scripted.updates).to.deep.equal([]);
    expect(scripted.decided('disconnected', alice.nodeId)).to.deep.equal(['disconnected']);
  });

  it('performs what the core asks for in its order: writes, updates, wake-ups', async () => {
    scripted = new ScriptedRouter();
    const order: string[] = [];
    const { store } = scripted;
    const write = store.write.bind(store);
    store.write = (changes) => {
      order.push('write');
      write(changes);
    };
    scripted.router.recorder.subscribe((record) => {
      if (record.kind === 'note' && record.code.startsWith('peer-')) order.push(record.code);
      if (record.kind === 'transition' && record.event === 'dial.wake') order.push('wake');
    });
    await scripted.env.clock.complete(scripted.router.start());
    const connection = await scripted.upInbound(alice);
    scripted.text!.praise(alice.nodeId);
    order.length = 0;
    connection.end();
    await scripted.advance();
    expect(order).to.deep.equal(['write', 'peer-down', 'wake']);
  });
});
