import type { Lane } from './lane.ts';

/**
 * Deficit round robin over the lanes that have something to send (Shreedhar and Varghese 1995), one packet at a time: a
 * long message takes no more than its lane's turn before another lane is served. A lane of weight w gets w / Σw of the
 * bytes while it has something to send.
 */
export class LaneRing {
  #current: Lane | undefined;
  #size = 0;
  /** Whether the current lane has received the quantum of its turn. */
  #inTurn = false;
  /** Packets so far. Lanes that joined at one instant but with a packet between them did not join together. */
  #served = 0;

  get size(): number {
    return this.#size;
  }

  /**
   * A lane gets its first message: it joins at the end. Of lanes that join at one instant with no packet in between, the
   * one of higher priority goes first, then the one of the lower id.
   */
  insert(lane: Lane, now: number): void {
    lane.joinedAt = now;
    lane.joinedAfter = this.#served;
    this.#size++;
    const current = this.#current;
    if (current === undefined) {
      lane.next = lane.previous = lane;
      this.#current = lane;
      this.#inTurn = false;
      return;
    }
    let behind = current.previous!;
    while (behind !== current && goesBefore(lane, behind)) behind = behind.previous!;
    if (behind === current && !this.#inTurn && goesBefore(lane, current)) {
      behind = current.previous!;
      this.#current = lane;
    }
    lane.previous = behind;
    lane.next = behind.next!;
    lane.next.previous = lane;
    behind.next = lane;
  }

  /** A lane has become empty. */
  remove(lane: Lane): void {
    const { next, previous } = lane;
    if (next === undefined || previous === undefined) return;
    if (this.#current === lane) {
      this.#current = next === lane ? undefined : next;
      this.#inTurn = false;
    }
    previous.next = next;
    next.previous = previous;
    lane.next = lane.previous = undefined;
    lane.deficit = 0;
    this.#size--;
  }

  /** The lane whose packet is next when a packet may hold `maxBytes`; undefined when all lanes are idle. */
  turn(maxBytes: number): Lane | undefined {
    let lane = this.#current;
    if (lane === undefined || this.#size === 1) return lane;
    for (let visited = 1; ; visited++) {
      if (!this.#inTurn) {
        lane.deficit += lane.quantum;
        this.#inTurn = true;
      }
      if (lane.deficit >= lane.cost(maxBytes)) return lane;
      lane = this.#current = lane.next!;
      this.#inTurn = false;
      if (visited % this.#size === 0) this.#skipRounds(lane, maxBytes);
    }
  }

  /** Charges the lane that `turn` returned for its packet. A lane that is alone owes nobody. */
  charge(lane: Lane, cost: number): void {
    this.#served++;
    if (this.#size === 1) {
      lane.deficit = 0;
      this.#inTurn = false;
    } else {
      lane.deficit -= cost;
    }
  }

  /** Gives every lane at once the quanta of all rounds in which nobody could send. */
  #skipRounds(first: Lane, maxBytes: number): void {
    let rounds = Infinity;
    let lane = first;
    do {
      rounds = Math.min(rounds, Math.ceil((lane.cost(maxBytes) - lane.deficit) / lane.quantum));
      lane = lane.next!;
    } while (lane !== first);
    if (rounds <= 1) return;
    do {
      lane.deficit += (rounds - 1) * lane.quantum;
      lane = lane.next!;
    } while (lane !== first);
  }
}

function goesBefore(lane: Lane, other: Lane): boolean {
  if (lane.joinedAt !== other.joinedAt || lane.joinedAfter !== other.joinedAfter) return false;
  const [a, b] = [lane.settings, other.settings];
  return a.priority > b.priority || (a.priority === b.priority && a.id < b.id);
}
