import { expect } from 'chai';
import type { Channel, PeerUpdate } from '../../src/index.ts';
import { SimulatedNetwork, type SimulatedNode } from '../../src/testing/index.ts';
import { textCodec } from '../support/text-codec.ts';

const CHANNEL = 0x20;

interface Member extends SimulatedNode {
  readonly channel: Channel<string>;
}

/** Eight nodes that all know each other; all but the first answer every message with itself. */
class EchoNetwork {
  readonly network = new SimulatedNetwork({ seed: 'echo' });
  readonly others: Member[] = [];
  readonly received: (readonly [from: string, message: string])[] = [];
  readonly updates: PeerUpdate[] = [];
  local!: Member;

  static async connected(): Promise<EchoNetwork> {
    const echo = new EchoNetwork();
    const { network } = echo;
    const members: Member[] = [];
    for (let index = 0; index < 8; index++) {
      const bootstrapPeers = members.map(({ address }) => address);
      const node = network.addNode(`n${index}`, { bootstrapPeers, pex: false });
      const channel = node.router.openChannel({ id: CHANNEL, codec: textCodec });
      members.push({ ...node, channel });
      void node.router.start();
      await network.advance(1);
    }
    echo.local = members.shift()!;
    echo.others.push(...members);
    echo.local.channel.messages$.subscribe(({ from, message }) => echo.received.push([from, message]));
    for (const { channel } of members) {
      channel.messages$.subscribe(({ from, message }) => channel.trySend({ to: from, message }));
    }
    await network.runUntil(() => network.nodes.every(({ router }) => router.stats().connectedPeers === 7));
    echo.local.router.updates$.subscribe((update) => echo.updates.push(update));
    await network.advance(100);
    return echo;
  }
}

describe('eight nodes with an echo', () => {
  let echo: EchoNetwork;

  beforeEach(async () => {
    echo = await EchoNetwork.connected();
  });

  afterEach(async () => {
    await echo.network.stop();
    expect(echo.network.env.clock.pending().timers).to.deep.equal([]);
  });

  it('RT-137 each return what they are sent', async () => {
    for (const { id } of echo.others) echo.local.channel.trySend({ to: id, message: `foo ${id}` });
    await echo.network.advance(100);
    const expected = echo.others.map(({ id }) => [id, `foo ${id}`]);
    expect(echo.received).to.have.deep.members(expected);
  });

  it('RT-138 each return one broadcast once', async () => {
    const { queued, skipped } = echo.local.channel.broadcast('bar');
    expect(queued).to.have.members(echo.others.map(({ id }) => id));
    expect(skipped).to.deep.equal([]);
    await echo.network.advance(100);
    expect(echo.received).to.have.deep.members(echo.others.map(({ id }) => [id, 'bar']));
  });

  it('RT-139 lose one that is reported, and win it back', async () => {
    const [victim] = echo.others;
    const outcome = echo.local.channel.report({ peer: victim!.id, error: new Error('bad'), fatal: true });
    expect(outcome).to.equal('evicting');
    echo.updates.length = 0;
    await echo.network.runUntil(() => echo.updates.length >= 2);
    expect(echo.updates.map(({ peer, status }) => ({ peer, status }))).to.deep.equal([
      { peer: victim!.id, status: 'down' },
      { peer: victim!.id, status: 'up' },
    ]);
    echo.local.channel.trySend({ to: victim!.id, message: 'again' });
    await echo.network.advance(100);
    expect(echo.received.at(-1)).to.deep.equal([victim!.id, 'again']);
  });
});
