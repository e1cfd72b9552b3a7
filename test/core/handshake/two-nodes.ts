import type { Incumbent } from '../../../src/core/handshake/arbitration.ts';
import { settle } from '../../../src/core/handshake/settlement.ts';
import type { Direction } from '../../../src/core/direction.ts';
import { parseNodeId, type NodeId } from '../../../src/core/node-id.ts';

/**
 * Two nodes that dial each other over links with latency, in virtual time: the handshake from proven keys to ready, with
 * verdicts, as the router runs it, and nothing of the router but the arbitration under test.
 */
export interface Schedule {
  /** When each node dials; a node that then has a connection to the other one does not. */
  readonly dialsAt: readonly [readonly number[], readonly number[]];
  /** Latency of one message. */
  latency(): number;
  /** Time from proven keys to arbitration. */
  judging(): number;
  /** A link to cut: the index in order of dialling, and when. */
  readonly cut?: { readonly link: number; readonly at: number };
  /** Whether connections with proven keys are incumbents before their own arbitration; default false. */
  readonly countsUnjudged?: boolean;
  /** Dials of a node that are given up and repeated before their arbitration, as long as this says so. */
  givesUp?(): boolean;
  readonly supersedeAfterMs?: number;
  readonly aId?: NodeId;
  readonly bId?: NodeId;
}

export interface Outcome {
  /** Links that are ready at each end when everything is quiet. */
  readonly ready: readonly [readonly number[], readonly number[]];
  readonly ups: readonly [number, number];
  readonly downs: readonly [number, number];
  /** Links that were dialled, with the dialling node. */
  readonly dialledBy: readonly number[];
  /** Connections that are neither ready nor gone at the end. */
  readonly stuck: number;
  /** Whether the link to be cut existed by then. */
  readonly wasCut: boolean;
}

type Signal = 'hello' | 'accept' | 'reject' | 'gone';

interface End extends Incumbent {
  readonly link: number;
  direction: Direction;
  phase: 'pending' | 'held' | 'ready' | 'closing';
  lastReceivedAt: number;
  isProven: boolean;
  isJudged: boolean;
  isGone: boolean;
  sentAccept: boolean;
  gotAccept: boolean;
}

export const LESSER = parseNodeId('1'.repeat(40));
export const GREATER = parseNodeId('e'.repeat(40));

class Simulation {
  readonly #schedule: Schedule;
  readonly #events: { at: number; seq: number; run: () => void }[] = [];
  readonly #ends: [Map<number, End>, Map<number, End>] = [new Map<number, End>(), new Map<number, End>()];
  readonly #arrivals: [number, number][] = [];
  readonly #isCut: boolean[] = [];
  readonly #ids: readonly [NodeId, NodeId];
  #seq = 0;
  #now = 0;
  readonly dialledBy: number[] = [];
  readonly ups: [number, number] = [0, 0];
  readonly downs: [number, number] = [0, 0];

  constructor(schedule: Schedule) {
    this.#schedule = schedule;
    this.#ids = [schedule.aId ?? LESSER, schedule.bId ?? GREATER];
    schedule.dialsAt.forEach((times, node) => times.forEach((at) => this.#at(at, () => this.#dial(node))));
    const { cut } = schedule;
    if (cut !== undefined) this.#at(cut.at, () => this.#cutLink(cut.link));
  }

  run(): Outcome {
    for (;;) {
      const next = this.#events.shift();
      if (next === undefined) break;
      this.#now = next.at;
      next.run();
    }
    const readyAt = (node: number) => [...this.#ends[node]!.values()].filter(isReady).map(({ link }) => link);
    return {
      ready: [readyAt(0), readyAt(1)],
      ups: this.ups,
      downs: this.downs,
      dialledBy: this.dialledBy,
      wasCut: this.#isCut.includes(true),
      stuck: this.#ends.flatMap((ends) => [...ends.values()]).filter((end) => !isReady(end)).length,
    };
  }

  #at(at: number, run: () => void): void {
    const event = { at, seq: this.#seq++, run };
    let index = this.#events.length;
    while (index > 0 && this.#events[index - 1]!.at > at) index--;
    this.#events.splice(index, 0, event);
  }

  #dial(node: number): void {
    if (this.#ends[node]!.size > 0) return;
    const link = this.dialledBy.push(node) - 1;
    this.#arrivals.push([0, 0]);
    this.#isCut.push(false);
    this.#open(node, link, 'outbound');
    this.#send(node, link, 'hello');
    if (this.#schedule.givesUp?.() === true)
      this.#at(this.#now + this.#schedule.latency(), () => this.#giveUp(node, link));
  }

  #giveUp(node: number, link: number): void {
    const end = this.#ends[node]!.get(link);
    if (end === undefined || end.isJudged) return;
    this.#close(node, end, 'gone');
    this.#dial(node);
  }

  #open(node: number, link: number, direction: Direction): End {
    const end: End = {
      link,
      direction,
      phase: 'pending',
      lastReceivedAt: this.#now,
      isProven: false,
      isJudged: false,
      isGone: false,
      sentAccept: false,
      gotAccept: false,
    };
    this.#ends[node]!.set(link, end);
    return end;
  }

  #send(from: number, link: number, signal: Signal): void {
    const to = 1 - from;
    const at = Math.max(this.#arrivals[link]![to]!, this.#now + this.#schedule.latency());
    this.#arrivals[link]![to] = at;
    this.#at(at, () => {
      if (!this.#isCut[link]!) this.#receive(to, link, signal);
    });
  }

  #receive(node: number, link: number, signal: Signal): void {
    let end = this.#ends[node]!.get(link);
    if (end === undefined) {
      if (signal !== 'hello' || this.dialledBy[link] === node) return;
      end = this.#open(node, link, 'inbound');
      this.#send(node, link, 'hello');
    }
    end.lastReceivedAt = this.#now;
    if (signal === 'hello') {
      end.isProven = true;
      this.#at(this.#now + this.#schedule.judging(), () => this.#judge(node, end));
    }
    if (signal === 'accept') {
      end.gotAccept = true;
      this.#becomeReadyIfBoth(node, end);
    }
    if (signal === 'reject' || signal === 'gone') this.#gone(node, end);
  }

  #judge(node: number, end: End): void {
    if (end.isGone) return;
    end.isJudged = true;
    const counts = (other: End) =>
      other.isJudged || (this.#schedule.countsUnjudged === true && other.isProven);
    const others = [...this.#ends[node]!.values()].filter((other) => other !== end && counts(other));
    const settlement = settle(
      others,
      { peer: this.#ids[1 - node]!, direction: end.direction },
      {
        selfId: this.#ids[node]!,
        now: this.#now,
        supersedeAfterMs: this.#schedule.supersedeAfterMs ?? 5_000,
      },
    );
    switch (settlement.candidate) {
      case 'reject':
        this.#close(node, end, 'reject');
        return;
      case 'hold':
        end.phase = 'held';
        for (const other of settlement.replace) this.#close(node, other, 'reject');
        return;
      case 'wait-for-incumbent':
      case 'probe-incumbent':
        throw new Error(`not part of this simulation: ${settlement.candidate}`);
      case 'admit':
    }
    for (const other of settlement.hold) other.phase = 'held';
    end.phase = 'pending';
    for (const other of [...settlement.replace, ...settlement.supersede]) this.#close(node, other, 'reject');
    if (!end.sentAccept) {
      end.sentAccept = true;
      this.#send(node, end.link, 'accept');
    }
    this.#becomeReadyIfBoth(node, end);
  }

  #becomeReadyIfBoth(node: number, end: End): void {
    if (end.isGone || !end.isJudged || end.phase !== 'pending' || !end.sentAccept || !end.gotAccept) return;
    end.phase = 'ready';
    this.ups[node]!++;
    for (const other of this.#ends[node]!.values())
      if (other.phase === 'held') this.#close(node, other, 'reject');
  }

  #close(node: number, end: End, farewell: Signal): void {
    this.#send(node, end.link, farewell);
    this.#gone(node, end);
  }

  #gone(node: number, end: End): void {
    if (end.isGone) return;
    end.isGone = true;
    this.#ends[node]!.delete(end.link);
    if (end.phase === 'ready') this.downs[node]!++;
    for (const other of this.#ends[node]!.values())
      if (other.phase === 'held' && other.isJudged) this.#judge(node, other);
  }

  #cutLink(link: number): void {
    if (this.dialledBy.length <= link) return;
    this.#isCut[link] = true;
    for (const node of [0, 1]) {
      this.#at(this.#now + this.#schedule.latency(), () => {
        const end = this.#ends[node]!.get(link);
        if (end !== undefined) this.#gone(node, end);
      });
    }
  }
}

function isReady(end: End): boolean {
  return end.phase === 'ready';
}

export function simulate(schedule: Schedule): Outcome {
  return new Simulation(schedule).run();
}

/** A small seeded generator (mulberry32) of numbers in [0, 1). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let word = Math.imul(state ^ (state >>> 15), state | 1);
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61);
    return ((word ^ (word >>> 14)) >>> 0) / 2 ** 32;
  };
}
