import type { ChannelSettings } from '../channel.ts';
import type { DropReason } from '../codes.ts';
import { INBOX_IDLE_PEERS_MAX } from '../limits.ts';
import type { NodeId } from '../node-id.ts';
import { Ledger, type LedgerSnapshot } from './accounting.ts';
import type { Budget } from './budget.ts';
import { Deque } from './deque.ts';

/**
 * What became of a message that arrived. `evict_peer` is an overflow under the policy of that name: the router drops
 * the peer, which is counted as `inbox_full`.
 */
export type InboxResult = 'queued' | 'inbox_full' | 'evict_peer' | 'router_budget' | InboxClosing;

/** Why an inbox takes no more messages. */
export type InboxClosing = Extract<DropReason, 'channel_closed' | 'router_stopped'>;

export interface InboxOptions {
  readonly settings: ChannelSettings;
  readonly routerBudget: Budget;
  /** Keeps the books; default one of its own. */
  readonly ledger?: Ledger;
}

/** What waits of one peer, oldest first; each item with its encoded size. */
class PeerQueue<T> {
  readonly items = new Deque<T>();
  bytes = 0;
  /** Place in the ring of peers with something waiting; undefined when idle. */
  next: PeerQueue<T> | undefined;
  previous: PeerQueue<T> | undefined;
}

/**
 * Everything that arrived on one channel and waits for its reactor. Peers are served in turn, one message each, and each
 * has its share of the space, so that a flooding peer delays only itself.
 */
export class Inbox<T> {
  /**
   * Called when the inbox stops being empty, and when it is closed. Must not throw. A consumer that sets it takes what is
   * there first.
   */
  onAvailable: (() => void) | undefined;
  readonly #limits: ChannelSettings['receive'];
  readonly #maxPeerBytes: number;
  readonly #routerBudget: Budget;
  readonly #ledger: Ledger;
  readonly #queues = new Map<NodeId, PeerQueue<T>>();
  #current: PeerQueue<T> | undefined;
  #busyPeers = 0;
  #messages = 0;
  #bytes = 0;
  #closed: InboxClosing | undefined;

  constructor({ settings, routerBudget, ledger = new Ledger() }: InboxOptions) {
    const { receive } = settings;
    this.#limits = receive;
    this.#maxPeerBytes = Math.ceil(receive.maxBytes * Math.min(1, receive.maxPerPeer / receive.maxMessages));
    this.#routerBudget = routerBudget;
    this.#ledger = ledger;
  }

  get pendingMessages(): number {
    return this.#messages;
  }

  get pendingBytes(): number {
    return this.#bytes;
  }

  /** Whether it is closed and everything was taken. */
  get ended(): boolean {
    return this.#closed !== undefined && this.#messages === 0;
  }

  /** Why it takes no more messages; undefined while it is open. */
  get closed(): InboxClosing | undefined {
    return this.#closed;
  }

  /** Peers that have messages waiting, or had some a short while ago. */
  get rememberedPeers(): number {
    return this.#queues.size;
  }

  /** How many messages of one peer wait. */
  pendingOf(peer: NodeId): number {
    return this.#queues.get(peer)?.items.length ?? 0;
  }

  /**
   * Takes over one message. A peer may use the share of `maxBytes` that `maxPerPeer` is of `maxMessages`; one message
   * always fits when none of the peer is waiting and there is room for it in all.
   */
  offer(peer: NodeId, item: T, bytes: number): InboxResult {
    this.#ledger.offer(bytes);
    let queue = this.#queues.get(peer);
    const refusal = this.#refusal(queue, bytes);
    if (refusal !== undefined) {
      this.#ledger.drop(refusal === 'evict_peer' ? 'inbox_full' : refusal, bytes);
      return refusal;
    }
    if (queue === undefined) {
      this.#forgetIdle();
      this.#queues.set(peer, (queue = new PeerQueue()));
    }
    queue.items.push(item, bytes);
    queue.bytes += bytes;
    if (queue.next === undefined) this.#join(queue);
    this.#bytes += bytes;
    this.#routerBudget.take(bytes);
    if (++this.#messages === 1) this.onAvailable?.();
    return 'queued';
  }

  #refusal(queue: PeerQueue<T> | undefined, bytes: number): Exclude<InboxResult, 'queued'> | undefined {
    if (this.#closed !== undefined) return this.#closed;
    const messagesOver = this.#messagesOver(queue);
    const bytesOver = this.#bytesOver(queue, bytes);
    if (messagesOver <= 0 && bytesOver <= 0)
      return this.#routerBudget.fits(bytes) ? undefined : 'router_budget';
    switch (this.#limits.overflow) {
      case 'drop-newest':
        return 'inbox_full';
      case 'evict-peer':
        return this.#holdsItsShare(queue) ? 'evict_peer' : 'inbox_full';
      case 'drop-oldest':
        return queue === undefined ? 'inbox_full' : this.#makeRoom(queue, messagesOver, bytesOver, bytes);
    }
  }

  /** How many messages of the peer would have to go for one more to fit. */
  #messagesOver(queue: PeerQueue<T> | undefined): number {
    const ofPeer = (queue?.items.length ?? 0) + 1 - this.#limits.maxPerPeer;
    return Math.max(ofPeer, this.#messages + 1 - this.#limits.maxMessages);
  }

  #bytesOver(queue: PeerQueue<T> | undefined, bytes: number): number {
    const held = queue?.bytes ?? 0;
    const ofPeer = Math.min(held, held + bytes - this.#maxPeerBytes);
    return Math.max(ofPeer, Math.min(this.#bytes, this.#bytes + bytes - this.#limits.maxBytes));
  }

  /** Whether a peer holds at least an equal part of what waits, so that an overflow is its doing. */
  #holdsItsShare(queue: PeerQueue<T> | undefined): boolean {
    if (queue === undefined) return false;
    const messages = queue.items.length * this.#busyPeers;
    return messages > 0 && (messages >= this.#messages || queue.bytes * this.#busyPeers >= this.#bytes);
  }

  #makeRoom(
    queue: PeerQueue<T>,
    messagesOver: number,
    bytesOver: number,
    bytes: number,
  ): 'inbox_full' | 'router_budget' | undefined {
    if (messagesOver > queue.items.length || bytesOver > queue.bytes) return 'inbox_full';
    let count = 0;
    let freed = 0;
    while (count < messagesOver || freed < bytesOver) freed += queue.items.numberAt(count++);
    if (!this.#routerBudget.fits(bytes, freed)) return 'router_budget';
    while (count-- > 0) this.#drop(queue, 'displaced');
    return undefined;
  }

  /** The next message: of each peer in turn, and of one peer in the order of arrival. Undefined when none waits. */
  take(): T | undefined {
    const queue = this.#current;
    if (queue === undefined) return undefined;
    this.#current = queue.next;
    const bytes = queue.items.frontNumber;
    const item = queue.items.shift();
    this.#released(queue, bytes);
    this.#ledger.deliver(bytes);
    if (queue.items.length === 0) this.#leave(queue);
    return item;
  }

  /** A peer disconnected: what it left goes, unless the channel keeps it. */
  peerDown(peer: NodeId): void {
    if (!this.#limits.keepAfterDown) this.purgePeer(peer, 'peer_down');
  }

  /** Drops everything that waits of one peer. */
  purgePeer(peer: NodeId, reason: DropReason): void {
    const queue = this.#queues.get(peer);
    if (queue === undefined) return;
    this.#queues.delete(peer);
    this.#purge(queue, reason);
  }

  /** Takes no more messages; with `purge` what waits is dropped, with `drain` it can still be taken. */
  close(reason: InboxClosing, mode: 'drain' | 'purge'): void {
    this.#closed = reason;
    if (mode === 'purge') {
      for (const queue of this.#queues.values()) this.#purge(queue, reason);
      this.#queues.clear();
    }
    this.onAvailable?.();
  }

  /** The books of the channel, with what waits counted from the contents. */
  accounting(): LedgerSnapshot {
    const pending = { messages: 0, bytes: 0 };
    for (const { items } of this.#queues.values()) {
      pending.messages += items.length;
      for (let index = 0; index < items.length; index++) pending.bytes += items.numberAt(index);
    }
    return this.#ledger.snapshot(pending);
  }

  /** Counts a message that never came as far as the inbox: undecodable, too large. */
  countLoss(reason: DropReason, bytes: number): void {
    this.#ledger.offer(bytes);
    this.#ledger.drop(reason, bytes);
  }

  #purge(queue: PeerQueue<T>, reason: DropReason): void {
    while (queue.items.length > 0) this.#drop(queue, reason);
    this.#leave(queue);
  }

  #drop(queue: PeerQueue<T>, reason: DropReason): void {
    const bytes = queue.items.frontNumber;
    queue.items.shift();
    this.#released(queue, bytes);
    this.#ledger.drop(reason, bytes);
  }

  #released(queue: PeerQueue<T>, bytes: number): void {
    queue.bytes -= bytes;
    this.#messages--;
    this.#bytes -= bytes;
    this.#routerBudget.give(bytes);
  }

  /** A peer with something waiting joins the ring behind all others. */
  #join(queue: PeerQueue<T>): void {
    this.#busyPeers++;
    const current = this.#current;
    if (current === undefined) {
      queue.next = queue.previous = this.#current = queue;
      return;
    }
    queue.next = current;
    queue.previous = current.previous!;
    queue.previous.next = queue;
    current.previous = queue;
  }

  #leave(queue: PeerQueue<T>): void {
    const { next, previous } = queue;
    if (next === undefined || previous === undefined) return;
    if (this.#current === queue) this.#current = next === queue ? undefined : next;
    previous.next = next;
    next.previous = previous;
    queue.next = queue.previous = undefined;
    this.#busyPeers--;
  }

  /** Keeps the memory of peers that come and go in proportion to those that have messages waiting. */
  #forgetIdle(): void {
    if (this.#queues.size < 2 * this.#busyPeers + INBOX_IDLE_PEERS_MAX) return;
    for (const [peer, { next }] of this.#queues) if (next === undefined) this.#queues.delete(peer);
  }
}
