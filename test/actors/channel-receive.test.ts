import { expect } from 'chai';
import { map } from 'rxjs';
import { observeMessages, type MessageConsumer } from '../../src/actors/message-consumer.ts';
import { mergeChannels, protobufCodec, type Channel, type Codec, type Inbound } from '../../src/index.ts';
import { tendermint } from '../../src/wire/generated/codecs.js';
import { unhex } from '../support/bytes.ts';
import { p2pThrow } from '../support/p2p-throw.ts';
import { ScriptedPeer } from '../support/scripted-peer.ts';
import type { openText } from '../support/text-network.ts';
import { TEXT_CHANNEL, TextNetwork, type TextNode } from '../support/text-network.ts';

describe('receiving', () => {
  let texts: TextNetwork;
  let a: TextNode;
  let b: TextNode;

  async function connect(channel: Parameters<typeof openText>[1] = {}): Promise<void> {
    texts = await TextNetwork.connect({ names: ['a', 'b'], channel, reads: false });
    [a, b] = texts.nodes as [TextNode, TextNode];
  }

  async function send(...messages: readonly string[]): Promise<void> {
    for (const message of messages) a.channel.trySend({ to: b.id, message });
    await texts.network.advance(50);
  }

  function next<M>(loop: AsyncIterator<Inbound<M>>): Promise<M | undefined> {
    return loop.next().then((result) => (result.done === true ? undefined : result.value.message));
  }

  afterEach(() => texts.stop());

  describe('a received message', () => {
    it('CH-074 CH-075 says where it came from, is frozen, and is the same for every reader', async () => {
      await connect();
      await send('foo');
      const loop = b.channel.receive();
      const { value } = (await loop.next()) as { value: Inbound<string> };
      expect(value).to.deep.equal({
        from: a.id,
        channelId: TEXT_CHANNEL,
        message: 'foo',
        receivedAt: value.receivedAt,
        connectionId: b.router.peers()[0]!.connectionId,
        bytes: 3,
      });
      expect(value.receivedAt).to.be.within(1, texts.network.env.clock.now());
      expect(value).to.be.frozen;
    });

    it('CH-070 is read as far as it is known when it comes from a newer schema', async () => {
      await connect();
      const codec = protobufCodec(tendermint.p2p.PexAddress);
      const [mine, theirs] = [
        a.router.openChannel({
          id: 0x50,
          codec: { ...codec, encode: () => unhex('0a0161' + 'fa3f0162' + '1807') },
        }),
        b.router.openChannel({ id: 0x50, codec }),
      ];
      await texts.network.advance(50);
      mine.trySend({ to: b.id, message: new tendermint.p2p.PexAddress() });
      await texts.network.advance(50);
      expect(await next(theirs.receive())).to.include({ id: 'a', port: 7 });
    });

    it('CH-071 is counted and dropped whole when it is truncated, and the connection survives', async () => {
      await connect();
      const codec = protobufCodec(tendermint.p2p.PexAddress);
      const [mine, theirs] = [
        a.router.openChannel({ id: 0x50, codec: { ...codec, encode: ({ id }) => unhex(id) } }),
        b.router.openChannel({ id: 0x50, codec }),
      ];
      await texts.network.advance(50);
      for (const id of ['0a0161' + '1207', '0a0161']) {
        mine.trySend({ to: b.id, message: new tendermint.p2p.PexAddress({ id }) });
      }
      await texts.network.advance(50);
      expect(theirs.accounting().in).to.deep.include({
        offered: { messages: 2, bytes: 8 },
        pending: { messages: 1, bytes: 3 },
        dropped: { decode_failed: { messages: 1, bytes: 5 } },
      });
      expect(b.router.stats()).to.deep.include({
        connectedPeers: 1,
        messagesReceived: 1,
        messagesDropped: 1,
      });
    });

    it('RT-145 RT-146 gets its sender evicted when it is the sixth that cannot be decoded within 60 s', async () => {
      await connect();
      const stranger = await ScriptedPeer.dial(texts.network, b, {
        name: 'stranger',
        channels: [TEXT_CHANNEL],
      });
      const sendBroken = async (count: number): Promise<void> => {
        for (let sent = 0; sent < count; sent++) stranger.send(TEXT_CHANNEL, Uint8Array.of(0xff));
        await texts.network.advance(100);
      };
      await sendBroken(5);
      expect(stranger.ended).to.equal(undefined);
      await texts.network.advance(60_000);
      await sendBroken(5);
      expect(stranger.ended).to.equal(undefined);
      await sendBroken(1);
      expect(stranger.ended).to.deep.equal({ by: 'remote' });
      expect(b.router.stats()).to.deep.include({ connectedPeers: 1, protocolFaults: 1 });
      expect(b.channel.accounting().in.dropped.decode_failed!.messages).to.equal(11);
    });
  });

  describe('a consumer', () => {
    it('CH-076 is the only one: another loop is refused, another subscriber gets the error', async () => {
      await connect();
      const loop = b.channel.receive();
      expect(p2pThrow(() => b.channel.receive())).to.include({ code: 'already-consuming' });
      expect(p2pThrow(() => mergeChannels(b.channel))).to.include({ code: 'already-consuming' });
      const errors: unknown[] = [];
      b.channel.messages$.subscribe({ error: (error: unknown) => errors.push(error) });
      expect(errors).to.have.length(1);
      expect(errors[0]).to.include({ code: 'already-consuming' });
      await loop.return?.();
      b.channel.receive();
    });

    it('CH-077 leaves the next message to the next consumer when it breaks out', async () => {
      await connect();
      await send('1', '2', '3');
      for await (const { message } of b.channel.receive()) if (message === '2') break;
      expect(await next(b.channel.receive())).to.equal('3');
    });

    it('CH-078 is not needed for messages to come: they wait up to the limits, then the policy decides', async () => {
      await connect({ receive: { maxMessages: 4, maxPerPeer: 3 } });
      await send('1', '2', '3', '4', '5');
      expect(b.channel.accounting().in).to.deep.include({
        pending: { messages: 3, bytes: 3 },
        dropped: { inbox_full: { messages: 2, bytes: 2 } },
      });
      expect(b.router.stats()).to.deep.include({ messagesReceived: 3, messagesDropped: 2 });
      expect(b.router.stats().drops).to.deep.equal([
        { direction: 'in', channelId: TEXT_CHANNEL, reason: 'inbox_full', messages: 2, bytes: 2 },
      ]);
    });

    it('CH-079 that comes late begins with the oldest message', async () => {
      await connect();
      await send('1', '2', '3');
      const got: string[] = [];
      b.channel.messages$.subscribe(({ message }) => got.push(message));
      await texts.network.advance(1);
      expect(got).to.deep.equal(['1', '2', '3']);
    });

    it('CH-080 that is slow keeps the inbox within its limits, and every loss is counted', async () => {
      await connect({ receive: { maxMessages: 100, maxPerPeer: 50 }, send: { maxMessages: 10_000 } });
      let taken = 0;
      const { clock } = texts.network.env;
      void (async () => {
        for await (const inbound of b.channel.receive()) {
          taken += inbound.bytes > 0 ? 1 : 0;
          await new Promise<void>((resolve) => clock.setTimer(resolve, 50));
        }
      })();
      for (let index = 0; index < 10_000; index++)
        a.channel.trySend({ to: b.id, message: String(index % 10) });
      for (let step = 0; step < 100; step++) {
        await texts.network.advance(50);
        expect(b.channel.accounting().in.pending.messages).to.be.at.most(50);
      }
      const { offered, delivered, pending, dropped } = b.channel.accounting().in;
      expect([offered.messages, delivered.messages]).to.deep.equal([10_000, taken]);
      expect(delivered.messages + pending.messages + dropped.inbox_full!.messages).to.equal(10_000);
      expect(taken).to.be.within(90, 101);
    });

    it('CH-081 that throws out of its loop leaves the next message to the next one', async () => {
      await connect();
      await send('1', '2', '3');
      const failing = (async () => {
        for await (const { message } of b.channel.receive())
          if (message === '2') throw new Error('cannot read 2');
      })();
      const error: unknown = await failing.catch((thrown: unknown) => thrown);
      expect((error as Error).message).to.equal('cannot read 2');
      expect(await next(b.channel.receive())).to.equal('3');
    });

    it('CH-081 that throws out of its subscription hears of it, is counted, and leaves the rest to the next one', async () => {
      await connect();
      const errors: unknown[] = [];
      const broken = new Error('cannot read');
      b.channel.messages$.subscribe({
        next: () => {
          throw broken;
        },
        error: (error) => errors.push(error),
      });
      await send('1', '2');
      expect(errors).to.deep.equal([broken]);
      expect(b.router.stats()).to.deep.include({ crashes: 1, connectedPeers: 1 });
      const [crash] = b.router.recorder.records().filter(({ kind }) => kind === 'crash');
      expect(crash).to.include({ actor: 'router/channel/text/consumer', message: 'cannot read' });
      const got: string[] = [];
      b.channel.messages$.subscribe(({ message }) => got.push(message));
      await send('3');
      expect(got).to.deep.equal(['2', '3']);
    });

    it('behind operators gets their errors, and lets go of the channel', async () => {
      await connect();
      const errors: unknown[] = [];
      const broken = new Error('cannot map');
      b.channel.messages$
        .pipe(
          map(() => {
            throw broken;
          }),
        )
        .subscribe({ error: (error) => errors.push(error) });
      await send('1', '2');
      expect(errors).to.deep.equal([broken]);
      expect(await next(b.channel.receive())).to.equal('2');
    });

    for (const [what, msPerMessage, expected] of [
      ['all messages, when they take no time', 0, [2_500]],
      ['8 ms, looked at every 32 messages', 0.1, [96, 96, 96, 12]],
      ['32 messages, when they take long', 50, [32, 32, 32, 4]],
    ] as const) {
      it(`lets the event loop turn after ${what}`, () => {
        const total = expected.reduce((sum, count) => sum + count, 0);
        let left = total;
        let now = 0;
        const turns: (() => void)[] = [];
        const clock = {
          now: () => now,
          wall: () => now,
          setTimer: () => () => undefined,
          defer: (run: () => void) => turns.push(run),
        };
        const consumer: MessageConsumer<number> = {
          take: () => (left-- > 0 ? ({ message: left } as Inbound<number>) : undefined),
          ended: false,
          onAvailable: undefined,
          release: () => undefined,
        };
        let taken = 0;
        observeMessages({ consume: () => consumer }, clock, () => undefined).subscribe(() => {
          taken += 1;
          now += msPerMessage;
        });
        const counts: number[] = [];
        for (let turn = turns.shift(); turn !== undefined; turn = turns.shift()) {
          taken = 0;
          turn();
          counts.push(taken);
        }
        expect(counts).to.deep.equal(expected);
      });
    }

    it('CH-082 CH-083 takes nothing before it is asked, and gives a message to one caller only', async () => {
      await connect();
      await send('1', '2');
      const loop = b.channel.receive();
      expect(b.channel.accounting().in.delivered.messages).to.equal(0);
      const [first, second, third] = [next(loop), next(loop), next(loop)];
      expect(b.channel.accounting().in.delivered.messages).to.equal(2);
      await send('3');
      expect(await Promise.all([first, second, third])).to.deep.equal(['1', '2', '3']);
    });

    it('CH-084 with a cancelled signal takes nothing and holds nothing', async () => {
      await connect();
      await send('1');
      const abort = new AbortController();
      abort.abort();
      expect(await next(b.channel.receive({ signal: abort.signal }))).to.equal(undefined);
      const later = new AbortController();
      const loop = b.channel.receive({ signal: later.signal });
      expect(await next(loop)).to.equal('1');
      const waiting = next(loop);
      later.abort();
      expect(await waiting).to.equal(undefined);
      await send('2');
      expect(await next(b.channel.receive())).to.equal('2');
    });

    it('without promises is told when there is something to take, and may throw', async () => {
      await connect();
      const consumer = b.channel.consume();
      let calls = 0;
      consumer.onAvailable = () => {
        calls += 1;
        throw new Error('not now');
      };
      await send('1', '2');
      expect(calls).to.equal(1);
      expect(b.router.stats()).to.deep.include({ crashes: 1, connectedPeers: 1 });
      expect([consumer.take(), consumer.take(), consumer.take()].map((item) => item?.message)).to.deep.equal([
        '1',
        '2',
        undefined,
      ]);
      consumer.release();
      await send('3');
      expect([consumer.take(), consumer.ended, calls]).to.deep.equal([undefined, true, 1]);
      expect(await next(b.channel.receive())).to.equal('3');
    });
  });

  describe('merged channels', () => {
    const numbers: Codec<number> = { encode: (value) => Uint8Array.of(value), decode: (bytes) => bytes[0]! };
    let quiet: readonly Channel<number>[];
    let quietHere: readonly Channel<number>[];

    beforeEach(async () => {
      await connect({ send: { maxMessages: 1_000 } });
      [quiet, quietHere] = [a, b].map(({ router }) =>
        [0x51, 0x52].map((id) => router.openChannel({ id, codec: numbers })),
      ) as [Channel<number>[], Channel<number>[]];
      await texts.network.advance(50);
    });

    it('CH-085 are read in turn, so that a flood on one delays the others by one message each', async () => {
      await send(...Array.from({ length: 200 }, () => 'flood'));
      quiet.forEach((channel, index) => channel.trySend({ to: b.id, message: index + 1 }));
      await texts.network.advance(50);
      const got: (string | number)[] = [];
      for await (const { message } of mergeChannels(b.channel, ...quietHere)) {
        got.push(message);
        if (got.length === 5) break;
      }
      expect(got).to.deep.equal(['flood', 1, 2, 'flood', 'flood']);
      expect(await next(b.channel.receive())).to.equal('flood');
    });

    it('wait together, tell the channels apart, and end when all are closed', async () => {
      const merged = mergeChannels(b.channel, quietHere[0]!);
      const waiting = merged.next();
      quiet[0]!.trySend({ to: b.id, message: 7 });
      await texts.network.advance(50);
      expect(await waiting).to.deep.include({ done: false });
      expect((await waiting).value).to.include({ channelId: 0x51, message: 7 });
      const last = merged.next();
      await Promise.all([b.channel.close(), quietHere[0]!.close()]);
      expect(await last).to.deep.equal({ done: true, value: undefined });
    });

    it('are all let go of when the loop is left, and when one of them is taken', async () => {
      await mergeChannels(b.channel, ...quietHere).return?.();
      const taken = quietHere[1]!.receive();
      expect(p2pThrow(() => mergeChannels(b.channel, ...quietHere))).to.include({
        code: 'already-consuming',
      });
      b.channel.receive();
      quietHere[0]!.receive();
      await taken.return?.();
    });
  });
});
