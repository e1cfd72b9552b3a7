import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { P2PError } from './errors.ts';

declare const nodeIdBrand: unique symbol;

/** Identity of a node: the first 20 bytes of SHA-256 over its Ed25519 public key, as 40 lower-case hex digits. */
export type NodeId = string & { readonly [nodeIdBrand]: true };

/** Why a text is no node id, in the order the rules are tried. */
export type NodeIdFault = 'id-empty' | 'id-length' | 'id-charset';

const NODE_ID_DIGITS = 40;

/** The first rule of a valid node id that `text` breaks, or undefined. Upper case is refused: normalise first. */
export function nodeIdFault(text: string): NodeIdFault | undefined {
  if (/^[0-9a-f]{40}$/.test(text)) return undefined;
  if (text === '') return 'id-empty';
  return new TextEncoder().encode(text).length === NODE_ID_DIGITS ? 'id-charset' : 'id-length';
}

export function isNodeId(text: string): text is NodeId {
  return nodeIdFault(text) === undefined;
}

/**
 * Reads a node id from configuration, in either case.
 *
 * @throws P2PError `invalid-node-id` with the broken rule as its `reason`.
 */
export function parseNodeId(text: string): NodeId {
  const id = text.toLowerCase();
  const fault = nodeIdFault(id);
  if (fault !== undefined) {
    throw new P2PError('invalid-node-id', `not a node id (${fault}): ${JSON.stringify(text)}`, {
      reason: fault,
    });
  }
  return id as NodeId;
}

/** The id of the node that owns a raw 32-byte Ed25519 public key. */
export function nodeIdFromPublicKey(publicKey: Uint8Array): NodeId {
  return bytesToHex(sha256(publicKey).subarray(0, NODE_ID_DIGITS / 2)) as NodeId;
}

/**
 * The bytes a hex text stands for, in either case and of any even length (Tendermint v0.35 NodeID.Bytes).
 *
 * @throws P2PError `invalid-node-id` for an odd length or another character.
 */
export function nodeIdBytes(id: string): Uint8Array {
  try {
    return hexToBytes(id.toLowerCase());
  } catch (cause) {
    throw new P2PError('invalid-node-id', `not hexadecimal: ${JSON.stringify(id)}`, {
      reason: 'id-charset',
      cause,
    });
  }
}
