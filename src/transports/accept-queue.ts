import { endOfStream } from '../core/errors.ts';

interface Waiter<T> {
  resolve(item: T): void;
  reject(error: Error): void;
}

/** Inbound connections between arrival and `accept`, in order of arrival. */
export class AcceptQueue<T> {
  readonly #capacity: number;
  readonly #waiters: Waiter<T>[] = [];
  #items: T[] = [];
  #closed = false;

  /** @param capacity - items that may wait; default no limit. */
  constructor(capacity = Infinity) {
    this.#capacity = capacity;
  }

  /** Hands the item to whoever waits, or keeps it. False when there is no room, or no accept will ever come. */
  offer(item: T): boolean {
    if (this.#closed) return false;
    const waiter = this.#waiters.shift();
    if (waiter !== undefined) waiter.resolve(item);
    else if (this.#items.length < this.#capacity) this.#items.push(item);
    else return false;
    return true;
  }

  /** The next item. @throws P2PError `eof` once closed, also when closed while waiting. */
  async take(): Promise<T> {
    const [item] = this.#items.splice(0, 1);
    if (item !== undefined) return item;
    if (this.#closed) throw listenerEnded();
    return await new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
  }

  /** Ends every waiting `take` with an error that is no end: the call may be repeated. */
  fail(error: Error): void {
    for (const waiter of this.#waiters.splice(0)) waiter.reject(error);
  }

  /** Takes back an item that was offered. */
  withdraw(item: T): void {
    this.#items = this.#items.filter((other) => other !== item);
  }

  /** Ends every `take`, and returns the items nobody took. */
  close(): readonly T[] {
    this.#closed = true;
    for (const waiter of this.#waiters.splice(0)) waiter.reject(listenerEnded());
    return this.#items.splice(0);
  }
}

function listenerEnded(): Error {
  return endOfStream('the listener');
}
