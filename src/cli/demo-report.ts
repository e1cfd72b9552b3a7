import type { NodeId, RouterStats } from '../index.ts';
import { CHAT_CHANNEL_NAME } from './chat.ts';
import type { DemoEntry } from './demo-log.ts';
import type { DemoNode } from './demo-node.ts';
import type { DemoName, DemoSeat } from './demo-seat.ts';
import type { DemoStory, SeenUpdate } from './demo-story.ts';

/** What became of one node; empty and 0 when the demo ended before it started. */
export interface NodeReport {
  readonly name: DemoName;
  readonly id: NodeId;
  /** `ip:port`. */
  readonly listen: string;
  readonly address: string;
  /** Ids of the peers connected when the report was taken. */
  readonly peers: readonly NodeId[];
  readonly connectedPeers: number;
  readonly connectedPeersMax: number;
  /** Ids of all nodes whose chat messages arrived. */
  readonly receivedFrom: readonly NodeId[];
  readonly dials: number;
  readonly dialFailures: number;
  readonly accepts: number;
  readonly refusals: number;
  readonly upgrades: number;
  readonly evictions: number;
  /** Chat messages, as all below. */
  readonly messagesSent: number;
  readonly messagesReceived: number;
  readonly messagesDropped: number;
  /** Crashes of actors and protocol faults of peers. */
  readonly errors: number;
}

/** An eviction, told by both sides. */
export interface EvictionReport {
  readonly t: number;
  readonly by: NodeId;
  readonly victim: NodeId;
  /** The peer that took its place; null when nobody did. */
  readonly for: NodeId | null;
  /** What the evicting node said. */
  readonly line: string;
  /** The cause in the victim's own peer update; null when it was not told of any. */
  readonly causeSeenByVictim: string | null;
}

export interface DemoReport {
  readonly durationMs: number;
  readonly chapter: string;
  readonly nodes: readonly NodeReport[];
  /** All nodes' decisions in the order they were made. */
  readonly decisions: readonly DemoEntry[];
  readonly evictionsSeen: readonly EvictionReport[];
}

/** Everything that happened so far. To be asked before the nodes stop. */
export function demoReport(story: DemoStory): DemoReport {
  return {
    durationMs: story.log.elapsedMs,
    chapter: story.chapter,
    nodes: story.seats.map((seat) =>
      nodeReport(
        seat,
        story.nodes.find(({ name }) => name === seat.name),
      ),
    ),
    decisions: [...story.log.entries],
    evictionsSeen: story.log.entries.filter(isEviction).map((entry) => evictionReport(entry, story)),
  };
}

function nodeReport(seat: DemoSeat, node: DemoNode | undefined): NodeReport {
  return { name: seat.name, id: seat.nodeId, ...(node === undefined ? NOT_STARTED : countsOf(node)) };
}

type Counts = Omit<NodeReport, 'name' | 'id'>;

const NOT_STARTED: Counts = {
  listen: '',
  address: '',
  peers: [],
  connectedPeers: 0,
  connectedPeersMax: 0,
  receivedFrom: [],
  dials: 0,
  dialFailures: 0,
  accepts: 0,
  refusals: 0,
  upgrades: 0,
  evictions: 0,
  messagesSent: 0,
  messagesReceived: 0,
  messagesDropped: 0,
  errors: 0,
};

function countsOf({ router, chat, listen, address }: DemoNode): Counts {
  const stats = router.stats();
  const { connectedPeers, connectedPeersMax, dials, dialFailures, accepts, refusals, upgrades, evictions } =
    stats;
  const connected = router.peers().filter(({ state }) => state === 'connected');
  return {
    listen,
    address,
    peers: connected.flatMap(({ id }) => (id === undefined ? [] : [id])),
    connectedPeers,
    connectedPeersMax,
    receivedFrom: [...chat.receivedFrom],
    dials,
    dialFailures,
    accepts,
    refusals,
    upgrades,
    evictions,
    ...chatCounts(stats),
    errors: errorCount(stats),
  };
}

/** What should never happen. */
export function errorCount({ crashes, protocolFaults }: RouterStats): number {
  return crashes + protocolFaults;
}

/** Messages of the chat channel alone: peer exchange uses the same connections. */
export function chatCounts({
  channels,
}: RouterStats): Pick<NodeReport, 'messagesSent' | 'messagesReceived' | 'messagesDropped'> {
  const chat = channels[CHAT_CHANNEL_NAME];
  if (chat === undefined) return { messagesSent: 0, messagesReceived: 0, messagesDropped: 0 };
  const dropped = [...Object.values(chat.in.dropped), ...Object.values(chat.out.dropped)];
  return {
    messagesSent: chat.out.delivered.messages,
    messagesReceived: chat.in.delivered.messages,
    messagesDropped: dropped.reduce((sum, { messages }) => sum + messages, 0),
  };
}

/** Whether an entry says that a node told a peer to go. */
export function isEviction({ event, result }: DemoEntry): boolean {
  return event === 'evictNext' && result === 'evict';
}

function evictionReport(
  { t, node, peer, line, why }: DemoEntry,
  { nodes, updates }: DemoStory,
): EvictionReport {
  const evictor = nodes.find(({ name }) => name === node)!.seat.nodeId;
  const victim = peer as NodeId;
  const victimName = nodes.find(({ seat }) => seat.nodeId === victim)?.name;
  const isTold = ({ node: name, update }: SeenUpdate): boolean =>
    name === victimName && update.peer === evictor && update.status === 'down';
  const { other } = (why ?? {}) as { readonly other?: { readonly peer: NodeId } };
  return {
    t,
    by: evictor,
    victim,
    for: other?.peer ?? null,
    line,
    causeSeenByVictim: updates.find(isTold)?.update.cause ?? null,
  };
}
