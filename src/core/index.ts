/** The pure parts: values, rules and decisions without clock, chance or I/O. */

// Names and addresses.
export {
  isNodeId,
  nodeIdBytes,
  nodeIdFault,
  nodeIdFromPublicKey,
  parseNodeId,
  type NodeId,
} from './node-id.ts';
export {
  acceptNodeAddress,
  canonicalNodeAddress,
  formatNodeAddress,
  nodeAddressFault,
  parseNodeAddress,
  parseNodeAddressResult,
  sameNodeAddress,
  type NodeAddress,
} from './node-address.ts';
export { formatEndpoint, resolveNodeAddress, type Endpoint } from './endpoint.ts';
export { compatibilityFault, validateNodeInfo, type NodeInfo } from './node-info.ts';

// Peer decisions.
export { step, type StepResult } from './peer/peer-core.ts';
export { construct, type Constructed, type ConstructInput } from './peer/load.ts';
export type { Effect, PeerEvent, PeerResult, StepEnv } from './peer/peer-event.ts';
export type { PeerState } from './peer/peer-state.ts';
export { peerOptionFault, type PeerOptions } from './peer/options.ts';
export { DEFAULT_RANKING, type Ranking } from './peer/ranking.ts';
export { explain, type Decision, type ScoreBreakdown, type Standing } from './peer/why.ts';
export * as peerQueries from './peer/queries.ts';
export * as peerInvariants from './peer/invariants.ts';
export type { AddressRecord, AddressSource, BanRecord, PeerRecord, StoreWrite } from './peer/peer-record.ts';

// Handshake rules.
export { judgeHandshake, type HandshakeFacts, type HandshakeJudgement } from './handshake/judge.ts';
export { arbitrate, type Arbitration, type Candidate, type Incumbent } from './handshake/arbitration.ts';

// Errors, codes and limits.
export { P2PError, type Blame } from './errors.ts';
export * from './codes.ts';
export * as limits from './limits.ts';
