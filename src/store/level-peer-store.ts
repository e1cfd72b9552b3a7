import { readdir } from 'node:fs/promises';
import type { ClassicLevel } from 'classic-level';
import { asError, P2PError } from '../core/errors.ts';
import type { PeerStore } from './peer-store.ts';
import type { RecordBackend, RecordEntry, RecordOperation } from './record-backend.ts';
import { RecordStore } from './record-store.ts';

/** Binary keys and values, both ways. */
const BINARY = { keyEncoding: 'view', valueEncoding: 'view' } as const;

/** The file that names the state of a database; it is written last and never absent from a whole one. */
const CURRENT_FILE = 'CURRENT';
const DATABASE_FILE = /^(MANIFEST-\d+|\d+\.(ldb|sst|log))$/;

type Database = ClassicLevel<Uint8Array, Uint8Array>;

/**
 * A peer store in a LevelDB folder, which is made when it does not exist. One router at a time, in whatever process. What
 * was flushed survives the end of the process; the latest writes may be lost with the power. The native module is loaded
 * at the first `open`.
 */
export function levelPeerStore(folder: string): PeerStore {
  return new RecordStore(new LevelBackend(folder));
}

class LevelBackend implements RecordBackend {
  readonly name: string;
  readonly #folder: string;
  #database: Database | undefined;

  constructor(folder: string) {
    this.name = `peer store ${folder}`;
    this.#folder = folder;
  }

  async open(): Promise<void> {
    const createIfMissing = !(await this.#exists());
    const level = await import('classic-level');
    const database: Database = new level.ClassicLevel(this.#folder, BINARY);
    try {
      await database.open({ createIfMissing });
    } catch (error) {
      await database.close();
      throw this.#openFault(error);
    }
    this.#database = database;
  }

  /** Whether there is a database; a folder with the remains of one is not to be mistaken for a new one. */
  async #exists(): Promise<boolean> {
    let files: string[];
    try {
      files = await readdir(this.#folder);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw this.#failed(`cannot be read: ${asError(cause).message}`, cause);
    }
    if (files.includes(CURRENT_FILE)) return true;
    if (files.some((file) => DATABASE_FILE.test(file))) {
      throw this.#failed(`is damaged: files of a database are there, but ${CURRENT_FILE} is missing`);
    }
    return false;
  }

  #openFault(error: unknown): P2PError {
    const cause = asError(asError(error).cause ?? error);
    if ((cause as NodeJS.ErrnoException).code === 'LEVEL_LOCKED') {
      return new P2PError('store-locked', `${this.name} is open elsewhere`, { cause });
    }
    return this.#failed(`cannot be opened: ${cause.message}`, cause);
  }

  #failed(why: string, cause?: unknown): P2PError {
    return new P2PError('store-failed', `${this.name} ${why}`, { cause });
  }

  #open(): Database {
    if (this.#database === undefined) throw this.#failed('is not open');
    return this.#database;
  }

  entries(kind: number): AsyncIterable<RecordEntry> {
    return this.#open().iterator({ gte: Uint8Array.of(kind), lt: Uint8Array.of(kind + 1) });
  }

  async batch(operations: readonly RecordOperation[]): Promise<void> {
    await this.#open().batch([...operations]);
  }

  async close(): Promise<void> {
    const database = this.#open();
    this.#database = undefined;
    await database.close();
  }
}
