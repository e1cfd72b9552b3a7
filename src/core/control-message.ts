/** The outcome of a handshake as the sender judged it. */
export interface Verdict {
  readonly type: 'verdict';
  readonly accept: boolean;
  /** Why it was refused; 0 with `accept`. */
  readonly code: number;
  /** How long the receiver should wait before it tries again, in milliseconds; 0 when nothing is asked for. */
  readonly retryAfterMs: number;
  /** Node addresses to try instead, as URLs, not validated. */
  readonly addresses: readonly string[];
}

/** The sender closes the connection. */
export interface Goodbye {
  readonly type: 'goodbye';
  readonly code: number;
  /** How long the receiver should wait before it tries again, in milliseconds; 0 when nothing is asked for. */
  readonly retryAfterMs: number;
}

/** Channels the sender opened and closed since the handshake or its last update. */
export interface ChannelSetUpdate {
  readonly type: 'channel-set-update';
  readonly opened: readonly number[];
  readonly closed: readonly number[];
  /** Grows by one with every update of a connection. */
  readonly revision: number;
}

/** What peerchart nodes tell each other on the control channel. */
export type ControlMessage = Verdict | Goodbye | ChannelSetUpdate;
