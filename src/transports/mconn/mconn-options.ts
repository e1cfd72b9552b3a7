import type { Endpoint } from '../../core/endpoint.ts';
import { P2PError } from '../../core/errors.ts';
import {
  ACCEPT_BACKLOG,
  PING_INTERVAL_MS,
  PONG_TIMEOUT_MS,
  RECEIVE_PAYLOAD_BYTES,
  SEND_PAYLOAD_BYTES,
} from '../../core/limits.ts';
import { maxPacketBytes } from '../../core/mconn/packet-writer.ts';

export interface MconnOptions {
  /**
   * Where to accept connections: an IP address with a port as text (`0.0.0.0:26656`, `tcp://[::]:0`) or as an endpoint.
   * Port 0 lets the system choose one. Default: nowhere, the transport only dials.
   */
  readonly listen?: string | Endpoint;
  /** Port dialled where an endpoint has none; default 26656. */
  readonly defaultPort?: number;
  /**
   * Message bytes per packet sent, 64 … 32,768; default 1024. The setting is not negotiated, and Tendermint v0.34 and
   * CometBFT nodes drop a peer that exceeds theirs.
   */
  readonly maxPayloadBytes?: number;
  /** Longest packet body accepted, in bytes; default 16,396, which lets any common setting of a remote pass. */
  readonly maxPacketBytes?: number;
  /** Milliseconds between two pings; default 60,000. */
  readonly pingIntervalMs?: number;
  /** Milliseconds of silence with a ping open until the peer is dead; default 45,000. */
  readonly pongTimeoutMs?: number;
  /** Whether small writes go out at once (TCP_NODELAY); default true. */
  readonly noDelay?: boolean;
  /** Accepted sockets that wait for `accept`; more are closed at once. Default 64. */
  readonly acceptBacklog?: number;
}

/** The options with every default filled in. */
export type MconnSettings = Omit<Required<MconnOptions>, 'listen'>;

const DEFAULT_PORT = 26_656;

/** @throws P2PError `invalid-option` with the name of the option as its `reason`. */
export function mconnSettings(options: MconnOptions): MconnSettings {
  const settings: MconnSettings = {
    defaultPort: options.defaultPort ?? DEFAULT_PORT,
    maxPayloadBytes: options.maxPayloadBytes ?? SEND_PAYLOAD_BYTES,
    maxPacketBytes: options.maxPacketBytes ?? maxPacketBytes(RECEIVE_PAYLOAD_BYTES),
    pingIntervalMs: options.pingIntervalMs ?? PING_INTERVAL_MS,
    pongTimeoutMs: options.pongTimeoutMs ?? PONG_TIMEOUT_MS,
    noDelay: options.noDelay ?? true,
    acceptBacklog: options.acceptBacklog ?? ACCEPT_BACKLOG,
  };
  requireInteger('defaultPort', settings.defaultPort, 1, 65_535);
  requireInteger('maxPayloadBytes', settings.maxPayloadBytes, 64, 32_768);
  requireInteger('maxPacketBytes', settings.maxPacketBytes, 64, 2 ** 31 - 1);
  requireInteger('pingIntervalMs', settings.pingIntervalMs, 1, 2 ** 31 - 1);
  requireInteger('pongTimeoutMs', settings.pongTimeoutMs, 1, 2 ** 31 - 1);
  requireInteger('acceptBacklog', settings.acceptBacklog, 0, 2 ** 31 - 1);
  return settings;
}

function requireInteger(option: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new P2PError('invalid-option', `${option} must be an integer from ${min} to ${max}, got ${value}`, {
    reason: option,
  });
}
