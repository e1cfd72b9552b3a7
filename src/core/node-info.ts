/** What two nodes exchange in the handshake to see whether they fit (Tendermint v0.35 `types.NodeInfo`). */
export interface NodeInfo {
  readonly protocolVersion: {
    readonly p2p: bigint;
    readonly block: bigint;
    readonly app: bigint;
  };
  /** As claimed; equal to the id of the proven key only after that was checked. */
  readonly nodeId: string;
  /** What others should dial, `host:port`, possibly with a `scheme://` in front. */
  readonly listenAddr: string;
  /** Name of the network; nodes of different networks refuse each other. */
  readonly network: string;
  /** Software version, free text. */
  readonly version: string;
  /** Channel ids, one byte each, in the order they were declared. */
  readonly channels: readonly number[];
  readonly moniker: string;
  readonly other: {
    readonly txIndex: string;
    readonly rpcAddress: string;
  };
  /** Field 100: what a peerchart node can do beyond the common protocol; empty for every other implementation. */
  readonly capabilities: readonly string[];
}
