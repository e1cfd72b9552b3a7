import type { NodeAddress } from '../node-address.ts';
import type { NodeId } from '../node-id.ts';

/** Who told us an address: the configuration, the peer itself over an authenticated connection, or a gossiping peer. */
export type AddressSource = 'configured' | 'self-declared' | NodeId;

/** What is stored of one address of a peer. Instants are wall-clock milliseconds since 1970. */
export interface AddressRecord {
  readonly address: NodeAddress;
  /** Absent: never. */
  readonly lastDialSuccessMs?: number;
  /** Absent: never. */
  readonly lastDialFailureMs?: number;
  /** Failures since the last success, 0 … 2^32 − 1. */
  readonly dialFailures: number;
  /** Absent in records of Tendermint. */
  readonly source?: AddressSource;
  /** Absent in records of Tendermint. */
  readonly firstSeenMs?: number;
  /** Whether an outbound handshake with this address has ever succeeded. */
  readonly tried: boolean;
}

/** What is stored of one peer (Tendermint v0.35 `p2p.PeerInfo`), addresses in address order. */
export interface PeerRecord {
  readonly id: NodeId;
  readonly addresses: readonly AddressRecord[];
  /** Absent: never. */
  readonly lastConnectedMs?: number;
  readonly inactive: boolean;
  /** Behaviour score, −32768 … 32766. Absent: 0, or scores are not stored (option `scorePersistence`). */
  readonly mutableScore?: number;
}

/** A peer that is refused, and not dialled, until an instant. */
export interface BanRecord {
  readonly id: NodeId;
  readonly untilMs: number;
  readonly reason: string;
}

/** A change of the stored state, as the core asks for it. */
export type StoreWrite =
  | { readonly type: 'put'; readonly record: PeerRecord }
  | { readonly type: 'delete'; readonly peer: NodeId }
  | { readonly type: 'putBan'; readonly ban: BanRecord }
  | { readonly type: 'deleteBan'; readonly peer: NodeId };
