import { expect } from 'chai';
import type { RecordBackend, RecordEntry, RecordOperation } from '../../src/store/record-backend.ts';
import { keyText, quarantineKey, recordKey } from '../../src/store/record-key.ts';
import { RecordStore } from '../../src/store/record-store.ts';
import { peerchart } from '../../src/wire/generated/codecs.js';
import { encodePeerInfo, encodePeerRecord } from '../../src/wire/record-codec.ts';
import { p2pRejection } from '../support/p2p-rejection.ts';
import { ban, digits, listen, loadClean, nodeId, peerRecord, put } from './store-support.ts';

/** A backend that shows what it holds and fails when told to. */
class FaultyBackend implements RecordBackend {
  readonly name = 'faulty';
  readonly held = new Map<string, RecordEntry>();
  readonly fails = { open: false, entries: false, batch: false, close: false };
  /** Calls of `open` and `close`, when they begin and, for `close`, when they end. */
  readonly calls: string[] = [];
  batches = 0;

  open(): Promise<void> {
    this.calls.push('open');
    return this.#result('open');
  }

  async *entries(kind: number): AsyncGenerator<RecordEntry> {
    await this.#result('entries');
    for (const entry of [...this.held.values()]) if (entry[0][0] === kind) yield entry;
  }

  async batch(operations: readonly RecordOperation[]): Promise<void> {
    this.batches++;
    await this.#result('batch');
    for (const operation of operations) {
      if (operation.type === 'put') this.set(operation.key, operation.value);
      else this.held.delete(keyText(operation.key));
    }
  }

  async close(): Promise<void> {
    this.calls.push('close');
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    this.calls.push('closed');
    return this.#result('close');
  }

  set(key: Uint8Array, value: Uint8Array): void {
    this.held.set(keyText(key), [key, value]);
  }

  #result(call: keyof FaultyBackend['fails']): Promise<void> {
    return this.fails[call] ? Promise.reject(new Error(`${call} failed`)) : Promise.resolve();
  }
}

async function opened(): Promise<{ backend: FaultyBackend; store: RecordStore }> {
  const backend = new FaultyBackend();
  const store = new RecordStore(backend);
  await store.open();
  return { backend, store };
}

describe('loading stored peers', () => {
  it('reads records of Tendermint, without format and checksum', async () => {
    const { backend, store } = await opened();
    const addresses = peerRecord('a').addresses.map((record) => ({ ...record, tried: false }));
    const record = peerRecord('a', { addresses });
    backend.set(recordKey('peer', record.id), encodePeerInfo(record));
    expect(await store.load()).to.deep.equal({ records: [record], bans: [], faults: [] });
  });

  const garbage = Uint8Array.of(0xff, 0xff, 0xff);
  const noId = peerchart.store.PeerRecord.encode({ inactive: true }).finish();
  const damages: readonly (readonly [string, Uint8Array, Uint8Array, string])[] = [
    ['PM-265 bytes that do not decode', recordKey('peer', nodeId('b')), garbage, 'record-undecodable'],
    [
      'PM-267 a record of another peer',
      recordKey('peer', nodeId('b')),
      encodePeerRecord(peerRecord('a')),
      'record-id',
    ],
    ['PM-269 a record without an id', recordKey('peer', nodeId('b')), noId, 'record-id'],
    ['a key without a node id', recordKey('peer', 'ab'), encodePeerRecord(peerRecord('a')), 'record-id'],
    ['a ban that does not decode', recordKey('ban', nodeId('b')), garbage, 'record-undecodable'],
  ];
  for (const [what, key, value, code] of damages) {
    it(`sets ${what} aside and loads the rest`, async () => {
      const { backend, store } = await opened();
      for (const digit of '0cd')
        backend.set(recordKey('peer', nodeId(digit)), encodePeerRecord(peerRecord(digit)));
      backend.set(key, value);
      const stored = await store.load();
      expect(digits(stored)).to.equal('0cd');
      expect(stored.faults.map((fault) => fault.code)).to.deep.equal([code]);
      expect(stored.faults[0]!.key).to.match(/^[0-9a-f]+$/);
      expect(backend.held.get(keyText(key))).to.equal(undefined);
      expect(backend.held.get(keyText(quarantineKey(key)))?.[1]).to.equal(value);
      expect(digits(await loadClean(store))).to.equal('0cd');
    });
  }

  it('PM-266 and PM-268 reports addresses it leaves out, and keeps the peer where it is', async () => {
    const { backend, store } = await opened();
    const addressInfo = [
      { address: `memory:${nodeId('a')}` },
      { address: 'ho st' },
      { address: `memory:${nodeId('b')}` },
    ];
    const key = recordKey('peer', nodeId('a'));
    backend.set(key, peerchart.store.PeerRecord.encode({ id: nodeId('a'), addressInfo }).finish());
    const { records, faults } = await store.load();
    expect(records.map(({ addresses }) => addresses.length)).to.deep.equal([1]);
    expect(faults.map((fault) => [fault.code, fault.key])).to.deep.equal([
      ['record-address', nodeId('a')],
      ['record-address', nodeId('a')],
    ]);
    expect(faults[0]!.message).to.include('ho st');
    expect(backend.held.has(keyText(key))).to.equal(true);
  });

  it('reports damaged records that cannot be set aside, and loads the rest', async () => {
    const { backend, store } = await opened();
    backend.set(recordKey('peer', nodeId('a')), encodePeerRecord(peerRecord('a')));
    backend.set(recordKey('peer', nodeId('b')), garbage);
    backend.fails.batch = true;
    const stored = await store.load();
    expect(digits(stored)).to.equal('a');
    expect(stored.faults.map(({ code }) => code)).to.deep.equal(['record-undecodable', 'write-failed']);
    expect(backend.held.size).to.equal(2);
  });

  it('PM-270 fails when the store cannot be read', async () => {
    const { backend, store } = await opened();
    backend.fails.entries = true;
    const error = await p2pRejection(store.load());
    expect(error.code).to.equal('store-failed');
    expect((error.cause as Error).message).to.equal('entries failed');
  });

  it('shows what was written just before', async () => {
    const { store } = await opened();
    store.write([put(peerRecord('a'))]);
    expect(digits(await loadClean(store))).to.equal('a');
  });
});

describe('a store whose disk fails', () => {
  it('can be opened again after it could not be', async () => {
    const backend = new FaultyBackend();
    const store = new RecordStore(backend);
    backend.fails.open = true;
    await store.open().then(
      () => expect.fail('opened'),
      () => undefined,
    );
    backend.fails.open = false;
    await store.open();
    await store.close();
  });

  it('PM-271 reports a failed write and writes the record again with the next write', async () => {
    const { backend, store } = await opened();
    const faults = listen(store);
    backend.fails.batch = true;
    store.write([put(peerRecord('a')), { type: 'putBan', ban: ban('b') }]);
    expect(await p2pRejection(store.flush())).to.include({ code: 'store-failed' });
    expect(faults[0]).to.deep.equal({
      code: 'write-failed',
      key: keyText(recordKey('peer', nodeId('a'))),
      message: 'record and 1 others not written: batch failed',
    });
    expect(backend.held.size).to.equal(0);
    backend.fails.batch = false;
    store.write([put(peerRecord('c'))]);
    await store.flush();
    expect(backend.held.size).to.equal(3);
  });

  it('opens again only when it has closed', async () => {
    const { backend, store } = await opened();
    const closing = store.close();
    await store.open();
    await closing;
    expect(backend.calls).to.deep.equal(['open', 'close', 'closed', 'open']);
    await store.close();
  });

  it('closes although the last batch and the close fail, and reports both', async () => {
    const { backend, store } = await opened();
    const faults = listen(store);
    backend.fails.batch = backend.fails.close = true;
    store.write([put(peerRecord('a'))]);
    await store.close();
    expect(faults.map(({ code }) => code)).to.deep.equal(['write-failed', 'write-failed']);
    expect(faults[1]!.message).to.include('close failed');
  });

  it('makes few batches of many writes', async () => {
    const { backend, store } = await opened();
    for (let round = 0; round < 1000; round++) store.write([put(peerRecord(String(round % 10)))]);
    await store.flush();
    expect(backend.batches).to.be.at.most(2);
  });
});
