import type { NodeInfoFault, RejectCode } from '../codes.ts';
import type { Direction } from '../direction.ts';
import { nodeIdFromPublicKey, type NodeId } from '../node-id.ts';
import { compatibilityFault, validateNodeInfo, type NodeInfo } from '../node-info.ts';

/** What a finished key and node information exchange is judged by. */
export interface HandshakeFacts {
  readonly self: {
    readonly id: NodeId;
    /** What this connection sent, which may differ from what others were sent. */
    readonly nodeInfo: NodeInfo;
  };
  readonly direction: Direction;
  /** Whom an outbound attempt dialled; absent when anybody may answer. */
  readonly expectedId?: NodeId | undefined;
  readonly remote: {
    /** Proven raw Ed25519 key; anything but 32 bytes means that nothing was proven. */
    readonly publicKey: Uint8Array;
    readonly nodeInfo: NodeInfo;
  };
}

/**
 * Whom a refused handshake is held against: the peer whose key was proven, the address that was dialled, the host an
 * unproven inbound connection came from, or nobody.
 */
export type HandshakeBlame = 'peer' | 'address' | 'host' | 'nobody';

export type HandshakeJudgement =
  | { readonly accept: true; readonly peer: NodeId }
  | {
      readonly accept: false;
      readonly code: RejectCode;
      /** The broken rule of the node information, with `bad_node_info`. */
      readonly reason?: NodeInfoFault;
      /** Proven id; absent when no key was proven. */
      readonly peer?: NodeId;
      readonly blame: HandshakeBlame;
    };

const PUBLIC_KEY_BYTES = 32;

/**
 * The local checks of a handshake; the first that fails decides. Identity comes before everything else, so that every
 * later refusal is held against somebody who proved who he is (Tendermint v0.35 `Router.handshakePeer` validates first).
 */
export function judgeHandshake(facts: HandshakeFacts): HandshakeJudgement {
  const { self, direction, expectedId, remote } = facts;
  const byConnection: HandshakeBlame = direction === 'outbound' ? 'address' : 'host';
  if (remote.publicKey.length !== PUBLIC_KEY_BYTES) {
    return { accept: false, code: 'id_mismatch', blame: byConnection };
  }
  const peer = nodeIdFromPublicKey(remote.publicKey);
  const refuse = (code: RejectCode, blame: HandshakeBlame): HandshakeJudgement => ({
    accept: false,
    code,
    peer,
    blame,
  });
  const byIdentity = direction === 'outbound' ? 'address' : peer === self.id ? 'nobody' : 'peer';

  if (remote.nodeInfo.nodeId !== peer) return refuse('id_mismatch', byIdentity);
  if (peer === self.id) return refuse('self', byIdentity);
  if (expectedId !== undefined && peer !== expectedId) return refuse('unexpected_peer', byIdentity);
  const reason = validateNodeInfo(remote.nodeInfo);
  if (reason !== undefined) return { accept: false, code: 'bad_node_info', reason, peer, blame: 'peer' };
  const incompatibility = compatibilityFault(self.nodeInfo, remote.nodeInfo);
  if (incompatibility !== undefined) return refuse(incompatibility, 'peer');
  return { accept: true, peer };
}
