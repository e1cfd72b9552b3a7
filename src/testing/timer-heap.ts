/** Fewer cancelled timers than this are not worth a rebuild. */
const COMPACT_FROM = 64;

/** A timer of the simulated clock. */
export interface SimulatedTimer {
  readonly dueAt: number;
  /** Order of creation; decides between timers of one instant. */
  readonly sequence: number;
  readonly label: string;
  /** Undefined once the timer has fired or was cancelled. */
  fire: (() => void) | undefined;
  /** Whether the heap still holds it. */
  isQueued: boolean;
}

/** Timers by (due, creation). Cancelled ones stay until they surface or outnumber the live ones. */
export class TimerHeap {
  #heap: SimulatedTimer[] = [];
  #cancelled = 0;
  #sequence = 0;

  /** Live timers. */
  get size(): number {
    return this.#heap.length - this.#cancelled;
  }

  add(dueAt: number, fire: () => void, label: string): SimulatedTimer {
    const timer: SimulatedTimer = { dueAt, sequence: this.#sequence++, label, fire, isQueued: true };
    const heap = this.#heap;
    let at = heap.push(timer) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (isBefore(heap[parent]!, timer)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = timer;
    return timer;
  }

  /** Does nothing when the timer has fired or was cancelled. */
  cancel(timer: SimulatedTimer): void {
    if (timer.fire === undefined) return;
    timer.fire = undefined;
    if (!timer.isQueued) return;
    this.#cancelled++;
    if (this.#cancelled > COMPACT_FROM && this.#cancelled > this.#heap.length / 2) this.#compact();
  }

  /** The instant of the next live timer; Infinity when there is none. */
  nextDueAt(): number {
    while (this.#heap.length > 0 && this.#heap[0]!.fire === undefined) {
      this.#removeFirst();
      this.#cancelled--;
    }
    return this.#heap[0]?.dueAt ?? Infinity;
  }

  /** Takes out every live timer due at or before `instant`, in order. */
  takeDue(instant: number): SimulatedTimer[] {
    const due: SimulatedTimer[] = [];
    while (this.nextDueAt() <= instant) due.push(this.#removeFirst());
    return due;
  }

  /** The live timers in the order they will fire. */
  inOrder(): readonly SimulatedTimer[] {
    return this.#heap.filter(isLive).sort((a, b) => (isBefore(a, b) ? -1 : 1));
  }

  #removeFirst(): SimulatedTimer {
    const heap = this.#heap;
    const first = heap[0]!;
    first.isQueued = false;
    const last = heap.pop()!;
    if (heap.length > 0) this.#sinkFromTop(last);
    return first;
  }

  #sinkFromTop(timer: SimulatedTimer): void {
    const heap = this.#heap;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (isBefore(timer, heap[child]!)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = timer;
  }

  #compact(): void {
    this.#heap = [...this.inOrder()];
    this.#cancelled = 0;
  }
}

function isLive(timer: SimulatedTimer): boolean {
  return timer.fire !== undefined;
}

function isBefore(a: SimulatedTimer, b: SimulatedTimer): boolean {
  return a.dueAt < b.dueAt || (a.dueAt === b.dueAt && a.sequence < b.sequence);
}
