import { expect } from 'chai';
import fc from 'fast-check';
import { EMPTY_PACKETS_MAX } from '../../../src/core/limits.ts';
import { Reassembly } from '../../../src/core/mconn/reassembly.ts';
import { pattern } from '../../support/bytes.ts';
import { p2pThrow } from '../../support/p2p-throw.ts';
import vectors from '../../vectors/mconn.json' with { type: 'json' };

interface Delivered {
  readonly channelId: number;
  readonly message: Uint8Array;
}

/** A reassembly with the given limit on the channels 0 … 9, and what it has delivered. */
function recording(limit: number): { reassembly: Reassembly; delivered: Delivered[] } {
  const delivered: Delivered[] = [];
  const reassembly = new Reassembly({
    receiveLimit: (channelId) => (channelId < 10 ? limit : undefined),
    deliver: (channelId, message) => void delivered.push({ channelId, message }),
  });
  return { reassembly, delivered };
}

function add(reassembly: Reassembly, channelId: number, piece: Uint8Array, eof: boolean): void {
  const framed = Uint8Array.of(0xff, ...piece, 0xff);
  reassembly.add(channelId, framed, 1, framed.length - 1, eof);
  framed.fill(0xff);
}

describe('joining message pieces', () => {
  for (const row of vectors.reassembly) {
    it(`TR-121: ${row.ok ? 'delivers' : 'refuses'} as upstream does: ${row.name}`, () => {
      const { reassembly, delivered } = recording(row.capacity);
      const run = (): void => {
        for (const [length, eof] of row.chunks) {
          add(reassembly, 1, pattern(length as number), eof as boolean);
        }
      };
      if (!row.ok) {
        const error = p2pThrow(run);
        expect(error).to.include({ code: 'message-too-large', blame: 'peer' });
        expect(error.message).to.contain('10 < 11');
        expect(delivered).to.deep.equal([]);
        return;
      }
      run();
      const lengths: number[] = [];
      let open = 0;
      for (const [length, eof] of row.chunks) {
        open += length as number;
        if (eof === true) lengths.push(open);
        if (eof === true) open = 0;
      }
      expect(delivered.map(({ message }) => message.length)).to.deep.equal(row.deliveredLengths ?? lengths);
      expect(reassembly.heldBytes).to.equal(0);
    });
  }

  it('TR-121: refuses a piece above the limit before it ends its message', () => {
    const { reassembly } = recording(10);
    add(reassembly, 1, pattern(6), false);
    expect(p2pThrow(() => add(reassembly, 1, pattern(5), false)).code).to.equal('message-too-large');
  });

  it('refuses a piece on a channel that is not open', () => {
    const { reassembly } = recording(10);
    expect(p2pThrow(() => add(reassembly, 10, pattern(1), true))).to.include({
      code: 'protocol-violation',
      reason: 'unknown-channel',
      blame: 'peer',
    });
  });

  it('TR-123: joins the pieces of interleaved channels each on its own', () => {
    const { reassembly, delivered } = recording(100);
    add(reassembly, 1, Uint8Array.of(1), false);
    add(reassembly, 2, Uint8Array.of(2), false);
    add(reassembly, 1, Uint8Array.of(3), false);
    expect(reassembly.heldBytes).to.equal(200);
    add(reassembly, 2, Uint8Array.of(4), true);
    add(reassembly, 3, Uint8Array.of(5), true);
    add(reassembly, 1, new Uint8Array(0), true);
    expect(delivered).to.deep.equal([
      { channelId: 2, message: Uint8Array.of(2, 4) },
      { channelId: 3, message: Uint8Array.of(5) },
      { channelId: 1, message: Uint8Array.of(1, 3) },
    ]);
    expect(reassembly.heldBytes).to.equal(0);
  });

  it('TR-156: delivers an empty message for an empty last piece', () => {
    const { reassembly, delivered } = recording(100);
    add(reassembly, 1, new Uint8Array(0), true);
    expect(delivered).to.deep.equal([{ channelId: 1, message: new Uint8Array(0) }]);
  });

  it('joins any pieces to the message they were cut from, into bytes of their own', () => {
    const piece = fc.oneof(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 3000 }));
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(2), piece, fc.boolean()), { maxLength: 60 }), (pieces) => {
        const { reassembly, delivered } = recording(2 ** 20);
        const open = new Map<number, number[]>();
        const expected: Delivered[] = [];
        pieces.forEach(([channelId, length, eof], index) => {
          const data = pattern(length, 7, index);
          const bytes = [...(open.get(channelId) ?? []), ...data];
          add(reassembly, channelId, data, eof);
          if (eof) expected.push({ channelId, message: Uint8Array.from(bytes) });
          open.set(channelId, eof ? [] : bytes);
        });
        expect(delivered).to.deep.equal(expected);
        expect(delivered.every(({ message }) => message.byteLength === message.buffer.byteLength)).to.equal(
          true,
        );
        const received = [...open.values()].filter(({ length }) => length > 0);
        expect(reassembly.heldBytes).to.be.at.most(
          received.reduce((sum, { length }) => sum + Math.max(1024, 2 * length), 0),
        );
        expect(reassembly.heldBytes).to.be.at.least(received.reduce((sum, { length }) => sum + length, 0));
      }),
    );
  });

  it('holds as much memory as has arrived, in steps that double, and never more than the limit', () => {
    const { reassembly } = recording(5000);
    const held = new Set<number>();
    for (let index = 0; index < 5000; index++) {
      add(reassembly, 1, Uint8Array.of(1), false);
      held.add(reassembly.heldBytes);
    }
    expect([...held]).to.deep.equal([1024, 2048, 4096, 5000]);
    add(reassembly, 2, pattern(3000), false);
    expect(reassembly.heldBytes).to.equal(8000);
    add(reassembly, 2, pattern(1), false);
    expect(reassembly.heldBytes).to.equal(10_000);
    add(reassembly, 1, new Uint8Array(0), true);
    expect(reassembly.heldBytes).to.equal(5000);
  });

  it('joins a message of the greatest length allowed from single bytes', () => {
    const { reassembly, delivered } = recording(5000);
    const message = pattern(5000);
    message.forEach((byte, index) => {
      add(reassembly, 1, Uint8Array.of(byte), index === message.length - 1);
    });
    expect(delivered).to.deep.equal([{ channelId: 1, message }]);
  });

  it('bears ten thousand empty pieces in a row, but not one more', () => {
    const { reassembly } = recording(10);
    const empty = new Uint8Array(0);
    const run = (count: number): void => {
      for (let index = 0; index < count; index++) reassembly.add(index % 3, empty, 0, 0, false);
    };
    expect(EMPTY_PACKETS_MAX).to.equal(10_000);
    run(10_000);
    add(reassembly, 1, pattern(1), false);
    run(10_000);
    add(reassembly, 1, empty, true);
    run(10_000);
    expect(p2pThrow(() => run(1))).to.include({
      code: 'protocol-violation',
      reason: 'empty-packet-run',
      blame: 'peer',
    });
  });

  it('copies a message of one piece, of any length', () => {
    const { reassembly, delivered } = recording(100);
    for (let length = 0; length <= 100; length++) add(reassembly, 1, pattern(length, 3, 1), true);
    expect(delivered.map(({ message }) => message)).to.deep.equal(
      Array.from({ length: 101 }, (_, length) => pattern(length, 3, 1)),
    );
  });

  it('forgets an unfinished message on request', () => {
    const { reassembly, delivered } = recording(10);
    add(reassembly, 1, pattern(8), false);
    reassembly.drop(1);
    reassembly.drop(2);
    expect(reassembly.heldBytes).to.equal(0);
    add(reassembly, 1, pattern(8), true);
    expect(delivered.map(({ message }) => message.length)).to.deep.equal([8]);
  });

  it('applies a limit that has shrunk to the next piece', () => {
    let limit = 10;
    const reassembly = new Reassembly({ receiveLimit: () => limit, deliver: () => undefined });
    add(reassembly, 1, pattern(6), false);
    limit = 6;
    expect(p2pThrow(() => add(reassembly, 1, pattern(1), false)).code).to.equal('message-too-large');
  });

  it('is ready for the next message when delivering throws', () => {
    const lengths: number[] = [];
    const reassembly = new Reassembly({
      receiveLimit: () => 10,
      deliver: (_channelId, message) => {
        lengths.push(message.length);
        if (lengths.length === 1) throw new Error('enough');
      },
    });
    add(reassembly, 1, pattern(2), false);
    expect(() => add(reassembly, 1, pattern(2), true)).to.throw('enough');
    add(reassembly, 1, pattern(3), true);
    expect(lengths).to.deep.equal([4, 3]);
    expect(reassembly.heldBytes).to.equal(0);
  });
});
