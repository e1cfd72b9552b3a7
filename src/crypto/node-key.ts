import { sign as signMessage, type KeyObject } from 'node:crypto';
import { link, mkdtemp, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { NodeKeyFault } from '../core/codes.ts';
import { P2PError, asError } from '../core/errors.ts';
import type { Random } from '../core/env.ts';
import type { Identity } from '../core/identity.ts';
import { nodeIdFromPublicKey, type NodeId } from '../core/node-id.ts';
import { RAW_KEY_BYTES, ed25519PrivateKey, rawPublicKey } from './raw-keys.ts';

const KEY_TYPE = 'tendermint/PrivKeyEd25519';
const PRIVATE_KEY_BYTES = 2 * RAW_KEY_BYTES;

/** A node's long-lived Ed25519 key, held in this process. The private part shows in no log and no JSON. */
export class NodeKey implements Identity {
  readonly nodeId: NodeId;
  /** Raw 32 bytes. */
  readonly publicKey: Uint8Array;
  readonly #seed: Uint8Array;
  readonly #key: KeyObject;

  /**
   * @param seed - 32 secret bytes, copied.
   * @throws P2PError `invalid-node-key` with reason `length`.
   */
  constructor(seed: Uint8Array) {
    if (seed.length !== RAW_KEY_BYTES) {
      throw invalid('length', `the seed of a node key has ${seed.length} bytes instead of ${RAW_KEY_BYTES}`);
    }
    this.#seed = new Uint8Array(seed);
    this.#key = ed25519PrivateKey(this.#seed);
    this.publicKey = rawPublicKey(this.#key);
    this.nodeId = nodeIdFromPublicKey(this.publicKey);
  }

  sign(message: Uint8Array): Uint8Array {
    return new Uint8Array(signMessage(null, message, this.#key));
  }

  /** The content of its node_key.json, in the compact form of Tendermint v0.35, which every version reads. Secret. */
  fileText(): string {
    const value = Buffer.concat([this.#seed, this.publicKey]).toString('base64');
    return JSON.stringify({ id: this.nodeId, priv_key: { type: KEY_TYPE, value } });
  }
}

/** The key of a 32-byte seed. Same errors as `new NodeKey`. */
export function nodeKeyFromSeed(seed: Uint8Array): NodeKey {
  return new NodeKey(seed);
}

/** The identity of a 32-byte seed, for tests and for keys that are not kept in files. Same errors as `new NodeKey`. */
export function identityFromSeed(seed: Uint8Array): Identity & { readonly nodeId: NodeId } {
  return new NodeKey(seed);
}

/**
 * Reads the content of a node_key.json of Tendermint v0.34, v0.35 or CometBFT. A stored id is ignored: the key decides.
 *
 * @throws P2PError `invalid-node-key` with a `NodeKeyFault` as its `reason`.
 */
export function parseNodeKey(text: string): NodeKey {
  const { type, value } = privateKeyMember(text);
  if (type !== KEY_TYPE)
    throw invalid('type', `the node key is of type ${JSON.stringify(type)}, not ${KEY_TYPE}`);
  const bytes = typeof value === 'string' ? strictBase64(value) : undefined;
  if (bytes?.length !== PRIVATE_KEY_BYTES) {
    throw invalid('length', `the node key is not base64 of ${PRIVATE_KEY_BYTES} bytes`);
  }
  const key = new NodeKey(bytes.subarray(0, RAW_KEY_BYTES));
  const isWhole = bytes.subarray(RAW_KEY_BYTES).equals(key.publicKey);
  bytes.fill(0);
  if (!isWhole)
    throw invalid('mismatch', 'the public half of the node key does not belong to its private half');
  return key;
}

/**
 * Reads a node key file.
 *
 * @throws P2PError `invalid-node-key` with a `NodeKeyFault` as its `reason`.
 */
export async function loadNodeKey(path: string): Promise<NodeKey> {
  return parseNodeKey(await readKeyFile(path));
}

/**
 * Reads a node key file, or makes a key from `random` and saves it when there is no file. Of two processes that do this
 * at once, both get the key that ends up in the file.
 *
 * @throws P2PError `invalid-node-key` with a `NodeKeyFault` as its `reason`.
 */
export async function loadOrCreateNodeKey(path: string, random: Random): Promise<NodeKey> {
  try {
    return await loadNodeKey(path);
  } catch (error) {
    if (!(error instanceof P2PError) || error.reason !== 'missing') throw error;
  }
  const seed = random.bytes(RAW_KEY_BYTES);
  const key = new NodeKey(seed);
  seed.fill(0);
  await writeKeyFile(path, key, placeIfAbsent);
  return loadNodeKey(path);
}

/**
 * Writes a node key file, readable by its owner only, so that at every instant either the old or the new file is there
 * whole, also after a power cut. An existing file is replaced.
 *
 * @throws P2PError `invalid-node-key` with reason `unreadable`.
 */
export async function saveNodeKey(path: string, key: NodeKey): Promise<void> {
  await writeKeyFile(path, key, rename);
}

/** Puts a finished temporary file in its place. */
type Place = (temporary: string, path: string) => Promise<void>;

async function writeKeyFile(path: string, key: NodeKey, place: Place): Promise<void> {
  try {
    const folder = await mkdtemp(`${path}.`);
    const temporary = join(folder, 'node_key.json');
    try {
      await writeDurably(temporary, key.fileText());
      await place(temporary, path);
      await syncFolder(dirname(path));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  } catch (cause) {
    throw invalid(
      'unreadable',
      `the node key file ${path} cannot be written: ${asError(cause).message}`,
      cause,
    );
  }
}

/** Places a file only where there is none yet, so that a key that another process has just made is never lost. */
const placeIfAbsent: Place = async (temporary, path) => {
  try {
    await link(temporary, path);
  } catch (error) {
    // File systems without links are left to the one that comes last.
    if (errorCode(error) !== 'EEXIST') await rename(temporary, path);
  }
};

async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes a rename durable. Platforms whose folders cannot be opened do it by themselves. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r').catch(() => undefined);
  if (folder === undefined) return;
  try {
    await folder.sync();
  } catch {
    return;
  } finally {
    await folder.close();
  }
}

async function readKeyFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    const reason = errorCode(cause) === 'ENOENT' ? 'missing' : 'unreadable';
    const what = reason === 'missing' ? 'does not exist' : 'cannot be read';
    throw invalid(reason, `the node key file ${path} ${what}`, cause);
  }
}

function privateKeyMember(text: string): { readonly type?: unknown; readonly value?: unknown } {
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch {
    // The parser's own message would quote the secret.
    throw invalid('not-json', 'the node key is not JSON');
  }
  const member = isObject(file) ? file['priv_key'] : undefined;
  if (!isObject(member)) throw invalid('not-json', 'the node key has no priv_key member');
  return member;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function strictBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

function errorCode(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

function invalid(reason: NodeKeyFault, message: string, cause?: unknown): P2PError {
  return new P2PError('invalid-node-key', message, { reason, cause });
}
