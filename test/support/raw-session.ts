import type { ChannelId } from '../../src/core/channel.ts';
import { mconn } from '../../src/transports/mconn/mconn-transport.ts';
import type { MconnOptions } from '../../src/transports/mconn/mconn-options.ts';
import type { Connection } from '../../src/transports/transport.ts';
import { DuplexProbe } from './duplex-probe.ts';
import { manualEnv, type ManualEnv } from './manual-env.ts';
import { identityOf, nodeInfoOf } from './nodes.ts';
import { RawPeer } from './raw-peer.ts';

/** A started connection of ours, and a hand-driven peer that has shaken hands with it. */
export interface RawSession {
  readonly env: ManualEnv;
  readonly peer: RawPeer;
  readonly connection: Connection;
  readonly probe: DuplexProbe;
  close(): Promise<void>;
}

export async function rawSession(
  limits: ReadonlyMap<ChannelId, number>,
  options: MconnOptions = {},
  state: 'started' | 'not started' = 'started',
): Promise<RawSession> {
  const env = manualEnv();
  const transport = mconn({ listen: '127.0.0.1:0', ...options })(env);
  await transport.listen();
  const peer = await RawPeer.connect(transport.endpoints()[0]!);
  const connection = await transport.accept();
  const [alice, bob] = [identityOf('alice'), identityOf('bob')];
  await Promise.all([
    connection.handshake({ identity: alice, nodeInfo: nodeInfoOf(alice) }, new AbortController().signal),
    peer.handshake(bob, nodeInfoOf(bob)),
  ]);
  const probe = new DuplexProbe(limits);
  if (state === 'started') connection.start(probe);
  const close = async (): Promise<void> => {
    connection.close();
    peer.destroy();
    await transport.close();
  };
  return { env, peer, connection, probe, close };
}
