import { createHash } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { nodeAead, type Aead } from '../../src/crypto/aead.ts';
import {
  FRAME_DATA_BYTES,
  FRAME_PLAIN_BYTES,
  FrameOpener,
  FrameSealer,
  SEALED_FRAME_BYTES,
  sealedBytes,
  type FrameOptions,
} from '../../src/crypto/frames.ts';
import { hex, pattern, unhex } from '../support/bytes.ts';
import { p2pThrow } from '../support/p2p-throw.ts';
import vectors from '../vectors/secret-connection.json' with { type: 'json' };

const KEY = unhex(vectors.frameKey);
const LAST_COUNTER = 2n ** 64n - 1n;

function seal(data: Uint8Array, options?: FrameOptions): Uint8Array {
  const out = new Uint8Array(sealedBytes(data.length));
  expect(new FrameSealer(KEY, options).seal(data, 0, data.length, out, 0)).to.equal(out.length);
  return out;
}

/** The data of every frame of a stream. */
function openAll(sealed: Uint8Array, opener = new FrameOpener(KEY)): Uint8Array[] {
  const frames: Uint8Array[] = [];
  for (let at = 0; at < sealed.length; at += SEALED_FRAME_BYTES) {
    const out = new Uint8Array(FRAME_DATA_BYTES);
    frames.push(out.subarray(0, opener.open(sealed, at, out, 0)));
  }
  return frames;
}

/** A sealed frame with any plain text, as only a broken or hostile peer would make it. */
function sealPlain(plain: Uint8Array, counter = 0): Uint8Array {
  const nonce = new Uint8Array(12);
  new DataView(nonce.buffer).setUint32(4, counter, true);
  const out = new Uint8Array(SEALED_FRAME_BYTES);
  nodeAead(KEY).seal(nonce, plain, out, 0);
  return out;
}

/** Records the nonces it is used with, and encrypts nothing. */
function recordingAead(nonces: string[]): Aead {
  return {
    seal: (nonce) => void nonces.push(hex(nonce)),
    open: () => false,
  };
}

describe('sealed frames', () => {
  it('have the sizes of the protocol', () => {
    expect([FRAME_DATA_BYTES, FRAME_PLAIN_BYTES, SEALED_FRAME_BYTES]).to.deep.equal([1024, 1028, 1044]);
  });

  for (const row of vectors.frames) {
    it(`have the bytes of the vectors: ${row.dataLength} bytes in frame ${row.nonceCounter}`, () => {
      const counter = BigInt(row.nonceCounter);
      const data = pattern(row.dataLength);
      expect(hex(seal(data, { counter }))).to.equal(row.sealed);
      expect(openAll(unhex(row.sealed), new FrameOpener(KEY, { counter }))).to.deep.equal([data]);
    });
  }

  for (const row of vectors.highCounters) {
    it(`have the bytes of the vectors in frame ${row.nonceCounter}`, () => {
      const counter = BigInt(row.nonceCounter);
      expect(hex(seal(unhex(row.plaintext), { counter }))).to.equal(row.sealed);
      expect(openAll(unhex(row.sealed), new FrameOpener(KEY, { counter }))).to.deep.equal([
        unhex(row.plaintext),
      ]);
    });
  }

  for (const row of vectors.nonces) {
    const counter = BigInt(row.counter);
    if (counter === LAST_COUNTER) continue;
    it(`use the nonce ${row.nonce} for frame ${row.counter}`, () => {
      const nonces: string[] = [];
      seal(Uint8Array.of(1), { counter, aead: () => recordingAead(nonces) });
      expect(nonces).to.deep.equal([row.nonce]);
    });
    if (counter === 0n) continue;
    it(`count on to ${row.counter} from the number before`, () => {
      const nonces: string[] = [];
      seal(new Uint8Array(1025), { counter: counter - 1n, aead: () => recordingAead(nonces) });
      expect(nonces[1]).to.equal(row.nonce);
    });
  }

  for (const row of vectors.writes) {
    it(`TR-091: a write of ${row.writeLength} bytes makes ${row.frames} of them`, () => {
      const sealed = seal(pattern(row.writeLength));
      expect(sealed.length)
        .to.equal(row.wireLength)
        .and.equal(row.frames * SEALED_FRAME_BYTES);
      expect(createHash('sha256').update(sealed).digest('hex')).to.equal(row.sha256);
    });
  }

  it('take their data from and go to the middle of larger buffers', () => {
    const out = new Uint8Array(10 + sealedBytes(1500) + 10);
    const data = pattern(2000);
    const bytes = new FrameSealer(KEY).seal(data, 300, 1800, out, 10);
    expect(bytes).to.equal(2 * SEALED_FRAME_BYTES);
    expect(out.subarray(0, 10).every((byte) => byte === 0)).to.equal(true);
    expect(out.subarray(10 + bytes).every((byte) => byte === 0)).to.equal(true);
    const opener = new FrameOpener(KEY);
    const opened = new Uint8Array(4 + 1500);
    const first = opener.open(out, 10, opened, 4);
    const second = opener.open(out, 10 + SEALED_FRAME_BYTES, opened, 4 + first);
    expect([first, second]).to.deep.equal([1024, 476]);
    expect(opened.subarray(4)).to.deep.equal(data.subarray(300, 1800));
  });

  it('may be opened into the buffer they came in', () => {
    const sealed = seal(pattern(2500));
    const opener = new FrameOpener(KEY);
    let bytes = 0;
    for (let at = 0; at < sealed.length; at += SEALED_FRAME_BYTES)
      bytes += opener.open(sealed, at, sealed, bytes);
    expect(sealed.subarray(0, bytes)).to.deep.equal(pattern(2500));
  });

  it('are padded with zeros, whatever was sealed before', () => {
    const sealer = new FrameSealer(KEY);
    const out = new Uint8Array(SEALED_FRAME_BYTES);
    sealer.seal(new Uint8Array(1024).fill(0xaa), 0, 1024, out, 0);
    sealer.seal(Uint8Array.of(0xbb), 0, 1, out, 0);
    const plain = new Uint8Array(FRAME_PLAIN_BYTES);
    expect(nodeAead(KEY).open(unhex('000000000100000000000000'), out, 0, plain)).to.equal(true);
    expect(hex(plain)).to.equal(`01000000bb${'00'.repeat(1023)}`);
  });

  it('TR-072, TR-074: carry any series of writes both ways at once, in order, small ones in one frame each', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 5120 })), { maxLength: 12 }),
        (writes) => {
          const other = new Uint8Array(32).fill(9);
          const ways = [KEY, other].map((key) => ({
            sealer: new FrameSealer(key),
            opener: new FrameOpener(key),
          }));
          writes.forEach(([way, length], index) => {
            const { sealer, opener } = ways[Number(way)]!;
            const data = pattern(length, 7, index);
            const out = new Uint8Array(sealedBytes(length));
            sealer.seal(data, 0, length, out, 0);
            const frames = openAll(out, opener);
            expect(frames).to.have.length(Math.ceil(length / 1024));
            expect(Buffer.concat(frames).equals(data)).to.equal(true);
          });
        },
      ),
      { numRuns: 30 },
    );
  });

  for (const row of vectors.openCases) {
    if (row.sealed.length < 2 * SEALED_FRAME_BYTES) continue;
    const counter = BigInt(row.nonceCounter);
    const open = (): number =>
      new FrameOpener(KEY, { counter }).open(unhex(row.sealed), 0, new Uint8Array(FRAME_DATA_BYTES), 0);
    if (row.error === undefined) {
      it(`TR-093, TR-096: are opened as the vectors say: ${row.name}`, () => {
        const [data] = openAll(unhex(row.sealed), new FrameOpener(KEY, { counter }));
        expect(data!.length).to.equal(row.dataLength ?? row.data.length / 2);
        if (row.data !== undefined) expect(hex(data!)).to.equal(row.data);
      });
    } else {
      const reason = row.error === 'decrypt' ? 'frame-tag' : 'frame-length';
      it(`TR-094, TR-095: are refused as ${reason}: ${row.name}`, () => {
        expect(p2pThrow(open)).to.include({ code: 'protocol-violation', reason, blame: 'peer' });
      });
    }
  }

  it('TR-095: are refused with any bit flipped, and nothing is written', () => {
    const sealed = seal(pattern(1024));
    for (let bit = 0; bit < SEALED_FRAME_BYTES * 8; bit += 509) {
      const flipped = sealed.slice();
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      const out = new Uint8Array(FRAME_DATA_BYTES);
      const error = p2pThrow(() => new FrameOpener(KEY).open(flipped, 0, out, 0));
      expect(error.reason).to.equal('frame-tag');
      expect(out.every((byte) => byte === 0)).to.equal(true);
    }
  });

  const [first, second, third] = [0, 1, 2].map((index) =>
    seal(pattern(2100)).subarray(index * SEALED_FRAME_BYTES, (index + 1) * SEALED_FRAME_BYTES),
  );
  const orders: readonly [string, readonly Uint8Array[]][] = [
    ['replayed', [first!, first!]],
    ['reordered', [second!, first!]],
    ['skipped', [first!, third!]],
  ];
  for (const [title, frames] of orders) {
    it(`TR-095: are refused when one is ${title}`, () => {
      expect(p2pThrow(() => openAll(Buffer.concat(frames))).reason).to.equal('frame-tag');
    });
  }

  it('TR-095: a refusal does not use up a number', () => {
    const opener = new FrameOpener(KEY);
    expect(p2pThrow(() => openAll(new Uint8Array(SEALED_FRAME_BYTES), opener)).reason).to.equal('frame-tag');
    expect(openAll(first!.slice(), opener)).to.deep.equal([pattern(2100).subarray(0, 1024)]);
  });

  it('TR-094: are refused for lengths from 1025 to 2^32−1', () => {
    for (const length of [1025, 2 ** 16, 2 ** 24, 2 ** 32 - 1]) {
      const plain = new Uint8Array(FRAME_PLAIN_BYTES);
      new DataView(plain.buffer).setUint32(0, length, true);
      expect(p2pThrow(() => openAll(sealPlain(plain))).reason).to.equal('frame-length');
    }
  });

  it('are sealed with the right length, whatever was opened before', () => {
    const plain = new Uint8Array(FRAME_PLAIN_BYTES).fill(0xff);
    expect(p2pThrow(() => openAll(sealPlain(plain))).reason).to.equal('frame-length');
    expect(hex(seal(pattern(1)))).to.equal(vectors.frames[0]!.sealed);
  });

  it('TR-096: may be empty a hundred times in a row, but not once more', () => {
    const empty = new Uint8Array(FRAME_PLAIN_BYTES);
    const opener = new FrameOpener(KEY);
    const full = empty.slice();
    full[0] = 1;
    let counter = 0;
    for (let round = 0; round < 2; round++) {
      for (let index = 0; index < 100; index++) openAll(sealPlain(empty, counter++), opener);
      expect(openAll(sealPlain(full, counter++), opener)).to.deep.equal([Uint8Array.of(0)]);
    }
    for (let index = 0; index < 100; index++) openAll(sealPlain(empty, counter++), opener);
    const error = p2pThrow(() => openAll(sealPlain(empty, counter++), opener));
    expect(error).to.include({ code: 'protocol-violation', reason: 'frame-empty-run', blame: 'peer' });
  });

  it('TR-097: end at the last number: nothing is sealed or opened with it', () => {
    const out = new Uint8Array(SEALED_FRAME_BYTES);
    const sealer = new FrameSealer(KEY, { counter: LAST_COUNTER });
    const error = p2pThrow(() => sealer.seal(Uint8Array.of(1), 0, 1, out, 0));
    expect(error).to.include({ code: 'protocol-violation', reason: 'nonce-exhausted', blame: 'nobody' });
    expect(out.every((byte) => byte === 0)).to.equal(true);
    const opener = new FrameOpener(KEY, { counter: LAST_COUNTER });
    expect(p2pThrow(() => opener.open(first!, 0, out, 0)).reason).to.equal('nonce-exhausted');
  });

  it('TR-097: end at the last number when they count up to it', () => {
    const sealer = new FrameSealer(KEY, { counter: LAST_COUNTER - 1n });
    const out = new Uint8Array(SEALED_FRAME_BYTES);
    expect(sealer.seal(Uint8Array.of(1), 0, 1, out, 0)).to.equal(SEALED_FRAME_BYTES);
    expect(p2pThrow(() => sealer.seal(Uint8Array.of(1), 0, 1, out, 0)).reason).to.equal('nonce-exhausted');
    const opener = new FrameOpener(KEY, { counter: LAST_COUNTER - 1n });
    expect(openAll(out, opener)).to.deep.equal([Uint8Array.of(1)]);
    expect(p2pThrow(() => openAll(out, opener)).reason).to.equal('nonce-exhausted');
  });
});
