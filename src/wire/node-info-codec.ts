import protobuf from 'protobufjs/minimal.js';
import { P2PError, asError } from '../core/errors.ts';
import { NODE_INFO_CAPABILITIES_MAX } from '../core/limits.ts';
import type { NodeInfo } from '../core/node-info.ts';
import { tendermint } from './generated/codecs.js';
import { checkShape, type MessageShape } from './message-shape.ts';

/** A 64-bit number as the generated codec has it. */
type Long = tendermint.p2p.ProtocolVersion['p2p'];

const SHAPE: MessageShape = {
  1: { message: { 1: 'number', 2: 'number', 3: 'number' } },
  2: 'block',
  3: 'block',
  4: 'block',
  5: 'block',
  6: 'block',
  7: 'block',
  8: { message: { 1: 'block', 2: 'block' } },
  100: { blocks: NODE_INFO_CAPABILITIES_MAX },
};

const UINT64_MAX = 2n ** 64n - 1n;

/**
 * Encodes node information without a length in front: byte for byte what Tendermint and CometBFT write, plus field 100
 * when there are capabilities.
 *
 * @throws P2PError `encode-failed` for a version outside uint64 or a channel that is no byte.
 */
export function encodeNodeInfo(info: NodeInfo): Uint8Array {
  const { other } = info;
  const writer = tendermint.p2p.NodeInfo.encode({
    protocolVersion: versionMessage(info.protocolVersion),
    nodeId: info.nodeId,
    listenAddr: info.listenAddr,
    network: info.network,
    version: info.version,
    channels: channelBytes(info.channels),
    moniker: info.moniker,
    other: { txIndex: other.txIndex, rpcAddress: other.rpcAddress },
    capabilities: [...info.capabilities],
  });
  return writer.finish();
}

/**
 * Decodes node information as received. Nothing is validated but the encoding; absent fields read as empty.
 *
 * @throws P2PError `handshake-failed` with reason `bad-encoding`, blaming the peer. Text that is not UTF-8 is refused here
 * already; upstream refuses it one step later.
 */
export function decodeNodeInfo(bytes: Uint8Array): NodeInfo {
  checkShape(bytes, SHAPE, (message) => badEncoding(`node information: ${message}`));
  const { protocolVersion, other, ...info } = decodeMessage(bytes);
  return {
    protocolVersion: {
      p2p: toBigint(protocolVersion?.p2p),
      block: toBigint(protocolVersion?.block),
      app: toBigint(protocolVersion?.app),
    },
    nodeId: info.nodeId ?? '',
    listenAddr: info.listenAddr ?? '',
    network: info.network ?? '',
    version: info.version ?? '',
    channels: Array.from(info.channels ?? []),
    moniker: info.moniker ?? '',
    other: { txIndex: other?.txIndex ?? '', rpcAddress: other?.rpcAddress ?? '' },
    capabilities: info.capabilities ?? [],
  };
}

function decodeMessage(bytes: Uint8Array): tendermint.p2p.NodeInfo.$Properties {
  try {
    return tendermint.p2p.NodeInfo.decode(bytes);
  } catch (cause) {
    throw badEncoding(`node information: ${asError(cause).message}`, cause);
  }
}

/** By way of its bytes: the generated class wants 64-bit numbers of a class that only its own reader makes. */
function versionMessage(version: NodeInfo['protocolVersion']): tendermint.p2p.ProtocolVersion {
  const writer = protobuf.Writer.create();
  [version.p2p, version.block, version.app].forEach((value, index) => {
    if (value < 0n || value > UINT64_MAX) throw unencodable(`version ${value.toString()} is not a uint64`);
    const low = Number(BigInt.asUintN(32, value));
    const number = new protobuf.util.LongBits(low, Number(value >> 32n)).toLong(true);
    if (value !== 0n) writer.uint32((index + 1) << 3).uint64(number);
  });
  return tendermint.p2p.ProtocolVersion.decode(writer.finish());
}

function toBigint(value: Long | null | undefined): bigint {
  if (value === null || value === undefined) return 0n;
  return (BigInt(value.high >>> 0) << 32n) | BigInt(value.low >>> 0);
}

function channelBytes(channels: readonly number[]): Uint8Array {
  for (const id of channels) {
    if (!Number.isInteger(id) || id < 0 || id > 255) throw unencodable(`channel ${id} is no byte`);
  }
  return Uint8Array.from(channels);
}

function unencodable(message: string): P2PError {
  return new P2PError('encode-failed', `node information: ${message}`);
}

function badEncoding(message: string, cause?: unknown): P2PError {
  return new P2PError('handshake-failed', message, { reason: 'bad-encoding', blame: 'peer', cause });
}
