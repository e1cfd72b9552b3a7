import { expect } from 'chai';
import type { NodeId } from '../../../src/core/node-id.ts';
import { advertise } from '../../../src/core/peer/advertise.ts';
import { describeState } from '../../../src/core/peer/describe-state.ts';
import { stateViolations, stepViolations } from '../../../src/core/peer/invariants.ts';
import { construct, type Stored } from '../../../src/core/peer/load.ts';
import { peerOptionFault } from '../../../src/core/peer/options.ts';
import { step } from '../../../src/core/peer/peer-core.ts';
import type { Chance, Effect, PeerEvent, PeerResult } from '../../../src/core/peer/peer-event.ts';
import type { BanRecord, PeerRecord } from '../../../src/core/peer/peer-record.ts';
import type { PeerState } from '../../../src/core/peer/peer-state.ts';
import * as queries from '../../../src/core/peer/queries.ts';
import { retryDelay } from '../../../src/core/peer/retry-delay.ts';
import { eventOf } from './row-event.ts';
import type { Row } from './row.ts';
import {
  address,
  digitOf,
  fullText,
  id,
  peerOptions,
  shortAddress,
  T0,
  type RowOptions,
} from './shorthand.ts';

/** Runs one row; throws where an answer differs or an invariant breaks. */
export function runRow(row: Row): void {
  const table = new RowTable(row);
  for (const command of row.given ?? []) {
    const answer = table.run(command);
    if (table.wasRefused) throw new Error(`given ${command}: ${answer}`);
  }
  for (const [command, answer] of row.then) expect(table.run(command), command).to.equal(answer);
}

/** A table driven by lines of text. */
export class RowTable {
  wasRefused = false;
  nowMs = T0;
  state: PeerState | undefined;
  readonly #row: Row;
  readonly #rng: Chance;
  #options: RowOptions;
  #effects: readonly Effect[] = [];
  /** All updates since the start, in order. */
  readonly #updates: string[] = [];
  readonly #records = new Map<NodeId, PeerRecord>();
  readonly #bans = new Map<NodeId, BanRecord>();
  #faults = 0;
  #lastOutcome = '';
  #lastWhy = '';

  constructor(row: Row) {
    this.#row = row;
    this.#rng = chance(row.rng ?? []);
    this.#options = row.options ?? {};
  }

  run(command: string): string {
    const [name = '', ...args] = command.split(' ');
    this.wasRefused = false;
    const setUp = this.#setUp(name, args);
    if (setUp !== undefined) return setUp;
    if (this.state === undefined) this.#construct({ records: [], bans: [] });
    const event = eventOf(name, args, this.nowMs);
    return event === undefined ? this.#query(name, args) : this.#step(event, name, args);
  }

  /** Commands that need no state, or make one. */
  #setUp(name: string, args: readonly string[]): string | undefined {
    switch (name) {
      case 'validate':
        return peerOptionFault(peerOptions(this.#options)) ?? 'accepted';
      case 'construct':
        return this.#construct(storedAs(args[0] ?? 'empty'));
      case 'store':
        this.#store(args);
        return 'stored';
      case 'restart':
        if (args.length > 0) this.#options = JSON.parse(args.join(' ')) as RowOptions;
        return this.#construct({ records: [...this.#records.values()], bans: [...this.#bans.values()] });
      case 'clock':
        this.nowMs += Number(args[0]);
        return 'set';
      case 'delay':
        return this.#delay(Number(args[0]), args[1] === 'persistent');
      default:
        return undefined;
    }
  }

  #construct(stored: Stored): string {
    const selfId = this.#row.self === undefined ? id('0') : fullText(this.#row.self);
    const input = { selfId, options: peerOptions(this.#options), stored };
    const constructed = construct(input, { now: this.nowMs, rng: this.#rng });
    if ('error' in constructed) {
      this.wasRefused = true;
      return constructed.error;
    }
    this.#faults = constructed.faults.length;
    this.state = constructed.state;
    expect(stateViolations(this.state)).to.deep.equal([]);
    this.#perform(constructed.effects);
    return 'ok';
  }

  /** `store a m:a,t:a:x inactive` puts a record straight into the store. */
  #store([digit = '', list = '', ...flags]: readonly string[]): void {
    const addresses = list === '' || list === '-' ? [] : list.split(',').map(address);
    this.#records.set(id(digit), {
      id: id(digit),
      addresses: addresses.map((known) => ({ address: known, dialFailures: 0, tried: false })),
      inactive: flags.includes('inactive'),
    });
  }

  #delay(failures: number, persistent: boolean): string {
    const { Min = 0, MaxR = 0, MaxRP = 0, Jit = 0, retryBackoff = 'linear' } = this.#options;
    const settings = {
      minRetryMs: Min,
      maxRetryMs: MaxR,
      maxRetryPersistentMs: MaxRP,
      retryJitterMs: Jit,
      retryBackoff,
    };
    return String(retryDelay(failures, persistent, settings, this.#rng));
  }

  #step(event: PeerEvent, name: string, args: readonly string[]): string {
    const repeat = /^x(\d+)$/.exec(args.at(-1) ?? '')?.[1];
    let answer = '';
    for (let round = 0; round < Number(repeat ?? 1); round++) {
      const before = this.state!;
      const { state, result, effects } = step(before, event, { now: this.nowMs, rng: this.#rng });
      if (repeat === undefined) {
        expect(stepViolations({ before, event, result, effects, after: state })).to.deep.equal([]);
      }
      this.state = state;
      this.#perform(effects);
      this.wasRefused = result.outcome === 'refused';
      answer = answerOf(name, result);
      this.#lastOutcome = result.outcome;
      this.#lastWhy = result.why.rule;
    }
    return answer;
  }

  #perform(effects: readonly Effect[]): void {
    this.#effects = effects;
    for (const effect of effects) {
      if (effect.type === 'put') this.#records.set(effect.record.id, effect.record);
      if (effect.type === 'delete') this.#records.delete(effect.peer);
      if (effect.type === 'putBan') this.#bans.set(effect.ban.id, effect.ban);
      if (effect.type === 'deleteBan') this.#bans.delete(effect.peer);
      if (effect.type === 'update')
        this.#updates.push(`${digitOf(effect.peer)}${effect.status === 'up' ? '+' : '-'}`);
    }
  }

  #query(name: string, args: readonly string[]): string {
    const state = this.state!;
    const peer = id(args[0] ?? '');
    const info = describeState(state).peers.find((known) => known.id === peer);
    switch (name) {
      case 'effects':
        return this.#effects.map(effectText).join(' ') || 'nothing';
      case 'updates':
        return this.#updates.join(' ') || 'none';
      case 'faults':
        return String(this.#faults);
      case 'stored':
        return list([...this.#records.keys()].sort().map(digitOf));
      case 'known':
        return list([...queries.peers(state)].sort().map(digitOf));
      case 'peers':
        return list(queries.peers(state).map(digitOf));
      case 'addresses':
        return list(queries.addresses(state, peer).map(shortAddress));
      case 'score':
        return String(queries.score(state, peer)?.score ?? 'unknown');
      case 'scores':
        return list([...queries.scores(state)].map(([known, score]) => `${digitOf(known)}:${score}`));
      case 'failures':
        return list((info?.addresses ?? []).map(({ failures }) => String(failures)));
      case 'lastFailure':
        return sinceStart(info?.addresses[0]?.lastFailureMs);
      case 'lastSuccess':
        return sinceStart(info?.addresses[0]?.lastSuccessMs);
      case 'lastConnected':
        return sinceStart(info?.lastConnectedMs);
      case 'lastDisconnected':
        return sinceStart(info?.lastDisconnectedMs);
      case 'status':
        return queries.status(state, peer);
      case 'nextDialAt':
        return sinceStart(queries.nextDialAt(state, this.nowMs));
      case 'ratio':
        return String(queries.peerRatio(state));
      case 'isFull':
        return String(queries.isFull(state));
      case 'isOutgoingFull':
        return String(queries.isOutgoingFull(state));
      case 'lastDialed': {
        const { atMs, succeeded } = queries.lastDialed(state, peer);
        return `${sinceStart(atMs)} ${succeeded}`;
      }
      case 'getHeight':
        return String(queries.height(state, peer));
      case 'sources':
        return list((info?.addresses ?? []).map(({ source }) => digitOf(source ?? 'unknown')));
      case 'tried':
        return list((info?.addresses ?? []).map(({ tried }) => String(tried)));
      case 'outcome':
        return this.#lastOutcome;
      case 'why':
        return this.#lastWhy;
      case 'bans':
        return list(describeState(state).bans.map((ban) => digitOf(ban.id)));
      case 'storedBans':
        return list([...this.#bans.keys()].sort().map(digitOf));
      case 'inactive':
        return String(info?.inactive ?? false);
      case 'advertise':
        return list(advertise(state, peer, Number(args[1]), this.#rng).map(shortAddress));
      default:
        return markText(state, name);
    }
  }
}

function markText(state: PeerState, name: string): string {
  const described = describeState(state);
  switch (name) {
    case 'dialing':
      return list(described.dialing.map(digitOf));
    case 'upgrading':
      return list(
        Object.entries(described.upgrading).map(([victim, by]) => `${digitOf(victim)}→${digitOf(by)}`),
      );
    case 'connected':
      return list(Object.entries(described.connected).map(([peer, side]) => `${digitOf(peer)} ${side}`));
    case 'ready':
      return list(
        Object.entries(described.ready).map(([peer, open]) => `${digitOf(peer)} [${open.join(' ')}]`),
      );
    case 'evict':
      return list(described.evict.map(digitOf));
    case 'evicting':
      return list(described.evicting.map(digitOf));
    default:
      throw new Error(`no such command: ${name}`);
  }
}

function storedAs(text: string): Stored {
  if (text === 'absent') return 'absent';
  return text === 'failing' ? { error: new Error('unreadable') } : { records: [], bans: [] };
}

const PLAIN_OK: readonly string[] = ['recorded', 'disconnected', 'scheduled', 'inactivated'];

function answerOf(name: string, result: PeerResult): string {
  if (result.outcome === 'refused') {
    return result.reason === undefined ? result.error : `${result.error}{${result.reason}}`;
  }
  if (result.outcome === 'dial') {
    const claim = result.victim === undefined ? '' : ` claiming ${digitOf(result.victim)}`;
    return shortAddress(result.address) + claim;
  }
  if (result.outcome === 'connected') {
    return result.victim === undefined ? 'ok' : `ok, ${digitOf(result.victim)} gives way`;
  }
  if (result.outcome === 'evict') return digitOf(result.peer);
  return PLAIN_OK.includes(result.outcome) || name === 'dialFailed' ? 'ok' : result.outcome;
}

function effectText(effect: Effect): string {
  if (effect.type === 'put') return `put:${digitOf(effect.record.id)}`;
  if (effect.type === 'putBan') return `putBan:${digitOf(effect.ban.id)}`;
  if (effect.type === 'update') {
    const channels = effect.channels === undefined ? '' : `[${effect.channels.join(' ')}]`;
    return `${effect.status}:${digitOf(effect.peer)}${channels}`;
  }
  return 'peer' in effect ? `${effect.type}:${digitOf(effect.peer)}` : effect.type;
}

function chance(rng: readonly number[] | 'max'): Chance {
  const left = rng === 'max' ? [] : [...rng];
  return { below: (n) => (rng === 'max' ? n - 1 : (left.shift() ?? 0)) };
}

function sinceStart(instantMs: number | undefined): string {
  return instantMs === undefined ? 'never' : `T0+${instantMs - T0}`;
}

function list(items: readonly string[]): string {
  return items.join(' ') || '-';
}
