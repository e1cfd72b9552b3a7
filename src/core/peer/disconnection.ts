import type { NodeId } from '../node-id.ts';
import { compareAddresses } from './address-info.ts';
import type { PeerEventOf, PeerResults } from './peer-event.ts';
import type { EstablishedConnection, PeerChange, PeerInfo } from './peer-info.ts';
import { standingOf } from './peer-info.ts';
import type { PeerTable } from './peer-table.ts';
import { because } from './why.ts';

/** The connection to a peer has ended (Tendermint v0.35 PeerManager.Disconnected). */
export function disconnected(
  table: PeerTable,
  event: PeerEventOf<'disconnected'>,
): PeerResults['disconnected'] {
  const peer = table.get(event.peer);
  if (peer?.connection === undefined) {
    const rule = peer === undefined ? 'unknown-peer' : 'not-connected';
    return { outcome: 'ignored', why: because(rule, peer && standingOf(peer, table.settings)) };
  }
  const { connection } = peer;
  if (peer.claimant !== undefined) dropClaim(table, peer.claimant);
  const ended = table.change(peer, {
    ...cooldown(table, peer, connection),
    connection: undefined,
    claimant: undefined,
    lastDisconnectedMs: table.nowMs,
    savedScore: table.settings.scorePersistence ? peer.mutableScore : 0,
  });
  if (connection.channels !== undefined) table.updateDown(peer.id);
  table.wakeDial();
  if (table.counters.connected === 0) reviveBootstraps(table);
  const inputs = { ageMs: table.nowMs - connection.sinceMs, cooldownUntilMs: ended.cooldownUntilMs };
  const why = because('connection-ended', standingOf(ended, table.settings), undefined, inputs);
  return { outcome: 'disconnected', why };
}

/** The dial that wanted this peer's slot goes on as a plain one. */
function dropClaim(table: PeerTable, claimant: NodeId): void {
  const peer = table.get(claimant)!;
  table.change(peer, { dial: { ...peer.dial!, victim: undefined } });
}

/** How long the peer is not dialled: longer each time it came only briefly (E11). */
function cooldown(table: PeerTable, peer: PeerInfo, connection: EstablishedConnection): PeerChange {
  const { settings, nowMs, rng } = table;
  const { disconnectCooldownMs, flapDamping, retryJitterMs } = settings;
  if (flapDamping === undefined) {
    return { cooldownUntilMs: disconnectCooldownMs === 0 ? 0 : nowMs + disconnectCooldownMs };
  }
  const flaps = isFlap(connection, flapDamping.thresholdMs, nowMs) ? peer.flaps + 1 : 0;
  const longest = Math.max(flapDamping.maxCooldownMs, disconnectCooldownMs);
  const waitMs = Math.min(disconnectCooldownMs * 2 ** Math.min(flaps, DOUBLINGS_MAX), longest);
  const jitterMs = retryJitterMs > 0 ? rng.below(retryJitterMs) : 0;
  const forgivesByTime = flaps > 0 && flapDamping.forgiveMs > 0;
  return {
    flaps,
    cooldownUntilMs: nowMs + waitMs + jitterMs,
    forgiveAtMs: forgivesByTime ? nowMs + flapDamping.forgiveMs : undefined,
  };
}

/** Beyond this, doubling a millisecond leaves the range of exact numbers. */
const DOUBLINGS_MAX = 53;

/** A short connection counts against the peer unless we ended it for reasons of our own. */
function isFlap({ sinceMs, leaving }: EstablishedConnection, thresholdMs: number, nowMs: number): boolean {
  const isOurs = leaving !== undefined && leaving.why.rule !== 'errored';
  return !isOurs && nowMs - sinceMs < thresholdMs;
}

/** With nobody left, the configured addresses are due again, whatever they failed before. */
function reviveBootstraps(table: PeerTable): void {
  for (const id of table.bootstrapPeers) {
    const peer = table.get(id)!;
    const addresses = peer.addresses.map((info) => (info.bootstrap ? { ...info, retryAtMs: 0 } : info));
    table.change(peer, { addresses: addresses.sort(compareAddresses) });
  }
}
