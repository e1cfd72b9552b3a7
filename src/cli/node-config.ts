import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Command } from 'commander';
import { parse, TomlError, type TomlTable } from 'smol-toml';
import { peerOptionFault } from '../core/index.ts';
import {
  isNodeId,
  parseNodeAddress,
  PEER_OPTION_FAULTS,
  productPeerOptions,
  type RouterOptions,
} from '../index.ts';
import { usageFailure } from './failure.ts';
import { givenFlags } from './node-flags.ts';
import {
  NODE_SETTINGS,
  PATH_SETTINGS,
  SETTING_NAMES,
  SettingFault,
  type NodeSettings,
  type SettingName,
} from './node-settings.ts';

/** What `peerchart node` runs with: every setting checked, every default filled in. */
export interface NodeConfig {
  readonly listen: string;
  readonly network: string;
  readonly moniker: string;
  readonly externalAddress: string | undefined;
  readonly bootstrap: readonly string[];
  readonly persistent: readonly string[];
  readonly private: readonly string[];
  /** Undefined: nothing is kept. */
  readonly data: string | undefined;
  readonly key: string | undefined;
  readonly peers: NonNullable<RouterOptions['peers']>;
  readonly pex: boolean;
  readonly chatIntervalMs: number;
  readonly logLevel: NonNullable<NodeSettings['log-level']>;
}

/**
 * The configuration out of the flags and, for what they do not say, out of the file. Nothing is written.
 *
 * @throws CommandFailure `usage`, naming the flag, or the file and its key, and the value.
 */
export async function readNodeConfig(command: Command, file: string | undefined): Promise<NodeConfig> {
  const fromFile = file === undefined ? {} : await readConfigFile(file);
  const config = withDefaults({ ...fromFile, ...readSettings(givenFlags(command), (name) => `--${name}`) });
  requireConsistent(config);
  return config;
}

async function readConfigFile(file: string): Promise<NodeSettings> {
  const table = parseToml(file, await readText(file));
  const unknown = Object.keys(table).find((key) => !Object.hasOwn(NODE_SETTINGS, key));
  if (unknown !== undefined) {
    throw usageFailure(`${file}: unknown key ${unknown} = ${show(table[unknown])}`);
  }
  const settings = readSettings(table, (name) => `${file}: ${name}`);
  const paths = PATH_SETTINGS.flatMap((name) => {
    const path = settings[name];
    return typeof path === 'string' ? [[name, resolve(dirname(file), path)] as const] : [];
  });
  return { ...settings, ...Object.fromEntries(paths) };
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw usageFailure(`${file}: cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function parseToml(file: string, text: string): TomlTable {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [what = ''] = error.message.split('\n', 1);
    throw usageFailure(`${file}:${error.line}:${error.column}: ${what}`);
  }
}

function readSettings(
  given: Readonly<Record<string, unknown>>,
  where: (name: SettingName) => string,
): NodeSettings {
  const settings: Partial<Record<SettingName, unknown>> = {};
  for (const name of SETTING_NAMES) {
    const value = given[name];
    if (value === undefined) continue;
    try {
      settings[name] = NODE_SETTINGS[name].read(value);
    } catch (error) {
      if (!(error instanceof SettingFault)) throw error;
      throw usageFailure(`${where(name)} ${error.message}, got ${show(value)}`);
    }
  }
  return settings as NodeSettings;
}

function withDefaults(settings: NodeSettings): NodeConfig {
  return {
    listen: settings.listen ?? '127.0.0.1:0',
    network: settings.network ?? 'peerchart',
    moniker: settings.moniker ?? 'peerchart',
    externalAddress: settings['external-address'],
    bootstrap: settings.bootstrap ?? [],
    persistent: settings.persistent ?? [],
    private: settings.private ?? [],
    data: settings.data,
    key: settings.key,
    peers: peerOptions(settings),
    pex: settings.pex ?? true,
    chatIntervalMs: settings['chat-interval'] ?? 1_000,
    logLevel: settings['log-level'] ?? 'info',
  };
}

const PEER_OPTIONS = {
  'max-connected': 'maxConnected',
  'max-connected-upgrade': 'maxConnectedUpgrade',
  'max-incoming': 'maxIncomingConnections',
  'max-outgoing': 'maxOutgoingConnections',
  'max-peers': 'maxPeers',
} as const;

function peerOptions(settings: NodeSettings): NodeConfig['peers'] {
  const given = Object.entries(PEER_OPTIONS).map(
    ([name, option]) => [option, settings[name as keyof typeof PEER_OPTIONS]] as const,
  );
  return Object.fromEntries(given.filter(([, value]) => value !== undefined));
}

/** The rules that settings obey together. */
function requireConsistent({ peers, persistent }: NodeConfig): void {
  const persistentPeers = persistent.map((peer) => {
    const id = peer.toLowerCase();
    return isNodeId(id) ? id : parseNodeAddress(peer).nodeId;
  });
  const fault = peerOptionFault({ ...productPeerOptions(peers), persistentPeers });
  if (fault === undefined) return;
  throw usageFailure(`the limits do not fit together: ${PEER_OPTION_FAULTS[fault]} (${fault})`);
}

function show(value: unknown): string {
  return JSON.stringify(value);
}
