/** The notation of the behaviour rows: `a` is the node id of forty a's, `m:a` and `t:a:host:80` are addresses. */
import { formatNodeAddress, type NodeAddress } from '../../../src/core/node-address.ts';
import type { NodeId } from '../../../src/core/node-id.ts';
import type { PeerOptions } from '../../../src/core/peer/options.ts';

export const T0 = 1_700_000_000_000;

export function id(digit: string): NodeId {
  return digit.repeat(40) as NodeId;
}

/** The node id of a digit; any other text as it stands. */
export function fullText(text: string): string {
  return text.length === 1 ? id(text) : text;
}

/** The digit of a node id, or the text itself when it is none. */
export function digitOf(nodeId: string): string {
  return nodeId.length === 40 && nodeId === nodeId.charAt(0).repeat(40) ? nodeId.charAt(0) : nodeId;
}

const PROTOCOLS: Readonly<Record<string, string>> = { m: 'memory', t: 'tcp' };

/** Reads `m:a`, `t:a:host`, `t:a:host:80` and `t:a:[::1]:80`. */
export function address(text: string): NodeAddress {
  const match = /^([mt]):(.)(?::(\[.*\]|[^:]+)(?::(\d+))?)?$/.exec(text);
  if (match === null) throw new Error(`not an address of the rows: ${text}`);
  const [, protocol, node, host = '', port = '0'] = match;
  return {
    protocol: PROTOCOLS[protocol!]!,
    nodeId: id(node!),
    hostname: host.replace(/^\[(.*)\]$/, '$1'),
    port: Number(port),
    path: '',
  };
}

/** The shorthand of an address. */
export function shortAddress(known: NodeAddress): string {
  const text = formatNodeAddress(known);
  const match = /^(?:memory:(.)\1{39}|tcp:\/\/(.)\2{39}@(.+))$/.exec(text);
  if (match === null) return text;
  const [, memory, node, rest] = match;
  return memory === undefined ? `t:${node!}:${rest!}` : `m:${memory}`;
}

/** Options under the names of the rows. */
export interface RowOptions extends Omit<PeerOptions, 'persistentPeers' | 'privatePeers' | 'peerScores'> {
  readonly Max?: number;
  readonly Up?: number;
  readonly Out?: number;
  readonly Peers?: number;
  readonly Min?: number;
  readonly MaxR?: number;
  readonly MaxRP?: number;
  readonly Jit?: number;
  readonly Cool?: number;
  /** Digits, or texts that are taken as they stand. */
  readonly Pers?: readonly string[];
  readonly Private?: readonly string[];
  readonly Scores?: Readonly<Record<string, number>>;
}

export function peerOptions(options: RowOptions): PeerOptions {
  const { Max, Up, Out, Peers, Min, MaxR, MaxRP, Jit, Cool, Pers, Private, Scores, ...rest } = options;
  const named = {
    maxConnected: Max,
    maxConnectedUpgrade: Up,
    maxOutgoingConnections: Out,
    maxPeers: Peers,
    minRetryMs: Min,
    maxRetryMs: MaxR,
    maxRetryPersistentMs: MaxRP,
    retryJitterMs: Jit,
    disconnectCooldownMs: Cool,
    persistentPeers: Pers?.map(fullText),
    privatePeers: Private?.map(fullText),
    peerScores: Scores && Object.entries(Scores).map(([digit, score]) => [fullText(digit), score] as const),
  };
  const known = Object.entries(named).filter(([, value]) => value !== undefined);
  return { tieSalt: '', ...rest, ...(Object.fromEntries(known) as Partial<PeerOptions>) };
}
