import { AssertionError } from 'chai';
import { P2PError } from '../../src/core/errors.ts';
import { rejection } from './rejection.ts';

/** The P2PError a promise rejects with; fails the test when it ends in any other way. */
export async function p2pRejection(promise: Promise<unknown>): Promise<P2PError> {
  const error = await rejection(promise);
  if (!(error instanceof P2PError)) throw new AssertionError(`not a P2PError: ${String(error)}`);
  return error;
}
