/**
 * peerchart: an embeddable peer-to-peer message router in which every peer, dial, listener and channel is a statechart.
 */

// The router.
export { createRouter, type Router } from './actors/router.ts';
export type {
  EndpointFilter,
  NodeInfoChanges,
  NodeInfoContext,
  PeerFilter,
  PexOptions,
  RouterOptions,
} from './actors/router-config.ts';
export { productPeerOptions } from './actors/router-config.ts';
export type { RouterStats } from './actors/router-stats.ts';
export type { DropTotal } from './actors/drop-log.ts';
export type { PeerView } from './actors/peer-view.ts';
export type { RouterLimitOptions } from './core/router-options.ts';
export type { PeerOptions } from './core/peer/options.ts';

// Channels and messages.
export type { Channel } from './actors/channel.actor.ts';
export type {
  ChannelAccounting,
  ChannelPeer,
  ChannelVisibility,
  PeerReport,
  ReportOutcome,
} from './actors/channel-host.ts';
export type {
  BroadcastOptions,
  BroadcastResult,
  Loss,
  Outbound,
  SendOptions,
} from './actors/channel-sender.ts';
export { mergeChannels } from './actors/merge-channels.ts';
export type { MessageConsumer, MessageSource } from './actors/message-consumer.ts';
export type { ChannelDescriptor, ChannelId, Codec } from './core/channel.ts';
export type { Inbound } from './core/envelope.ts';
export type { PeerUpdate } from './core/peer-update.ts';
export { protobufCodec, type ProtobufType } from './wire/protobuf-codec.ts';
export { oneofCodec, wrappedCodec, type OneofMembers, type Wrapping } from './wire/wrapped-codec.ts';

// Identity and addresses.
export type { Identity } from './core/identity.ts';
export { identityFromSeed, loadNodeKey, loadOrCreateNodeKey } from './crypto/node-key.ts';
export { isNodeId, nodeIdFromPublicKey, parseNodeId, type NodeId } from './core/node-id.ts';
export { formatNodeAddress, parseNodeAddress, type NodeAddress } from './core/node-address.ts';
export type { NodeInfo } from './core/node-info.ts';

// Errors and codes.
export { P2PError, type Blame } from './core/errors.ts';
export * from './core/codes.ts';

// History and environment.
export { FlightRecorder, type FlightRecorderOptions } from './inspect/flight-recorder.ts';
export type { FlightEvent, FlightRecord, FlightRecordKind } from './inspect/flight-record.ts';
export type { Clock, Env, Random, Resolver } from './core/env.ts';
export { realEnv } from './env/real-env.ts';
