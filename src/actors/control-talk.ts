/** What two peerchart nodes tell each other on the control channel: verdicts, goodbyes, and changes of their channels. */
import type { ChannelId } from '../core/channel.ts';
import type { RejectCode } from '../core/codes.ts';
import type { ControlMessage, Verdict } from '../core/control-message.ts';
import type { Direction } from '../core/direction.ts';
import type { Outbox } from '../core/queue/outbox.ts';
import { rejectFromNumber, rejectNumber } from '../core/reject-code.ts';
import type { PeerEvent } from '../machines/peer.machine.ts';
import { controlCodec } from '../wire/control-codec.ts';

/** Channel ids are one byte. */
const CHANNEL_ID_MAX = 0xff;

/** The connection that is talked on. */
export interface ControlHost {
  readonly direction: Direction;
  readonly outbox: Outbox;
  /** Whether the remote understands any of this. */
  readonly speaksControl: boolean;
  /** Whether the peer is announced. */
  readonly routed: boolean;
  /** Whether our side has admitted it and waits for the remote. */
  readonly confirming: boolean;
  /** Channels the remote has declared so far. */
  channels: ReadonlySet<ChannelId>;
  tell(event: PeerEvent): void;
  wake(): void;
  /** The remote broke the rules. */
  violation(): void;
  /** Takes a place in the core for an outbound connection. The code of the refusal, if any. */
  confirm(): RejectCode | undefined;
  learnFromVerdict(verdict: Verdict): void;
  channelSetChanged(): void;
}

export class ControlTalk {
  readonly #host: ControlHost;
  #hasAccepted = false;
  #remoteVerdict: Verdict | undefined;
  #goodbye: RejectCode | undefined;

  constructor(host: ControlHost) {
    this.#host = host;
  }

  /** Whether the remote has accepted us, and has not taken that back. */
  get isAccepted(): boolean {
    return this.#remoteVerdict?.accept === true;
  }

  /** What the remote refused us with. */
  get refusal(): Verdict | undefined {
    return this.#remoteVerdict?.accept === false ? this.#remoteVerdict : undefined;
  }

  /** Why the remote said it would leave. */
  get goodbye(): RejectCode | undefined {
    return this.#goodbye;
  }

  received(bytes: Uint8Array): void {
    const message = decoded(bytes);
    switch (message?.type) {
      case undefined:
        this.#host.violation();
        return;
      case 'verdict':
        this.#verdictReceived(message);
        return;
      case 'goodbye':
        this.#goodbye = rejectFromNumber(message.code);
        return;
      case 'channel-set-update':
        this.#channelSetReceived(message.opened, message.closed);
    }
  }

  #verdictReceived(verdict: Verdict): void {
    const host = this.#host;
    if (this.#remoteVerdict !== undefined && verdict.accept) {
      host.violation();
      return;
    }
    if (host.routed) {
      // An acceptor that has to go before it heard our answer takes its acceptance back.
      this.#goodbye = rejectFromNumber(verdict.code);
      return;
    }
    this.#remoteVerdict = verdict;
    if (!verdict.accept) {
      host.learnFromVerdict(verdict);
      host.tell({ type: 'verdict.rejected', reason: rejectFromNumber(verdict.code) });
    } else if (host.confirming) {
      this.exchange();
    }
  }

  #channelSetReceived(opened: readonly number[], closed: readonly number[]): void {
    const gone = new Set(closed);
    const known = [...this.#host.channels, ...opened.filter((id) => id <= CHANNEL_ID_MAX)];
    this.#host.channels = new Set(known.filter((id) => !gone.has(id)));
    this.#host.channelSetChanged();
  }

  /**
   * The acceptor speaks first; the dialler answers once it has a place for the connection. So neither announces a
   * connection that the other may still refuse.
   */
  exchange(): void {
    const host = this.#host;
    if (host.direction === 'outbound') {
      if (!this.isAccepted) return;
      const refusal = host.confirm();
      if (refusal !== undefined) {
        host.tell({ type: 'peer.refuse', reason: refusal });
        return;
      }
    }
    if (!this.#hasAccepted) {
      this.#hasAccepted = true;
      this.#say({ type: 'verdict', accept: true, code: 0, retryAfterMs: 0, addresses: [] });
    }
    if (this.isAccepted) host.tell({ type: 'verdict.accepted' });
  }

  refuse(code: RejectCode, hints: Pick<Verdict, 'retryAfterMs' | 'addresses'>): void {
    this.#say({ type: 'verdict', accept: false, code: rejectNumber(code), ...hints });
  }

  sayGoodbye(code: RejectCode): void {
    this.#say({ type: 'goodbye', code: rejectNumber(code), retryAfterMs: 0 });
  }

  sendChannelSetUpdate(opened: readonly ChannelId[], closed: readonly ChannelId[], revision: number): void {
    this.#say({ type: 'channel-set-update', opened, closed, revision });
  }

  /** Other implementations never hear a word. */
  #say(message: ControlMessage): void {
    if (!this.#host.speaksControl) return;
    this.#host.outbox.offerControl(controlCodec.encode(message));
    this.#host.wake();
  }
}

function decoded(bytes: Uint8Array): ControlMessage | undefined {
  try {
    return controlCodec.decode(bytes);
  } catch {
    return undefined;
  }
}
