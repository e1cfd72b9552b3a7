import { join } from 'node:path';
import type { Command } from 'commander';
import {
  createRouter,
  FlightRecorder,
  formatNodeAddress,
  identityFromSeed,
  loadOrCreateNodeKey,
  realEnv,
  type Identity,
  type Inbound,
  type Router,
} from '../index.ts';
import { levelPeerStore, memoryPeerStore, type PeerStore } from '../store/index.ts';
import { mconn } from '../transports/index.ts';
import { Chat, type ChatMessage } from './chat.ts';
import { makeFolder } from './folder.ts';
import { readNodeConfig, type NodeConfig } from './node-config.ts';
import { logRecords } from './node-log.ts';
import { printableText, writeJson, writeLine } from './output.ts';
import { StopSignal } from './stop-signal.ts';

const SEED_BYTES = 32;

/** The records are logged as they come; nobody looks back. */
const RECORDS_KEPT = 256;

export interface NodeOptions {
  /** Configuration file. */
  readonly config?: string;
  /** Milliseconds. */
  readonly duration?: number;
  readonly json?: boolean;
}

/** Runs one node until it is time to stop. */
export async function runNode(
  command: Command,
  { config: file, duration, json = false }: NodeOptions,
): Promise<void> {
  const config = await readNodeConfig(command, file);
  const stop = new StopSignal(duration);
  try {
    const router = await makeRouter(config);
    const chat = new Chat(router, {
      intervalMs: config.chatIntervalMs,
      text: `hello from ${config.moniker}`,
      onMessage: (inbound) => showMessage(inbound, json),
    });
    try {
      await router.start();
      showAddress(router, json);
      chat.start();
      await stop.stopped;
    } finally {
      chat.stop();
      await router.stop();
    }
  } finally {
    stop.dispose();
  }
}

async function makeRouter(config: NodeConfig): Promise<Router> {
  const recorder = new FlightRecorder({ ringMax: RECORDS_KEPT });
  logRecords(recorder, config.logLevel);
  return createRouter({
    identity: await identityOf(config),
    network: config.network,
    moniker: config.moniker,
    transports: [mconn({ listen: config.listen })],
    store: storeOf(config),
    bootstrapPeers: config.bootstrap,
    persistentPeers: config.persistent,
    privatePeers: config.private,
    peers: config.peers,
    recorder,
    ...(config.externalAddress === undefined ? {} : { externalAddress: config.externalAddress }),
    ...(config.pex ? {} : { pex: false }),
  });
}

async function identityOf({ data, key }: NodeConfig): Promise<Identity> {
  const { random } = realEnv();
  if (data !== undefined) await makeFolder(data);
  const file = key ?? (data === undefined ? undefined : join(data, 'node_key.json'));
  return file === undefined ? identityFromSeed(random.bytes(SEED_BYTES)) : loadOrCreateNodeKey(file, random);
}

function storeOf({ data }: NodeConfig): PeerStore {
  return data === undefined ? memoryPeerStore() : levelPeerStore(join(data, 'peers'));
}

function showAddress(router: Router, json: boolean): void {
  const addresses = router.addresses.map(formatNodeAddress);
  if (json) writeJson({ type: 'listening', id: router.id, addresses });
  else for (const address of addresses) writeLine(address);
}

function showMessage({ from, message, receivedAt }: Inbound<ChatMessage>, json: boolean): void {
  const { sequence, text } = message;
  if (json) writeJson({ type: 'message', from, sequence, text, receivedAt: Math.round(receivedAt) });
  else writeLine(`${from}  #${sequence}  ${printableText(text)}`);
}
