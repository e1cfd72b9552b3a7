import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { expect } from 'chai';
import type { Random } from '../../src/core/env.ts';
import { isNodeId } from '../../src/core/node-id.ts';
import { verify } from '../../src/crypto/ed25519.ts';
import {
  identityFromSeed,
  loadNodeKey,
  loadOrCreateNodeKey,
  nodeKeyFromSeed,
  parseNodeKey,
  saveNodeKey,
} from '../../src/crypto/node-key.ts';
import { SeededRandom } from '../../src/testing/seeded-random.ts';
import { hex, unhex } from '../support/bytes.ts';
import { p2pRejection } from '../support/p2p-rejection.ts';
import { p2pThrow } from '../support/p2p-throw.ts';
import vectors from '../vectors/identity.json' with { type: 'json' };

const random = (seed: number): Random => SeededRandom.from(seed);
const [first, second] = vectors.keys;

describe('a node key', () => {
  for (const row of vectors.keys) {
    describe(`from ${row.label}`, () => {
      it('has the public key and id of the vectors', () => {
        for (const key of [nodeKeyFromSeed(unhex(row.seed)), identityFromSeed(unhex(row.seed))]) {
          expect(hex(key.publicKey)).to.equal(row.publicKey);
          expect(key.nodeId).to.equal(row.nodeId);
          expect(isNodeId(key.nodeId)).to.equal(true);
        }
      });

      it('signs as its public key verifies', async () => {
        const message = Uint8Array.of(1, 2, 3);
        const key = identityFromSeed(unhex(row.seed));
        expect(verify(key.publicKey, message, await key.sign(message))).to.equal(true);
      });

      it('is read from the files of all versions, and written like that of v0.35', () => {
        for (const text of [row.nodeKeyJsonV034, row.nodeKeyJsonV035]) {
          expect(parseNodeKey(text).nodeId).to.equal(row.nodeId);
        }
        expect(nodeKeyFromSeed(unhex(row.seed)).fileText()).to.equal(row.nodeKeyJsonV035);
      });
    });
  }

  it('is made of a seed of 32 bytes, which is copied', () => {
    const seed = unhex(first!.seed);
    const key = nodeKeyFromSeed(seed);
    seed.fill(0);
    expect(key.fileText()).to.equal(first!.nodeKeyJsonV035);
    for (const length of [0, 31, 33, 64]) {
      const error = p2pThrow(() => nodeKeyFromSeed(new Uint8Array(length)));
      expect(error).to.include({ code: 'invalid-node-key', reason: 'length' });
    }
  });

  it('shows nothing secret when it is printed', () => {
    const key = nodeKeyFromSeed(unhex(first!.seed));
    const shown = `${inspect(key, { depth: 9, showHidden: true })} ${JSON.stringify(key)}`;
    const base64 = Buffer.from(unhex(first!.seed)).toString('base64').slice(0, 12);
    for (const secret of [first!.seed.slice(0, 12), base64, '44, 38, 180', '44,38,180', '"0":44']) {
      expect(shown).to.not.contain(secret);
    }
  });

  const member = (type: unknown, value: unknown): string => JSON.stringify({ priv_key: { type, value } });
  const type = 'tendermint/PrivKeyEd25519';
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
  const whole = unhex(first!.privKey64);
  const refused: readonly [string, string, string][] = [
    ['no text', '', 'not-json'],
    ['text that is no JSON', '{"priv_key":', 'not-json'],
    ['JSON that is no object', '"priv_key"', 'not-json'],
    ['JSON null', 'null', 'not-json'],
    ['an object without a private key', '{"id":"x"}', 'not-json'],
    ['a private key that is no object', '{"priv_key":"x"}', 'not-json'],
    ['a private key of another type', member('tendermint/PrivKeySecp256k1', base64(whole)), 'type'],
    ['a private key without type', '{"priv_key":{"value":""}}', 'type'],
    ['a value of 32 bytes', member(type, base64(whole.subarray(0, 32))), 'length'],
    ['a value of 65 bytes', member(type, base64(Uint8Array.of(...whole, 0))), 'length'],
    ['a value that is no base64', member(type, `*${base64(whole)}`), 'length'],
    ['a value in hex', member(type, first!.privKey64), 'length'],
    ['a value that is no text', member(type, 5), 'length'],
    ['no value', `{"priv_key":{"type":"${type}"}}`, 'length'],
    [
      'the public half of another key',
      member(type, base64(unhex(first!.seed + second!.publicKey))),
      'mismatch',
    ],
  ];
  for (const [title, text, reason] of refused) {
    it(`is not read from ${title}: ${reason}`, () => {
      const error = p2pThrow(() => parseNodeKey(text));
      expect(error).to.include({ code: 'invalid-node-key', reason });
      expect(error.cause).to.equal(undefined);
    });
  }

  it('is decided by the key in the file, not by the id beside it', () => {
    const text = first!.nodeKeyJsonV035.replace(first!.nodeId, second!.nodeId).replace('{', '{"other":1,');
    expect(parseNodeKey(text).nodeId).to.equal(first!.nodeId);
  });
});

describe('a node key file', () => {
  let folder = '';
  let path = '';

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'node-key-'));
    path = join(folder, 'node_key.json');
  });

  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  it('is written compactly, for its owner only, and leaves nothing else behind', async () => {
    await saveNodeKey(path, nodeKeyFromSeed(unhex(first!.seed)));
    expect(await readFile(path, 'utf8')).to.equal(first!.nodeKeyJsonV035);
    expect((await stat(path)).mode & 0o777).to.equal(0o600);
    expect(await readdir(folder)).to.deep.equal(['node_key.json']);
  });

  it('is replaced as a whole, with its own rights', async () => {
    await writeFile(path, 'old and longer than the new one'.repeat(100));
    await chmod(path, 0o644);
    await saveNodeKey(path, nodeKeyFromSeed(unhex(second!.seed)));
    expect(await readFile(path, 'utf8')).to.equal(second!.nodeKeyJsonV035);
    expect((await stat(path)).mode & 0o777).to.equal(0o600);
  });

  it('gives an equal key whenever it is loaded', async () => {
    await saveNodeKey(path, nodeKeyFromSeed(unhex(first!.seed)));
    for (let round = 0; round < 2; round++) expect((await loadNodeKey(path)).nodeId).to.equal(first!.nodeId);
    expect((await loadOrCreateNodeKey(path, random(1))).nodeId).to.equal(first!.nodeId);
  });

  it('that is missing is an error to load, and made by load or create', async () => {
    const error = await p2pRejection(loadNodeKey(path));
    expect(error).to.include({ code: 'invalid-node-key', reason: 'missing' });
    const made = await loadOrCreateNodeKey(path, random(1));
    expect(made.nodeId).to.equal(nodeKeyFromSeed(random(1).bytes(32)).nodeId);
    expect((await loadNodeKey(path)).nodeId).to.equal(made.nodeId);
    expect((await loadOrCreateNodeKey(path, random(2))).nodeId).to.equal(made.nodeId);
    expect((await stat(path)).mode & 0o777).to.equal(0o600);
    expect(await readdir(folder)).to.deep.equal(['node_key.json']);
  });

  it('is one and the same for all who create it at once', async () => {
    const keys = await Promise.all([1, 2, 3, 4, 5, 6].map((seed) => loadOrCreateNodeKey(path, random(seed))));
    expect(new Set(keys.map(({ nodeId }) => nodeId)).size).to.equal(1);
    expect((await loadNodeKey(path)).nodeId).to.equal(keys[0]!.nodeId);
    expect(await readdir(folder)).to.deep.equal(['node_key.json']);
  });

  it('that is broken is never replaced by load or create', async () => {
    await writeFile(path, '{"priv_key":');
    const error = await p2pRejection(loadOrCreateNodeKey(path, random(1)));
    expect(error).to.include({ code: 'invalid-node-key', reason: 'not-json' });
    expect(await readFile(path, 'utf8')).to.equal('{"priv_key":');
  });

  it('that cannot be read or written is unreadable', async () => {
    await mkdir(path);
    expect(await p2pRejection(loadNodeKey(path))).to.include({
      code: 'invalid-node-key',
      reason: 'unreadable',
    });
    const nowhere = join(folder, 'no', 'such', 'folder', 'node_key.json');
    const saving = await p2pRejection(saveNodeKey(nowhere, nodeKeyFromSeed(unhex(first!.seed))));
    expect(saving).to.include({ code: 'invalid-node-key', reason: 'unreadable' });
    const overFolder = await p2pRejection(saveNodeKey(path, nodeKeyFromSeed(unhex(first!.seed))));
    expect(overFolder).to.include({ code: 'invalid-node-key', reason: 'unreadable' });
    expect(await readdir(folder)).to.deep.equal(['node_key.json']);
  });
});
