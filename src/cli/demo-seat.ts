import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadOrCreateNodeKey, realEnv, type Identity, type NodeId } from '../index.ts';
import { CommandFailure } from './failure.ts';
import { makeFolder } from './folder.ts';

/** The names of the five nodes, in the order they start. */
export const DEMO_NAMES = ['n0', 'n1', 'n2', 'n3', 'n4'] as const;

export type DemoName = (typeof DEMO_NAMES)[number];

/** What a node of the demo keeps between runs, each in a folder of its own. */
export interface DemoSeat {
  readonly name: DemoName;
  readonly nodeId: NodeId;
  readonly identity: Identity;
  /** Folder of its peer store. */
  readonly storeFolder: string;
  /** `ip:port` of an earlier run in which it found its peers; undefined when there was none. */
  readonly listen: string | undefined;
  /** File that keeps `listen`. */
  readonly listenFile: string;
}

/**
 * Makes or reads the folder of the demo.
 *
 * @throws P2PError `invalid-node-key`, CommandFailure `demo-folder`, or what the file system says.
 */
export async function takeSeats(folder: string): Promise<readonly DemoSeat[]> {
  return Promise.all(DEMO_NAMES.map((name) => takeSeat(name, join(folder, name))));
}

async function takeSeat(name: DemoName, folder: string): Promise<DemoSeat> {
  await makeFolder(folder);
  const identity = await loadOrCreateNodeKey(join(folder, 'node_key.json'), realEnv().random);
  const listenFile = join(folder, 'listen');
  return {
    name,
    nodeId: identity.nodeId,
    identity,
    storeFolder: join(folder, 'peers'),
    listen: await readListen(listenFile),
    listenFile,
  };
}

async function readListen(file: string): Promise<string | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  const listen = text.trim();
  if (/^127\.0\.0\.1:[1-9]\d{0,4}$/.test(listen)) return listen;
  throw new CommandFailure(
    'demo-folder',
    `${file} should hold 127.0.0.1:<port>, not ${JSON.stringify(listen)}`,
  );
}

/** Keeps where a node listens. The file is there whole or not at all. */
export async function rememberListen({ listenFile }: DemoSeat, listen: string): Promise<void> {
  const temporary = `${listenFile}.new`;
  await writeFile(temporary, `${listen}\n`);
  await rename(temporary, listenFile);
}
