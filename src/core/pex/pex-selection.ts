import { ipNetworkKey } from '../ip.ts';
import {
  PEX_ADDRESS_LENGTH_MAX,
  PEX_PER_NETWORK_MAX,
  PEX_SEND_ADDRESSES_MAX,
  PEX_SEND_BYTES_MAX,
  PEX_UNVERIFIED_PERCENT,
} from '../limits.ts';
import { formatNodeAddress, type NodeAddress } from '../node-address.ts';
import type { NodeId } from '../node-id.ts';
import type { PexGeneration } from './pex-generation.ts';
import { addressReach, isTold, peerReach, type PexReach } from './pex-reach.ts';

/** An address that could be shared. */
export interface PexCandidate {
  readonly address: NodeAddress;
  /** We completed an outbound handshake with it, or the node declared it about itself on an authenticated connection. */
  readonly verified: boolean;
}

export interface PexSelectionInput {
  /** Our own address, if it is configured. */
  readonly own?: NodeAddress | undefined;
  /** The best first; read only as far as needed. */
  readonly candidates: Iterable<PexCandidate>;
  readonly requester: {
    readonly id: NodeId;
    /** Where it is connected from; empty for a transport without IP addresses. */
    readonly ip: string;
  };
  readonly generation: PexGeneration;
  /** Whether a peer is never to be shared: private, banned or parked. */
  isWithheld(id: NodeId): boolean;
  /** Default 100. */
  readonly maxAddresses?: number;
  /** Encoded bytes of all addresses; default 25 344. */
  readonly maxBytes?: number;
}

/** More than the framing of one entry takes in either generation. */
const ENTRY_OVERHEAD_BYTES = 8;

/** What the first generation can express. */
const V1_PROTOCOLS: readonly string[] = ['mconn', 'tcp'];

/**
 * The addresses to answer a request with. Our own comes first, then one per peer, then further ones while there is room;
 * few that nobody has verified, few of one network of the internet, and none that the requester could not reach anyway.
 */
export function selectAddresses(input: PexSelectionInput): NodeAddress[] {
  const selection = new Selection(input);
  const { own } = input;
  if (own !== undefined && own.hostname !== '' && own.port !== 0)
    selection.offer({ address: own, verified: true });
  const peers = new Set<NodeId>(own === undefined ? [] : [own.nodeId]);
  const further: PexCandidate[] = [];
  for (const candidate of input.candidates) {
    if (selection.isFull) break;
    const { nodeId } = candidate.address;
    if (nodeId === input.requester.id || input.isWithheld(nodeId)) continue;
    if (peers.has(nodeId)) further.push(candidate);
    else if (selection.offer(candidate)) peers.add(nodeId);
  }
  for (const candidate of further) selection.offer(candidate);
  return selection.addresses;
}

class Selection {
  readonly addresses: NodeAddress[] = [];
  readonly #generation: PexGeneration;
  readonly #requester: PexReach;
  readonly #maxAddresses: number;
  readonly #texts = new Set<string>();
  readonly #networks = new Map<string, number>();
  #unverifiedLeft: number;
  #bytesLeft: number;

  constructor(input: PexSelectionInput) {
    this.#generation = input.generation;
    this.#requester = peerReach(input.requester.ip);
    this.#maxAddresses = input.maxAddresses ?? PEX_SEND_ADDRESSES_MAX;
    this.#unverifiedLeft = Math.floor((this.#maxAddresses * PEX_UNVERIFIED_PERCENT) / 100);
    this.#bytesLeft = input.maxBytes ?? PEX_SEND_BYTES_MAX;
  }

  get isFull(): boolean {
    return this.addresses.length >= this.#maxAddresses;
  }

  /** Takes an address if every rule allows it, and says whether it did. */
  offer({ address, verified }: PexCandidate): boolean {
    if (this.isFull || (!verified && this.#unverifiedLeft === 0)) return false;
    if (this.#generation === 1 && !isExpressibleInV1(address)) return false;
    const reach = addressReach(address);
    if (!isTold(reach, this.#requester)) return false;
    const text = formatNodeAddress(address);
    const bytes = text.length + ENTRY_OVERHEAD_BYTES;
    if (text.length > PEX_ADDRESS_LENGTH_MAX || bytes > this.#bytesLeft || this.#texts.has(text))
      return false;
    if (reach === 'internet' && !this.#takeNetwork(address.hostname)) return false;
    if (!verified) this.#unverifiedLeft--;
    this.#bytesLeft -= bytes;
    this.#texts.add(text);
    this.addresses.push(address);
    return true;
  }

  #takeNetwork(hostname: string): boolean {
    const network = ipNetworkKey(hostname);
    if (network === undefined) return true;
    const taken = this.#networks.get(network) ?? 0;
    if (taken >= PEX_PER_NETWORK_MAX) return false;
    this.#networks.set(network, taken + 1);
    return true;
  }
}

function isExpressibleInV1(address: NodeAddress): boolean {
  return address.hostname !== '' && address.port !== 0 && V1_PROTOCOLS.includes(address.protocol);
}
