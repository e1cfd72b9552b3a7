import { expect } from 'chai';
import { dialTargets, listenEndpoint, mconnEndpoint } from '../../../src/transports/mconn/mconn-endpoint.ts';
import { p2pThrow } from '../../support/p2p-throw.ts';

const at = (ip: string, port = 1, protocol = 'mconn', path = '') => ({ protocol, ip, port, path });

describe('mconn endpoints', () => {
  for (const [ip, targets] of [
    ['127.0.0.1', ['127.0.0.1']],
    ['0.0.0.0', ['127.0.0.1']],
    ['::', ['::1', '127.0.0.1']],
    ['::ffff:1.2.3.4', ['1.2.3.4']],
    ['::ffff:0.0.0.0', ['127.0.0.1']],
    ['2001:DB8::0:1', ['2001:db8::1']],
    ['fe80::1%eth0', ['fe80::1%eth0']],
  ] as const) {
    it(`TR-007: dials ${ip} as ${targets.join(', then ')}`, () => {
      expect(dialTargets(at(ip))).to.deep.equal(targets);
    });
  }

  for (const [id, endpoint, reason] of [
    ['TR-008', at('', 0), 'no-ip-or-path'],
    ['TR-008', at('255.255.255.255'), 'not-unicast'],
    ['TR-008', at('224.0.0.1'), 'not-unicast'],
    ['TR-008', at('239.255.255.255'), 'not-unicast'],
    ['TR-008', at('ff02::1'), 'not-unicast'],
    ['TR-008', at('::ffff:224.0.0.1'), 'not-unicast'],
    ['TR-008', at('1.2.3'), 'invalid-ip'],
    ['TR-008', at('1.2.3.4.5'), 'invalid-ip'],
    ['TR-008', at('localhost'), 'invalid-ip'],
    ['TR-009', at('', 0, 'mconn', 'foo'), 'no-ip'],
    ['TR-009', at('127.0.0.1', 1, 'mconn', 'foo'), 'path-not-supported'],
    ['TR-006', at('127.0.0.1', 1, 'memory'), 'unsupported-protocol'],
    ['TR-005', at('127.0.0.1', 1, ''), 'no-protocol'],
    ['TR-004', at('127.0.0.1', 65_536), 'port-range'],
    ['TR-004', at('127.0.0.1', 1.5), 'port-range'],
  ] as const) {
    it(`${id}: refuses to dial ${JSON.stringify(endpoint)}: ${reason}`, () => {
      expect(p2pThrow(() => dialTargets(endpoint))).to.include({ code: 'invalid-endpoint', reason });
    });
  }

  for (const [text, ip, port] of [
    ['0.0.0.0:26656', '0.0.0.0', 26_656],
    ['tcp://0.0.0.0:0', '0.0.0.0', 0],
    ['MCONN://127.0.0.1:1', '127.0.0.1', 1],
    ['[::]:26656', '::', 26_656],
    ['tcp://[::1]:9', '::1', 9],
    ['[::ffff:1.2.3.4]:9', '1.2.3.4', 9],
  ] as const) {
    it(`TR-042: listens at ${text}`, () => {
      expect(listenEndpoint(text)).to.deep.equal(at(ip, port));
    });
  }

  for (const [text, reason] of [
    ['', 'not-an-endpoint'],
    ['0.0.0.0', 'not-an-endpoint'],
    ['0.0.0.0:', 'not-an-endpoint'],
    ['::1:26656', 'not-an-endpoint'],
    ['0.0.0.0:26656/path', 'not-an-endpoint'],
    ['0.0.0.0:123456', 'not-an-endpoint'],
    ['0.0.0.0:65536', 'port-range'],
    ['localhost:26656', 'invalid-ip'],
    [':26656', 'port-without-ip'],
    ['memory://0.0.0.0:1', 'unsupported-protocol'],
  ] as const) {
    it(`TR-042: refuses to listen at ${JSON.stringify(text)}: ${reason}`, () => {
      expect(p2pThrow(() => listenEndpoint(text))).to.include({ code: 'invalid-endpoint', reason });
    });
  }

  it('TR-043: endpoints always report mconn, and IPv4 as IPv4', () => {
    expect(mconnEndpoint('::ffff:10.0.0.1', 5)).to.deep.equal(at('10.0.0.1', 5));
    expect(listenEndpoint(at('::1', 5, 'tcp'))).to.deep.equal(at('::1', 5));
    expect(mconnEndpoint(undefined, undefined)).to.deep.equal(at('', 0));
  });
});
