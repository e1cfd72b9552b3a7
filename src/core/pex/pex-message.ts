/** One entry of the first PEX generation: an IP endpoint with the id of the node behind it. */
export interface PexAddress {
  /** Node id as received, not validated. */
  readonly id: string;
  /** IP text as received, not validated. */
  readonly ip: string;
  /** 0 … 2^32 − 1 as received. */
  readonly port: number;
}

/** One entry of the second PEX generation: a node address as URL. */
export interface PexUrl {
  /** As received, not validated. */
  readonly url: string;
}

/**
 * Peer exchange messages. The first generation is spoken by every version of Tendermint and CometBFT, the second only
 * by Tendermint v0.35 and peerchart.
 */
export type PexMessage =
  | { readonly type: 'request' }
  | { readonly type: 'response'; readonly addresses: readonly PexAddress[] }
  | { readonly type: 'request-v2' }
  | { readonly type: 'response-v2'; readonly addresses: readonly PexUrl[] };
