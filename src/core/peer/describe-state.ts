import type { ChannelId } from '../channel.ts';
import type { Direction } from '../direction.ts';
import { formatNodeAddress } from '../node-address.ts';
import type { NodeId } from '../node-id.ts';
import type { AddressInfo } from './address-info.ts';
import type { PeerInfo } from './peer-info.ts';
import type { BanRecord } from './peer-record.ts';
import type { PeerState } from './peer-state.ts';
import { bans } from './queries.ts';

/** A state as plain data, in the terms of the peer manager: for tests, traces and the inspector. */
export interface DescribedState {
  readonly nowMs: number;
  /** Best first. */
  readonly peers: readonly DescribedPeer[];
  readonly dialing: readonly NodeId[];
  /** The claimant of each victim. */
  readonly upgrading: Readonly<Record<NodeId, NodeId>>;
  readonly connected: Readonly<Record<NodeId, Direction>>;
  /** The channels of those that are up. */
  readonly ready: Readonly<Record<NodeId, readonly ChannelId[]>>;
  /** Scheduled, in order. */
  readonly evict: readonly NodeId[];
  /** Handed out. */
  readonly evicting: readonly NodeId[];
  readonly bans: readonly BanRecord[];
}

export interface DescribedPeer {
  readonly id: NodeId;
  readonly score: number;
  readonly persistent: boolean;
  readonly inactive: boolean;
  readonly banned: boolean;
  readonly mutableScore: number;
  readonly height: number;
  readonly lastConnectedMs: number | undefined;
  readonly lastDisconnectedMs: number | undefined;
  readonly cooldownUntilMs: number;
  readonly addresses: readonly DescribedAddress[];
}

export interface DescribedAddress {
  readonly address: string;
  readonly failures: number;
  readonly lastSuccessMs: number | undefined;
  readonly lastFailureMs: number | undefined;
  /** Infinity: never. */
  readonly retryAtMs: number;
  readonly source: string | undefined;
  readonly firstSeenMs: number | undefined;
  readonly tried: boolean;
  readonly bootstrap: boolean;
}

export function describeState(state: PeerState): DescribedState {
  const { orders } = state;
  const find = (id: NodeId): PeerInfo => orders.peers.get(id)!;
  const connected = [...orders.connected.keys()].map(find);
  const claimed = connected.filter(({ claimant }) => claimant !== undefined);
  const ready = connected.filter(({ connection }) => connection!.channels !== undefined);
  const evicting = connected.filter(({ connection }) => connection!.leaving?.phase === 'evicting');
  return {
    nowMs: state.nowMs,
    peers: [...orders.ranking.keys()].map(({ id }) => describePeer(find(id))),
    dialing: [...orders.dialing.keys()],
    upgrading: Object.fromEntries(claimed.map(({ id, claimant }) => [id, claimant!])),
    connected: Object.fromEntries(connected.map(({ id, connection }) => [id, connection!.direction])),
    ready: Object.fromEntries(ready.map(({ id, connection }) => [id, [...connection!.channels!]])),
    evict: [...orders.evictions.keys()].map(({ id }) => id),
    evicting: evicting.map(({ id }) => id),
    bans: bans(state),
  };
}

function describePeer(peer: PeerInfo): DescribedPeer {
  const { id, persistent, inactive, banned, mutableScore, height } = peer;
  const { lastConnectedMs, lastDisconnectedMs, cooldownUntilMs } = peer;
  return {
    id,
    score: peer.rank.score,
    persistent,
    inactive,
    banned,
    mutableScore,
    height,
    lastConnectedMs,
    lastDisconnectedMs,
    cooldownUntilMs,
    addresses: peer.addresses.map(describeAddress),
  };
}

function describeAddress(info: AddressInfo): DescribedAddress {
  const { failures, lastSuccessMs, lastFailureMs, retryAtMs, source, firstSeenMs, tried, bootstrap } = info;
  const address = formatNodeAddress(info.address);
  return {
    address,
    failures,
    lastSuccessMs,
    lastFailureMs,
    retryAtMs,
    source,
    firstSeenMs,
    tried,
    bootstrap,
  };
}
