import type { PeerView } from '../index.ts';
import type { DemoEntry, DemoLog } from './demo-log.ts';
import { shortId } from './demo-news.ts';
import type { DemoNode } from './demo-node.ts';
import { chatCounts, errorCount, isEviction } from './demo-report.ts';
import type { DemoChapter, DemoStory } from './demo-story.ts';

/** One connection of a node, as the view shows it. */
export interface PeerScene {
  /** Name of the peer; `?` before it has proven who it is. */
  readonly name: string;
  readonly direction: 'inbound' | 'outbound';
  /** State of its chart. */
  readonly state: string;
  readonly score: number;
  readonly persistent: boolean;
}

/** One node, as the view shows it. */
export interface NodeScene {
  readonly name: string;
  readonly shortId: string;
  /** Empty before the node has started. */
  readonly listen: string;
  /** State of its router chart; `waiting` before the node exists. */
  readonly state: string;
  readonly peers: readonly PeerScene[];
  readonly sent: number;
  readonly received: number;
  readonly dropped: number;
  readonly errors: number;
}

/** All that the view shows at one moment. */
export interface DemoScene {
  readonly elapsedMs: number;
  readonly chapter: DemoChapter;
  /** Name of the peer that was evicted last; empty when none was. */
  readonly victim: string;
  readonly nodes: readonly NodeScene[];
  /** Oldest first; lines with names put in. */
  readonly entries: readonly DemoEntry[];
}

/** More than any terminal has rows. */
const ENTRIES_SHOWN_MAX = 200;

/** Reads what the view shows from the routers' public accounts and the flight recorders' news. */
export function demoScene(story: DemoStory): DemoScene {
  const { log, chapter } = story;
  const eviction = log.entries.findLast(isEviction);
  return {
    elapsedMs: log.elapsedMs,
    chapter,
    victim: log.nameOf(eviction?.peer ?? ''),
    nodes: story.seats.map(({ name, nodeId }) => {
      const node = story.nodes.find((candidate) => candidate.name === name);
      return { name, shortId: shortId(nodeId), ...(node === undefined ? NOT_STARTED : running(node, log)) };
    }),
    entries: log.entries
      .slice(-ENTRIES_SHOWN_MAX)
      .map((entry) => ({ ...entry, line: log.withNames(entry.line) })),
  };
}

type Running = Omit<NodeScene, 'name' | 'shortId'>;

const NOT_STARTED: Running = {
  listen: '',
  state: 'waiting',
  peers: [],
  sent: 0,
  received: 0,
  dropped: 0,
  errors: 0,
};

function running({ router, listen }: DemoNode, log: DemoLog): Running {
  const stats = router.stats();
  const { messagesSent, messagesReceived, messagesDropped } = chatCounts(stats);
  return {
    listen,
    state: stats.state,
    peers: router.peers().map((peer) => peerScene(peer, log)),
    sent: messagesSent,
    received: messagesReceived,
    dropped: messagesDropped,
    errors: errorCount(stats),
  };
}

function peerScene({ id, direction, state, score, persistent }: PeerView, log: DemoLog): PeerScene {
  return { name: id === undefined ? '?' : log.nameOf(id), direction, state, score, persistent };
}
