import { expect } from 'chai';
import fc from 'fast-check';
import { ADDRESS_FAULTS } from '../../src/core/codes.ts';
import { P2PError } from '../../src/core/errors.ts';
import {
  acceptNodeAddress,
  addressString,
  canonicalNodeAddress,
  formatNodeAddress,
  nodeAddressFault,
  parseNodeAddress,
  parseNodeAddressResult,
  sameNodeAddress,
  type NodeAddress,
  type NodeAddressParts,
} from '../../src/core/node-address.ts';
import { parseNodeId } from '../../src/core/node-id.ts';
import rows from '../vectors/addresses.json' with { type: 'json' };

const ID = parseNodeId('00112233445566778899aabbccddeeff00112233');

interface ParseRow {
  readonly no: string;
  readonly input: string;
  readonly fault?: string;
  readonly address?: NodeAddressParts;
  readonly text?: string;
}

function address(parts: Partial<NodeAddress>): NodeAddress {
  return { protocol: 'mconn', nodeId: ID, hostname: '', port: 0, path: '', ...parts };
}

function thrownBy(run: () => unknown): unknown {
  try {
    run();
  } catch (thrown) {
    return thrown;
  }
  return undefined;
}

describe('parsing a node address', () => {
  for (const row of rows.parse as readonly ParseRow[]) {
    const shown = JSON.stringify(row.input).replaceAll(ID, 'ID');
    if (row.fault === undefined) {
      it(`${row.no} reads ${shown}, and its text reads back as the same address`, () => {
        const parsed = parseNodeAddress(row.input);
        expect(parsed).to.deep.equal(row.address);
        expect(formatNodeAddress(parsed)).to.equal(row.text);
        expect(parseNodeAddress(row.text!)).to.deep.equal(parsed);
      });
    } else {
      it(`${row.no} refuses ${shown} as ${row.fault}`, () => {
        expect(parseNodeAddressResult(row.input)).to.deep.equal({ ok: false, fault: row.fault });
        expect(thrownBy(() => parseNodeAddress(row.input)))
          .to.be.instanceOf(P2PError)
          .and.include({ code: 'invalid-address', reason: row.fault });
      });
    }
  }

  const further: readonly (readonly [string, string])[] = [
    ['a lone surrogate', `mconn://${ID}@h\ud800`],
    ['a password hidden in an escape is an id of the wrong length', `mconn://${ID}%3Apass@h`],
    ['an empty zone', `mconn://${ID}@[fe80::1%25]:1`],
    ['a control character escaped in a zone', `mconn://${ID}@[fe80::1%25e%00]:1`],
    ['a slash in a zone', `mconn://${ID}@[fe80::1%25e/0]:1`],
    ['a space in a zone', `mconn://${ID}@[fe80::1%25e 0]:1`],
    ['a broken escape before the @', `mconn://%4@h`],
    ['bytes before the @ that are not UTF-8', `mconn://%ff@h`],
    ['a broken escape in a fragment', `mconn://${ID}@h/p#%x`],
  ];
  const faults = [
    'utf8',
    'id-length',
    'not-ipv6',
    'host-escape',
    'bracket',
    'host-char',
    'escape',
    'utf8',
    'escape',
  ];
  further.forEach(([what, input], index) => {
    it(`refuses ${what}`, () => {
      expect(parseNodeAddressResult(input)).to.deep.equal({ ok: false, fault: faults[index] });
    });
  });

  it('keeps a byte order mark that begins a host or a fragment', () => {
    const parsed = parseNodeAddress(`mconn://${ID}@%EF%BB%BFh/#%EF%BB%BFx`);
    expect(parsed).to.include({ hostname: '\ufeffh', path: '/#\ufeffx' });
  });

  it('leaves a query as it is, broken escapes included', () => {
    expect(parseNodeAddress(`mconn://${ID}@h/p?%zz`).path).to.equal('/p?%zz');
  });

  it('throws nothing but a P2PError with a registered reason, whatever the text', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom(...Array.from(':/@[]%?#.0a1Z\u0000\ud800é '), '%25', '://', ID) }),
    );
    fc.assert(
      fc.property(text, (input) => {
        const thrown = thrownBy(() => parseNodeAddress(input));
        if (thrown === undefined) return;
        expect(thrown).to.be.instanceOf(P2PError).and.include({ code: 'invalid-address' });
        expect(ADDRESS_FAULTS).to.have.property((thrown as P2PError).reason!);
      }),
      { numRuns: 2000 },
    );
  });

  it('gives, for any text it accepts, an address whose text reads back as the same address', () => {
    const piece = fc.string({
      unit: fc.constantFrom(...Array.from('ab%/?#:@ é👋.'), '%20', '%C3%9C', 'İ', 'Σ', '[', ']'),
    });
    fc.assert(
      fc.property(piece, piece, fc.constantFrom('', ':0', ':80'), (host, path, port) => {
        const result = parseNodeAddressResult(`mconn://${ID}@${host}${port}/${path}`);
        if (!result.ok) return;
        expect(parseNodeAddress(formatNodeAddress(result.address))).to.deep.equal(result.address);
        expect(canonicalNodeAddress(result.address)).to.deep.equal(result.address);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('validating a node address', () => {
  for (const row of rows.validate as readonly { address: NodeAddressParts; fault?: string }[]) {
    it(`finds ${JSON.stringify(row.address)} ${row.fault ?? 'valid'}`, () => {
      expect(nodeAddressFault(row.address)).to.equal(row.fault);
    });
  }

  it('refuses ports that are no integer in 0 to 65535', () => {
    for (const port of [-1, 1.5, 65536, NaN]) {
      expect(nodeAddressFault(address({ hostname: 'h', port }))).to.equal('port-range');
    }
  });

  it('refuses a node id in upper case, since that is not canonical', () => {
    expect(nodeAddressFault({ ...address({}), nodeId: ID.toUpperCase() })).to.equal('id-charset');
  });
});

describe('the canonical form of an address', () => {
  it('is lower case but for an IPv6 zone', () => {
    const upper = {
      protocol: 'MConn',
      nodeId: ID.toUpperCase() as NodeAddress['nodeId'],
      port: 1,
      path: '/P',
    };
    expect(canonicalNodeAddress({ ...upper, hostname: 'HOST%Zone' })).to.deep.equal(
      address({ hostname: 'host%zone', port: 1, path: '/P' }),
    );
    expect(canonicalNodeAddress({ ...upper, hostname: 'FE80::1%Eth0' }).hostname).to.equal('fe80::1%Eth0');
  });

  it('begins a path with a slash', () => {
    expect(canonicalNodeAddress(address({ hostname: 'h', path: 'p' })).path).to.equal('/p');
  });

  it('has no path that only repeats the node id, unless there is a host', () => {
    expect(canonicalNodeAddress(address({ protocol: 'memory', path: ID })).path).to.equal('');
    expect(canonicalNodeAddress(address({ hostname: 'h', path: ID })).path).to.equal(`/${ID}`);
  });
});

describe('accepting an address given as a value', () => {
  it('answers with the canonical form', () => {
    expect(acceptNodeAddress(address({ hostname: 'Host', path: 'p' }))).to.deep.equal({
      ok: true,
      address: address({ hostname: 'host', path: '/p' }),
    });
  });

  it('answers with the broken rule', () => {
    expect(acceptNodeAddress(address({ port: 80 }))).to.deep.equal({ ok: false, fault: 'port-without-host' });
  });

  for (const hostname of ['host:80', 'ho st', 'a/b', 'h%zone', 'fe80::1%', '\ud800', 'h\n']) {
    it(`refuses the hostname ${JSON.stringify(hostname)}, which no text gives back`, () => {
      expect(acceptNodeAddress(address({ hostname }))).to.deep.equal({ ok: false, fault: 'roundtrip' });
    });
  }

  it('never accepts what its text does not give back', () => {
    const any = fc.string({ unit: fc.constantFrom(...Array.from('ab:%/?#@ é[]'), '\u0000', '\ud800', ID) });
    fc.assert(
      fc.property(any, any, any, fc.nat({ max: 70000 }), (protocol, hostname, path, port) => {
        const result = acceptNodeAddress({ protocol, nodeId: ID, hostname, port, path });
        if (result.ok)
          expect(parseNodeAddress(formatNodeAddress(result.address))).to.deep.equal(result.address);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('the text of an address', () => {
  for (const row of rows.format) {
    it(`of ${JSON.stringify(row.address).replaceAll(ID, 'ID')} is ${row.text.replaceAll(ID, 'ID')}`, () => {
      expect(formatNodeAddress(row.address)).to.equal(row.text);
    });
  }

  it('shows any value without throwing', () => {
    const any = fc.string({ unit: 'binary' });
    fc.assert(
      fc.property(any, any, any, any, fc.nat(), (protocol, nodeId, hostname, path, port) => {
        expect(formatNodeAddress({ protocol, nodeId, hostname, path, port })).to.be.a('string');
      }),
    );
  });
});

describe('comparing addresses', () => {
  const base = address({ hostname: 'h', port: 80, path: '/p' });

  it('finds equal parts the same', () => {
    expect(sameNodeAddress(base, { ...base })).to.equal(true);
  });

  const others: readonly Partial<NodeAddress>[] = [
    { protocol: 'tcp' },
    { nodeId: parseNodeId('a'.repeat(40)) },
    { hostname: 'i' },
    { port: 81 },
    { path: '/q' },
  ];
  for (const change of others) {
    it(`finds another ${Object.keys(change).join()} different`, () => {
      expect(sameNodeAddress(base, { ...base, ...change })).to.equal(false);
    });
  }
});

describe('addressString', () => {
  const table = [
    ['host:80', 'host:80'],
    ['tcp://host:80', 'host:80'],
    ['a://b://c', 'b'],
    ['', ''],
  ] as const;
  for (const [hostPort, kept] of table) {
    it(`of ${JSON.stringify(hostPort)} is the id and ${JSON.stringify(kept)}`, () => {
      expect(addressString(ID, hostPort)).to.equal(`${ID}@${kept}`);
    });
  }
});
