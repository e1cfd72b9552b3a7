import type { Direction } from '../core/direction.ts';
import type { Endpoint } from '../core/endpoint.ts';
import type { Env } from '../core/env.ts';
import { P2PError } from '../core/errors.ts';
import type { Identity } from '../core/identity.ts';
import { acceptNodeAddress, parseNodeAddress, type NodeAddress } from '../core/node-address.ts';
import { isNodeId, nodeIdFromPublicKey, parseNodeId, type NodeId } from '../core/node-id.ts';
import type { NodeInfo } from '../core/node-info.ts';
import type { PeerOptions } from '../core/peer/options.ts';
import type { PexPacingOptions } from '../core/pex/pex-pacing.ts';
import { routerLimits, type RouterLimitOptions, type RouterLimits } from '../core/router-options.ts';
import { realEnv } from '../env/real-env.ts';
import { FlightRecorder } from '../inspect/flight-recorder.ts';
import { memoryPeerStore } from '../store/memory-peer-store.ts';
import type { PeerStore } from '../store/peer-store.ts';
import type { TransportFactory } from '../transports/transport.ts';
import type { Filter } from './filters.ts';

/** Refuses an authenticated peer by returning a reason or by throwing; accepts it by returning nothing. */
export type PeerFilter = Filter<{ readonly id: NodeId; readonly moniker: string; readonly ip: string }>;

/** Refuses an inbound connection likewise, before anything is read from it. */
export type EndpointFilter = Filter<Endpoint>;

/** What a node may say differently to different remotes. */
export type NodeInfoChanges = Partial<Pick<NodeInfo, 'listenAddr' | 'moniker' | 'version' | 'other'>>;

export interface NodeInfoContext {
  readonly direction: Direction;
  readonly localEndpoint: Endpoint;
  readonly remoteEndpoint: Endpoint;
}

export interface PexOptions extends PexPacingOptions {
  /** Ask others for addresses; default true. */
  readonly client?: boolean;
  /** Answer with addresses; otherwise answers are empty. Default true. */
  readonly server?: boolean;
}

export interface RouterOptions {
  readonly identity: Identity;
  /** Name of the network; nodes of different networks refuse each other. */
  readonly network: string;
  /** Ways to reach peers; no two may serve the same protocol. */
  readonly transports: readonly TransportFactory[];
  /** What is known about peers, kept between runs; default in memory only. */
  readonly store?: PeerStore;
  /** Name shown to others, printable ASCII; default `peerchart`. */
  readonly moniker?: string;
  /** Version of the application, shown to others; default empty. */
  readonly version?: string;
  /** `host:port` that others shall dial; default where the first transport listens. */
  readonly externalAddress?: string;
  /** Peers always wanted: node ids, or addresses of which the node id is taken and which are dialled. */
  readonly persistentPeers?: readonly string[];
  /** Addresses to begin with, never forgotten. */
  readonly bootstrapPeers?: readonly string[];
  /** Node ids that are never told to others. */
  readonly privatePeers?: readonly string[];
  /** How peers are chosen; laid over the product's defaults (`productPeerOptions`). */
  readonly peers?: Omit<PeerOptions, 'persistentPeers' | 'privatePeers' | 'selfAddress'>;
  readonly limits?: RouterLimitOptions;
  /** Peer exchange; false switches it off altogether. */
  readonly pex?: PexOptions | false;
  /** Asked about every inbound connection, in order, before its first byte. */
  readonly endpointFilters?: readonly EndpointFilter[];
  /** Asked about every authenticated peer, in order, in both directions. */
  readonly filters?: readonly PeerFilter[];
  /** What this remote is told instead of what all are; called once per connection, which a throw ends. */
  readonly nodeInfoFor?: (context: NodeInfoContext) => NodeInfoChanges;
  /** Block protocol version, compared in handshakes; default 11, that of every released network. */
  readonly blockVersion?: bigint;
  /** Time, chance and names; default the real ones. */
  readonly env?: Env;
  /** Where everything that happens is written; default a recorder of its own. */
  readonly recorder?: FlightRecorder;
}

/** `RouterOptions` checked, parsed, and with every default filled in. */
export interface RouterConfig {
  readonly identity: Identity;
  readonly selfId: NodeId;
  readonly network: string;
  readonly transports: readonly TransportFactory[];
  readonly store: PeerStore;
  readonly moniker: string;
  readonly version: string;
  readonly blockVersion: bigint;
  readonly externalAddress: string | undefined;
  readonly peerOptions: PeerOptions;
  /** Addresses of persistent peers that were given with one. */
  readonly persistentAddresses: readonly NodeAddress[];
  readonly bootstrapAddresses: readonly NodeAddress[];
  readonly limits: RouterLimits;
  readonly pex: Required<Pick<PexOptions, 'client' | 'server'>> & PexPacingOptions;
  readonly pexEnabled: boolean;
  readonly endpointFilters: readonly EndpointFilter[];
  readonly filters: readonly PeerFilter[];
  readonly nodeInfoFor: (context: NodeInfoContext) => NodeInfoChanges;
  readonly env: Env;
  readonly recorder: FlightRecorder;
}

/** Block protocol version of every released Tendermint and CometBFT network. */
const BLOCK_VERSION = 11n;

const HOUR_MS = 3_600_000;

/**
 * The peer options of a router, which unlike the bare core retries, damps, reserves slots and resists being captured.
 * One slot in four is kept for peers we chose.
 */
export function productPeerOptions(overrides: RouterOptions['peers'] = {}): PeerOptions {
  const maxConnected = overrides.maxConnected ?? 64;
  const reserved = Math.floor(maxConnected / 4);
  return {
    maxConnected,
    maxConnectedUpgrade: 4,
    maxPeers: maxConnected === 0 ? 0 : Math.min(65_535, 4 + 16 * maxConnected),
    maxIncomingConnections: reserved === 0 ? 0 : maxConnected - reserved,
    minRetryMs: 250,
    maxRetryMs: 30 * 60_000,
    maxRetryPersistentMs: 5 * 60_000,
    retryJitterMs: 1_000,
    retryBackoff: 'exponential',
    disconnectCooldownMs: 2_000,
    protectOutbound: true,
    upgradeMargin: 3,
    addressFailureLimit: 16,
    wrongIdLimit: 3,
    maxPeersPerNetwork: 1,
    inactiveTtlMs: 24 * HOUR_MS,
    scorePersistence: true,
    scoreHalfLifeMs: HOUR_MS,
    dialTimeoutMs: 60_000,
    flapDamping: { thresholdMs: 10_000, maxCooldownMs: 10 * 60_000, forgiveMs: HOUR_MS },
    advertiseVerifiedOnly: true,
    ...overrides,
  };
}

/**
 * Reads the options of a router.
 *
 * @throws P2PError `invalid-option`, `invalid-address` or `invalid-node-id`, naming the option and the value.
 */
export function routerConfig(options: RouterOptions): RouterConfig {
  const selfId = nodeIdFromPublicKey(options.identity.publicKey);
  requireText('network', options.network);
  const moniker = options.moniker ?? 'peerchart';
  requirePrintable('moniker', moniker);
  const persistent = (options.persistentPeers ?? []).map((text) => peerReference('persistentPeers', text));
  const selfAddress = ownAddress(selfId, options.externalAddress);
  const peerOptions: PeerOptions = {
    ...productPeerOptions(options.peers),
    persistentPeers: persistent.map(({ id }) => id),
    privatePeers: (options.privatePeers ?? []).map(parseNodeId),
    ...(selfAddress === undefined ? {} : { selfAddress }),
  };
  const maxConnected = peerOptions.maxConnected ?? 0;
  const capacity = maxConnected === 0 ? Infinity : maxConnected + (peerOptions.maxConnectedUpgrade ?? 0);
  const { client = true, server = true, ...pacing } = options.pex === false ? {} : (options.pex ?? {});
  return {
    identity: options.identity,
    selfId,
    network: options.network,
    transports: options.transports,
    store: options.store ?? memoryPeerStore(),
    moniker,
    version: options.version ?? '',
    blockVersion: options.blockVersion ?? BLOCK_VERSION,
    externalAddress: options.externalAddress,
    peerOptions,
    persistentAddresses: persistent.flatMap(({ address }) => (address === undefined ? [] : [address])),
    bootstrapAddresses: (options.bootstrapPeers ?? []).map(parseNodeAddress),
    limits: routerLimits(options.limits, capacity),
    pex: { client, server, ...pacing },
    pexEnabled: options.pex !== false,
    endpointFilters: options.endpointFilters ?? [],
    filters: options.filters ?? [],
    nodeInfoFor: options.nodeInfoFor ?? (() => ({})),
    env: options.env ?? realEnv(),
    recorder: options.recorder ?? new FlightRecorder(),
  };
}

function peerReference(
  option: string,
  text: string,
): { readonly id: NodeId; readonly address?: NodeAddress } {
  const id = text.toLowerCase();
  if (isNodeId(id)) return { id };
  try {
    const address = parseNodeAddress(text);
    return { id: address.nodeId, address };
  } catch (cause) {
    throw new P2PError('invalid-option', `option ${option} is neither a node id nor an address: ${text}`, {
      reason: option,
      cause,
    });
  }
}

function ownAddress(selfId: NodeId, externalAddress: string | undefined): NodeAddress | undefined {
  if (externalAddress === undefined) return undefined;
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(externalAddress);
  const hostname = match?.[1] ?? match?.[2] ?? '';
  const result = acceptNodeAddress({
    protocol: 'mconn',
    nodeId: selfId,
    hostname,
    port: Number(match?.[3]),
    path: '',
  });
  if (match === null || !result.ok || Number(match[3]) === 0) {
    throw new P2PError('invalid-option', `option externalAddress is not host:port: ${externalAddress}`, {
      reason: 'externalAddress',
    });
  }
  return result.address;
}

function requireText(option: string, value: unknown): void {
  if (typeof value === 'string' && value !== '') return;
  throw new P2PError(
    'invalid-option',
    `option ${option} must be a text that is not empty, got ${String(value)}`,
    {
      reason: option,
    },
  );
}

function requirePrintable(option: string, value: string): void {
  if (/^[\x20-\x7e]*[\x21-\x7e][\x20-\x7e]*$/.test(value)) return;
  throw new P2PError(
    'invalid-option',
    `option ${option} must be printable ASCII and not blank, got ${value}`,
    {
      reason: option,
    },
  );
}
