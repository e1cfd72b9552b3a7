import type { PeerUpdate } from '../index.ts';
import { DemoLog } from './demo-log.ts';
import { DEMO_MAX_CONNECTED, DemoNode, type DemoNodeOptions } from './demo-node.ts';
import { takeSeats, type DemoName, type DemoSeat } from './demo-seat.ts';

/** How far the story has come. */
export type DemoChapter = 'starting' | 'meshing' | 'meshed' | 'joining' | 'told' | 'stopping';

/** A peer update as the node that got it saw it. */
export interface SeenUpdate {
  readonly node: DemoName;
  readonly update: PeerUpdate;
}

export interface DemoStoryOptions {
  /** Where keys, ports and stores are kept. */
  readonly folder: string;
  /** Time to look at the full mesh before the last node joins, in milliseconds. */
  readonly pauseMs: number;
}

/**
 * Five nodes and what happens to them. Four fill each other's slots; then a fifth starts that one of the four always
 * wants. All that follows is decided by the nodes: nothing here evicts, upgrades or dials anybody.
 */
export class DemoStory {
  readonly log: DemoLog;
  readonly seats: readonly DemoSeat[];
  readonly nodes: DemoNode[] = [];
  /** All that subscribers of peer updates were told, in order. */
  readonly updates: SeenUpdate[] = [];
  readonly #pauseMs: number;
  #chapter: DemoChapter = 'starting';

  private constructor(seats: readonly DemoSeat[], pauseMs: number) {
    this.seats = seats;
    this.#pauseMs = pauseMs;
    this.log = new DemoLog(seats);
  }

  /** Makes or reads the folder; nothing runs yet. */
  static async open({ folder, pauseMs }: DemoStoryOptions): Promise<DemoStory> {
    return new DemoStory(await takeSeats(folder), pauseMs);
  }

  get chapter(): DemoChapter {
    return this.#chapter;
  }

  /**
   * Tells the story to its end, unless the signal comes first; the nodes run on.
   *
   * @throws P2PError what a node could not start with.
   */
  async tell(signal: AbortSignal): Promise<void> {
    const [hub, ...others] = this.seats as [DemoSeat, ...DemoSeat[]];
    const newcomer = others.pop()!;
    const isStopped = (): boolean => signal.aborted;
    const first = await this.#start(hub, { bootstrapPeers: [], persistentPeers: [newcomer.nodeId] });
    const bootstrapPeers = (seat: DemoSeat): string[] => (seat.listen === undefined ? [first.address] : []);
    for (const seat of others) {
      if (isStopped()) return;
      await this.#start(seat, { bootstrapPeers: bootstrapPeers(seat), persistentPeers: [] });
    }
    this.#chapter = 'meshing';
    const isFull = ({ router }: DemoNode): boolean => router.stats().connectedPeers >= DEMO_MAX_CONNECTED;
    await this.#until(() => this.nodes.every(isFull), signal);
    if (isStopped()) return;
    await Promise.all(this.nodes.map((node) => node.remember()));
    this.#chapter = 'meshed';
    await pause(this.#pauseMs, signal);
    if (isStopped()) return;
    this.#chapter = 'joining';
    const last = await this.#start(newcomer, {
      bootstrapPeers: bootstrapPeers(newcomer),
      persistentPeers: [],
    });
    await this.#until(() => last.router.stats().connectedPeers >= 2, signal);
    if (isStopped()) return;
    await last.remember();
    this.#chapter = 'told';
  }

  /** Stops all nodes; every port, file and lock is free afterwards. */
  async stop(): Promise<void> {
    this.#chapter = 'stopping';
    await Promise.all(this.nodes.map((node) => node.stop()));
  }

  async #start(seat: DemoSeat, options: DemoNodeOptions): Promise<DemoNode> {
    const node = new DemoNode(seat, options);
    node.router.recorder.subscribe((record) => this.log.take(seat.name, record));
    this.nodes.push(node);
    await node.start();
    void this.#follow(node);
    return node;
  }

  async #follow({ name, router }: DemoNode): Promise<void> {
    for await (const update of router.updates()) this.updates.push({ node: name, update });
  }

  /** Resolves when the condition holds after some news, or on the signal. */
  #until(condition: () => boolean, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const finish = (): void => {
        unsubscribe();
        signal.removeEventListener('abort', finish);
        resolve();
      };
      const check = (): void => {
        if (signal.aborted || condition()) finish();
      };
      const unsubscribe = this.log.subscribe(check);
      signal.addEventListener('abort', finish);
      check();
    });
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, ms);
    signal.addEventListener('abort', finish);
    if (signal.aborted) finish();
  });
}
