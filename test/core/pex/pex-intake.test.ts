import { expect } from 'chai';
import fc from 'fast-check';
import { formatNodeAddress, parseNodeAddress } from '../../../src/core/node-address.ts';
import { parseNodeId, type NodeId } from '../../../src/core/node-id.ts';
import { readPexEntries, type PexIntake, type PexIntakeContext } from '../../../src/core/pex/pex-intake.ts';
import type { PexAddress, PexUrl } from '../../../src/core/pex/pex-message.ts';

type Entry = PexAddress | PexUrl;

function peer(n: number): NodeId {
  return parseNodeId(n.toString(16).padStart(40, '0'));
}

const SELF = peer(0xfffe);
const PRIVATE = peer(0xfffd);

const context: PexIntakeContext = { selfId: SELF, sourceIp: '1.2.3.4', isWithheld: (id) => id === PRIVATE };

function url(n: number, hostname = '8.8.8.8', port = 26_656): PexUrl {
  return { url: `mconn://${peer(n)}@${hostname}:${port}` };
}

function v1(n: number, ip = '8.8.8.8', port = 26_656): PexAddress {
  return { id: peer(n), ip, port };
}

function many(count: number, entry: (n: number) => Entry): Entry[] {
  return Array.from({ length: count }, (_, n) => entry(n + 1));
}

function read(entries: readonly Entry[], sourceIp = '1.2.3.4'): Extract<PexIntake, { ok: true }> {
  const intake = readPexEntries(entries, { ...context, sourceIp });
  if (!intake.ok) throw new Error(intake.fault);
  return intake;
}

interface Row {
  readonly title: string;
  readonly entries: readonly Entry[];
  readonly sourceIp?: string;
  readonly kept: readonly string[];
  readonly bad?: number;
  readonly ignored?: number;
}

const garbage: readonly Entry[] = [
  { url: '' },
  { url: 'not an address' },
  { url: `mconn://${'g'.repeat(40)}@8.8.8.8:1` },
  { url: `mconn://${peer(1)}@8.8.8.8:70000` },
  { url: `mconn://${peer(1)}@2001:db8::1:1` },
  { id: '', ip: '8.8.8.8', port: 1 },
  { id: 'xyz', ip: '8.8.8.8', port: 1 },
  { id: peer(1), ip: 'node.example', port: 1 },
  { id: peer(1), ip: '08.8.8.8', port: 1 },
  { id: peer(1), ip: '', port: 1 },
  { id: peer(1), ip: 'fe80::1%eth0', port: 1 },
  { id: peer(1), ip: '8.8.8.8', port: 0 },
  { id: peer(1), ip: '8.8.8.8', port: 65_536 },
  { id: peer(1), ip: '8.8.8.8', port: 2 ** 32 - 1 },
];

/** One address on each kind of network. */
const kinds = ['8.8.8.8', '10.0.0.1', '127.0.0.1', '169.254.0.1', 'node.example', '0.0.0.0', '224.0.0.1'];
const everyKind: readonly Entry[] = [
  ...kinds.map((hostname, n) => url(n + 1, hostname)),
  { url: `memory:${peer(8)}` },
];

const rows: readonly Row[] = [
  { title: 'an empty response is fine', entries: [], kept: [] },
  {
    title: 'PX-012: v1 entries are read whatever was asked',
    entries: [v1(1), v1(2, '8.8.4.4', 1)],
    kept: [url(1).url, url(2, '8.8.4.4', 1).url],
  },
  {
    title: 'PX-031: an entry that cannot be parsed is skipped, the others are kept',
    entries: [url(1), { url: 'nonsense' }, url(2)],
    kept: [url(1).url, url(2).url],
    bad: 1,
  },
  {
    title: 'PX-033: our own address is ignored silently',
    entries: [url(0xfffe), url(1)],
    kept: [url(1).url],
    ignored: 1,
  },
  {
    title: 'PX-034: a withheld peer is ignored silently',
    entries: [url(0xfffd), url(1)],
    kept: [url(1).url],
    ignored: 1,
  },
  {
    title: 'PX-035: a URL of 10 KB is skipped',
    entries: [{ url: `mconn://${peer(1)}@${'x'.repeat(10_000)}:1` }, url(2), url(3)],
    kept: [url(2).url, url(3).url],
    bad: 1,
  },
  {
    title: 'PX-051: a v1 entry with IPv6 becomes an address with brackets',
    entries: [v1(1, '2001:DB8::1', 7)],
    kept: [`mconn://${peer(1)}@[2001:db8::1]:7`],
  },
  {
    title: 'a v1 entry with mapped IPv4 becomes IPv4',
    entries: [v1(1, '::ffff:8.8.8.8', 7)],
    kept: [url(1, '8.8.8.8', 7).url],
  },
  {
    title: 'a v1 id is read in either case',
    entries: [{ ...v1(0xabc), id: peer(0xabc).toUpperCase() }],
    kept: [url(0xabc).url],
  },
  { title: 'an address is taken once', entries: [url(1), v1(1), url(1)], kept: [url(1).url], ignored: 2 },
  {
    title: 'a source on the internet is not believed about other networks',
    entries: everyKind,
    kept: ['8.8.8.8', 'node.example'],
    ignored: 6,
  },
  {
    title: 'a source on a private network is believed about private networks',
    entries: everyKind,
    sourceIp: '192.168.7.7',
    kept: ['8.8.8.8', '10.0.0.1', 'node.example'],
    ignored: 5,
  },
  {
    title: 'a source on this host is believed about every network',
    entries: everyKind,
    sourceIp: '127.0.0.1',
    kept: kinds.slice(0, 5),
    ignored: 3,
  },
  {
    title: 'a source in this process is believed about everything that names a host',
    entries: everyKind,
    sourceIp: '',
    kept: [...kinds.slice(0, 5), ''],
    ignored: 2,
  },
];

describe('reading a PEX response', () => {
  for (const { title, entries, sourceIp, kept, bad = 0, ignored = 0 } of rows) {
    it(title, () => {
      const intake = read(entries, sourceIp);
      const shown = intake.addresses.map((address) =>
        kept.some((text) => text.startsWith('mconn:')) ? formatNodeAddress(address) : address.hostname,
      );
      expect(shown).to.deep.equal(kept);
      expect(intake).to.include({ bad, ignored, strikes: 0 });
    });
  }

  for (const entry of garbage) {
    it(`counts ${JSON.stringify(entry)} as bad`, () => {
      expect(read([entry, url(5), url(6)])).to.deep.include({ bad: 1, ignored: 0 });
    });
  }

  it('PX-007: accepts 250 entries and takes 251 for a fault of the whole message', () => {
    expect(read(many(250, url)).addresses).to.have.length(250);
    expect(readPexEntries(many(251, url), context)).to.deep.equal({
      ok: false,
      fault: 'too-many-addresses',
      count: 251,
    });
  });

  it('PX-032: keeps 40 of 100 entries and gives one strike for 60 bad ones', () => {
    const entries = [...many(60, () => ({ url: 'bad' })), ...many(40, url)];
    expect(read(entries)).to.include({ bad: 60, ignored: 0, strikes: 1 });
    expect(read(entries).addresses).to.have.length(40);
  });

  it('PX-032: gives no strike for exactly half', () => {
    expect(read([...many(5, () => ({ url: 'bad' })), ...many(5, url)]).strikes).to.equal(0);
    expect(read([...many(5, () => ({ url: 'bad' })), ...many(4, url)]).strikes).to.equal(1);
  });

  it('PX-037: keeps at most 8 of 50 addresses of one node', () => {
    const intake = read(many(50, (port) => url(1, '8.8.8.8', port)));
    expect(intake.addresses.map(({ port }) => port)).to.deep.equal([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(intake).to.include({ bad: 0, ignored: 42 });
  });

  it('accounts for every entry, and keeps only what can be formatted and read back', () => {
    const entry = fc.oneof(
      fc.record({
        url: fc.oneof(fc.string(), fc.constantFrom(...everyKind.map((each) => (each as PexUrl).url))),
      }),
      fc.record({
        id: fc.constantFrom(peer(1), peer(2), SELF, 'x'),
        ip: fc.oneof(fc.ipV4(), fc.ipV6()),
        port: fc.nat(70_000),
      }),
    );
    fc.assert(
      fc.property(
        fc.array(entry, { maxLength: 60 }),
        fc.constantFrom('1.2.3.4', '10.0.0.9', ''),
        (entries, sourceIp) => {
          const intake = read(entries, sourceIp);
          expect(intake.addresses.length + intake.bad + intake.ignored).to.equal(entries.length);
          for (const address of intake.addresses) {
            expect(parseNodeAddress(formatNodeAddress(address))).to.deep.equal(address);
            expect(address.nodeId).to.not.be.oneOf([SELF, PRIVATE]);
          }
        },
      ),
    );
  });
});
