import type { PeerOptionFault } from '../codes.ts';
import { ipNetworkKey } from '../ip.ts';
import { BANS_MAX, PEER_ADDRESSES_MAX } from '../limits.ts';
import { canonicalNodeAddress, type NodeAddress } from '../node-address.ts';
import { isNodeId, type NodeId } from '../node-id.ts';
import { DEFAULT_RANKING, SCORE_MAX, SCORE_MIN, type Ranking } from './ranking.ts';

/**
 * How the peer core decides. Every option may be left out; the bare core then has no limits, no retries and no
 * extensions (Tendermint v0.35 `PeerManagerOptions`).
 */
export interface PeerOptions {
  /** Peers that outrank all others, are never pruned and never parked. Lower-case ids; repeats count. Default none. */
  readonly persistentPeers?: Iterable<string>;
  /** Peers that are never advertised. Lower-case ids. Default none. */
  readonly privatePeers?: Iterable<string>;
  /** Ordinary connection slots, 0 … 65535; default 0 = no limit. */
  readonly maxConnected?: number;
  /** Slots above `maxConnected` for better peers on their way in, 0 … 65535; default 0 = no upgrades. */
  readonly maxConnectedUpgrade?: number;
  /**
   * Peers remembered, 0 … 65535; default 0 = no limit. Needs `maxConnected`, and at least room for all connections and
   * upgrades.
   */
  readonly maxPeers?: number;
  /** Outbound connections and dials, 0 … `maxConnected`; default 0 = no limit of their own. Persistent peers are exempt. */
  readonly maxOutgoingConnections?: number;
  /** Wait after the first dial failure of an address; default 0 = a failed address is not tried again. */
  readonly minRetryMs?: number;
  /** Longest wait; default 0 = no cap. */
  readonly maxRetryMs?: number;
  /** Longest wait for persistent peers, above or below `maxRetryMs`; default 0 = `maxRetryMs`. */
  readonly maxRetryPersistentMs?: number;
  /** Each wait gets a random [0, retryJitterMs) on top; default 0. */
  readonly retryJitterMs?: number;
  /** Time after a disconnect during which the peer is not dialled; default 0. */
  readonly disconnectCooldownMs?: number;
  /** Fixed scores, −32768 … 32767; those up to 0 are ignored. Default none. */
  readonly peerScores?: Iterable<readonly [string, number]>;
  /** Our own address, advertised when it has a host and a port. Default none. */
  readonly selfAddress?: NodeAddress;
  /** Addresses kept of one peer; default 16; 0 = no limit. */
  readonly maxAddressesPerPeer?: number;
  /** Orders peers of equal score differently on every node; default drawn at random; empty: by node id. */
  readonly tieSalt?: string;
  /** Bans remembered, 1 … 2^31 − 1; the oldest go first. Default 10,000. */
  readonly maxBans?: number;
  /** How peers are scored and ordered; default Tendermint's rules. */
  readonly ranking?: Ranking;

  /** An outbound connection never gives way to a peer that is not persistent. Default false. */
  readonly protectOutbound?: boolean;
  /** An address is removed after so many failures in a row, unless its peer is persistent (E1). Default 0 = never. */
  readonly addressFailureLimit?: number;
  /** An address is removed after somebody else answered so many times in a row. Default 0 = never. */
  readonly wrongIdLimit?: number;
  /** Points by which a newcomer must beat the peer that gives way; persistent peers need none (E2). Default 0. */
  readonly upgradeMargin?: number;
  /** Inbound connections that may stay at once; persistent peers are exempt (E3). Default 0 = no limit of their own. */
  readonly maxIncomingConnections?: number;
  /** Outbound peers per /16 (IPv4) or /32 (IPv6) network; persistent peers and local networks are exempt (E5). 0 = off. */
  readonly maxPeersPerNetwork?: number;
  /** Dials in flight per host name, IPv4 address or IPv6 /64 (E5). Default 0 = off. */
  readonly maxDialsPerHost?: number;
  /** IP addresses whose networks `maxPeersPerNetwork` does not count. Default none. */
  readonly exemptNetworks?: Iterable<string>;
  /** An incompatible peer is given another chance after this time (E6). Default 0 = never. */
  readonly inactiveTtlMs?: number;
  /** Behaviour scores are stored (E7). Default false. */
  readonly scorePersistence?: boolean;
  /** Behaviour scores halve, towards 0, after each such time (E7). Default 0 = never. */
  readonly scoreHalfLifeMs?: number;
  /** A dial without an outcome counts as failed after this time, and a later report is ignored (E8). Default 0 = never. */
  readonly dialTimeoutMs?: number;
  /** Growth of the wait: `linear` (n × min) or `exponential` (min × 2^(n−1), jitter on top of the cap) (E10). */
  readonly retryBackoff?: 'linear' | 'exponential';
  /** Longer cooldowns for peers that come and go (E11). Default off. */
  readonly flapDamping?: FlapDamping;
  /** Only the best address' failures count in a score, so that bogus addresses do no harm (E12). Default false. */
  readonly scoreByBestAddress?: boolean;
  /** Addresses with failures are not advertised (E13). Default false. */
  readonly advertiseVerifiedOnly?: boolean;
}

export interface FlapDamping {
  /** A connection shorter than this doubles the peer's next cooldown; a longer one resets it. */
  readonly thresholdMs: number;
  /** The longest cooldown. */
  readonly maxCooldownMs: number;
  /** One doubling is forgiven after each such time; 0 = only a long connection forgives. */
  readonly forgiveMs: number;
}

/** Options checked, copied, and with every default filled in. */
export interface PeerSettings extends Required<
  Omit<PeerOptions, 'persistentPeers' | 'privatePeers' | 'peerScores' | 'exemptNetworks' | OptionalSetting>
> {
  readonly persistentPeers: ReadonlySet<NodeId>;
  readonly privatePeers: ReadonlySet<NodeId>;
  readonly peerScores: ReadonlyMap<NodeId, number>;
  /** Network keys. */
  readonly exemptNetworks: ReadonlySet<string>;
  readonly selfAddress: NodeAddress | undefined;
  readonly flapDamping: FlapDamping | undefined;
}

type OptionalSetting = 'selfAddress' | 'flapDamping';

const COUNT_MAX = 65535;
/** Stands for a text that is no IP address. */
const NO_NETWORK = '';

/** The options as settings, or the first rule they break. A tie salt that is left out is empty: drawing takes chance. */
export function peerSettings(options: PeerOptions): PeerSettings | PeerOptionFault {
  const persistentPeers = [...(options.persistentPeers ?? [])];
  const settings = withDefaults(options, persistentPeers);
  const isInRange = areCountsInRange(settings) && areTimesInRange(settings) && areScoresInRange(settings);
  if (!isInRange || !isKnownBackoff(settings.retryBackoff)) return 'opt-range';
  if (!persistentPeers.every(isNodeId)) return 'opt-persistent-id';
  if (![...settings.privatePeers].every(isNodeId)) return 'opt-private-id';
  return limitFault(settings, persistentPeers.length) ?? networkFault(settings) ?? settings;
}

/** The first rule the options break, or undefined. */
export function peerOptionFault(options: PeerOptions): PeerOptionFault | undefined {
  const settings = peerSettings(options);
  return typeof settings === 'string' ? settings : undefined;
}

function withDefaults(options: PeerOptions, persistentPeers: readonly string[]): PeerSettings {
  return {
    persistentPeers: new Set(persistentPeers as readonly NodeId[]),
    privatePeers: new Set((options.privatePeers ?? []) as Iterable<NodeId>),
    maxConnected: options.maxConnected ?? 0,
    maxConnectedUpgrade: options.maxConnectedUpgrade ?? 0,
    maxPeers: options.maxPeers ?? 0,
    maxOutgoingConnections: options.maxOutgoingConnections ?? 0,
    minRetryMs: options.minRetryMs ?? 0,
    maxRetryMs: options.maxRetryMs ?? 0,
    maxRetryPersistentMs: options.maxRetryPersistentMs ?? 0,
    retryJitterMs: options.retryJitterMs ?? 0,
    disconnectCooldownMs: options.disconnectCooldownMs ?? 0,
    peerScores: new Map((options.peerScores ?? []) as Iterable<readonly [NodeId, number]>),
    selfAddress: options.selfAddress && Object.freeze(canonicalNodeAddress(options.selfAddress)),
    maxAddressesPerPeer: options.maxAddressesPerPeer ?? PEER_ADDRESSES_MAX,
    tieSalt: options.tieSalt ?? '',
    maxBans: options.maxBans ?? BANS_MAX,
    ranking: options.ranking ?? DEFAULT_RANKING,
    protectOutbound: options.protectOutbound ?? false,
    addressFailureLimit: options.addressFailureLimit ?? 0,
    wrongIdLimit: options.wrongIdLimit ?? 0,
    upgradeMargin: options.upgradeMargin ?? 0,
    maxIncomingConnections: options.maxIncomingConnections ?? 0,
    maxPeersPerNetwork: options.maxPeersPerNetwork ?? 0,
    maxDialsPerHost: options.maxDialsPerHost ?? 0,
    exemptNetworks: new Set([...(options.exemptNetworks ?? [])].map((ip) => ipNetworkKey(ip) ?? NO_NETWORK)),
    inactiveTtlMs: options.inactiveTtlMs ?? 0,
    scorePersistence: options.scorePersistence ?? false,
    scoreHalfLifeMs: options.scoreHalfLifeMs ?? 0,
    dialTimeoutMs: options.dialTimeoutMs ?? 0,
    retryBackoff: options.retryBackoff ?? 'linear',
    flapDamping: options.flapDamping && { ...options.flapDamping },
    scoreByBestAddress: options.scoreByBestAddress ?? false,
    advertiseVerifiedOnly: options.advertiseVerifiedOnly ?? false,
  };
}

function areCountsInRange(settings: PeerSettings): boolean {
  const slots = [
    settings.maxConnected,
    settings.maxConnectedUpgrade,
    settings.maxPeers,
    settings.maxOutgoingConnections,
    settings.maxIncomingConnections,
    settings.maxPeersPerNetwork,
    settings.maxDialsPerHost,
    settings.upgradeMargin,
  ];
  const others = [settings.maxAddressesPerPeer, settings.addressFailureLimit, settings.wrongIdLimit];
  return (
    slots.every((value) => isWithin(value, 0, COUNT_MAX)) &&
    others.every((value) => isWithin(value, 0, 2 ** 32 - 1)) &&
    isWithin(settings.maxBans, 1, 2 ** 31 - 1)
  );
}

function areTimesInRange({ flapDamping, ...settings }: PeerSettings): boolean {
  const times = [
    settings.minRetryMs,
    settings.maxRetryMs,
    settings.maxRetryPersistentMs,
    settings.retryJitterMs,
    settings.disconnectCooldownMs,
    settings.inactiveTtlMs,
    settings.scoreHalfLifeMs,
    settings.dialTimeoutMs,
  ];
  if (flapDamping) times.push(flapDamping.thresholdMs, flapDamping.maxCooldownMs, flapDamping.forgiveMs);
  return times.every((value) => isWithin(value, 0, Number.MAX_SAFE_INTEGER));
}

function areScoresInRange(settings: PeerSettings): boolean {
  return [...settings.peerScores.values()].every((score) => isWithin(score, SCORE_MIN, SCORE_MAX));
}

function isWithin(value: number, min: number, max: number): boolean {
  return Number.isInteger(value) && value >= min && value <= max;
}

function isKnownBackoff(backoff: string): boolean {
  return backoff === 'linear' || backoff === 'exponential';
}

function limitFault(settings: PeerSettings, persistentCount: number): PeerOptionFault | undefined {
  const { maxConnected, maxConnectedUpgrade, maxPeers, minRetryMs } = settings;
  const { maxRetryMs, maxRetryPersistentMs, maxOutgoingConnections } = settings;
  if (maxConnected > 0 && persistentCount > maxConnected) return 'opt-persistent-count';
  const holdsConnections = maxConnected > 0 && maxConnected + maxConnectedUpgrade <= maxPeers;
  if (maxPeers > 0 && !holdsConnections) return 'opt-max-peers';
  if (maxRetryMs > 0 && minRetryMs === 0) return 'opt-max-retry-without-min';
  if (maxRetryMs > 0 && minRetryMs > maxRetryMs) return 'opt-min-gt-max';
  if (maxRetryPersistentMs > 0 && minRetryMs === 0) return 'opt-max-retry-persistent-without-min';
  if (maxRetryPersistentMs > 0 && minRetryMs > maxRetryPersistentMs) return 'opt-min-gt-max-persistent';
  if (maxOutgoingConnections > maxConnected) return 'opt-max-outgoing';
  return undefined;
}

function networkFault(settings: PeerSettings): PeerOptionFault | undefined {
  return settings.exemptNetworks.has(NO_NETWORK) ? 'opt-network' : undefined;
}
