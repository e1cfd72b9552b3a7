import { TIMER_MAX_MS } from './env.ts';
import { P2PError } from './errors.ts';
import * as defaults from './limits.ts';

/**
 * The limits of a router; every one may be left out. A time-out is a number of milliseconds above 0 and up to
 * 2^31 − 1, or `Infinity` to switch it off. A count is an integer from 1, or `Infinity` for no limit.
 */
export interface RouterLimitOptions {
  /** Scheduler of a peer's outbox: `drr`, deficit round robin, the default and the only one. */
  readonly scheduler?: string;
  /** To resolve one address; default 5 000. */
  readonly resolveTimeoutMs?: number;
  /** To open one endpoint; default 3 000. */
  readonly dialTimeoutMs?: number;
  /** For a whole outbound attempt, from resolving to ready; default 20 000. The shorter of two time-outs applies. */
  readonly attemptTimeoutMs?: number;
  /** For key exchange, node information, filters and verdict together; default 10 000. */
  readonly handshakeTimeoutMs?: number;
  /** For each filter call; one that does not answer refuses. Default 2 000. */
  readonly filterTimeoutMs?: number;
  /** To flush queued messages when a connection or the router closes; default 2 000. */
  readonly drainTimeoutMs?: number;
  /**
   * How long a connection to a peer that sends no verdicts stays unannounced, unless a message arrives earlier;
   * default 500, and 0 announces it at once.
   */
  readonly probationMs?: number;
  /** Silence after which a ready connection gives way to a new one of the same peer; default 5 000. */
  readonly supersedeAfterMs?: number;
  readonly inbound?: {
    /** Open inbound connections per IPv4 address or IPv6 /64; default 16, also for 0. */
    readonly maxPerIp?: number;
    /** Time until one host may open one connection more, at least 1; default 100, also for 0. */
    readonly windowMs?: number;
    /** Connections one host may open at once; default 4. */
    readonly burstPerIp?: number;
    /** Inbound handshakes running at once; default 64. */
    readonly maxPendingHandshakes?: number;
    /** Inbound connections in any state; default the peer table's capacity and 16, none when that is unlimited. */
    readonly maxAccepted?: number;
  };
  readonly dial?: {
    /** Outbound attempts running at once; default 64. A function is asked once, when the router is made. */
    readonly maxConcurrent?: number | (() => number);
    /** Time between the starts of two attempts, 0 … 2^31 − 1; default 0. */
    readonly minIntervalMs?: number;
    /** Added to that at random, up to this; 0 … 2^31 − 1; default 0. */
    readonly jitterMs?: number;
  };
  readonly budgets?: {
    /** Bytes of outbound messages queued for one peer; default 4 MiB. */
    readonly peerBytes?: number;
    /** Bytes of messages queued in the whole router; default 256 MiB. */
    readonly routerBytes?: number;
  };
  /** Throw where a programmer's mistake would otherwise be an outcome; default false. */
  readonly strict?: boolean;
}

/** `RouterLimitOptions` with every default filled in, frozen. */
export interface RouterLimits {
  readonly scheduler: 'drr';
  readonly resolveTimeoutMs: number;
  readonly dialTimeoutMs: number;
  readonly attemptTimeoutMs: number;
  readonly handshakeTimeoutMs: number;
  readonly filterTimeoutMs: number;
  readonly drainTimeoutMs: number;
  readonly probationMs: number;
  readonly supersedeAfterMs: number;
  readonly inbound: {
    readonly maxPerIp: number;
    readonly windowMs: number;
    readonly burstPerIp: number;
    readonly maxPendingHandshakes: number;
    readonly maxAccepted: number;
  };
  readonly dial: {
    readonly maxConcurrent: number;
    readonly minIntervalMs: number;
    readonly jitterMs: number;
  };
  readonly budgets: {
    readonly peerBytes: number;
    readonly routerBytes: number;
  };
  readonly strict: boolean;
}

/**
 * Checks the limits of a router and fills in their defaults. The options object is only read.
 *
 * @param capacity how many connections the peer table allows; Infinity when it has no limit.
 * @throws P2PError `invalid-option` with the path of the option as its `reason` and the value in its message.
 */
export function routerLimits(options: RouterLimitOptions = {}, capacity = Infinity): RouterLimits {
  return Object.freeze({
    scheduler: scheduler(options.scheduler),
    resolveTimeoutMs: timeout('resolveTimeoutMs', options.resolveTimeoutMs, defaults.RESOLVE_TIMEOUT_MS),
    dialTimeoutMs: timeout('dialTimeoutMs', options.dialTimeoutMs, defaults.DIAL_TIMEOUT_MS),
    attemptTimeoutMs: timeout('attemptTimeoutMs', options.attemptTimeoutMs, defaults.ATTEMPT_TIMEOUT_MS),
    handshakeTimeoutMs: timeout(
      'handshakeTimeoutMs',
      options.handshakeTimeoutMs,
      defaults.HANDSHAKE_TIMEOUT_MS,
    ),
    filterTimeoutMs: timeout('filterTimeoutMs', options.filterTimeoutMs, defaults.FILTER_TIMEOUT_MS),
    drainTimeoutMs: timeout('drainTimeoutMs', options.drainTimeoutMs, defaults.DRAIN_TIMEOUT_MS),
    probationMs: delay('probationMs', options.probationMs, defaults.PROBATION_MS),
    supersedeAfterMs: timeout('supersedeAfterMs', options.supersedeAfterMs, defaults.SUPERSEDE_AFTER_MS),
    inbound: inboundLimits(options.inbound, capacity),
    dial: dialLimits(options.dial),
    budgets: budgetLimits(options.budgets),
    strict: flag('strict', options.strict),
  });
}

function inboundLimits(
  options: RouterLimitOptions['inbound'] = {},
  capacity: number,
): RouterLimits['inbound'] {
  const { maxPerIp, windowMs, burstPerIp, maxPendingHandshakes, maxAccepted } = options;
  return Object.freeze({
    maxPerIp: count('inbound.maxPerIp', maxPerIp === 0 ? undefined : maxPerIp, defaults.INBOUND_MAX_PER_IP),
    windowMs: window('inbound.windowMs', windowMs === 0 ? undefined : windowMs, defaults.INBOUND_WINDOW_MS),
    burstPerIp: count('inbound.burstPerIp', burstPerIp, defaults.INBOUND_BURST_PER_IP),
    maxPendingHandshakes: count(
      'inbound.maxPendingHandshakes',
      maxPendingHandshakes,
      defaults.INBOUND_MAX_PENDING_HANDSHAKES,
    ),
    maxAccepted: count('inbound.maxAccepted', maxAccepted, capacity + defaults.INBOUND_ACCEPTED_MARGIN),
  });
}

function dialLimits(options: RouterLimitOptions['dial'] = {}): RouterLimits['dial'] {
  const { maxConcurrent, minIntervalMs, jitterMs } = options;
  const concurrent = typeof maxConcurrent === 'function' ? maxConcurrent() : maxConcurrent;
  return Object.freeze({
    maxConcurrent: count('dial.maxConcurrent', concurrent, defaults.DIAL_MAX_CONCURRENT),
    minIntervalMs: delay('dial.minIntervalMs', minIntervalMs, 0),
    jitterMs: delay('dial.jitterMs', jitterMs, 0),
  });
}

function budgetLimits(options: RouterLimitOptions['budgets'] = {}): RouterLimits['budgets'] {
  return Object.freeze({
    peerBytes: count('budgets.peerBytes', options.peerBytes, defaults.PEER_BUDGET_BYTES),
    routerBytes: count('budgets.routerBytes', options.routerBytes, defaults.ROUTER_BUDGET_BYTES),
  });
}

function scheduler(value: unknown): 'drr' {
  if (value === undefined || value === 'drr') return 'drr';
  throw invalidOption('scheduler', value, 'knows only drr');
}

/** Above 0, as far as a timer reaches, or Infinity. */
function timeout(path: string, value: unknown, fallback: number): number {
  if (value === undefined) return fallback;
  if (typeof value !== 'number' || !(value > 0)) throw invalidOption(path, value, 'must be above 0');
  if (value > TIMER_MAX_MS && value !== Infinity) {
    throw invalidOption(
      path,
      value,
      `must be at most ${TIMER_MAX_MS}, which is what a timer can hold, or Infinity`,
    );
  }
  return value;
}

function delay(path: string, value: unknown, fallback: number): number {
  if (value === undefined) return fallback;
  if (typeof value === 'number' && value >= 0 && value <= TIMER_MAX_MS) return value;
  throw invalidOption(path, value, `must be from 0 to ${TIMER_MAX_MS}`);
}

function window(path: string, value: unknown, fallback: number): number {
  if (value === undefined) return fallback;
  if (typeof value === 'number' && value >= 1 && value <= TIMER_MAX_MS) return value;
  throw invalidOption(path, value, `must be from 1 to ${TIMER_MAX_MS}`);
}

function count(path: string, value: unknown, fallback: number): number {
  if (value === undefined) return fallback;
  if (value === Infinity || (Number.isSafeInteger(value) && (value as number) >= 1)) return value as number;
  throw invalidOption(path, value, 'must be an integer from 1, or Infinity');
}

function flag(path: string, value: unknown): boolean {
  if (value === undefined) return false;
  if (typeof value === 'boolean') return value;
  throw invalidOption(path, value, 'must be true or false');
}

function invalidOption(path: string, value: unknown, rule: string): P2PError {
  return new P2PError('invalid-option', `option ${path} ${rule}, got ${String(value)}`, { reason: path });
}
