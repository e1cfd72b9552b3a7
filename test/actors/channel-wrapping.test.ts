import { expect } from 'chai';
import { wrappedCodec, type Channel, type Inbound } from '../../src/index.ts';
import { textCodec } from '../support/text-codec.ts';
import { TextNetwork, type TextNode } from '../support/text-network.ts';

/** An outer message is an array of one; `[]` has nothing inside. */
type Outer = readonly string[];
type Message = string | Outer;

/** As in Tendermint's tests: adds `wrap:` on the way out and `unwrap:` on the way in; takes outer messages as they are. */
const codec = wrappedCodec<Message, Outer>({
  outer: {
    encode: (outer) => textCodec.encode(JSON.stringify(outer)),
    decode: (bytes) => JSON.parse(textCodec.decode(bytes)) as Outer,
  },
  wrap(message) {
    if (typeof message !== 'string') return message;
    if (message === 'refused') return undefined;
    if (message === 'throws') throw new Error('no paper left');
    return [`wrap:${message}`];
  },
  unwrap([inner]) {
    if (inner === 'torn') throw new Error('torn');
    return inner === undefined ? undefined : `unwrap:${inner}`;
  },
});

describe('a channel of wrapped messages', () => {
  let texts: TextNetwork;
  let b: TextNode;
  let mine: Channel<Message>;
  let theirs: Channel<Message>;
  let got: Inbound<Message>[];

  beforeEach(async () => {
    texts = await TextNetwork.connect({ names: ['a', 'b'] });
    const [a, second] = texts.nodes as [TextNode, TextNode];
    b = second;
    [mine, theirs] = [a, b].map(({ router }) => router.openChannel<Message>({ id: 0x50, codec })) as [
      Channel<Message>,
      Channel<Message>,
    ];
    got = [];
    theirs.messages$.subscribe((inbound) => got.push(inbound));
    await texts.network.advance(50);
  });

  afterEach(() => texts.stop());

  async function send(...messages: readonly Message[]): Promise<readonly Message[]> {
    for (const message of messages) mine.trySend({ to: b.id, message });
    await texts.network.advance(50);
    return got.splice(0).map(({ message }) => message);
  }

  it('CH-060 CH-063 carries each message in an outer message of its own', async () => {
    expect(await send('foo', 'bar')).to.deep.equal(['unwrap:wrap:foo', 'unwrap:wrap:bar']);
  });

  it('CH-062 takes an outer message as it is when the wrapper does, and unwraps it at the other end', async () => {
    expect(await send(['foo'])).to.deep.equal(['unwrap:foo']);
  });

  for (const [row, message] of [
    ['CH-061', 'refused'],
    ['CH-066', 'throws'],
  ] as const) {
    it(`${row} refuses a message whose wrapper ${message} as type_mismatch, and goes on`, async () => {
      expect(mine.trySend({ to: b.id, message })).to.equal('type_mismatch');
      expect(await send('foo')).to.deep.equal(['unwrap:wrap:foo']);
    });
  }

  for (const [row, what, outer] of [
    ['CH-064', 'has nothing inside', []],
    ['CH-067', 'makes the wrapper throw', ['torn']],
  ] as const) {
    it(`${row} counts an outer message that ${what} against its sender, and goes on`, async () => {
      expect(await send(outer, 'foo')).to.deep.equal(['unwrap:wrap:foo']);
      expect(theirs.accounting().in.dropped.decode_failed).to.include({ messages: 1 });
      expect(b.router.stats()).to.deep.include({ connectedPeers: 1, crashes: 0 });
      await send(...Array.from({ length: 5 }, () => outer));
      expect(b.router.stats()).to.deep.include({ connectedPeers: 0, protocolFaults: 1 });
    });
  }
});
