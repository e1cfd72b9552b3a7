import type { ChannelId } from '../channel.ts';
import {
  PEX_PEER_SPACING_MS,
  PEX_SERVER_REFILL_MS,
  PEX_SERVER_SPACING_COMET_MS,
  PEX_SERVER_SPACING_V35_MS,
  PEX_SPACING_MARGIN,
} from '../limits.ts';

/** 1: `{id, ip, port}`, which everybody understands. 2: URLs, for Tendermint v0.35 and peerchart. */
export type PexGeneration = 1 | 2;

/** How to ask one peer for addresses. */
export interface PexDialect {
  readonly generation: PexGeneration;
  /** Least time between two requests to this peer, in milliseconds. */
  readonly spacingMs: number;
}

/** What tells implementations apart in node information. */
export interface PexPeerTraits {
  readonly channels: readonly ChannelId[];
  readonly capabilities: readonly string[];
}

/** Light-block and params of Tendermint v0.35, which nobody else has. */
const V35_CHANNELS: readonly ChannelId[] = [0x62, 0x63];

/**
 * How to ask a peer, judged by what its handshake said and never by the addresses we know for it: most peers cannot
 * decode the second generation and disconnect (Tendermint v0.35 decides by the schemes of its addresses).
 *
 * @param perPeerMinMs the spacing we want ourselves; a peer that demands more than a third of it is asked more rarely.
 */
export function pexDialect(peer: PexPeerTraits, perPeerMinMs = PEX_PEER_SPACING_MS): PexDialect {
  if (peer.capabilities.length > 0) return dialect(2, perPeerMinMs, PEX_SERVER_REFILL_MS);
  const isV35 = V35_CHANNELS.some((id) => peer.channels.includes(id));
  if (isV35) return dialect(2, perPeerMinMs, PEX_SERVER_SPACING_V35_MS);
  return dialect(1, perPeerMinMs, PEX_SERVER_SPACING_COMET_MS);
}

function dialect(generation: PexGeneration, perPeerMinMs: number, serverSpacingMs: number): PexDialect {
  return { generation, spacingMs: Math.max(perPeerMinMs, PEX_SPACING_MARGIN * serverSpacingMs) };
}
