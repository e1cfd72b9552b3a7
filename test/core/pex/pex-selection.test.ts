import { expect } from 'chai';
import fc from 'fast-check';
import { ipNetworkKey } from '../../../src/core/ip.ts';
import { formatNodeAddress, parseNodeAddress, type NodeAddress } from '../../../src/core/node-address.ts';
import { parseNodeId, type NodeId } from '../../../src/core/node-id.ts';
import {
  selectAddresses,
  type PexCandidate,
  type PexSelectionInput,
} from '../../../src/core/pex/pex-selection.ts';

function peer(n: number): NodeId {
  return parseNodeId(n.toString(16).padStart(40, '0'));
}

const REQUESTER = peer(0xffff);
const SELF = peer(0xfffe);
const own = address(0xfffe, '8.8.8.8', 26_656);

function address(n: number, hostname: string, port = 26_656, protocol = 'mconn'): NodeAddress {
  return { protocol, nodeId: peer(n), hostname, port, path: '' };
}

function verified(n: number, hostname: string, port?: number): PexCandidate {
  return { address: address(n, hostname, port), verified: true };
}

/** Verified addresses of different peers in different networks. */
function spread(count: number): PexCandidate[] {
  return Array.from({ length: count }, (_, n) => verified(n + 1, `${11 + (n >> 8)}.${n & 255}.0.1`));
}

function select(changes: Partial<PexSelectionInput>): NodeAddress[] {
  return selectAddresses({
    candidates: [],
    requester: { id: REQUESTER, ip: '1.2.3.4' },
    generation: 2,
    isWithheld: () => false,
    ...changes,
  });
}

interface Row {
  readonly title: string;
  readonly input: Partial<PexSelectionInput>;
  readonly result: readonly string[];
}

const memory: PexCandidate = { address: parseNodeAddress(`memory:${peer(9)}`), verified: true };

/** One candidate of each kind of network, by the host names that are told. */
const everyKind = [
  '1.1.1.1',
  '10.0.0.1',
  '192.168.1.1',
  '127.0.0.1',
  '169.254.0.1',
  'node.example',
  'localhost',
  'fd00::1',
];
const kinds = [...everyKind, '0.0.0.0', '224.0.0.1', '255.255.255.255', '::'].map((ip, n) =>
  verified(n + 1, ip),
);

const rows: readonly Row[] = [
  {
    title: 'PX-044: our own address is first',
    input: { own, candidates: [verified(1, '9.9.9.9')] },
    result: ['8.8.8.8', '9.9.9.9'],
  },
  {
    title: 'PX-045: our own and the only other one are both told',
    input: { own, candidates: [verified(1, '9.9.9.9')] },
    result: ['8.8.8.8', '9.9.9.9'],
  },
  {
    title: 'PX-043: our own address without a host is omitted',
    input: { own: { ...own, hostname: '' } },
    result: [],
  },
  {
    title: 'PX-043: our own address without a port is omitted',
    input: { own: { ...own, port: 0 } },
    result: [],
  },
  {
    title: 'our own address is omitted where it cannot be reached',
    input: { own: { ...own, hostname: '10.0.0.1' } },
    result: [],
  },
  {
    title: 'our own unspecified address is omitted',
    input: { own: { ...own, hostname: '0.0.0.0' } },
    result: [],
  },
  { title: 'PX-013: nothing known gives an empty answer', input: {}, result: [] },
  {
    title: 'PX-042: the requester is not told of itself',
    input: { candidates: [{ address: { ...address(1, '9.9.9.9'), nodeId: REQUESTER }, verified: true }] },
    result: [],
  },
  {
    title: 'PX-041: withheld peers are never told of',
    input: {
      candidates: [verified(1, '9.9.9.9'), verified(2, '9.8.9.9')],
      isWithheld: (id) => id === peer(1),
    },
    result: ['9.8.9.9'],
  },
  {
    title: 'PX-046: a requester on the internet is told of no private network',
    input: { candidates: kinds },
    result: ['1.1.1.1', 'node.example'],
  },
  {
    title: 'PX-046: a requester on a private network is told of private networks',
    input: { candidates: kinds, requester: { id: REQUESTER, ip: '172.16.0.9' } },
    result: ['1.1.1.1', '10.0.0.1', '192.168.1.1', 'node.example', 'fd00::1'],
  },
  {
    title: 'PX-047: a requester on loopback is told of loopback addresses',
    input: { candidates: kinds, requester: { id: REQUESTER, ip: '::1' } },
    result: ['1.1.1.1', '127.0.0.1', 'node.example', 'localhost'],
  },
  {
    title: 'a requester on a link-local network is told of link-local addresses',
    input: { candidates: kinds, requester: { id: REQUESTER, ip: 'fe80::1' } },
    result: ['1.1.1.1', '169.254.0.1', 'node.example'],
  },
  {
    title: 'a requester in our process is told of everything that names a host',
    input: { candidates: [...kinds, memory], requester: { id: REQUESTER, ip: '' } },
    result: [...everyKind, ''],
  },
  {
    title: 'an address of a process is told to no other process',
    input: { candidates: [memory] },
    result: [],
  },
  {
    title: 'one address per peer comes before the second of any',
    input: { candidates: [verified(1, '9.1.1.1'), verified(1, '9.2.1.1'), verified(2, '9.3.1.1')] },
    result: ['9.1.1.1', '9.3.1.1', '9.2.1.1'],
  },
  {
    title: 'second addresses are left out when there is no room',
    input: {
      candidates: [verified(1, '9.1.1.1'), verified(1, '9.2.1.1'), verified(2, '9.3.1.1')],
      maxAddresses: 2,
    },
    result: ['9.1.1.1', '9.3.1.1'],
  },
  {
    title: 'an address is told once',
    input: {
      own,
      candidates: [verified(1, '9.1.1.1'), verified(1, '9.1.1.1'), { address: own, verified: true }],
    },
    result: ['8.8.8.8', '9.1.1.1'],
  },
  {
    title: 'PX-049: v1 has no words for an address without IP, without port, or of another protocol',
    input: {
      generation: 1,
      requester: { id: REQUESTER, ip: '' },
      candidates: [
        memory,
        verified(1, '9.1.1.1', 0),
        { address: address(2, '9.2.1.1', 1, 'quic'), verified: true },
        { address: address(3, '9.3.1.1', 1, 'tcp'), verified: true },
        verified(4, 'node.example'),
      ],
    },
    result: ['9.3.1.1', 'node.example'],
  },
  {
    title: 'an overlong address is left out',
    input: { candidates: [verified(1, 'x'.repeat(300)), verified(2, '9.2.1.1')] },
    result: ['9.2.1.1'],
  },
];

describe('selecting addresses for a PEX response', () => {
  for (const { title, input, result } of rows) {
    it(title, () => {
      expect(select(input).map(({ hostname }) => hostname)).to.deep.equal(result);
    });
  }

  it('PX-006: returns exactly 100 of 110 known addresses, the best first', () => {
    const candidates = spread(110);
    expect(select({ candidates })).to.deep.equal(
      candidates.slice(0, 100).map((candidate) => candidate.address),
    );
    expect(select({ candidates, own })).to.have.length(100);
  });

  it('PX-039: takes at most ten addresses of one /16', () => {
    const candidates = Array.from({ length: 100 }, (_, n) => verified(n + 1, `9.9.0.${n}`));
    expect(select({ candidates })).to.have.length(10);
    expect(select({ candidates: [...candidates, ...spread(50)] })).to.have.length(60);
    expect(select({ candidates, own: { ...own, hostname: '9.9.7.7' } })).to.have.length(10);
  });

  it('PX-039: takes at most ten addresses of one IPv6 /32', () => {
    const candidates = Array.from({ length: 100 }, (_, n) => verified(n + 1, `2001:db8:${n}::1`));
    expect(select({ candidates })).to.have.length(10);
  });

  it('does not limit the addresses of a private network by prefix', () => {
    const candidates = Array.from({ length: 50 }, (_, n) => verified(n + 1, `10.0.0.${n}`));
    expect(select({ candidates, requester: { id: REQUESTER, ip: '10.0.0.200' } })).to.have.length(50);
  });

  it('PX-040: takes at most a fifth of unverified addresses', () => {
    const unverified = spread(100).map((candidate) => ({ ...candidate, verified: false }));
    expect(select({ candidates: unverified })).to.have.length(20);
    expect(select({ candidates: unverified, maxAddresses: 14 })).to.have.length(2);
    const more = spread(300).slice(100);
    expect(select({ candidates: [...unverified, ...more] })).to.have.length(100);
  });

  it('keeps within the bytes of a message', () => {
    const candidates = spread(100);
    const bytes = formatNodeAddress(candidates[0]!.address).length + 8;
    expect(select({ candidates, maxBytes: 3 * bytes })).to.have.length(3);
    expect(select({ candidates, maxBytes: 3 * bytes - 1 })).to.have.length(2);
  });

  it('reads no more candidates than it needs', () => {
    let read = 0;
    function* endless(): Generator<PexCandidate> {
      for (;;) yield verified(++read, `${(read >> 8) + 1}.${read & 255}.0.1`);
    }
    expect(select({ candidates: endless() })).to.have.length(100);
    expect(read).to.equal(101);
  });

  it('keeps every rule for any candidates', () => {
    const candidate = fc.record({
      address: fc.record({
        protocol: fc.constantFrom('mconn', 'tcp', 'memory'),
        nodeId: fc.integer({ min: 1, max: 40 }).map(peer),
        hostname: fc.oneof(
          fc.ipV4(),
          fc.constantFrom('', '10.0.0.1', '127.0.0.1', 'a.example', '2001:db8::1'),
        ),
        port: fc.nat(3),
        path: fc.constant(''),
      }),
      verified: fc.boolean(),
    });
    const requester = fc.constantFrom('1.2.3.4', '10.1.1.1', '127.0.0.1', '');
    fc.assert(
      fc.property(
        fc.array(candidate, { maxLength: 200 }),
        requester,
        fc.nat(30),
        (candidates, ip, maxAddresses) => {
          const isWithheld = (id: NodeId) => id === peer(3);
          const selected = select({ candidates, requester: { id: peer(5), ip }, isWithheld, maxAddresses });
          expect(selected).to.have.length.at.most(maxAddresses);
          expect(new Set(selected.map(formatNodeAddress)).size).to.equal(selected.length);
          const networks = new Map<string, number>();
          for (const { nodeId, hostname } of selected) {
            expect(nodeId).to.not.be.oneOf([peer(3), peer(5), SELF]);
            if (ip === '1.2.3.4') expect(hostname).to.not.be.oneOf(['', '10.0.0.1', '127.0.0.1']);
            const network = ipNetworkKey(hostname);
            if (network !== undefined && hostname !== '10.0.0.1' && !hostname.startsWith('127.')) {
              networks.set(network, (networks.get(network) ?? 0) + 1);
            }
          }
          if (ip === '1.2.3.4') for (const count of networks.values()) expect(count).to.be.at.most(10);
          const isVerified = new Set(
            candidates.filter((each) => each.verified).map((each) => formatNodeAddress(each.address)),
          );
          const unverified = selected.filter((each) => !isVerified.has(formatNodeAddress(each)));
          expect(unverified.length).to.be.at.most(Math.floor(maxAddresses / 5));
        },
      ),
    );
  });
});
