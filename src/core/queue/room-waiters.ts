import type { CloseReason, Lane } from './lane.ts';

/** What somebody who waited for room hears: there is some, or there never will be. */
export type RoomResult = 'room' | 'peer_lacks_channel' | CloseReason;

interface RoomWaiter {
  readonly bytes: number;
  readonly settle: (result: RoomResult) => void;
}

/** Who waits for room in the lanes of one outbox; each lane serves them in the order they came. */
export class RoomWaiters {
  readonly #fits: (lane: Lane, bytes: number) => boolean;
  #byLane: Map<Lane, Set<RoomWaiter>> | undefined;
  #isServing = false;

  constructor(fits: (lane: Lane, bytes: number) => boolean) {
    this.#fits = fits;
  }

  has(lane: Lane): boolean {
    return this.#byLane?.has(lane) ?? false;
  }

  wait(lane: Lane, bytes: number, settle: (result: RoomResult) => void): { cancel(): void } {
    const waiter: RoomWaiter = { bytes, settle };
    const byLane = (this.#byLane ??= new Map<Lane, Set<RoomWaiter>>());
    const waiters = byLane.get(lane);
    if (waiters === undefined) byLane.set(lane, new Set([waiter]));
    else waiters.add(waiter);
    this.serve();
    return {
      cancel: () => {
        if (this.#remove(lane, waiter)) this.serve();
      },
    };
  }

  /** Lets those who wait have the room there is. */
  serve(): void {
    if (this.#byLane === undefined || this.#byLane.size === 0 || this.#isServing) return;
    this.#isServing = true;
    try {
      let served: boolean;
      do {
        served = false;
        for (const [lane, waiters] of this.#byLane) served = this.#serveFirst(lane, waiters) || served;
      } while (served);
    } finally {
      this.#isServing = false;
    }
  }

  /** Nobody gets room in the lane any more. */
  refuse(lane: Lane, reason: CloseReason): void {
    const waiters = this.#byLane?.get(lane);
    if (waiters === undefined) return;
    for (const waiter of waiters) {
      this.#remove(lane, waiter);
      waiter.settle(reason);
    }
  }

  #serveFirst(lane: Lane, waiters: ReadonlySet<RoomWaiter>): boolean {
    for (const waiter of waiters) {
      if (!this.#fits(lane, waiter.bytes)) return false;
      this.#remove(lane, waiter);
      waiter.settle('room');
      return true;
    }
    return false;
  }

  #remove(lane: Lane, waiter: RoomWaiter): boolean {
    const waiters = this.#byLane?.get(lane);
    if (waiters?.delete(waiter) !== true) return false;
    if (waiters.size === 0) this.#byLane?.delete(lane);
    return true;
  }
}
