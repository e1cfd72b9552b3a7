import type { PeerEventOf, PeerResults } from './peer-event.ts';
import { isStaying, standingOf } from './peer-info.ts';
import type { PeerTable } from './peer-table.ts';
import { because, type Decision } from './why.ts';

/** The peer can be reached: it is announced once (Tendermint v0.35 PeerManager.Ready). */
export function ready(table: PeerTable, event: PeerEventOf<'ready'>): PeerResults['ready'] {
  const peer = table.get(event.peer);
  if (peer === undefined) return ignored(because('unknown-peer'));
  const subject = standingOf(peer, table.settings);
  const { connection } = peer;
  if (connection === undefined) return ignored(because('not-connected', subject));
  if (!isStaying(peer)) return ignored(because('already-leaving', subject));
  if (connection.channels !== undefined) return ignored(because('already-ready', subject));
  const channels = Object.freeze([...event.channels]);
  table.change(peer, { connection: { ...connection, channels } });
  table.updateUp(peer.id, channels);
  return { outcome: 'up', why: because('now-routed', subject) };
}

function ignored(why: Decision): PeerResults['ready'] {
  return { outcome: 'ignored', why };
}
