import { AssertionError } from 'chai';
import { P2PError } from '../../src/core/errors.ts';

/** The P2PError a call throws; fails the test when it ends in any other way. */
export function p2pThrow(run: () => unknown): P2PError {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof P2PError) return thrown;
    throw new AssertionError(`not a P2PError: ${String(thrown)}`);
  }
  throw new AssertionError('expected a throw');
}
