import { expect } from 'chai';
import { Kernel } from '../../src/actors/kernel.ts';
import type { PeerLink } from '../../src/actors/peer.actor.ts';
import { Pex, type PexHost } from '../../src/actors/pex.actor.ts';
import { FlightRecorder, parseNodeAddress } from '../../src/index.ts';
import { SimulatedNetwork, type SimulatedNode } from '../../src/testing/index.ts';
import { idOf, PexSpeaker } from '../support/pex-speaker.ts';

/** Peer exchange on the channel of a real router, with everything else it asks of the router made up. */
describe('peer exchange', () => {
  let network: SimulatedNetwork;
  let r: SimulatedNode;
  let kernel: Kernel;
  let pex: Pex;
  let m: PexSpeaker;

  async function serve(requesterIp: string, candidates: PexHost['candidates']): Promise<void> {
    network = new SimulatedNetwork();
    r = network.addNode('r', { pex: false });
    kernel = new Kernel(network.env.clock, new FlightRecorder());
    const link: unknown = {
      connection: { remoteEndpoint: { protocol: 'mconn', ip: requesterIp, port: 1, path: '' } },
    };
    const host: PexHost = {
      kernel,
      env: network.env,
      selfId: r.id,
      route: () => link as PeerLink,
      situation: () => ({ known: 0, capacity: Infinity, connected: 0, wanted: 0 }),
      ownAddress: () => undefined,
      candidates,
      isWithheld: () => false,
      learn: () => false,
      demerit: () => undefined,
    };
    pex = new Pex(host, { client: true, server: true }, (descriptor) => r.router.openChannel(descriptor));
    pex.start();
    void r.router.start();
    await network.advance(1);
    m = await PexSpeaker.connect(network, 'm', r);
  }

  async function ask(): Promise<readonly string[] | undefined> {
    m.say(r, { type: 'request-v2' });
    await network.advance(20);
    return m.take('response-v2')[0]?.addresses.map(({ url }) => url);
  }

  afterEach(async () => {
    pex.stop();
    await network.stop();
  });

  it('PX-054 contains a fault of our own, counts it, and handles the next message', async () => {
    let calls = 0;
    await serve('', () => {
      calls += 1;
      if (calls === 1) throw new Error('lost the list');
      return [];
    });
    expect(await ask()).to.equal(undefined);
    expect(await ask()).to.deep.equal([]);
    expect(kernel.crashes).to.equal(1);
    const crash = kernel.recorder.records().find(({ kind }) => kind === 'crash');
    expect(crash).to.include({ message: 'lost the list' });
    expect(pex.actor.alive).to.equal(true);
  });

  const addresses = ['10.1.2.3', '127.0.0.1', '8.8.8.8', 'node.example'].map(
    (host, index) => `mconn://${idOf(index + 1)}@${host}:26656`,
  );
  const told: readonly [string, string, readonly number[]][] = [
    ['PX-046 no private address to a requester on the internet', '9.9.9.9', [2, 3]],
    ['PX-046 private addresses to a requester on a private network', '192.168.1.1', [0, 2, 3]],
    ['PX-047 loopback addresses to a requester on this host', '127.0.0.1', [1, 2, 3]],
  ];

  for (const [what, ip, expected] of told) {
    it(`tells ${what}`, async () => {
      await serve(ip, () => addresses.map((text) => ({ address: parseNodeAddress(text), verified: true })));
      expect(await ask()).to.deep.equal(expected.map((index) => addresses[index]));
    });
  }
});
