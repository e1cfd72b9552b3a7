import type { NodeId } from '../node-id.ts';
import type { PexCandidate } from '../pex/pex-selection.ts';
import { findAddress } from './address-info.ts';
import { advertise } from './advertise.ts';
import type { Chance } from './peer-event.ts';
import type { PeerState } from './peer-state.ts';

/**
 * Addresses that may be told to a peer, the best first, each with whether it is verified: dialled with success, or
 * declared by the node itself over an authenticated connection.
 */
export function shareableAddresses(
  state: PeerState,
  to: NodeId,
  limit: number,
  rng: Chance,
): readonly PexCandidate[] {
  return advertise(state, to, limit, rng).map((address) => {
    const known = findAddress(state.orders.peers.get(address.nodeId)?.addresses ?? [], address);
    return { address, verified: known !== undefined && (known.tried || known.source === 'self-declared') };
  });
}
