/** A promise that somebody else settles. That nobody waits for it is no fault. */
export class Deferred<T> {
  readonly promise: Promise<T>;
  /** Does nothing once it is settled; so does `reject`. */
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;

  constructor() {
    let resolve: (value: T) => void = () => undefined;
    let reject: (error: Error) => void = () => undefined;
    this.promise = new Promise<T>((accept, refuse) => {
      resolve = accept;
      reject = refuse;
    });
    this.promise.catch(() => undefined);
    this.resolve = resolve;
    this.reject = reject;
  }
}
