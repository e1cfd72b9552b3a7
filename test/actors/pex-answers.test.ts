import { expect } from 'chai';
import { PEX_CHANNEL_ID } from '../../src/core/channel.ts';
import { SimulatedNetwork, type SimulatedNode, type SimulatedNodeOptions } from '../../src/testing/index.ts';
import { idOf, pexFaults, PexSpeaker, storeWith } from '../support/pex-speaker.ts';
import { ScriptedPeer } from '../support/scripted-peer.ts';

/** One slot, which the speaker takes: nothing that is known is dialled. */
const BUSY = { peers: { maxConnected: 1, maxConnectedUpgrade: 0, maxPeers: 1_000 } };

describe('answering requests for addresses', () => {
  let network: SimulatedNetwork;
  let r: SimulatedNode;
  let m: PexSpeaker;

  /** A router that only answers, with the speaker in its one slot. */
  async function connect(
    options: SimulatedNodeOptions = {},
    speaker: SimulatedNodeOptions = {},
  ): Promise<void> {
    network = new SimulatedNetwork();
    m = await PexSpeaker.start(network, 'm', speaker);
    r = await network.startNode('r', {
      pex: { client: false },
      persistentPeers: [m.node.address],
      ...BUSY,
      ...options,
    });
    await network.runUntil(() => m.isUp);
    await network.advance(5);
  }

  async function know(addresses: readonly string[]): Promise<void> {
    for (const address of addresses) r.router.addBootstrap(address);
    await network.advance(1);
  }

  async function ask(): Promise<readonly string[]> {
    m.say(r, { type: 'request-v2' });
    await network.advance(20);
    const [answer, ...more] = m.take('response-v2');
    expect(more).to.deep.equal([]);
    return answer!.addresses.map(({ url }) => url);
  }

  async function askInV1(waitMs = 20): Promise<readonly string[]> {
    m.say(r, { type: 'request' });
    await network.advance(waitMs);
    const [answer, ...more] = m.take('response');
    expect(more).to.deep.equal([]);
    return answer!.addresses.map(({ id, ip, port }) => `${id}@${ip}:${port}`);
  }

  afterEach(() => network.stop());

  it('PX-002 PX-013 is done with an empty list by a node that knows only the requester', async () => {
    await connect();
    expect(await ask()).to.deep.equal([]);
    expect(await askInV1()).to.deep.equal([]);
  });

  it('PX-004 PX-029 is done for the first 3 of a burst, costs a strike for each further one, and the connection in the end', async () => {
    await connect();
    for (let count = 0; count < 7; count++) m.say(r, { type: 'request-v2' });
    await network.advance(50);
    expect(m.take('response-v2')).to.have.length(3);
    expect(m.isUp).to.equal(true);
    m.say(r, { type: 'request-v2' });
    await network.advance(50);
    expect(m.take('response-v2')).to.have.length(0);
    expect(m.updates.find(({ status }) => status === 'down')).to.include({ cause: 'evicted' });
    expect(pexFaults(r)).to.deep.equal([
      ...Array.from({ length: 4 }, () => 'strike asks-too-often'),
      'fault asks-too-often',
    ]);
  });

  it('PX-028 is not begun anew for a peer that reconnects', async () => {
    await connect({ peers: {} }, { peers: { disconnectCooldownMs: 10, minRetryMs: 10, retryJitterMs: 0 } });
    for (let count = 0; count < 3; count++) m.say(r, { type: 'request-v2' });
    await network.advance(20);
    expect(m.take('response-v2')).to.have.length(3);
    m.node.router.disconnect(r.id);
    m.node.router.addBootstrap(r.address);
    await network.advance(50);
    m.node.router.dial(r.address);
    await network.runUntil(() => m.updates.length === 3 && m.isUp, 500);
    m.say(r, { type: 'request-v2' });
    await network.advance(20);
    expect(m.take('response-v2')).to.have.length(0);
    await network.advance(1_000);
    expect(await ask()).to.deep.equal([]);
  });

  it('PX-006 names exactly 100 of 110 known addresses', async () => {
    const addresses = Array.from({ length: 110 }, (_, index) => `memory:${idOf(index + 1)}`);
    await connect({ store: await storeWith(addresses, { tried: true }) });
    const answer = await ask();
    expect(answer).to.have.length(100);
    expect(addresses).to.include.members([...answer]);
  });

  it('PX-040 names at most 20 of them that nobody has verified', async () => {
    await connect();
    await know(Array.from({ length: 60 }, (_, index) => `memory:${idOf(index + 1)}`));
    expect(await ask()).to.have.length(20);
  });

  it('PX-011 is done in the generation of the request', async () => {
    await connect();
    await know([`mconn://${idOf(1)}@1.2.3.4:26656`]);
    expect(await ask()).to.deep.equal([`mconn://${idOf(1)}@1.2.3.4:26656`]);
    expect(await askInV1()).to.deep.equal([`${idOf(1)}@1.2.3.4:26656`]);
  });

  it('PX-041 PX-042 never names private peers, nor the requester', async () => {
    await connect({ privatePeers: [idOf(1)] });
    await know([`memory:${idOf(1)}`, `memory:${idOf(2)}`, `mconn://${m.node.id}@1.2.3.4:26656`]);
    expect(await ask()).to.deep.equal([`memory:${idOf(2)}`]);
  });

  it('never names a peer that is banned', async () => {
    await connect();
    await know([`memory:${idOf(1)}`, `memory:${idOf(2)}`]);
    r.router.ban(idOf(1));
    expect(await ask()).to.deep.equal([`memory:${idOf(2)}`]);
    r.router.unban(idOf(1));
    expect(await ask()).to.have.members([`memory:${idOf(1)}`, `memory:${idOf(2)}`]);
  });

  it('PX-043 leaves out our own address when it has no host and port', async () => {
    await connect();
    await know([`memory:${idOf(1)}`]);
    expect(await ask()).to.deep.equal([`memory:${idOf(1)}`]);
  });

  it('PX-044 PX-045 begins with our own address, and names the one other peer too', async () => {
    await connect({ externalAddress: '1.2.3.4:26656' });
    await know([`mconn://${idOf(1)}@5.6.7.8:26656`]);
    const own = `mconn://${r.id}@1.2.3.4:26656`;
    expect(await ask()).to.deep.equal([own, `mconn://${idOf(1)}@5.6.7.8:26656`]);
    expect(await askInV1()).to.deep.equal([`${r.id}@1.2.3.4:26656`, `${idOf(1)}@5.6.7.8:26656`]);
  });

  it('PX-048 gives every address of a host name in the first generation, but no more than there are addresses', async () => {
    await connect();
    network.env.resolver.set('two.example', { ips: ['1.1.1.1', '2.2.2.2'], delayMs: 100 });
    await know([`mconn://${idOf(1)}@two.example:26656`]);
    expect(await askInV1(150)).to.deep.equal([`${idOf(1)}@1.1.1.1:26656`]);
    await know([`mconn://${idOf(2)}@gone.example:26656`]);
    await network.advance(1_000);
    expect(await askInV1(150)).to.deep.equal([`${idOf(1)}@1.1.1.1:26656`, `${idOf(1)}@2.2.2.2:26656`]);
  });

  it('PX-049 leaves out addresses without an IP in the first generation', async () => {
    await connect();
    await know([`memory:${idOf(1)}`]);
    expect(await askInV1()).to.deep.equal([]);
  });

  it('PX-050 does not wait more than 3 s for host names, and does other things meanwhile', async () => {
    const names = Array.from({ length: 100 }, (_, index) => `n${index}.example`);
    const addresses = names.map((name, index) => `mconn://${idOf(index + 1)}@${name}:26656`);
    await connect({ store: await storeWith(addresses, { tried: true }) });
    for (const name of names) network.env.resolver.set(name, { ips: ['1.1.1.1'], delayMs: 1_000_000 });
    network.env.resolver.set('n7.example', { ips: ['7.7.7.7'] });
    await know([`mconn://${idOf(200)}@9.9.9.9:26656`]);
    const before = network.env.resolver.lookups.length;
    m.say(r, { type: 'request' });
    await network.advance(1_000);
    expect(network.env.resolver.lookups.length - before).to.be.within(8, 9);
    expect(await ask()).to.have.length.greaterThan(50);
    expect(m.take('response')).to.deep.equal([]);
    await network.advance(1_990);
    const [answer] = m.take('response');
    const ips = answer!.addresses.map(({ ip }) => ip);
    expect(ips).to.include('9.9.9.9');
    expect(ips.every((ip) => ip === '9.9.9.9' || ip === '7.7.7.7')).to.equal(true);
  });

  it('PX-056 is done with an empty list when serving is off, without a strike', async () => {
    await connect({ pex: { client: false, server: false } });
    await know([`memory:${idOf(1)}`]);
    for (let count = 0; count < 10; count++) {
      expect(await ask()).to.deep.equal([]);
      await network.advance(1_000);
    }
    expect(m.updates.map(({ status }) => status)).to.deep.equal(['up']);
  });

  it('PX-055 goes on when asking is off', async () => {
    await connect();
    await know([`memory:${idOf(1)}`]);
    await network.advance(3_600_000);
    expect(m.heard).to.deep.equal([]);
    expect(await ask()).to.deep.equal([`memory:${idOf(1)}`]);
  });

  it('PX-053 is refused with a report that says what was wrong when the message is none, and costs the connection', async () => {
    for (const [bytes, what] of [
      ['2a00', 'no known member'],
      ['12ff', 'cut off'],
      ['', 'no known member'],
    ] as const) {
      network = new SimulatedNetwork();
      r = await network.startNode('r', { pex: { client: false } });
      const stranger = await ScriptedPeer.dial(network, r, { name: 'stranger', channels: [PEX_CHANNEL_ID] });
      stranger.send(PEX_CHANNEL_ID, Buffer.from(bytes, 'hex'));
      await network.advance(50);
      expect(stranger.ended).to.deep.equal({ by: 'remote' });
      expect(pexFaults(r)).to.deep.equal(['fault undecodable']);
      expect(JSON.stringify(r.router.recorder.records())).to.include(what);
      expect(r.router.stats().crashes).to.equal(0);
      await network.stop();
    }
  });
});
