import { expect } from 'chai';
import fc from 'fast-check';
import { identityFromSeed } from '../../../src/crypto/node-key.ts';
import { decodeNodeInfo } from '../../../src/wire/node-info-codec.ts';
import { mconn } from '../../../src/transports/mconn/mconn-transport.ts';
import { cutAt, hex, pattern, unhex } from '../../support/bytes.ts';
import { DuplexProbe } from '../../support/duplex-probe.ts';
import { manualEnv } from '../../support/manual-env.ts';
import { RawPeer } from '../../support/raw-peer.ts';
import transcripts from '../../vectors/session-transcripts.json' with { type: 'json' };

type Session = (typeof transcripts.sessions)[number];
type Side = 'A' | 'B';

const LIMITS = new Map([
  [0x00, 64_000],
  [0x22, 100_000],
]);
const MESSAGE = pattern(3000, 7, 3);
const PEX_REQUEST = unhex('0a00');
const PEX_ADDRESSES = unhex('12130a110a013112093132372e302e302e31188247');

/** What each side sends in which step, and what makes our side do it. */
const ACTIONS: Record<number, (probe: DuplexProbe) => void> = {
  9: (probe) => probe.queue(0x22, MESSAGE),
  10: (probe) => probe.queue(0x00, PEX_REQUEST),
  11: (probe) => probe.queue(0x00, PEX_ADDRESSES),
  12: (probe) => probe.queue(0x22, MESSAGE),
};

function nodeInfoOf(session: Session, side: Side) {
  const plain = session.steps.find(({ step }) => step === (side === 'A' ? 5 : 6))!.plaintext!;
  const bytes = unhex(plain);
  return decodeNodeInfo(bytes.subarray(bytes[0]! < 0x80 ? 1 : 2));
}

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn++) await new Promise((next) => setImmediate(next));
};

/** Plays one side of a session against our side, and returns what ours wrote and delivered. */
async function replay(session: Session, side: Side, cuts: readonly number[]) {
  const self = session[side];
  const identity = identityFromSeed(unhex(self.ed25519Seed));
  const env = manualEnv(unhex(self.ephemeralPrivate));
  const transport = mconn({ listen: '127.0.0.1:0', maxPayloadBytes: side === 'A' ? 1024 : 1400 })(env);
  await transport.listen();
  const peer = await RawPeer.connect(transport.endpoints()[0]!);
  const connection = await transport.accept();
  const probe = new DuplexProbe(LIMITS);
  try {
    const quiet = new AbortController().signal;
    const handshake = connection.handshake({ identity, nodeInfo: nodeInfoOf(session, side) }, quiet);
    const written: string[] = [];
    let isStarted = false;
    for (const { step, dir, wire, wireLength } of session.steps) {
      if (step === 7) {
        await handshake;
        connection.start(probe);
        isStarted = true;
        await settle();
      }
      if (step === 13 && side === 'A') break;
      if (dir.startsWith(side)) {
        if (isStarted) ACTIONS[step]?.(probe);
        if (step === 7) await env.advance(60_000);
        connection.wake();
        written.push(hex(await peer.read(wireLength)));
        expect(written.at(-1), `step ${step}`).to.equal(wire);
      } else {
        for (const piece of cutAt(unhex(wire), cuts)) if (piece.length > 0) await peer.writeAlone(piece);
        await settle();
      }
    }
    return { delivered: probe.delivered, ends: probe.ends, unread: peer.unreadBytes };
  } finally {
    connection.close();
    peer.destroy();
    await transport.close();
  }
}

describe('recorded sessions', () => {
  for (const session of transcripts.sessions) {
    for (const side of ['A', 'B'] as const) {
      it(`TR-157: as ${side} of "${session.name}" we write what is recorded, byte for byte`, async () => {
        const { delivered, ends } = await replay(session, side, []);
        const expected = side === 'A' ? [PEX_REQUEST, MESSAGE] : [MESSAGE, PEX_ADDRESSES];
        expect(delivered.map(({ message }) => hex(message))).to.deep.equal(expected.map(hex));
        expect(ends).to.deep.equal([]);
      });
    }
  }

  it('TR-158: however the stream is cut', async () => {
    const [session] = transcripts.sessions;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom<Side>('A', 'B'),
        fc.array(fc.nat(3200), { maxLength: 6 }),
        async (side, cuts) => {
          const { delivered, ends } = await replay(session!, side, cuts);
          expect(delivered).to.have.length(2);
          expect(ends).to.deep.equal([]);
        },
      ),
      { numRuns: 15 },
    );
  });
});
