import { expect } from 'chai';
import fc from 'fast-check';
import { crc32c } from '../../src/core/crc32c.ts';
import { parseNodeAddress } from '../../src/core/node-address.ts';
import { parseNodeId } from '../../src/core/node-id.ts';
import type { AddressRecord, BanRecord, PeerRecord } from '../../src/core/peer/peer-record.ts';
import { peerchart } from '../../src/wire/generated/codecs.js';
import {
  decodeBanRecord,
  decodePeerRecord,
  encodeBanRecord,
  encodePeerInfo,
  encodePeerRecord,
} from '../../src/wire/record-codec.ts';
import { seal } from '../../src/wire/record-seal.ts';

const A = parseNodeId('a'.repeat(40));
const B = parseNodeId('b'.repeat(40));
const ID_HEX = '61'.repeat(40);

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function unhex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));
}

function address(text: string, parts: Partial<AddressRecord> = {}): AddressRecord {
  return { address: parseNodeAddress(text), dialFailures: 0, tried: false, ...parts };
}

function decoded(bytes: Uint8Array, id = A): PeerRecord {
  const result = decodePeerRecord(bytes, id);
  if (!result.ok) throw new Error(`${result.fault}: ${result.message}`);
  return result.record;
}

/** A record as Tendermint would write it, from fields of the generated message. */
function foreign(fields: peerchart.store.PeerRecord.$Properties): Uint8Array {
  return peerchart.store.PeerRecord.encode({ id: A, ...fields }).finish();
}

const bare: PeerRecord = { id: A, addresses: [], inactive: false };

const full: PeerRecord = {
  id: A,
  addresses: [
    address(`mconn://${A}@host.example:26656`, {
      lastDialSuccessMs: 1_700_000_002_003,
      dialFailures: 0,
      source: B,
      firstSeenMs: 1_600_000_000_000,
      tried: true,
    }),
    address(`memory:${A}`, {
      lastDialFailureMs: 1_700_000_000_000,
      dialFailures: 4_294_967_295,
      source: 'configured',
    }),
  ],
  lastConnectedMs: 1_700_000_001_500,
  inactive: true,
  mutableScore: -32_768,
};

const PM_263 = unhex(
  `0a28 ${ID_HEX} 123b 0a2f 6d656d6f72793a ${ID_HEX} 1a06 0880e2cfaa06 2002 1a0c 0881e2cfaa0610 80cab5ee01 2001`,
);

describe('a peer as Tendermint stores it', () => {
  it('PM-262 without addresses or timestamps is its id', () => {
    expect(hex(encodePeerInfo(bare))).to.equal(`0a28${ID_HEX}`);
  });

  it('PM-263 with everything has the golden bytes', () => {
    const record: PeerRecord = {
      id: A,
      addresses: [address(`memory:${A}`, { dialFailures: 2, lastDialFailureMs: 1_700_000_000_000 })],
      lastConnectedMs: 1_700_000_001_500,
      inactive: true,
    };
    expect(hex(encodePeerInfo(record))).to.equal(hex(PM_263));
    expect(decoded(PM_263)).to.deep.equal(record);
  });

  it('holds nothing that only we keep', () => {
    const { addresses, mutableScore, ...rest } = full;
    expect(mutableScore).to.equal(-32_768);
    const plain = addresses.map((record) => address(formatted(record), dialFields(record)));
    expect(hex(encodePeerInfo(full))).to.equal(hex(encodePeerInfo({ ...rest, addresses: plain })));
  });

  it('PM-264 with unset timestamps means never, and they stay absent', () => {
    const bytes = foreign({ addressInfo: [{ address: `memory:${A}` }] });
    expect(decoded(bytes)).to.deep.equal({ id: A, addresses: [address(`memory:${A}`)], inactive: false });
    expect(hex(encodePeerInfo(decoded(bytes)))).to.equal(hex(bytes));
  });

  it('is rounded down to milliseconds', () => {
    expect(decoded(unhex(`0a28 ${ID_HEX} 1a06 0801 10bf843d`)).lastConnectedMs).to.equal(1000);
    expect(decoded(unhex(`0a28 ${ID_HEX} 1a06 0801 10c0843d`)).lastConnectedMs).to.equal(1001);
  });

  it('may have fields we do not know', () => {
    expect(decoded(unhex(`0a28 ${ID_HEX} 9a06 03616263 a806 01`))).to.deep.equal(bare);
  });
});

function formatted({ address: { protocol, nodeId, hostname, port } }: AddressRecord): string {
  return hostname === '' ? `${protocol}:${nodeId}` : `${protocol}://${nodeId}@${hostname}:${port}`;
}

function dialFields({
  lastDialSuccessMs,
  lastDialFailureMs,
  dialFailures,
}: AddressRecord): Partial<AddressRecord> {
  return {
    ...(lastDialSuccessMs !== undefined && { lastDialSuccessMs }),
    ...(lastDialFailureMs !== undefined && { lastDialFailureMs }),
    dialFailures,
  };
}

describe('a stored peer', () => {
  it('reads back as it was written', () => {
    for (const record of [bare, full]) expect(decoded(encodePeerRecord(record))).to.deep.equal(record);
  });

  it('begins with the bytes of Tendermint when it has nothing more', () => {
    const bytes = hex(encodePeerRecord(bare));
    expect(bytes).to.match(new RegExp(`^0a28${ID_HEX}f00701fd07[0-9a-f]{8}$`));
  });

  it('reads back whatever its parts', () => {
    const instant = fc.option(fc.integer({ min: 0, max: 4_102_444_800_000 }), { nil: undefined });
    const dial = fc.record({
      success: instant,
      failure: instant,
      seen: instant,
      port: fc.nat({ max: 65_535 }),
    });
    fc.assert(
      fc.property(
        fc.array(dial, { maxLength: 5 }),
        instant,
        fc.integer({ min: -32_768, max: 32_766 }),
        (dials, last, score) => {
          const addresses = dials.map(({ success, failure, seen, port }, index) =>
            address(`mconn://${A}@host${index}:${port}`, {
              ...(success !== undefined && { lastDialSuccessMs: success }),
              ...(failure !== undefined && { lastDialFailureMs: failure }),
              ...(seen !== undefined && { firstSeenMs: seen }),
              dialFailures: port * 65_536,
            }),
          );
          const record: PeerRecord = {
            ...bare,
            addresses,
            ...(last !== undefined && { lastConnectedMs: last }),
            ...(score !== 0 && { mutableScore: score }),
          };
          expect(decoded(encodePeerRecord(record))).to.deep.equal(record);
        },
      ),
    );
  });

  it('is refused with any one bit flipped', () => {
    const bytes = encodePeerRecord(full);
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const damaged = bytes.slice();
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      const result = decodePeerRecord(damaged, A);
      expect(result.ok, `bit ${bit}`).to.equal(false);
    }
  });

  it('is refused when it is cut anywhere within its seal', () => {
    const bytes = encodePeerRecord(bare);
    for (let length = 43; length < bytes.length; length++) {
      expect(decodePeerRecord(bytes.subarray(0, length), A).ok, `${length} bytes`).to.equal(false);
    }
  });

  it('is refused when its checksum is wrong', () => {
    const bytes = encodePeerRecord(bare);
    bytes[bytes.length - 1]! ^= 0x10;
    expect(decodePeerRecord(bytes, A)).to.include({ ok: false, fault: 'record-checksum' });
  });

  it('is refused when a newer version wrote it', () => {
    const newer = peerchart.store.PeerRecord.encode({ id: A, format: 2 }).finish();
    const tagged = Uint8Array.from([...newer, 0xfd, 0x07, 0, 0, 0, 0]);
    new DataView(tagged.buffer).setUint32(newer.length + 2, crc32c(newer), true);
    expect(decodePeerRecord(tagged, A)).to.include({ ok: false, fault: 'record-format' });
  });

  const undecodable = [
    ['PM-265 bytes that are no message', 'ffffff'],
    ['a text that is not UTF-8', '0a02c328'],
    ['an id of another wire type', '0801'],
    ['a timestamp with too many nanoseconds', `0a28 ${ID_HEX} 1a06 1080 94ebdc03`],
    ['a timestamp with negative nanoseconds', `0a28 ${ID_HEX} 1a0b 10ffffffffffffffffff01`],
    ['a timestamp beyond the calendar', `0a28 ${ID_HEX} 1a0a 08ffffffffffffffff7f`],
  ] as const;
  for (const [what, text] of undecodable) {
    it(`is refused for ${what}`, () => {
      expect(decodePeerRecord(unhex(text), A)).to.include({ ok: false, fault: 'record-undecodable' });
    });
  }

  it('is refused with more addresses than anybody keeps', () => {
    const many = (count: number): Uint8Array =>
      foreign({ addressInfo: Array.from({ length: count }, () => ({ address: `memory:${A}` })) });
    expect(decodePeerRecord(many(1024), A).ok).to.equal(true);
    expect(decodePeerRecord(many(1025), A)).to.include({ ok: false, fault: 'record-undecodable' });
  });

  it('PM-267 and PM-269 is refused under the key of another peer, and without an id', () => {
    expect(decodePeerRecord(encodePeerRecord(bare), B)).to.include({ ok: false, fault: 'record-id' });
    expect(decodePeerRecord(new Uint8Array(0), A)).to.include({ ok: false, fault: 'record-id' });
    expect(decodePeerRecord(seal(new Uint8Array(0)), A)).to.include({ ok: false, fault: 'record-id' });
  });
});

describe('the addresses of a stored peer', () => {
  function decodeAddresses(
    ...infos: peerchart.store.PeerAddressRecord.$Properties[]
  ): [PeerRecord, string[]] {
    const result = decodePeerRecord(foreign({ addressInfo: infos }), A);
    if (!result.ok) throw new Error(result.message);
    return [result.record, result.dropped.map(({ text, why }) => `${text}: ${why}`)];
  }

  it('PM-266 lose the one that does not parse', () => {
    const [record, dropped] = decodeAddresses({ address: `memory:${A}` }, { address: 'ho st' });
    expect(record.addresses).to.deep.equal([address(`memory:${A}`)]);
    expect(dropped).to.deep.equal(['ho st: host-char']);
  });

  it('PM-268 lose the one of another peer', () => {
    const [record, dropped] = decodeAddresses({ address: `memory:${B}` }, { address: `memory:${A}` });
    expect(record.addresses).to.have.length(1);
    expect(dropped).to.deep.equal([`memory:${B}: it belongs to another peer`]);
  });

  it('keep the one with the later dial of two that are the same', () => {
    const at = (seconds: number): peerchart.store.Timestamp.$Properties =>
      peerchart.store.Timestamp.decode(Uint8Array.of(0x08, seconds));
    const [later] = decodeAddresses(
      { address: `mconn://${A}@HOST`, dialFailures: 1, lastDialFailure: at(5) },
      { address: `mconn://${A}@host`, dialFailures: 2, lastDialSuccess: at(6) },
      { address: `mconn://${A}@Host`, dialFailures: 3 },
    );
    expect(later.addresses.map(({ dialFailures }) => dialFailures)).to.deep.equal([2]);
    const [equal, dropped] = decodeAddresses(
      { address: `memory:${A.toUpperCase()}`, dialFailures: 1 },
      { address: `memory:${A}`, dialFailures: 2 },
    );
    expect(equal.addresses.map(({ dialFailures }) => dialFailures)).to.deep.equal([1]);
    expect(dropped).to.deep.equal([]);
  });

  it('have no source when what is stored is none', () => {
    const [record] = decodeAddresses({ address: `memory:${A}`, source: 'somebody' });
    expect(record.addresses[0]).to.not.have.property('source');
  });
});

describe('a stored ban', () => {
  const ban: BanRecord = { id: A, untilMs: 1_700_000_000_123, reason: 'flooded “us”' };

  it('reads back as it was written', () => {
    expect(decodeBanRecord(encodeBanRecord(ban), A)).to.deep.equal({ ok: true, ban });
  });

  it('for ever ends with the calendar', () => {
    const result = decodeBanRecord(encodeBanRecord({ ...ban, untilMs: Infinity }), A);
    expect(result).to.deep.equal({ ok: true, ban: { ...ban, untilMs: 253_402_300_799_999 } });
  });

  it('is refused with any one bit flipped, and under another key', () => {
    const bytes = encodeBanRecord(ban);
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const damaged = bytes.slice();
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      expect(decodeBanRecord(damaged, A).ok, `bit ${bit}`).to.equal(false);
    }
    expect(decodeBanRecord(bytes, B)).to.include({ ok: false, fault: 'record-id' });
  });

  it('of no instant cannot be written', () => {
    expect(() => encodeBanRecord({ ...ban, untilMs: NaN })).to.throw('NaN is not an instant');
  });
});
