import type { ChannelId } from '../core/channel.ts';
import type { Endpoint } from '../core/endpoint.ts';
import type { Env } from '../core/env.ts';
import type { P2PError } from '../core/errors.ts';
import type { Identity } from '../core/identity.ts';
import type { NodeInfo } from '../core/node-info.ts';
import type { PacketSlice } from '../core/packet.ts';

/**
 * Makes a transport for one router, which hands in its environment. What a user configures (`mconn({ listen })`) is a
 * factory, so that clock, randomness and resolver enter at one place.
 */
export type TransportFactory = (env: Env) => Transport;

/**
 * A way to reach peers. Any number of dials may run at once; one accept runs at a time. Dialling works before
 * `listen` and after `close`. Rules: Tendermint v0.35 `Transport`.
 */
export interface Transport {
  /** For logs and traces; never empty. */
  readonly name: string;
  /** URL schemes this transport serves, lower case, at least one. */
  readonly protocols: readonly string[];
  /** Where it can be reached now: empty before `listen` has resolved, after `close`, and when it is dial-only. */
  endpoints(): readonly Endpoint[];
  /**
   * Starts listening where the transport was configured to; resolves once bound. Resolves at once when it was
   * configured to dial only.
   *
   * @throws P2PError `listen-failed` (port in use, no permission), `invalid-endpoint`, or `already-listening`.
   */
  listen(): Promise<void>;
  /**
   * Waits for the next inbound connection, which has not shaken hands yet.
   *
   * @throws P2PError `eof` once the transport is closed, also when closed while waiting; `not-listening` before
   * `listen`. Any other error is transient and the call may be repeated.
   */
  accept(): Promise<Connection>;
  /**
   * Opens an outbound connection, which has not shaken hands yet.
   *
   * @throws the signal's own reason when it aborts; else P2PError `invalid-endpoint` or `dial-failed`.
   */
  dial(endpoint: Endpoint, signal: AbortSignal): Promise<Connection>;
  /** Stops listening. Established connections live on. Idempotent, never rejects. */
  close(): Promise<void>;
}

/**
 * One established link, owned by whoever accepted or dialled it. Its life is `handshake` once, `start` once, then
 * bytes until `close`, `flushClose` or the remote ends it. `close` may be called at any time, also during the
 * handshake, and is the one call that must always be made by an owner that gives up before `start`.
 */
export interface Connection {
  readonly localEndpoint: Endpoint;
  readonly remoteEndpoint: Endpoint;
  /**
   * Proves both identities and exchanges node information. Nothing of what the remote says is judged here.
   *
   * @throws the signal's own reason when it aborts; else P2PError `handshake-failed`, `eof`, `connection-lost`, or
   * `already-handshaked` on a second call. A failed handshake leaves the connection for the owner to close.
   */
  handshake(local: LocalHandshake, signal: AbortSignal): Promise<RemoteHandshake>;
  /** Begins to move messages. Call once, after `handshake` has resolved. */
  start(duplex: ConnectionDuplex): void;
  /** Says that `pull` may now find something. Cheap, may be called often; the pulls happen in this turn or a later one. */
  wake(): void;
  /** Ends the connection at once; what was not written is lost. Idempotent. `closed` is still called once. */
  close(): void;
  /**
   * Pulls and writes until `pull` finds nothing, then closes. Nothing is delivered meanwhile. Resolves when closed, by
   * whatever cause; never rejects. The caller bounds it with `close`.
   */
  flushClose(): Promise<void>;
  /** Never throws, in any state. */
  status(): ConnectionStatus;
}

export interface LocalHandshake {
  readonly identity: Identity;
  /** A snapshot; the connection may keep it but never changes it. */
  readonly nodeInfo: NodeInfo;
}

export interface RemoteHandshake {
  /** As received, owned by the caller, not validated. */
  readonly nodeInfo: NodeInfo;
  /** Raw 32-byte Ed25519 public key. Proven by a signature, except on transports inside one process. */
  readonly publicKey: Uint8Array;
}

/** What a started connection calls. All calls are synchronous and come from the event loop, never from within `start`. */
export interface ConnectionDuplex {
  /**
   * Fills `slice` with the next piece of at most `maxBytes` of message bytes and returns true, or returns false when
   * nothing is to be sent now; then `wake` announces more.
   */
  pull(maxBytes: number, slice: PacketSlice): boolean;
  /** The longest message that may be received on a channel, in bytes; undefined when a message on it is a violation. */
  receiveLimit(channelId: ChannelId): number | undefined;
  /** Hands over a whole message. The bytes belong to the receiver. Must not throw; a throw closes the connection. */
  deliver(channelId: ChannelId, message: Uint8Array): void;
  /** Called exactly once, when the connection has ended, also after `close`. No other call follows. */
  closed(cause: ConnectionEnd): void;
}

/** Why a connection ended. */
export interface ConnectionEnd {
  /** Who ended it: `local` for our `close` or `flushClose`, `remote` for a clean end by the peer, `fault` otherwise. */
  readonly by: 'local' | 'remote' | 'fault';
  /** What went wrong; for `fault` only. */
  readonly error?: P2PError;
}

export interface ConnectionStatus {
  /** Bytes on the wire, both before and after the handshake. */
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /** `Clock.now` of the latest byte received, of creation when there was none. */
  readonly lastReceivedAt: number;
}
