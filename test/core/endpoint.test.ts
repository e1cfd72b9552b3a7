import { expect } from 'chai';
import {
  endpointFault,
  endpointToNodeAddress,
  formatEndpoint,
  resolveNodeAddress,
  type Endpoint,
} from '../../src/core/endpoint.ts';
import type { Resolver } from '../../src/core/env.ts';
import type { NodeAddressParts } from '../../src/core/node-address.ts';
import { parseNodeId } from '../../src/core/node-id.ts';
import { p2pRejection } from '../support/p2p-rejection.ts';
import rows from '../vectors/addresses.json' with { type: 'json' };

const ID = parseNodeId('00112233445566778899aabbccddeeff00112233');

describe('an endpoint as a node address', () => {
  for (const row of rows.endpointToNodeAddress) {
    it(`TR-034 ${JSON.stringify(row.endpoint).replaceAll(ID, 'ID')} keeps its parts`, () => {
      expect(endpointToNodeAddress(row.endpoint)).to.deep.equal(row.address);
      expect(endpointToNodeAddress(row.endpoint, ID)).to.deep.equal({ ...row.address, nodeId: ID });
    });
  }
});

describe('an endpoint as text', () => {
  for (const row of rows.endpointFormat) {
    it(`TR-035 ${JSON.stringify(row.endpoint).replaceAll(ID, 'ID')} is ${JSON.stringify(row.text)}`, () => {
      expect(formatEndpoint(row.endpoint)).to.equal(row.text);
    });
  }
});

describe('validating an endpoint', () => {
  for (const row of rows.endpointValidate as readonly { endpoint: Endpoint; fault?: string }[]) {
    it(`TR-036 ${JSON.stringify(row.endpoint)} is ${row.fault ?? 'valid'}`, () => {
      expect(endpointFault(row.endpoint)).to.equal(row.fault);
    });
  }

  it('refuses ports that are no integer in 0 to 65535', () => {
    for (const port of [-1, 1.5, 65536]) {
      expect(endpointFault({ protocol: 'tcp', ip: '1.2.3.4', port, path: '' })).to.equal('port-range');
    }
  });
});

/** Knows `localhost` and what a test adds; counts what it was asked. */
function tableResolver(
  table: Readonly<Record<string, readonly string[]>> = {},
): Resolver & { asked: string[] } {
  const known: Readonly<Record<string, readonly string[]>> = { localhost: ['::1', '127.0.0.1'], ...table };
  const asked: string[] = [];
  return {
    asked,
    resolve: (hostname) => {
      asked.push(hostname);
      const ips = known[hostname];
      return ips === undefined ? Promise.reject(new Error('not found')) : Promise.resolve(ips);
    },
  };
}

function parts(hostname: string): NodeAddressParts {
  return { protocol: 'tcp', nodeId: ID, hostname, port: 80, path: '/p' };
}

describe('resolving a node address', () => {
  const signal = new AbortController().signal;

  for (const row of rows.resolve as readonly { address: NodeAddressParts; endpoint?: Endpoint }[]) {
    it(`${JSON.stringify(row.address).replaceAll(ID, 'ID')} ${row.endpoint ? 'leads to an endpoint' : 'fails'}`, async () => {
      const resolved = resolveNodeAddress(row.address, tableResolver(), signal);
      if (row.endpoint) expect(await resolved).to.deep.include(row.endpoint);
      else expect((await p2pRejection(resolved)).code).to.be.oneOf(['invalid-address', 'resolve-failed']);
    });
  }

  it('keeps the order of the resolver, unmaps IPv4, and removes duplicates and junk', async () => {
    const resolver = tableResolver({
      h: ['2001:DB8::1', '::ffff:1.2.3.4', '1.2.3.4', 'junk', '2001:db8:0::1', '9.9.9.9'],
    });
    const endpoints = await resolveNodeAddress(parts('h'), resolver, signal);
    expect(endpoints.map(({ ip }) => ip)).to.deep.equal(['2001:db8::1', '1.2.3.4', '9.9.9.9']);
    expect(endpoints[0]).to.include({ protocol: 'tcp', port: 80, path: '/p' });
  });

  for (const hostname of ['127.0.0.1', '::1', '::ffff:1.2.3.4', 'fe80::1%eth0']) {
    it(`does not look up the literal ${hostname}`, async () => {
      const resolver = tableResolver();
      expect(await resolveNodeAddress(parts(hostname), resolver, signal)).to.have.length(1);
      expect(resolver.asked).to.deep.equal([]);
    });
  }

  for (const hostname of ['127.1', '2130706433', '0x7f.1', '0x7f000001', '1.2.3.4.', '127.0.0.1:80']) {
    it(`refuses ${hostname} without a look-up, since a platform may read it as an IP address`, async () => {
      const resolver = tableResolver({ [hostname]: ['127.0.0.1'] });
      const error = await p2pRejection(resolveNodeAddress(parts(hostname), resolver, signal));
      expect(error.code).to.equal('resolve-failed');
      expect(resolver.asked).to.deep.equal([]);
    });
  }

  it('fails with no-endpoints when the resolver finds nothing', async () => {
    const error = await p2pRejection(resolveNodeAddress(parts('h'), tableResolver({ h: [] }), signal));
    expect(error.code).to.equal('no-endpoints');
  });

  it('fails with resolve-failed and the cause when the resolver fails', async () => {
    const error = await p2pRejection(resolveNodeAddress(parts('h'), tableResolver(), signal));
    expect(error.code).to.equal('resolve-failed');
    expect((error.cause as Error).message).to.equal('not found');
  });

  it('rejects with the signal reason when aborted before', async () => {
    const reason = new Error('changed my mind');
    const resolver = tableResolver();
    const thrown = await resolveNodeAddress(parts('localhost'), resolver, AbortSignal.abort(reason)).catch(
      (error: unknown) => error,
    );
    expect(thrown).to.equal(reason);
    expect(resolver.asked).to.deep.equal([]);
  });

  it('rejects with the signal reason when aborted during the look-up, even by a resolver that never settles', async () => {
    const controller = new AbortController();
    const reason = new Error('too late');
    const stuck: Resolver = { resolve: () => new Promise(() => undefined) };
    const resolved = resolveNodeAddress(parts('h'), stuck, controller.signal).catch(
      (error: unknown) => error,
    );
    controller.abort(reason);
    expect(await resolved).to.equal(reason);
  });
});
