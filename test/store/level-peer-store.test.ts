import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { ClassicLevel } from 'classic-level';
import { levelPeerStore } from '../../src/store/level-peer-store.ts';
import { quarantineKey, recordKey } from '../../src/store/record-key.ts';
import { p2pRejection } from '../support/p2p-rejection.ts';
import { describePeerStore } from './conformance.ts';
import { digits, loadClean, nodeId, peerRecord, put } from './store-support.ts';

describePeerStore('LevelDB', async () => {
  const root = await mkdtemp(path.join(tmpdir(), 'peerchart-store-'));
  const folder = path.join(root, 'peers');
  return { store: () => levelPeerStore(folder), remove: () => rm(root, { recursive: true }) };
});

type Database = ClassicLevel<Uint8Array, Uint8Array>;

describe('a peer store in a LevelDB folder', () => {
  let root: string;
  let folder: string;

  beforeEach(async () => {
    root = await mkdtemp(path.join(tmpdir(), 'peerchart-store-'));
    folder = path.join(root, 'peers');
  });

  afterEach(() => rm(root, { recursive: true }));

  /** Writes some peers through a store of its own. */
  async function storePeers(...all: readonly string[]): Promise<void> {
    const store = levelPeerStore(folder);
    await store.open();
    store.write(all.map((digit) => put(peerRecord(digit))));
    await store.close();
  }

  async function withDatabase<T>(use: (database: Database) => Promise<T>): Promise<T> {
    const database: Database = new ClassicLevel(folder, { keyEncoding: 'view', valueEncoding: 'view' });
    try {
      return await use(database);
    } finally {
      await database.close();
    }
  }

  it('names its folder', () => {
    expect(levelPeerStore(folder).name).to.include(folder);
  });

  it('makes the folder and those above it', async () => {
    folder = path.join(root, 'data', 'node', 'peers');
    await storePeers('a');
    expect(await readdir(folder)).to.include('CURRENT');
  });

  it('is refused, by name, while another process has it open', async () => {
    await storePeers('a');
    const script = `
      const { ClassicLevel } = require('classic-level');
      const database = new ClassicLevel(process.argv[1]);
      database.open().then(() => process.stdout.write('open'));
      process.stdin.on('data', () => database.close().then(() => process.exit()));`;
    const holder = spawn(process.execPath, ['-e', script, folder], { stdio: ['pipe', 'pipe', 'inherit'] });
    try {
      await once(holder.stdout, 'data');
      const store = levelPeerStore(folder);
      const error = await p2pRejection(store.open());
      expect(error.code).to.equal('store-locked');
      expect(error.message).to.include(folder);
      holder.stdin.write('close');
      await once(holder, 'exit');
      await store.open();
      expect(digits(await loadClean(store))).to.equal('a');
      await store.close();
    } finally {
      holder.kill();
    }
  });

  it('is refused, by name, where a file stands in the way, and leaves nothing', async () => {
    await writeFile(folder, 'a file');
    for (const where of [folder, path.join(folder, 'below')]) {
      const error = await p2pRejection(levelPeerStore(where).open());
      expect(error.code).to.equal('store-failed');
      expect(error.message).to.include(where);
    }
    expect(await readdir(root)).to.deep.equal(['peers']);
    expect(await readFile(folder, 'utf8')).to.equal('a file');
  });

  it('does not take the remains of a database for a new one', async () => {
    await storePeers('a', 'b');
    await unlink(path.join(folder, 'CURRENT'));
    const before = await readdir(folder);
    const error = await p2pRejection(levelPeerStore(folder).open());
    expect(error.code).to.equal('store-failed');
    expect(error.message).to.include(folder).and.include('CURRENT');
    expect(await readdir(folder)).to.deep.equal(before);
  });

  it('is refused when its files are damaged, and can be opened again once they are whole', async () => {
    await storePeers('a');
    const current = path.join(folder, 'CURRENT');
    const whole = await readFile(current);
    await writeFile(current, 'nonsense');
    const store = levelPeerStore(folder);
    const error = await p2pRejection(store.open());
    expect(error.code).to.equal('store-failed');
    expect(error.message).to.include(folder);
    await writeFile(current, whole);
    await store.open();
    expect(digits(await loadClean(store))).to.equal('a');
    await store.close();
  });

  it('sets a record with a flipped bit aside and keeps it for inspection', async () => {
    await storePeers('a', 'b', 'c');
    const key = recordKey('peer', nodeId('b'));
    const damaged = await withDatabase(async (database) => {
      const value = Uint8Array.from((await database.get(key))!);
      value[50]! ^= 0x04;
      await database.put(key, value);
      return value;
    });
    const store = levelPeerStore(folder);
    await store.open();
    const { records, faults } = await store.load();
    await store.close();
    expect(records.map(({ id }) => id[0])).to.deep.equal(['a', 'c']);
    expect(faults.map(({ code, key: name }) => [code, name])).to.deep.equal([
      ['record-checksum', nodeId('b')],
    ]);
    const [left, moved] = await withDatabase((database) => database.getMany([key, quarantineKey(key)]));
    expect(left).to.equal(undefined);
    expect(Uint8Array.from(moved!)).to.deep.equal(damaged);
  });

  it('sees only its own keys', async () => {
    await storePeers('a');
    await withDatabase(async (database) => {
      for (const first of [0x00, 0x80, 0x84, 0xff])
        await database.put(Uint8Array.of(first, 1), Uint8Array.of(1));
    });
    const store = levelPeerStore(folder);
    await store.open();
    expect(digits(await loadClean(store))).to.equal('a');
    await store.close();
  });

  it('keeps ten thousand peers', async () => {
    const ids = Array.from({ length: 10_000 }, (_, index) => index.toString(16).padStart(40, '0'));
    const store = levelPeerStore(folder);
    await store.open();
    for (const id of ids)
      store.write([put({ ...peerRecord('a', { addresses: [] }), id: id as ReturnType<typeof nodeId> })]);
    await store.flush();
    expect((await loadClean(store)).records.map(({ id }) => id)).to.deep.equal(ids);
    await store.close();
  });
});
