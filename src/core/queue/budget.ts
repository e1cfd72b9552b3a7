/** Bytes that may be held at one time, shared by every queue of a router. */
export class Budget {
  readonly limit: number;
  #used = 0;

  /** @param limit in bytes; Infinity for none. */
  constructor(limit: number) {
    this.limit = limit;
  }

  get used(): number {
    return this.#used;
  }

  /** Whether `bytes` more could be taken if `freed` were given back first. */
  fits(bytes: number, freed = 0): boolean {
    return this.#used - freed + bytes <= this.limit;
  }

  take(bytes: number): void {
    this.#used += bytes;
  }

  give(bytes: number): void {
    this.#used -= bytes;
  }
}
