import { expect } from 'chai';
import { expectTypeOf } from 'expect-type';
import type { Codec } from '../../src/core/channel.ts';
import { tendermint } from '../../src/wire/generated/codecs.js';
import { protobufCodec } from '../../src/wire/protobuf-codec.ts';
import { hex, unhex } from '../support/bytes.ts';
import { p2pThrow } from '../support/p2p-throw.ts';

describe('a codec from a generated class', () => {
  const codec = protobufCodec(tendermint.p2p.PexAddress);

  type Message = ReturnType<(typeof codec)['decode']>;

  it('has the fields of the class as its message type', () => {
    expectTypeOf<Message['port']>().toEqualTypeOf<number>();
    expectTypeOf<Parameters<(typeof codec)['encode']>[0]>().toEqualTypeOf<Message>();
  });

  it('encodes messages and decodes them back', () => {
    const bytes = codec.encode(new tendermint.p2p.PexAddress({ id: 'hello', port: 7 }));
    expect(hex(bytes)).to.equal('0a0568656c6c6f1807');
    expect(codec.decode(bytes)).to.include({ id: 'hello', port: 7 });
  });

  it('turns what the class throws into typed errors with their cause', () => {
    const decoding = p2pThrow(() => codec.decode(unhex('1205')));
    expect(decoding).to.include({ code: 'decode-failed', blame: 'peer' });
    expect(decoding.cause).to.be.instanceOf(Error);
    const failing: Codec<string> = protobufCodec({
      encode: (): never => {
        throw new Error('no such field');
      },
      decode: () => '',
    });
    expect(p2pThrow(() => failing.encode('x'))).to.include({
      code: 'encode-failed',
      message: 'no such field',
    });
  });

  it('takes a class of any other generator that has its form', () => {
    const text: Codec<string> = protobufCodec({
      encode: (message: string) => ({ finish: () => new TextEncoder().encode(message) }),
      decode: (bytes: Uint8Array) => new TextDecoder().decode(bytes),
    });
    expect(text.decode(text.encode('hé'))).to.equal('hé');
  });
});
