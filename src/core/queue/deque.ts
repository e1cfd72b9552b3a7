const CAPACITY_MIN = 8;
/** An empty deque keeps at most this many slots, so that a past burst costs no memory. */
const CAPACITY_KEPT = 64;
/** What a deque without slots has; never written to. */
const NONE: never[] = [];

/**
 * A first-in first-out queue of values, each with one number beside it. Adding and removing take constant time, and no
 * object is made per entry.
 */
export class Deque<T> {
  #values: (T | undefined)[] = NONE;
  #numbers: number[] = NONE;
  #first = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** The oldest value; undefined when the deque is empty. */
  get front(): T | undefined {
    return this.#values[this.#first];
  }

  /** The number beside the oldest value; 0 when the deque is empty. */
  get frontNumber(): number {
    return this.#length === 0 ? 0 : this.#numbers[this.#first]!;
  }

  push(value: T, number: number): void {
    if (this.#length === this.#values.length) this.#resize(Math.max(CAPACITY_MIN, 2 * this.#length));
    const slot = this.#slot(this.#length++);
    this.#values[slot] = value;
    this.#numbers[slot] = number;
  }

  /** Removes the oldest value. */
  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const value = this.#values[this.#first];
    this.#values[this.#first] = undefined;
    this.#first = this.#slot(1);
    if (--this.#length === 0 && this.#values.length > CAPACITY_KEPT) this.#resize(0);
    return value;
  }

  /** Removes the second oldest value. */
  shiftSecond(): T | undefined {
    if (this.#length < 2) return undefined;
    const second = this.#slot(1);
    const value = this.#values[second];
    this.#values[second] = this.#values[this.#first];
    this.#numbers[second] = this.#numbers[this.#first]!;
    this.#values[this.#first] = undefined;
    this.#first = second;
    this.#length--;
    return value;
  }

  /** The value at `index`, counted from the oldest. */
  at(index: number): T | undefined {
    return index < this.#length ? this.#values[this.#slot(index)] : undefined;
  }

  /** The number at `index`, counted from the oldest; 0 beyond the newest. */
  numberAt(index: number): number {
    return index < this.#length ? this.#numbers[this.#slot(index)]! : 0;
  }

  /** Capacities are powers of two, so that a mask wraps around. */
  #slot(index: number): number {
    return (this.#first + index) & (this.#values.length - 1);
  }

  #resize(capacity: number): void {
    const values = new Array<T | undefined>(capacity);
    const numbers = new Array<number>(capacity);
    for (let index = 0; index < capacity; index++) {
      values[index] = this.at(index);
      numbers[index] = this.numberAt(index);
    }
    this.#values = values;
    this.#numbers = numbers;
    this.#first = 0;
  }
}
