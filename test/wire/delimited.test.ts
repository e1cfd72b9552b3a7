import { expect } from 'chai';
import fc from 'fast-check';
import { DelimitedReader, UPSTREAM_HANDSHAKE_BYTES_MAX, encodeDelimited } from '../../src/wire/delimited.ts';
import { cutAt, hex, unhex } from '../support/bytes.ts';
import { p2pThrow } from '../support/p2p-throw.ts';

describe('length-delimited messages', () => {
  it('are their length, then their body', () => {
    expect(hex(encodeDelimited(unhex('0a00')))).to.equal('020a00');
    expect(hex(encodeDelimited(new Uint8Array(0)))).to.equal('00');
    expect(hex(encodeDelimited(new Uint8Array(200))).slice(0, 6)).to.equal('c80100');
  });

  it('are read whole wherever the stream is cut, and not a byte further (TR-089)', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.uint8Array({ maxLength: 20 }),
        fc.array(fc.nat(), { maxLength: 8 }),
        (body, rest, cuts) => {
          const reader = new DelimitedReader(300);
          const stream = Uint8Array.from([...encodeDelimited(body), ...rest]);
          let taken = 0;
          for (const piece of cutAt(stream, cuts)) {
            const framed = Uint8Array.from([0xee, ...piece, 0xee]);
            const bytes = reader.push(framed, 1, framed.length - 1);
            if (reader.message === undefined) expect(bytes).to.equal(piece.length);
            taken += bytes;
          }
          expect(reader.message).to.deep.equal(body);
          expect(taken).to.equal(stream.length - rest.length);
        },
      ),
    );
  });

  it('are the receiver’s own bytes', () => {
    const stream = encodeDelimited(unhex('0102'));
    const reader = new DelimitedReader(10);
    reader.push(stream, 0, stream.length);
    stream.fill(0xff);
    expect(reader.message).to.deep.equal(unhex('0102'));
  });

  it('take nothing more once complete', () => {
    const reader = new DelimitedReader(10);
    expect(reader.push(unhex('0199'), 0, 2)).to.equal(2);
    expect(reader.push(unhex('55'), 0, 1)).to.equal(0);
    expect(reader.message).to.deep.equal(unhex('99'));
  });

  it('of the greatest length allowed are read, one byte more is refused by the length alone', () => {
    const reader = new DelimitedReader(3);
    expect(reader.push(unhex('03010203'), 0, 4)).to.equal(4);
    expect(reader.message).to.deep.equal(unhex('010203'));
    const error = p2pThrow(() => new DelimitedReader(3).push(unhex('04'), 0, 1));
    expect(error).to.include({ code: 'handshake-failed', reason: 'message-too-large', blame: 'peer' });
  });

  it('TR-090: refuses a length of 1 048 577 by the upstream limit, from the length alone', () => {
    const prefix = unhex('818040');
    const error = p2pThrow(() => new DelimitedReader(UPSTREAM_HANDSHAKE_BYTES_MAX).push(prefix, 0, 3));
    expect(error).to.include({ code: 'handshake-failed', reason: 'message-too-large' });
    expect(error.message).to.contain('1048577 > 1048576');
  });

  for (const length of ['ffffffffffffffffffff01', 'ffffffffffffffffff02']) {
    it(`refuse the length ${length}, which exceeds 64 bits`, () => {
      const error = p2pThrow(() => new DelimitedReader(3).push(unhex(length), 0, length.length / 2));
      expect(error).to.include({ code: 'handshake-failed', reason: 'bad-length', blame: 'peer' });
    });
  }

  it('end in eof before the first byte of length or body, and in a lost connection inside', () => {
    const reader = new DelimitedReader(10);
    expect(reader.endError()).to.include({ code: 'eof' });
    reader.push(unhex('80'), 0, 1);
    expect(reader.endError()).to.include({ code: 'connection-lost', reason: 'unexpected-eof' });
    const inBody = new DelimitedReader(10);
    inBody.push(unhex('02'), 0, 1);
    expect(inBody.endError()).to.include({ code: 'eof' });
    inBody.push(unhex('aa'), 0, 1);
    expect(inBody.endError()).to.include({ code: 'connection-lost', reason: 'unexpected-eof' });
  });
});
