import { isIPv4, isIPv6 } from 'node:net';
import { expect } from 'chai';
import fc from 'fast-check';
import {
  classifyIp,
  formatIp,
  ipHostKey,
  ipNetworkKey,
  normalizeIp,
  parseIp,
  type IpClass,
} from '../../src/core/ip.ts';

describe('IP text', () => {
  const normal = [
    ['1.2.3.4', '1.2.3.4'],
    ['::ffff:1.2.3.4', '1.2.3.4'],
    ['::FFFF:102:304', '1.2.3.4'],
    ['2001:0db8::ff00:0042:8329', '2001:db8::ff00:42:8329'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ['::1.2.3.4', '::102:304'],
    ['64:ff9b::1.2.3.4', '64:ff9b::102:304'],
    ['FE80::1%Eth0', 'fe80::1%Eth0'],
    ['fe80::1%25', 'fe80::1%25'],
  ] as const;
  for (const [text, expected] of normal) {
    it(`${text} is written ${expected}`, () => expect(normalizeIp(text)).to.equal(expected));
  }

  const none = [
    ...[
      '',
      'host',
      '1.2.3',
      '1.2.3.4.5',
      '01.2.3.4',
      '1.2.3.256',
      '1.2.3.4 ',
      '127.1',
      '0x7f.0.0.1',
      '1.2.3.4%eth0',
    ],
    ...[
      ':',
      ':::',
      '1::2::3',
      '1:2:3:4:5:6:7',
      '1:2:3:4:5:6:7:8:9',
      '1:2:3:4:5:6:7::8',
      '12345::',
      'g::',
      '[::1]',
    ],
    ...[':1:2:3:4:5:6:7', '1:2:3:4:5:6:7:', '::1%', '1.2.3.4::', '::1.2.3', '1:2:3:4:5:6:7:1.2.3.4', '::1:'],
  ];
  for (const text of none) {
    it(`${JSON.stringify(text)} is no IP address`, () => {
      expect(parseIp(text)).to.equal(undefined);
      expect(normalizeIp(text)).to.equal(undefined);
      expect(classifyIp(text)).to.equal(undefined);
      expect(ipNetworkKey(text)).to.equal(undefined);
      expect(ipHostKey(text)).to.equal(undefined);
    });
  }

  it('is read as the platform reads it', () => {
    const text = fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc.string({ unit: fc.constantFrom('0', '1', '9', 'ff', ':', '::', '.', '1.2.3.4', '255') }),
    );
    fc.assert(
      fc.property(text, (input) => {
        const length = isIPv4(input) ? 4 : isIPv6(input) ? 16 : undefined;
        expect(parseIp(input)?.bytes.length).to.equal(length);
      }),
      { numRuns: 3000 },
    );
  });

  it('of any address reads back as the same bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), fc.nat({ max: 15 }), (bytes, zeros) => {
        bytes.fill(0, 0, zeros);
        expect(parseIp(formatIp({ bytes, zone: '' }))?.bytes).to.deep.equal(bytes);
        const four = bytes.slice(12);
        expect(parseIp(formatIp({ bytes: four, zone: '' }))?.bytes).to.deep.equal(four);
      }),
    );
  });
});

describe('the class of an IP address', () => {
  const table: readonly (readonly [IpClass, readonly string[]])[] = [
    ['unspecified', ['0.0.0.0', '0.1.2.3', '::', '::ffff:0.0.0.0']],
    [
      'loopback',
      ['127.0.0.1', '127.255.255.255', '::1', '::ffff:127.0.0.1', '::127.0.0.1', '64:ff9b::7f00:1'],
    ],
    ['private', ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', '100.64.0.1', '240.0.0.1']],
    ['private', ['fc00::1', 'fdff::1', 'fec0::1', '::ffff:10.0.0.1', '64:ff9b::10.0.0.1']],
    ['link-local', ['169.254.0.1', 'fe80::1', 'febf::1', 'fe80::1%eth0']],
    ['multicast', ['224.0.0.1', '239.255.255.255', 'ff02::1']],
    ['broadcast', ['255.255.255.255', '::ffff:255.255.255.255']],
    [
      'global',
      ['8.8.8.8', '172.15.0.1', '172.32.0.1', '100.63.0.1', '100.128.0.1', '169.253.0.1', '192.167.0.1'],
    ],
    [
      'global',
      ['203.0.113.7', '2001:db8::1', 'fe00::1', '::ffff:8.8.8.8', '126.0.0.1', '128.0.0.1', '::2:0:0'],
    ],
  ];
  for (const [expected, texts] of table) {
    for (const text of texts)
      it(`of ${text} is ${expected}`, () => expect(classifyIp(text)).to.equal(expected));
  }
});

describe('limits per network', () => {
  const table = [
    ['203.0.113.7', 'v4:203.0', 'v4:203.0.113.7'],
    ['::ffff:203.0.113.7', 'v4:203.0', 'v4:203.0.113.7'],
    ['2001:db8:1:2:3:4:5:6', 'v6:2001:db8', 'v6:2001:db8:1:2'],
    ['fe80::1%eth0', 'v6:fe80:0', 'v6:fe80:0:0:0'],
  ] as const;
  for (const [text, network, host] of table) {
    it(`count ${text} under network ${network} and host ${host}`, () => {
      expect(ipNetworkKey(text)).to.equal(network);
      expect(ipHostKey(text)).to.equal(host);
    });
  }
});
