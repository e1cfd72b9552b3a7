import { createHash, type Hash } from 'node:crypto';
import { expect } from 'chai';
import type { ChannelId } from '../../../src/core/channel.ts';
import type { PacketSlice } from '../../../src/core/packet.ts';
import { realEnv } from '../../../src/env/real-env.ts';
import { SeededRandom } from '../../../src/testing/seeded-random.ts';
import { mconn } from '../../../src/transports/mconn/mconn-transport.ts';
import type { Connection, ConnectionDuplex, ConnectionEnd } from '../../../src/transports/transport.ts';
import { identityOf, nodeInfoOf } from '../../support/nodes.ts';
import { rawSession } from '../../support/raw-session.ts';

const MEBIBYTE = 1024 * 1024;
const CHANNELS: readonly ChannelId[] = [0x00, 0x21, 0x80, 0xf0];
const TOTAL_BYTES = 20 * MEBIBYTE;
const quiet = new AbortController().signal;

interface Stream {
  readonly messages: Uint8Array[];
  next: number;
  at: number;
}

/** Sends prepared messages over several channels, one packet each in turn, and keeps a checksum of what it receives. */
class Traffic implements ConnectionDuplex {
  readonly sums = new Map<ChannelId, Hash>();
  readonly allReceived: Promise<void>;
  bytesReceived = 0;
  readonly #streams: Map<ChannelId, Stream>;
  readonly #turns: ChannelId[] = [...CHANNELS];
  #finish: () => void = () => undefined;
  #fail: (error: Error) => void = () => undefined;

  constructor(messages: ReadonlyMap<ChannelId, Uint8Array[]>) {
    this.#streams = new Map([...messages].map(([id, list]) => [id, { messages: list, next: 0, at: 0 }]));
    for (const id of CHANNELS) this.sums.set(id, createHash('sha256'));
    this.allReceived = new Promise((resolve, reject) => {
      this.#finish = resolve;
      this.#fail = reject;
    });
  }

  pull(maxBytes: number, slice: PacketSlice): boolean {
    for (let tried = 0; tried < CHANNELS.length; tried++) {
      const channelId = this.#turns.shift()!;
      this.#turns.push(channelId);
      if (this.#fill(channelId, maxBytes, slice)) return true;
    }
    return false;
  }

  receiveLimit(): number {
    return MEBIBYTE;
  }

  deliver(channelId: ChannelId, message: Uint8Array): void {
    this.sums.get(channelId)!.update(message);
    this.bytesReceived += message.length;
    if (this.bytesReceived === TOTAL_BYTES) this.#finish();
  }

  closed(end: ConnectionEnd): void {
    this.#fail(new Error(`ended after ${this.bytesReceived} bytes: ${end.error?.message ?? end.by}`));
  }

  #fill(channelId: ChannelId, maxBytes: number, slice: PacketSlice): boolean {
    const stream = this.#streams.get(channelId)!;
    const message = stream.messages[stream.next];
    if (message === undefined) return false;
    slice.channelId = channelId;
    slice.data = message;
    slice.start = stream.at;
    slice.end = Math.min(message.length, stream.at + maxBytes);
    slice.eof = slice.end === message.length;
    stream.at = slice.eof ? 0 : slice.end;
    if (slice.eof) stream.next += 1;
    return true;
  }
}

/** Messages of 1 byte … 1 MiB that add up to the total, over all channels. */
function makeMessages(seed: string): Map<ChannelId, Uint8Array[]> {
  const random = SeededRandom.from(seed);
  const noise = random.bytes(2 * MEBIBYTE);
  const messages = new Map<ChannelId, Uint8Array[]>(CHANNELS.map((id) => [id, []]));
  for (let left = TOTAL_BYTES; left > 0;) {
    const bytes = Math.min(left, 1 + random.below(2 ** random.below(21)));
    const start = random.below(MEBIBYTE);
    messages.get(CHANNELS[random.below(CHANNELS.length)]!)!.push(noise.subarray(start, start + bytes));
    left -= bytes;
  }
  return messages;
}

function sumOf(messages: readonly Uint8Array[]): string {
  const sum = createHash('sha256');
  for (const message of messages) sum.update(message);
  return sum.digest('hex');
}

async function connected(): Promise<{ pair: [Connection, Connection]; close: () => Promise<void> }> {
  const env = realEnv();
  const listener = mconn({ listen: '127.0.0.1:0' })(env);
  await listener.listen();
  const pair = await Promise.all([listener.dial(listener.endpoints()[0]!, quiet), listener.accept()]);
  const [alice, bob] = [identityOf('alice'), identityOf('bob')];
  await Promise.all([
    pair[0].handshake({ identity: alice, nodeInfo: nodeInfoOf(alice) }, quiet),
    pair[1].handshake({ identity: bob, nodeInfo: nodeInfoOf(bob) }, quiet),
  ]);
  const close = async (): Promise<void> => {
    for (const connection of pair) connection.close();
    await listener.close();
  };
  return { pair, close };
}

describe('mconn transfers', () => {
  it('20 MiB each way at once, over several channels, arrive whole and in order', async () => {
    const { pair, close } = await connected();
    const messages = [makeMessages('a'), makeMessages('b')];
    const ends = messages.map((mine) => new Traffic(mine));
    for (const [index, connection] of pair.entries()) connection.start(ends[index]!);
    await Promise.all(ends.map(({ allReceived }) => allReceived));
    for (const [index, { sums }] of ends.entries()) {
      for (const [channelId, sum] of sums) {
        expect(sum.digest('hex'), `channel ${channelId}`).to.equal(
          sumOf(messages[1 - index]!.get(channelId)!),
        );
      }
    }
    await close();
  });

  it('a long run gives others their turn', async () => {
    const { pair, close } = await connected();
    const traffic = new Traffic(makeMessages('a'));
    const receiver = new Traffic(new Map(CHANNELS.map((id) => [id, []])));
    pair[0].start(traffic);
    pair[1].start(receiver);
    let turns = 0;
    const progress = { isDone: false };
    void receiver.allReceived.then(() => {
      progress.isDone = true;
    });
    // Nothing is seen of a sender that never yields until it is done, which would be one turn.
    while (!progress.isDone) {
      await new Promise((next) => setImmediate(next));
      turns += 1;
    }
    expect(turns).to.be.above(TOTAL_BYTES / MEBIBYTE);
    await close();
  });

  it('TR-050: with a peer that does not read, pulling stops and memory stays bounded; then all of it arrives', async () => {
    const session = await rawSession(new Map());
    const { peer, connection, probe } = session;
    peer.socket.pause();
    const total = 64;
    for (let i = 0; i < total; i++) probe.queue(1, new Uint8Array(MEBIBYTE));
    connection.wake();
    let pulledBefore = -1;
    while (probe.pulledBytes !== pulledBefore) {
      pulledBefore = probe.pulledBytes;
      for (let turn = 0; turn < 200; turn++) await new Promise((next) => setImmediate(next));
      connection.wake();
    }
    expect(probe.queued, 'everything was pulled').to.be.above(0);
    expect(connection.status().bytesSent - probe.pulledBytes).to.be.below(probe.pulledBytes * 0.1);
    let received = 0;
    peer.socket.removeAllListeners('data');
    await new Promise<void>((resolve) => {
      peer.socket.on('data', (chunk: Buffer) => {
        received += chunk.length;
        if (probe.queued === 0 && received >= total * MEBIBYTE) resolve();
      });
      peer.socket.resume();
    });
    expect(probe.ends).to.deep.equal([]);
    await session.close();
  });
});
