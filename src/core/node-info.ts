import type { NodeInfoFault } from './codes.ts';
import { parseIp } from './ip.ts';
import { NODE_INFO_CHANNELS_MAX } from './limits.ts';
import { isNodeId } from './node-id.ts';

export { MAX_NODE_INFO_BYTES } from './limits.ts';

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

/** Why two nodes that both sent valid information do not fit. */
export type CompatibilityFault = 'incompatible_protocol' | 'incompatible_network' | 'no_common_channel';

/**
 * The first rule that `info` breaks, or undefined (Tendermint v0.35 `NodeInfo.Validate`). A host name is judged by its
 * form and not looked up, since the remote chose it. Network and capabilities are free.
 */
export function validateNodeInfo(info: NodeInfo): NodeInfoFault | undefined {
  if (!isNodeId(info.nodeId)) return 'node-id';
  if (!isHostPort(withoutScheme(info.listenAddr))) return 'listen-address';
  if (info.version !== '' && !isVisibleText(info.version)) return 'version';
  if (info.channels.length > NODE_INFO_CHANNELS_MAX) return 'too-many-channels';
  if (new Set(info.channels).size < info.channels.length) return 'duplicate-channel';
  if (!isVisibleText(info.moniker)) return 'moniker';
  if (!TX_INDEX_VALUES.includes(info.other.txIndex)) return 'tx-index';
  if (info.other.rpcAddress !== '' && !isVisibleText(info.other.rpcAddress)) return 'rpc-address';
  return undefined;
}

/**
 * Why nodes with this information do not fit, or undefined (Tendermint v0.35 `NodeInfo.CompatibleWith`). Not symmetric:
 * a node without channels fits every other.
 */
export function compatibilityFault(ours: NodeInfo, theirs: NodeInfo): CompatibilityFault | undefined {
  if (ours.protocolVersion.block !== theirs.protocolVersion.block) return 'incompatible_protocol';
  if (ours.network !== theirs.network) return 'incompatible_network';
  if (ours.channels.length === 0) return undefined;
  return ours.channels.some((id) => theirs.channels.includes(id)) ? undefined : 'no_common_channel';
}

const TX_INDEX_VALUES: readonly string[] = ['', 'on', 'off'];
const HOST_LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/i;
const PORT_MAX = 65_535;

/** Printable ASCII that is not only spaces. */
function isVisibleText(text: string): boolean {
  return /^[ -~]*$/.test(text) && /[!-~]/.test(text);
}

/** What stands behind the first `scheme://`, up to a second one if there is any, as upstream cuts it. */
function withoutScheme(address: string): string {
  return address.split('://')[1] ?? address;
}

function isHostPort(text: string): boolean {
  const [, bracketed, plain, port] = /^(?:\[([^[\]]*)\]|([^:[\]]*)):(\d+)$/.exec(text) ?? [];
  if (port === undefined || Number(port) > PORT_MAX) return false;
  return bracketed === undefined ? isHost(plain ?? '') : parseIp(bracketed) !== undefined;
}

/** An IPv4 address or a name that could be looked up: at least one label must not be a number. */
function isHost(host: string): boolean {
  if (parseIp(host) !== undefined) return true;
  const name = host.endsWith('.') ? host.slice(0, -1) : host;
  return (
    name.length <= 253 && /[a-z_-]/i.test(name) && name.split('.').every((label) => HOST_LABEL.test(label))
  );
}
