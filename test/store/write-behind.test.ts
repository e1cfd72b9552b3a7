import { expect } from 'chai';
import type { RecordOperation } from '../../src/store/record-backend.ts';
import { WriteBehind } from '../../src/store/write-behind.ts';
import { p2pRejection } from '../support/p2p-rejection.ts';

function put(key: number, value: number): RecordOperation {
  return { type: 'put', key: Uint8Array.of(key), value: Uint8Array.of(value) };
}

function del(key: number): RecordOperation {
  return { type: 'del', key: Uint8Array.of(key) };
}

function shown(operation: RecordOperation): string {
  return operation.type === 'put' ? `${operation.key[0]}=${operation.value[0]}` : `-${operation.key[0]}`;
}

/** A disk whose batches end when, and as, the test says. */
class ManualDisk {
  readonly batches: string[] = [];
  readonly failed: string[] = [];
  readonly writer: WriteBehind;
  #settle: ((error?: Error) => void) | undefined;

  constructor(maxPending?: number) {
    this.writer = new WriteBehind({
      apply: (operations) => {
        this.batches.push(operations.map(shown).join(' '));
        return new Promise((resolve, reject) => {
          this.#settle = (error) => (error === undefined ? resolve() : reject(error));
        });
      },
      onFailed: (keys, cause) => this.failed.push(`${keys.join(' ')}: ${cause.message}`),
      ...(maxPending !== undefined && { maxPending }),
    });
  }

  /** Ends the running batch and lets the writer go on. */
  async end(error?: Error): Promise<void> {
    await turn();
    const settle = this.#settle;
    this.#settle = undefined;
    if (settle === undefined) throw new Error('no batch is running');
    settle(error);
    await turn();
  }

  get isBusy(): boolean {
    return this.#settle !== undefined;
  }
}

async function turn(): Promise<void> {
  for (let count = 0; count < 10; count++) await Promise.resolve();
}

describe('writing behind', () => {
  it('begins at once, with all that one turn brings', async () => {
    const disk = new ManualDisk();
    disk.writer.write([put(1, 1)]);
    disk.writer.write([put(2, 1)]);
    await turn();
    expect(disk.batches).to.deep.equal(['1=1 2=1']);
  });

  it('collects what comes during a batch, the latest of each key', async () => {
    const disk = new ManualDisk();
    disk.writer.write([put(1, 1)]);
    await turn();
    for (let value = 2; value < 9; value++) disk.writer.write([put(1, value), put(2, value), del(3)]);
    expect(disk.batches).to.have.length(1);
    await disk.end();
    expect(disk.batches).to.deep.equal(['1=1', '1=8 2=8 -3']);
    await disk.end();
    expect(disk.isBusy).to.equal(false);
  });

  it('does nothing for no changes', async () => {
    const disk = new ManualDisk();
    disk.writer.write([]);
    await turn();
    await disk.writer.flush();
    expect(disk.batches).to.deep.equal([]);
  });

  it('flushes what was handed in, and does not wait for what comes later', async () => {
    const disk = new ManualDisk();
    const log: string[] = [];
    disk.writer.write([put(1, 1)]);
    await turn();
    disk.writer.write([put(2, 1)]);
    void disk.writer.flush().then(() => log.push('flushed'));
    await disk.end();
    expect(log).to.deep.equal([]);
    disk.writer.write([put(3, 1)]);
    await disk.end();
    expect(log).to.deep.equal(['flushed']);
    expect(disk.isBusy).to.equal(true);
    await disk.end();
  });

  it('PM-271 reports a failed batch and writes it again with the next write', async () => {
    const disk = new ManualDisk();
    disk.writer.write([put(1, 1), put(2, 1)]);
    await disk.end(new Error('disk full'));
    expect(disk.failed).to.deep.equal(['01 02: disk full']);
    expect(disk.isBusy).to.equal(false);
    disk.writer.write([put(2, 2), put(3, 2)]);
    await disk.end();
    expect(disk.batches.at(-1)).to.equal('1=1 2=2 3=2');
    expect(disk.writer.pending).to.equal(0);
    await disk.writer.flush();
  });

  it('tries what failed once more when something came meanwhile, and the newer change wins', async () => {
    const disk = new ManualDisk();
    disk.writer.write([put(1, 1), put(2, 1)]);
    await turn();
    disk.writer.write([put(1, 2)]);
    await disk.end(new Error('disk full'));
    expect(disk.batches.at(-1)).to.equal('2=1 1=2');
    await disk.end(new Error('disk full'));
    expect([disk.isBusy, disk.batches.length, disk.writer.pending]).to.deep.equal([false, 2, 2]);
  });

  it('rejects a flush that could not write, and tries again at the next', async () => {
    const disk = new ManualDisk();
    disk.writer.write([put(1, 1)]);
    const first = p2pRejection(disk.writer.flush());
    await disk.end(new Error('disk full'));
    const error = await first;
    expect(error.code).to.equal('store-failed');
    expect((error.cause as Error).message).to.equal('disk full');
    const second = disk.writer.flush();
    await disk.end();
    await second;
    expect(disk.batches).to.deep.equal(['1=1', '1=1']);
  });

  it('serves several flushes at once', async () => {
    const disk = new ManualDisk();
    disk.writer.write([put(1, 1)]);
    const flushes = Promise.all([disk.writer.flush(), disk.writer.flush()]);
    await disk.end();
    while (disk.isBusy) await disk.end();
    await flushes;
    expect(disk.batches[0]).to.equal('1=1');
  });

  it('gives up and reports the oldest when too much waits', async () => {
    const disk = new ManualDisk(3);
    disk.writer.write([put(0, 0)]);
    await turn();
    for (let key = 1; key <= 5; key++) disk.writer.write([put(key, 1)]);
    expect(disk.failed).to.deep.equal([
      '01: more than 3 records wait to be written',
      '02: more than 3 records wait to be written',
    ]);
    await disk.end();
    expect(disk.batches.at(-1)).to.equal('3=1 4=1 5=1');
    await disk.end();
  });

  it('keeps to its bound when a failed batch comes back', async () => {
    const disk = new ManualDisk(3);
    disk.writer.write([put(1, 1), put(2, 1)]);
    await turn();
    disk.writer.write([put(3, 1), put(4, 1)]);
    await disk.end(new Error('disk full'));
    expect(disk.failed).to.deep.equal(['01 02: disk full', '01: more than 3 records wait to be written']);
    await disk.end();
    expect(disk.batches.at(-1)).to.equal('2=1 3=1 4=1');
  });
});
