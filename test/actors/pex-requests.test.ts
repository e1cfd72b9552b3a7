import { expect } from 'chai';
import { PEX_CHANNEL_ID } from '../../src/core/channel.ts';
import type { PexMessage } from '../../src/core/pex/pex-message.ts';
import {
  SeededRandom,
  SimulatedNetwork,
  type SimulatedNode,
  type SimulatedNodeOptions,
} from '../../src/testing/index.ts';
import { idOf, pexFaults, PexSpeaker } from '../support/pex-speaker.ts';
import { ScriptedPeer } from '../support/scripted-peer.ts';

/** More slots than peers: the router wants more, and asks every few seconds. */
const WANTING = { maxConnected: 8 };

function urls(...addresses: readonly string[]): PexMessage {
  return { type: 'response-v2', addresses: addresses.map((url) => ({ url })) };
}

function memoryAddresses(count: number, from = 1): readonly string[] {
  return Array.from({ length: count }, (_, index) => `memory:${idOf(from + index)}`);
}

describe('asking for addresses', () => {
  let network: SimulatedNetwork;
  let r: SimulatedNode;
  let m: PexSpeaker;

  async function connect(options: SimulatedNodeOptions = {}, seed = 'pex'): Promise<void> {
    network = new SimulatedNetwork({ seed });
    r = await network.startNode('r', { peers: WANTING, ...options });
    m = await PexSpeaker.connect(network, 'm', r);
  }

  /** Runs until the router asks, and leaves the request unanswered. */
  async function asked(limitMs = 30_000): Promise<void> {
    await network.runUntil(() => m.heard.length > 0, limitMs);
    m.heard.length = 0;
  }

  async function answer(message: PexMessage): Promise<void> {
    m.say(r, message);
    await network.advance(20);
  }

  function known(): number {
    return r.router.stats().knownPeers;
  }

  afterEach(() => network.stop());

  it('PX-001 begins soon after a peer is up, in the second generation', async () => {
    await connect();
    await network.runUntil(() => m.heard.length > 0, 6_000);
    expect(m.heard.map(({ type }) => type)).to.deep.equal(['request-v2']);
  });

  it('PX-052 asks a peer of another implementation in the first generation, and v0.35 in the second', async () => {
    network = new SimulatedNetwork();
    r = await network.startNode('r', { peers: WANTING });
    const plain = await ScriptedPeer.dial(network, r, { name: 'plain', channels: [PEX_CHANNEL_ID] });
    const v35 = await ScriptedPeer.dial(network, r, { name: 'v35', channels: [PEX_CHANNEL_ID, 0x62] });
    const hexOf = (peer: ScriptedPeer): readonly string[] =>
      peer.delivered.map(({ message }) => Buffer.from(message).toString('hex'));
    await network.advance(15_000);
    expect(hexOf(plain)).to.deep.equal(['0a00']);
    expect(hexOf(v35)).to.deep.equal(['1a00']);
  });

  it('PX-012 learns from answers of either generation', async () => {
    await connect();
    await asked();
    await answer({
      type: 'response',
      addresses: [
        { id: idOf(1), ip: '1.2.3.4', port: 1 },
        { id: idOf(2), ip: '::1', port: 2 },
      ],
    });
    expect(known()).to.equal(3);
    await asked();
    await answer(urls(`memory:${idOf(3)}`));
    expect(known()).to.equal(4);
    expect(pexFaults(r)).to.deep.equal([]);
  });

  it('PX-051 stores an IPv6 entry of the first generation as an address that can be dialled', async () => {
    await connect();
    await asked();
    await answer({ type: 'response', addresses: [{ id: idOf(1), ip: '2001:db8::1', port: 26656 }] });
    await network.advance(5_000);
    const dials = r.router.recorder
      .records()
      .flatMap((record) =>
        record.kind === 'start' && record.chart === 'dialer' ? [JSON.stringify(record.about)] : [],
      );
    expect(dials.join()).to.include(`mconn://${idOf(1)}@[2001:db8::1]:26656`);
  });

  it('PX-007 reports a peer that sends 251 addresses, and learns none of them', async () => {
    await connect();
    await asked();
    await answer(urls(...memoryAddresses(251)));
    expect(pexFaults(r)).to.deep.equal(['fault too-many-addresses']);
    expect(known()).to.equal(1);
    await network.advance(20);
    expect(m.updates.at(-1)).to.include({ status: 'down', cause: 'evicted' });
  });

  it('takes 250 addresses, which is what CometBFT sends', async () => {
    await connect();
    await asked();
    await answer(urls(...memoryAddresses(250)));
    expect(pexFaults(r)).to.deep.equal([]);
    expect(known()).to.be.greaterThan(100);
  });

  it('PX-005 parts with a peer that goes on sending what nobody asked for', async () => {
    await connect({ pex: { client: false } });
    for (let count = 0; count < 2; count++) await answer(urls(`memory:${idOf(count + 1)}`));
    expect(m.isUp).to.equal(true);
    await answer(urls(`memory:${idOf(3)}`));
    expect(pexFaults(r)).to.deep.equal(['strike unsolicited', 'strike unsolicited', 'fault unsolicited']);
    expect(m.isUp).to.equal(false);
    expect(known()).to.equal(1);
  });

  it('PX-026 takes one answer to one request', async () => {
    await connect();
    await asked();
    await answer(urls(`memory:${idOf(1)}`));
    await answer(urls(`memory:${idOf(2)}`));
    expect(pexFaults(r)).to.deep.equal(['strike unsolicited']);
    expect(known()).to.equal(2);
  });

  it('PX-024 PX-025 lets a silent peer rest for 60 s at the price of a point, and takes its late answer', async () => {
    await connect();
    const other = await PexSpeaker.connect(network, 'other', r);
    other.onRequest = () => urls();
    await network.runUntil(() => m.heard.length > 0);
    const askedAt = m.heard[0]!.at;
    const score = (): number => r.router.peers().find(({ id }) => id === m.node.id)!.score;
    const before = score();
    await network.runUntil(() => network.env.clock.now() >= askedAt + 12_000);
    expect(score()).to.equal(before - 1);
    await answer(urls(`memory:${idOf(1)}`));
    expect(pexFaults(r)).to.deep.equal([]);
    expect(known()).to.equal(3);
    await network.advance(askedAt + 69_000 - network.env.clock.now());
    expect(m.heard).to.have.length(1);
    expect(other.heard.filter(({ at }) => at > askedAt).length).to.be.greaterThan(3);
    await network.runUntil(() => m.heard.length > 1, 30_000);
    await network.advance(1);
    expect(m.isUp).to.equal(true);
  });

  it('PX-027 takes no answer to what was asked before the peer went down', async () => {
    await connect();
    await asked();
    m.node.router.disconnect(r.id);
    await network.runUntil(() => m.updates.length === 3 && m.isUp);
    await answer(urls(`memory:${idOf(1)}`));
    expect(pexFaults(r)).to.deep.equal(['strike unsolicited']);
    expect(known()).to.equal(1);
  });

  it('PX-031 PX-032 skips entries that are no addresses, and holds it against their sender when they are the most', async () => {
    await connect();
    await asked();
    await answer(urls('nonsense', `memory:${idOf(1)}`, `memory:${idOf(2)}`));
    expect([known(), pexFaults(r)]).to.deep.equal([3, []]);
    await asked();
    await answer(urls(...Array.from({ length: 60 }, () => '::'), ...memoryAddresses(40, 3)));
    expect([known(), pexFaults(r)]).to.deep.equal([43, ['strike bad-addresses']]);
  });

  it('PX-033 PX-034 passes over our own address, private peers and banned ones without a word', async () => {
    await connect({ privatePeers: [idOf(1)] });
    await asked();
    await answer(urls(`memory:${idOf(2)}`));
    r.router.ban(idOf(2));
    await asked();
    const withheld = [
      `memory:${r.id}`,
      `memory:${idOf(1)}`,
      `mconn://${idOf(2)}@1.2.3.4:5`,
      `memory:${idOf(3)}`,
    ];
    const before = r.router.stats().knownAddresses;
    await answer(urls(...withheld));
    expect(r.router.stats().knownAddresses).to.equal(before + 1);
    expect(pexFaults(r)).to.deep.equal([]);
  });

  it('PX-035 skips an address of 10 KB, and parts with a peer whose answer exceeds the channel', async () => {
    await connect();
    await asked();
    await answer(urls(`memory:${'a'.repeat(10_000)}`, `memory:${idOf(1)}`, `memory:${idOf(2)}`));
    expect([known(), pexFaults(r)]).to.deep.equal([3, []]);
    await asked();
    await answer(urls(`memory:${'a'.repeat(64_000)}`));
    const [end] = r.router.recorder
      .records()
      .filter((record) => record.kind === 'note' && record.code === 'connection-closed');
    expect(end).to.have.nested.property('about.peer', m.node.id);
    expect(end)
      .to.have.nested.property('about.reason')
      .that.matches(/^message-too-large/);
    expect(r.router.stats().protocolFaults).to.equal(1);
  });

  it('PX-037 keeps at most 8 addresses of one node out of one answer', async () => {
    await connect();
    await asked();
    const before = r.router.stats().knownAddresses;
    await answer(
      urls(...Array.from({ length: 50 }, (_, index) => `mconn://${idOf(1)}@1.2.3.${index + 1}:26656`)),
    );
    expect(r.router.stats().knownAddresses).to.equal(before + 8);
  });

  it('PX-063 counts only what was new, and holds repetitions against nobody', async () => {
    await connect();
    for (let round = 0; round < 3; round++) {
      await asked();
      await answer(urls(`memory:${idOf(1)}`));
    }
    expect([known(), pexFaults(r)]).to.deep.equal([2, []]);
  });

  it('PX-020 is on time, whatever else comes in', async () => {
    const times = async (noise: boolean): Promise<readonly number[]> => {
      await connect();
      m.onRequest = () => urls();
      const until = network.env.clock.now() + 40_000;
      while (network.env.clock.now() < until) {
        if (noise) m.say(r, { type: 'request-v2' });
        await network.advance(1_500);
      }
      return m.take('request-v2').map(({ at }) => at);
    };
    const quiet = await times(false);
    await network.stop();
    expect(quiet.length).to.be.at.least(4);
    expect(await times(true)).to.deep.equal(quiet);
  });

  it('PX-057 leaves peers without the channel alone', async () => {
    network = new SimulatedNetwork();
    r = await network.startNode('r', { peers: WANTING });
    r.router.openChannel({ id: 9, codec: { encode: () => new Uint8Array(), decode: () => 0 } });
    const stranger = await ScriptedPeer.dial(network, r, { name: 'stranger', channels: [9] });
    await network.advance(120_000);
    expect(stranger.delivered).to.deep.equal([]);
    expect(r.router.stats().drops).to.deep.equal([]);
    expect(network.env.clock.pending().timers).to.deep.equal([]);
  });

  it('begins when a peer opens the channel late, and ends when it closes it', async () => {
    network = new SimulatedNetwork();
    r = await network.startNode('r', { peers: WANTING });
    m = await PexSpeaker.start(network, 'm');
    await m.channel.close();
    const common = { id: 9, codec: { encode: () => new Uint8Array(), decode: () => 0 } };
    for (const { router } of [r, m.node]) router.openChannel(common);
    m.node.router.addBootstrap(r.address);
    await network.runUntil(() => m.isUp);
    await network.advance(60_000);
    expect(r.router.stats().drops).to.deep.equal([]);
    const heard: number[] = [];
    const late = m.node.router.openChannel({
      id: PEX_CHANNEL_ID,
      codec: { encode: () => new Uint8Array(), decode: ([first]) => first },
    });
    late.messages$.subscribe(({ message }) => heard.push(message!));
    await network.advance(6_000);
    expect(heard).to.deep.equal([0x1a]);
    await late.close();
    await network.advance(120_000);
    expect(r.router.stats()).to.deep.include({ connectedPeers: 1 });
    expect(r.router.stats().drops).to.deep.equal([]);
  });

  it('PX-060 ends with the router: no timer is left and nothing is sent any more', async () => {
    for (const afterMs of [0, 3, 1_000, 1_500, 11_000, 30_000]) {
      await connect();
      await network.advance(afterMs);
      await network.stopNode(r);
      await network.advance(10);
      m.heard.length = 0;
      await network.advance(120_000);
      expect(m.heard).to.deep.equal([]);
      await network.stop();
      expect(network.env.clock.pending().timers).to.deep.equal([]);
    }
  });

  it('PX-060 ends while host names are being looked up', async () => {
    await connect({ peers: { maxConnected: 1, maxConnectedUpgrade: 0 } });
    network.env.resolver.set('slow.example', { ips: ['1.1.1.1'], delayMs: 10_000 });
    r.router.addBootstrap(`mconn://${idOf(1)}@slow.example:26656`);
    m.say(r, { type: 'request' });
    await network.advance(100);
    expect(network.env.resolver.lookups).to.include('slow.example');
    await network.stopNode(r);
    await network.stop();
    expect(network.env.clock.pending().timers).to.deep.equal([]);
  });

  it('PX-062 asks in the same order under the same seed', async () => {
    const orders: string[] = [];
    for (const seed of ['one', 'one', 'two']) {
      network = new SimulatedNetwork({ seed });
      r = await network.startNode('r', { peers: WANTING });
      const order: string[] = [];
      for (const name of ['m1', 'm2', 'm3', 'm4']) {
        const speaker = await PexSpeaker.connect(network, name, r);
        speaker.onRequest = () => {
          order.push(`${name} ${network.env.clock.now()}`);
          return urls();
        };
      }
      await network.advance(60_000);
      orders.push(order.join());
      expect(new Set(order.map((line) => line.slice(0, 2))).size).to.equal(4);
      await network.stop();
    }
    expect(orders[1]).to.equal(orders[0]);
    expect(orders[2]).to.not.equal(orders[0]);
  });

  it('PX-022 never makes an honest node look abusive in 24 h, whatever the line does to its messages', async () => {
    const jitter = SeededRandom.from('jitter');
    network = new SimulatedNetwork({ latencyMs: () => 1 + jitter.below(300) });
    r = await network.startNode('r');
    const other = await network.startNode('other', { bootstrapPeers: [r.address] });
    await network.advance(24 * 3_600_000);
    for (const node of [r, other]) {
      expect(pexFaults(node)).to.deep.equal([]);
      const { connectedPeers, evictions, connectedPeersMax, messagesSent, messagesDropped } =
        node.router.stats();
      expect({ connectedPeers, evictions, connectedPeersMax, messagesDropped }).to.deep.equal({
        connectedPeers: 1,
        evictions: 0,
        connectedPeersMax: 1,
        messagesDropped: 0,
      });
      expect(messagesSent).to.be.greaterThan(144);
      expect(node.router.peers()[0]!.connectionId).to.equal(1);
    }
  });
});
