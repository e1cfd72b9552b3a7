import { expect } from 'chai';
import { expectTypeOf } from 'expect-type';
import type { Codec } from '../../src/core/channel.ts';
import { tendermint } from '../../src/wire/generated/codecs.js';
import { oneofCodec, wrappedCodec } from '../../src/wire/wrapped-codec.ts';
import { hex, unhex } from '../support/bytes.ts';
import { p2pThrow } from '../support/p2p-throw.ts';
import { textCodec } from '../support/text-codec.ts';

const { PexMessage, PexRequest, PexResponse, PexResponseV2, PexAddress } = tendermint.p2p;

describe('a codec of wrapped messages', () => {
  const codec = wrappedCodec<{ readonly text: string }, string>({
    outer: textCodec,
    wrap: ({ text }) => (text === 'refused' ? undefined : `wrap:${text}`),
    unwrap: (outer) => (outer === 'empty' ? undefined : { text: `unwrap:${outer}` }),
  });

  it('wraps before it encodes and unwraps after it has decoded', () => {
    expect(codec.decode(codec.encode({ text: 'foo' }))).to.deep.equal({ text: 'unwrap:wrap:foo' });
  });

  it('refuses a message that cannot be wrapped with a TypeError, whether wrap says so or throws', () => {
    expect(() => codec.encode({ text: 'refused' })).to.throw(TypeError, 'of no type that can be wrapped');
    const throwing = wrappedCodec<string, string>({
      outer: textCodec,
      wrap: () => {
        throw new RangeError('no envelope left');
      },
      unwrap: (outer) => outer,
    });
    expect(() => throwing.encode('foo')).to.throw(TypeError, 'no envelope left');
  });

  it('blames the peer for an outer message that holds nothing, or makes unwrap throw', () => {
    expect(p2pThrow(() => codec.decode(textCodec.encode('empty')))).to.include({
      code: 'decode-failed',
      blame: 'peer',
    });
    const throwing = wrappedCodec<string, string>({
      outer: textCodec,
      wrap: (message) => message,
      unwrap: () => {
        throw new RangeError('torn');
      },
    });
    const error = p2pThrow(() => throwing.decode(textCodec.encode('foo')));
    expect(error).to.include({ code: 'decode-failed', blame: 'peer', message: 'torn' });
  });
});

describe('a codec of the members of a oneof', () => {
  const codec = oneofCodec(PexMessage, 'sum', { pexRequest: PexRequest, pexResponse: PexResponse });

  it('takes and gives instances of the member classes', () => {
    expectTypeOf(codec).toExtend<Codec<tendermint.p2p.PexRequest | tendermint.p2p.PexResponse>>();
    const addresses = [new PexAddress({ id: 'a', ip: '1.2.3.4', port: 5 })];
    const decoded = codec.decode(codec.encode(new PexResponse({ addresses })));
    expect(decoded).to.be.instanceOf(PexResponse);
    expect((decoded as tendermint.p2p.PexResponse).addresses[0]).to.include({
      id: 'a',
      ip: '1.2.3.4',
      port: 5,
    });
  });

  it('CH-065 tells a member without any field from no member', () => {
    const bytes = codec.encode(new PexRequest());
    expect(hex(bytes)).to.equal('0a00');
    expect(codec.decode(bytes)).to.be.instanceOf(PexRequest);
    expect(p2pThrow(() => codec.decode(unhex('')))).to.include({ code: 'decode-failed', blame: 'peer' });
  });

  it('CH-063 makes a new outer message for every message', () => {
    const outers: object[] = [];
    const spy = {
      encode: (outer: object) => {
        outers.push(outer);
        return PexMessage.encode(outer);
      },
      decode: (bytes: Uint8Array) => PexMessage.decode(bytes),
    };
    const spied = oneofCodec(spy, 'sum', { pexRequest: PexRequest, pexResponse: PexResponse });
    const encoded = [new PexRequest(), new PexResponse(), new PexRequest()].map((message) =>
      spied.encode(message),
    );
    expect(encoded.map(hex)).to.deep.equal(['0a00', '1200', '0a00']);
    expect(new Set(outers).size).to.equal(3);
  });

  it('refuses messages of other classes, and a member that is not in the list', () => {
    const others: unknown[] = [new PexResponseV2(), {}];
    for (const other of others) {
      expect(() => codec.encode(other as tendermint.p2p.PexRequest)).to.throw(TypeError);
    }
    expect(p2pThrow(() => codec.decode(unhex('2200')))).to.include({ code: 'decode-failed' });
  });
});

describe('the schema of peer exchange', () => {
  it('CH-068 writes a request as 0a00', () => {
    expect(hex(PexMessage.encode({ pexRequest: {} }).finish())).to.equal('0a00');
  });

  it('CH-069 writes a response with one entry as every version does, and reads it back', () => {
    const entry = { id: 'a'.repeat(40), ip: '1.2.3.4', port: 26656 };
    const golden = '12390a370a28' + '61'.repeat(40) + '1207312e322e332e3418a0d001';
    expect(hex(PexMessage.encode({ pexResponse: { addresses: [entry] } }).finish())).to.equal(golden);
    expect(PexMessage.decode(unhex(golden)).pexResponse?.addresses?.[0]).to.include(entry);
  });

  it('CH-073 knows the new names only', () => {
    for (const name of ['PexAddrs', 'NetAddress', 'Message', 'DefaultNodeInfo', 'DefaultNodeInfoOther']) {
      expect(tendermint.p2p).to.not.have.property(name);
    }
    expect(tendermint.p2p).to.include.keys(
      'PexAddress',
      'PexResponse',
      'PexMessage',
      'NodeInfo',
      'NodeInfoOther',
    );
  });
});
