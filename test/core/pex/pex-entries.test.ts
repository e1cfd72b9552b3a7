import { expect } from 'chai';
import { parseNodeAddress } from '../../../src/core/node-address.ts';
import { parseNodeId } from '../../../src/core/node-id.ts';
import { pexIpEntries, pexUrls } from '../../../src/core/pex/pex-entries.ts';

const A = parseNodeId('a'.repeat(40));
const B = parseNodeId('b'.repeat(40));
const C = parseNodeId('c'.repeat(40));

const names: Readonly<Record<string, readonly string[]>> = {
  'two.example': ['9.0.0.1', '9.0.0.2'],
  'many.example': ['9.1.0.1', '9.1.0.2', '9.1.0.3', '9.1.0.4'],
  'inside.example': ['10.0.0.1', '9.2.0.1'],
};

function entries(texts: readonly string[], requesterIp = '1.2.3.4') {
  return pexIpEntries(texts.map(parseNodeAddress), (hostname) => names[hostname] ?? [], requesterIp);
}

interface Row {
  readonly title: string;
  readonly addresses: readonly string[];
  readonly requesterIp?: string;
  readonly entries: readonly { readonly id: string; readonly ip: string; readonly port: number }[];
}

const rows: readonly Row[] = [
  {
    title: 'PX-048: a name with two IP addresses gives both where there is room',
    addresses: [`mconn://${A}@two.example:1`, `memory:${B}`],
    entries: [
      { id: A, ip: '9.0.0.1', port: 1 },
      { id: A, ip: '9.0.0.2', port: 1 },
    ],
  },
  {
    title: 'PX-048: a name gives only one where there is none',
    addresses: [`mconn://${A}@two.example:1`],
    entries: [{ id: A, ip: '9.0.0.1', port: 1 }],
  },
  {
    title: 'PX-048: a name with many IP addresses crowds out nobody',
    addresses: [`mconn://${A}@many.example:1`, `mconn://${B}@8.8.8.8:2`, `memory:${C}`],
    entries: [
      { id: A, ip: '9.1.0.1', port: 1 },
      { id: B, ip: '8.8.8.8', port: 2 },
      { id: A, ip: '9.1.0.2', port: 1 },
    ],
  },
  { title: 'PX-049: an address without IP is omitted', addresses: [`memory:${A}`], entries: [] },
  {
    title: 'PX-050: a name that was not resolved is omitted',
    addresses: [`mconn://${A}@slow.example:1`],
    entries: [],
  },
  {
    title: 'IPv6 is written without brackets, and mapped IPv4 as IPv4',
    addresses: [`mconn://${A}@[2001:DB8::1]:1`, `mconn://${B}@[::ffff:8.8.8.8]:2`],
    entries: [
      { id: A, ip: '2001:db8::1', port: 1 },
      { id: B, ip: '8.8.8.8', port: 2 },
    ],
  },
  {
    title: 'PX-046: a name that leads to a private network is no way around the rule',
    addresses: [`mconn://${A}@inside.example:1`],
    entries: [{ id: A, ip: '9.2.0.1', port: 1 }],
  },
  {
    title: 'PX-046: and is told to a requester on a private network',
    addresses: [`mconn://${A}@inside.example:1`],
    requesterIp: '10.9.9.9',
    entries: [{ id: A, ip: '10.0.0.1', port: 1 }],
  },
];

describe('entries of a PEX response', () => {
  for (const row of rows) {
    it(row.title, () => {
      expect(entries(row.addresses, row.requesterIp)).to.deep.equal(row.entries);
    });
  }

  it('of the second generation are URLs', () => {
    const texts = [`mconn://${A}@[2001:db8::1]:1`, `memory:${B}`];
    expect(pexUrls(texts.map(parseNodeAddress))).to.deep.equal(texts.map((url) => ({ url })));
  });
});
