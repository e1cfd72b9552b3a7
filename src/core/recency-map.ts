/**
 * A map that knows which entry was set longest ago, in constant time. A plain Map keeps that order too, but looking for
 * its first entry walks over everything deleted in front of it, which a flood of short-lived keys makes quadratic.
 */
export class RecencyMap<K, V> {
  readonly #nodes = new Map<K, Node<K, V>>();
  #first: Node<K, V> | undefined;
  #last: Node<K, V> | undefined;

  get size(): number {
    return this.#nodes.size;
  }

  get(key: K): V | undefined {
    return this.#nodes.get(key)?.value;
  }

  /** The entry set longest ago. */
  first(): readonly [K, V] | undefined {
    return this.#first && [this.#first.key, this.#first.value];
  }

  /** Adds or replaces an entry, which becomes the one set last. */
  set(key: K, value: V): void {
    this.delete(key);
    const node: Node<K, V> = { key, value, before: this.#last, after: undefined };
    if (this.#last === undefined) this.#first = node;
    else this.#last.after = node;
    this.#last = node;
    this.#nodes.set(key, node);
  }

  delete(key: K): boolean {
    const node = this.#nodes.get(key);
    if (node === undefined) return false;
    this.#nodes.delete(key);
    const { before, after } = node;
    if (before === undefined) this.#first = after;
    else before.after = after;
    if (after === undefined) this.#last = before;
    else after.before = before;
    return true;
  }
}

interface Node<K, V> {
  readonly key: K;
  readonly value: V;
  before: Node<K, V> | undefined;
  after: Node<K, V> | undefined;
}
