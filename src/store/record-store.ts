import { asError, P2PError } from '../core/errors.ts';
import type { NodeId } from '../core/node-id.ts';
import type { BanRecord, PeerRecord, StoreWrite } from '../core/peer/peer-record.ts';
import {
  decodeBanRecord,
  decodePeerRecord,
  encodeBanRecord,
  encodePeerRecord,
  type RecordFault,
} from '../wire/record-codec.ts';
import type { PeerStore, StoredPeers, StoreFault } from './peer-store.ts';
import type { RecordBackend, RecordEntry, RecordOperation } from './record-backend.ts';
import {
  keyText,
  quarantineKey,
  RECORD_KINDS,
  recordKey,
  recordKeyId,
  type RecordKind,
} from './record-key.ts';
import { WriteBehind } from './write-behind.ts';

/** What a load has found so far. */
interface Findings {
  readonly records: PeerRecord[];
  readonly bans: BanRecord[];
  readonly faults: StoreFault[];
  readonly damaged: RecordEntry[];
}

/** A peer store on any backend: encodes records, checks them when they are read, and writes behind. */
export class RecordStore implements PeerStore {
  readonly name: string;
  onFault?: (fault: StoreFault) => void;
  readonly #backend: RecordBackend;
  readonly #writer: WriteBehind;
  #isOpen = false;
  #opening: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(backend: RecordBackend) {
    this.name = backend.name;
    this.#backend = backend;
    this.#writer = new WriteBehind({
      apply: (operations) => backend.batch(operations),
      onFailed: (keys, cause) => this.#writeFailed(keys, cause),
    });
  }

  async open(): Promise<void> {
    while (this.#closing !== undefined) await this.#closing;
    if (this.#isOpen || this.#opening !== undefined) {
      throw new P2PError('store-locked', `${this.name} is open already`);
    }
    this.#opening = this.#backend.open();
    try {
      await this.#opening;
      this.#isOpen = true;
    } finally {
      this.#opening = undefined;
    }
  }

  async load(): Promise<StoredPeers> {
    if (!this.#isOpen) throw new P2PError('store-failed', `${this.name} is not open`);
    // What was written before is read; faults of it are reported where they happen.
    await this.#writer.flush().catch(() => undefined);
    const findings: Findings = { records: [], bans: [], faults: [], damaged: [] };
    try {
      await this.#readAll('peer', (id, value) => this.#readPeer(id, value, findings), findings);
      await this.#readAll('ban', (id, value) => this.#readBan(id, value, findings), findings);
    } catch (cause) {
      throw new P2PError('store-failed', `${this.name} cannot be read: ${asError(cause).message}`, { cause });
    }
    await this.#quarantine(findings);
    const { records, bans, faults } = findings;
    return { records, bans, faults };
  }

  async #readAll(
    kind: RecordKind,
    read: (id: NodeId, value: Uint8Array) => Damage | undefined,
    { faults, damaged }: Findings,
  ): Promise<void> {
    for await (const [key, value] of this.#backend.entries(RECORD_KINDS[kind])) {
      const id = recordKeyId(key);
      const damage = id === undefined ? BAD_KEY : read(id, value);
      if (damage === undefined) continue;
      faults.push({ code: damage.fault, key: id ?? keyText(key), message: `${kind}: ${damage.message}` });
      damaged.push([key, value]);
    }
  }

  #readPeer(id: NodeId, value: Uint8Array, { records, faults }: Findings): Damage | undefined {
    const decoded = decodePeerRecord(value, id);
    if (!decoded.ok) return decoded;
    records.push(decoded.record);
    for (const { text, why } of decoded.dropped) {
      faults.push({
        code: 'record-address',
        key: id,
        message: `address ${JSON.stringify(text)} dropped: ${why}`,
      });
    }
    return undefined;
  }

  #readBan(id: NodeId, value: Uint8Array, { bans }: Findings): Damage | undefined {
    const decoded = decodeBanRecord(value, id);
    if (!decoded.ok) return decoded;
    bans.push(decoded.ban);
    return undefined;
  }

  /** Moves damaged records out of the way, where somebody may still look at them. */
  async #quarantine({ damaged, faults }: Findings): Promise<void> {
    if (damaged.length === 0) return;
    const operations = damaged.flatMap(([key, value]): RecordOperation[] => [
      { type: 'put', key: quarantineKey(key), value },
      { type: 'del', key },
    ]);
    try {
      await this.#backend.batch(operations);
    } catch (cause) {
      faults.push({
        code: 'write-failed',
        key: keyText(damaged[0]![0]),
        message: `${damaged.length} damaged records stay where they are: ${asError(cause).message}`,
      });
    }
  }

  write(changes: readonly StoreWrite[]): void {
    if (!this.#isOpen) {
      for (const change of changes) this.#report('write-failed', subject(change), `${this.name} is not open`);
      return;
    }
    const operations: RecordOperation[] = [];
    for (const change of changes) {
      try {
        operations.push(operation(change));
      } catch (error) {
        this.#report('write-failed', subject(change), `it cannot be encoded: ${asError(error).message}`);
      }
    }
    this.#writer.write(operations);
  }

  async flush(): Promise<void> {
    if (!this.#isOpen) throw new P2PError('store-failed', `${this.name} is not open`);
    await this.#writer.flush();
  }

  close(): Promise<void> {
    if (!this.#isOpen && this.#opening === undefined && this.#closing === undefined) return Promise.resolve();
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    if (this.#opening !== undefined) await this.#opening.catch(() => undefined);
    const wasOpen = this.#isOpen;
    this.#isOpen = false;
    // Faults of the last batch are reported where they happen.
    if (wasOpen) await this.#writer.flush().catch(() => undefined);
    try {
      if (wasOpen) await this.#backend.close();
    } catch (error) {
      this.#report('write-failed', this.name, `it did not close: ${asError(error).message}`);
    }
    this.#closing = undefined;
  }

  #writeFailed(keys: readonly string[], cause: Error): void {
    const others = keys.length === 1 ? '' : ` and ${keys.length - 1} others`;
    this.#report('write-failed', keys[0]!, `record${others} not written: ${cause.message}`);
  }

  #report(code: StoreFault['code'], key: string, message: string): void {
    try {
      this.onFault?.({ code, key, message });
    } catch {
      // A listener that breaks its promise not to throw must not stop the store.
    }
  }
}

interface Damage {
  readonly fault: RecordFault;
  readonly message: string;
}

const BAD_KEY: Damage = { fault: 'record-id', message: 'the key holds no node id' };

function subject(change: StoreWrite): NodeId {
  if (change.type === 'put') return change.record.id;
  return change.type === 'putBan' ? change.ban.id : change.peer;
}

function operation(change: StoreWrite): RecordOperation {
  switch (change.type) {
    case 'put':
      return {
        type: 'put',
        key: recordKey('peer', change.record.id),
        value: encodePeerRecord(change.record),
      };
    case 'delete':
      return { type: 'del', key: recordKey('peer', change.peer) };
    case 'putBan':
      return { type: 'put', key: recordKey('ban', change.ban.id), value: encodeBanRecord(change.ban) };
    case 'deleteBan':
      return { type: 'del', key: recordKey('ban', change.peer) };
  }
}
