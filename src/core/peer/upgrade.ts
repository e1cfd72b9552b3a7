import type { NodeId } from '../node-id.ts';
import { fromEnd } from './order.ts';
import { standingOf, type PeerInfo } from './peer-info.ts';
import type { PeerTable } from './peer-table.ts';
import { rankOrder } from './rank-order.ts';
import type { Newcomer, Ranked } from './ranking.ts';
import type { Standing } from './why.ts';

/** Who may be asked to give way. */
export interface VictimScope {
  /** A victim claimed for this newcomer itself counts as free. */
  readonly own?: NodeId | undefined;
  /** Only inbound connections. */
  readonly inboundOnly?: boolean;
}

/**
 * Who gives way to `newcomer`: the lowest ranked connected peer that is staying and not claimed by somebody else, when
 * it scores low enough (Tendermint v0.35 `findUpgradeCandidate`).
 */
export function findVictim(
  table: PeerTable,
  newcomer: Newcomer,
  scope: VictimScope = {},
): PeerInfo | undefined {
  const { ranking, upgradeMargin } = table.settings;
  const victim = ranking.upgradeCandidate(newcomer, victims(table, newcomer, scope), upgradeMargin);
  return victim && table.get(victim.id);
}

/** The peer that would give way first, whatever it scores. */
export function closestVictim(
  table: PeerTable,
  newcomer: Newcomer,
  scope: VictimScope = {},
): Standing | undefined {
  const { value: lowest } = victims(table, newcomer, scope).next();
  return lowest && standingOf(table.get(lowest.id)!, table.settings);
}

/** Everybody who might give way, from the lowest rank up. */
function* victims(table: PeerTable, newcomer: Newcomer, scope: VictimScope): Generator<Ranked, undefined> {
  const compare = rankOrder(table.settings);
  const sources = victimSources(table, newcomer, scope);
  const heads = sources.map((source) => source.next().value);
  for (;;) {
    let lowest: Ranked | undefined;
    for (const head of heads) {
      if (head !== undefined && (lowest === undefined || compare(head, lowest) > 0)) lowest = head;
    }
    if (lowest === undefined) return undefined;
    yield lowest;
    const at = heads.indexOf(lowest);
    heads[at] = sources[at]!.next().value;
  }
}

function victimSources(
  { settings, orders }: PeerTable,
  newcomer: Newcomer,
  { own, inboundOnly = false }: VictimScope,
): Iterator<Ranked, undefined>[] {
  const isOutboundSafe = inboundOnly || (settings.protectOutbound && !newcomer.persistent);
  const claimed = own === undefined ? undefined : orders.peers.get(own);
  const isOwnSafe = claimed?.connection?.leaving !== undefined || (isOutboundSafe && isOutbound(claimed));
  const sources: Iterator<Ranked, undefined>[] = [fromEnd(orders.evictableInbound)];
  if (!isOutboundSafe) sources.push(fromEnd(orders.evictableOutbound));
  if (claimed !== undefined && !isOwnSafe) sources.push(only(claimed.rank));
  return sources;
}

function isOutbound(peer: PeerInfo | undefined): boolean {
  return peer?.connection?.direction === 'outbound';
}

function* only(rank: Ranked): Generator<Ranked, undefined> {
  yield rank;
  return undefined;
}

/** A peer as one that wants a slot. */
export function newcomerOf({ id, rank, persistent }: PeerInfo): Newcomer {
  return { id, score: rank.score, persistent };
}
