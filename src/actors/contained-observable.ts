import { Observable, Subscriber, Subscription, type Observer } from 'rxjs';

/**
 * An observable whose subscribers cannot hurt each other or the process: one that throws hears of it through its own
 * `error`, loses its subscription, and is counted. RxJS would throw it again out of a timer. What a subscriber behind
 * operators throws belongs to those operators, and is RxJS' to report.
 */
export class ContainedObservable<T> extends Observable<T> {
  readonly #onThrow: (error: unknown) => void;

  /** @param onThrow told of each throw, and of errors that a subscriber has no `error` for. */
  constructor(subscribe: (subscriber: Subscriber<T>) => () => void, onThrow: (error: unknown) => void) {
    super(subscribe);
    this.#onThrow = onThrow;
  }

  override subscribe(
    observerOrNext?: Partial<Observer<T>> | ((value: T) => void) | null,
    error?: ((error: unknown) => void) | null,
    complete?: (() => void) | null,
  ): Subscription {
    if (observerOrNext instanceof Subscriber) return super.subscribe(observerOrNext);
    const observer = toObserver(observerOrNext, error, complete);
    const leave = new Subscription();
    const failed = (thrown: unknown): void => {
      leave.unsubscribe();
      this.#onThrow(thrown);
      this.#tell(observer, thrown);
    };
    const subscription = super.subscribe({
      next: (value) => {
        if (leave.closed) return;
        try {
          observer.next?.(value);
        } catch (thrown) {
          failed(thrown);
        }
      },
      complete: () => {
        if (leave.closed) return;
        try {
          observer.complete?.();
        } catch (thrown) {
          failed(thrown);
        }
      },
      error: (thrown: unknown) => {
        if (observer.error === undefined) this.#onThrow(thrown);
        else this.#tell(observer, thrown);
      },
    });
    leave.add(subscription);
    return subscription;
  }

  #tell(observer: Partial<Observer<T>>, thrown: unknown): void {
    try {
      observer.error?.(thrown);
    } catch (again) {
      this.#onThrow(again);
    }
  }
}

function toObserver<T>(
  observerOrNext: Partial<Observer<T>> | ((value: T) => void) | null | undefined,
  error: ((error: unknown) => void) | null | undefined,
  complete: (() => void) | null | undefined,
): Partial<Observer<T>> {
  if (typeof observerOrNext === 'object' && observerOrNext !== null) return observerOrNext;
  return {
    ...(observerOrNext ? { next: observerOrNext } : {}),
    ...(error ? { error } : {}),
    ...(complete ? { complete } : {}),
  };
}
