import btree from 'sorted-btree';

type Tree<K, V> = InstanceType<typeof btree.default<K, V>>;

/** Negative when `a` comes first; 0 only for the same place. */
export type Compare<T> = (a: T, b: T) => number;

/** A set in a fixed order, as its readers see it. Reads cost O(log n); so do writes, whatever copies exist. */
export interface Order<T> {
  readonly size: number;
  has(item: T): boolean;
  minKey(): T | undefined;
  maxKey(): T | undefined;
  /** The first item that comes after `item`, which need not be in the set. */
  nextHigherKey(item: T): T | undefined;
  /** The last item that comes before `item`, which need not be in the set. */
  nextLowerKey(item: T): T | undefined;
  /** In order, beginning with the first item not before `from`. */
  keys(from?: T): IterableIterator<T>;
}

/** The side of an `Order` that changes it. `clone` costs O(1): nodes are shared until one side writes. */
export interface MutableOrder<T> extends Order<T> {
  set(item: T, nothing: undefined): boolean;
  delete(item: T): boolean;
  clone(): MutableOrder<T>;
}

/** A map in key order, as its readers see it. */
export interface OrderedMap<K, V> {
  readonly size: number;
  has(key: K): boolean;
  get(key: K): V | undefined;
  keys(): IterableIterator<K>;
  values(): IterableIterator<V>;
}

export interface MutableOrderedMap<K, V> extends OrderedMap<K, V> {
  set(key: K, value: V): boolean;
  delete(key: K): boolean;
  clone(): MutableOrderedMap<K, V>;
}

export function createOrder<T>(compare: Compare<T>): MutableOrder<T> {
  return newTree<T, undefined>(compare);
}

export function createOrderedMap<K extends string, V>(): MutableOrderedMap<K, V> {
  return newTree<K, V>(compareText);
}

function newTree<K, V>(compare: Compare<K>): Tree<K, V> {
  return new btree.default<K, V>(undefined, compare);
}

/** By code units. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The items of an order from its end. */
export function* fromEnd<T>(order: Order<T>): Generator<T, undefined> {
  let item = order.maxKey();
  while (item !== undefined) {
    yield item;
    item = order.nextLowerKey(item);
  }
  return undefined;
}
