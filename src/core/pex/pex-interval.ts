export interface PexIntervalInput {
  readonly minMs: number;
  readonly maxMs: number;
  /** Peers that could be asked. */
  readonly eligible: number;
  /** Addresses known now. */
  readonly known: number;
  /** New addresses per response, lately. */
  readonly added: number;
}

/**
 * Milliseconds between two requests: short while answers bring news, growing with the square of what we know when they do
 * not, shared out among the peers (Tendermint v0.35 `pex.Reactor.calculateNextRequestTime`, which has no upper bound and
 * counts every address ever learnt).
 */
export function pexInterval({ minMs, maxMs, eligible, known, added }: PexIntervalInput): number {
  const staleness = (known + 1) / (added + 1);
  const interval = minMs + (minMs / Math.max(1, eligible)) * staleness * staleness;
  return Math.min(Math.max(interval, minMs), maxMs);
}
