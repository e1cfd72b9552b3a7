import { expect } from 'chai';
import { Kernel } from '../../src/actors/kernel.ts';
import type { PeerLink } from '../../src/actors/peer.actor.ts';
import { Pex, type PexHost } from '../../src/actors/pex.actor.ts';
import { FlightRecorder } from '../../src/index.ts';
import { SimulatedNetwork } from '../../src/testing/index.ts';
import { PexSpeaker } from '../support/pex-speaker.ts';

describe('peer exchange with a fault of our own', () => {
  it('PX-054 contains and counts it, and handles the next message', async () => {
    const network = new SimulatedNetwork();
    const { router, id, address } = network.addNode('r', { pex: false });
    const kernel = new Kernel(network.env.clock, new FlightRecorder());
    let calls = 0;
    const link: unknown = {
      connection: { remoteEndpoint: { protocol: 'memory', ip: '', port: 0, path: '' } },
    };
    const host: PexHost = {
      kernel,
      env: network.env,
      selfId: id,
      route: () => link as PeerLink,
      situation: () => ({ known: 0, capacity: Infinity, connected: 0, wanted: 0 }),
      ownAddress: () => undefined,
      candidates: () => {
        calls += 1;
        if (calls === 1) throw new Error('lost the list');
        return [];
      },
      isWithheld: () => false,
      learn: () => false,
      demerit: () => undefined,
    };
    const pex = new Pex(host, { client: true, server: true }, (descriptor) => router.openChannel(descriptor));
    pex.start();
    void router.start();
    await network.advance(1);
    const m = await PexSpeaker.connect(network, 'm', { ...network.nodes[0]!, id, address });
    for (let count = 0; count < 2; count++) {
      m.say(network.nodes[0]!, { type: 'request-v2' });
      await network.advance(20);
    }
    expect([calls, m.take('response-v2').length]).to.deep.equal([2, 1]);
    expect(kernel.crashes).to.equal(1);
    expect(kernel.recorder.records().find(({ kind }) => kind === 'crash')).to.include({
      message: 'lost the list',
    });
    expect(pex.actor.alive).to.equal(true);
    pex.stop();
    await network.stop();
  });
});
