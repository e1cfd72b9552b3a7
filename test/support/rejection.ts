import { AssertionError } from 'chai';

/** The error a promise rejects with; fails the test when it does not reject, or with something that is no error. */
export async function rejection(promise: Promise<unknown>): Promise<Error> {
  const outcome = await promise.then(
    () => undefined,
    (thrown: unknown) => ({ thrown }),
  );
  if (outcome === undefined) throw new AssertionError('expected a rejection');
  if (!(outcome.thrown instanceof Error)) throw new AssertionError(`not an error: ${String(outcome.thrown)}`);
  return outcome.thrown;
}
