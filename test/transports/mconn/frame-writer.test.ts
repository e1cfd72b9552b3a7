import { Writable } from 'node:stream';
import { expect } from 'chai';
import type { PacketSlice } from '../../../src/core/packet.ts';
import { FrameOpener, FrameSealer, SEALED_FRAME_BYTES } from '../../../src/crypto/frames.ts';
import { realEnv } from '../../../src/env/real-env.ts';
import { FrameWriter } from '../../../src/transports/mconn/frame-writer.ts';
import { hex, pattern } from '../../support/bytes.ts';
import { DuplexProbe } from '../../support/duplex-probe.ts';

const KEY = pattern(32);

/** A stream that takes what it gets only when it is told to, as a socket whose peer does not read. */
class StuckStream extends Writable {
  readonly chunks: Buffer[] = [];
  #release: (() => void) | undefined;

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.chunks.push(chunk);
    this.#release = done;
  }

  /** Takes the latest chunk: its bytes may change from now on, so they are kept apart. */
  release(): void {
    this.chunks.push(Buffer.from(this.chunks.pop()!));
    this.#release?.();
  }
}

/** What the frames of some chunks carry. */
function opened(chunks: readonly Uint8Array[]): Buffer {
  const sealed = Buffer.concat(chunks);
  const opener = new FrameOpener(KEY);
  const parts: Buffer[] = [];
  for (let at = 0; at < sealed.length; at += SEALED_FRAME_BYTES) {
    const out = Buffer.alloc(1024);
    parts.push(out.subarray(0, opener.open(sealed, at, out, 0)));
  }
  return Buffer.concat(parts);
}

describe('frame writer on a stream that is stuck', () => {
  function make() {
    const stream = new StuckStream();
    const probe = new DuplexProbe(new Map());
    const faults: unknown[] = [];
    const writer = new FrameWriter(stream, new FrameSealer(KEY), realEnv().clock, 1024, {
      pull: (maxBytes: number, slice: PacketSlice) => probe.pull(maxBytes, slice),
      finished: () => undefined,
      failed: (thrown) => faults.push(thrown),
    });
    return { stream, probe, writer, faults };
  }

  const turn = (): Promise<void> => new Promise((next) => setImmediate(next));

  it('stops pulling, answers no ping either, and goes on after the drain', async () => {
    const { stream, probe, writer } = make();
    for (let i = 0; i < 4; i++) probe.queue(1, pattern(100_000));
    writer.wake();
    await turn();
    const pulled = probe.pulledBytes;
    expect(pulled).to.be.within(1, 70_000);
    writer.pong();
    writer.wake();
    await turn();
    expect(probe.pulledBytes).to.equal(pulled);
    expect(stream.chunks).to.have.length(1);
    stream.release();
    await turn();
    expect(probe.pulledBytes).to.be.above(pulled);
    expect(hex(opened(stream.chunks))).to.contain('021200');
  });

  it('never writes into bytes the stream still holds, whoever else writes meanwhile', async () => {
    const { stream, probe, writer } = make();
    probe.queue(1, pattern(60_000));
    writer.wake();
    await turn();
    const before = hex(stream.chunks[0]!);
    const other = make();
    other.probe.queue(1, pattern(60_000, 11));
    other.writer.wake();
    await turn();
    expect(other.stream.chunks).to.have.length(1);
    expect(hex(stream.chunks[0]!) === before).to.equal(true);
  });

  it('gives a stuck stream small writes in buffers of their own size', async () => {
    const { stream, probe, writer } = make();
    for (let i = 0; i < 5; i++) {
      probe.queue(1, pattern(10));
      writer.wake();
      await turn();
    }
    const { writableLength } = stream;
    expect(writableLength).to.equal(5 * SEALED_FRAME_BYTES);
    stream.release();
    await turn();
    expect(stream.chunks[1]!.buffer.byteLength).to.equal(SEALED_FRAME_BYTES);
  });

  it('a frame number that runs out ends the connection and writes nothing', async () => {
    const stream = new StuckStream();
    const probe = new DuplexProbe(new Map());
    const faults: unknown[] = [];
    const sealer = new FrameSealer(KEY, { counter: 2n ** 64n - 1n });
    const writer = new FrameWriter(stream, sealer, realEnv().clock, 1024, {
      pull: (maxBytes: number, slice: PacketSlice) => probe.pull(maxBytes, slice),
      finished: () => undefined,
      failed: (thrown) => faults.push(thrown),
    });
    probe.queue(1, pattern(10));
    writer.wake();
    await turn();
    expect(faults).to.have.length(1);
    expect(faults[0]).to.include({ reason: 'nonce-exhausted' });
    expect(stream.chunks).to.deep.equal([]);
  });
});
