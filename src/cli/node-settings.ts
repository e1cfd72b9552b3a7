import { isIP } from 'node:net';
import { isNodeId, P2PError, parseNodeAddress, parseNodeId } from '../core/index.ts';

/** Raised by a setting about a value it cannot take; the message is a rule: `must be …`. */
export class SettingFault extends Error {}

/** One thing to configure: a flag of `peerchart node`, and a key of its TOML file under the same name. */
export interface Setting<T> {
  /** What stands behind the flag in the help; empty for a switch, which as a flag is `--no-` and its name. */
  readonly argument: string;
  readonly about: string;
  /** Whether a flag's text is to be taken for a number. */
  readonly isNumber: boolean;
  /** @throws SettingFault */
  read(value: unknown): T;
}

/** All settings, in the order of the help. */
export const NODE_SETTINGS = {
  listen: text(
    '<ip:port>',
    'where to accept connections; port 0 takes any free one (default: 127.0.0.1:0)',
    requireListen,
  ),
  network: text('<name>', 'network to be part of; others refuse us (default: peerchart)', requireText),
  moniker: text('<name>', 'name shown to others (default: peerchart)', requirePrintable),
  'external-address': text(
    '<host:port>',
    'address others shall dial, when it is not where we listen',
    requireHostPort,
  ),
  bootstrap: list('<address...>', 'addresses to begin with', requireAddress),
  persistent: list('<peer...>', 'node ids or addresses of peers that are always wanted', requirePeer),
  private: list('<id...>', 'node ids that are never told to others', requireNodeId),
  data: text(
    '<folder>',
    'where key and peers are kept (default: nowhere, a new identity each time)',
    requireText,
  ),
  key: text(
    '<file>',
    'key file, made if it is missing (default: node_key.json in the data folder)',
    requireText,
  ),
  'max-connected': count('<n>', 'connection slots (default: 64)', 1, 65_535),
  'max-connected-upgrade': count(
    '<n>',
    'slots above those for better peers on their way in (default: 4)',
    0,
    65_535,
  ),
  'max-incoming': count(
    '<n>',
    'inbound connections that may stay (default: three quarters of the slots)',
    1,
    65_535,
  ),
  'max-outgoing': count('<n>', 'outbound connections and dials (default: as many as slots)', 1, 65_535),
  'max-peers': count('<n>', 'peers remembered (default: 16 times the slots)', 1, 65_535),
  pex: toggle('neither ask others for addresses nor tell them any'),
  'chat-interval': count(
    '<ms>',
    'time between two numbered messages to everybody; 0 sends none (default: 1000)',
    0,
    86_400_000,
  ),
  'log-level': choice('<level>', ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
} as const;

export type SettingName = keyof typeof NODE_SETTINGS;

export const SETTING_NAMES = Object.keys(NODE_SETTINGS) as readonly SettingName[];

/** What was set; what is missing has its default. */
export type NodeSettings = {
  readonly [Name in SettingName]?: ReturnType<(typeof NODE_SETTINGS)[Name]['read']>;
};

/** Settings that name files; in a configuration file they are relative to it. */
export const PATH_SETTINGS: readonly SettingName[] = ['data', 'key'];

function text(argument: string, about: string, require: (value: string) => void): Setting<string> {
  return { argument, about, isNumber: false, read: (value) => readText(value, require) };
}

function list(argument: string, about: string, require: (value: string) => void): Setting<readonly string[]> {
  return {
    argument,
    about,
    isNumber: false,
    read: (value) => {
      if (!Array.isArray(value)) throw new SettingFault('must be a list of texts');
      return value.map((element: unknown) => readText(element, require));
    },
  };
}

function count(argument: string, about: string, min: number, max: number): Setting<number> {
  return {
    argument,
    about,
    isNumber: true,
    read: (value) => {
      const isInRange = Number.isInteger(value) && (value as number) >= min && (value as number) <= max;
      if (!isInRange) throw new SettingFault(`must be an integer from ${min} to ${max}`);
      return value as number;
    },
  };
}

function toggle(about: string): Setting<boolean> {
  return {
    argument: '',
    about,
    isNumber: false,
    read: (value) => {
      if (typeof value !== 'boolean') throw new SettingFault('must be true or false');
      return value;
    },
  };
}

function choice<T extends string>(argument: string, choices: readonly T[]): Setting<T> {
  return {
    argument,
    about: `what to log: ${choices.join(', ')} (default: info)`,
    isNumber: false,
    read: (value) => {
      const found = choices.find((candidate) => candidate === value);
      if (found === undefined) throw new SettingFault(`must be one of ${choices.join(', ')}`);
      return found;
    },
  };
}

function readText(value: unknown, require: (value: string) => void): string {
  if (typeof value !== 'string') throw new SettingFault('must be a text');
  require(value);
  return value;
}

function requireText(value: string): void {
  if (value === '') throw new SettingFault('must not be empty');
}

function requirePrintable(value: string): void {
  if (!/^[\x20-\x7e]*[\x21-\x7e][\x20-\x7e]*$/.test(value)) {
    throw new SettingFault('must be printable ASCII and not blank');
  }
}

/** `127.0.0.1:26656`, `[::]:0`, with `tcp://` or `mconn://` before it or without. */
function requireListen(value: string): void {
  const parts = splitHostPort(value.replace(/^(mconn|tcp):\/\//, ''));
  if (parts === undefined || isIP(parts.host) === 0)
    throw new SettingFault('must be an IP address with a port');
}

function requireHostPort(value: string): void {
  const parts = splitHostPort(value);
  if (parts === undefined || parts.port === 0) throw new SettingFault('must be host:port');
}

function splitHostPort(value: string): { readonly host: string; readonly port: number } | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:[\]/\s]+)):(\d{1,5})$/.exec(value);
  const port = Number(match?.[3]);
  return match === null || port > 65_535 ? undefined : { host: match[1] ?? match[2] ?? '', port };
}

function requireAddress(value: string): void {
  try {
    parseNodeAddress(value);
  } catch (error) {
    if (!(error instanceof P2PError)) throw error;
    throw new SettingFault(
      `must be a node address, mconn://<node id>@host:port (${error.reason ?? error.code})`,
    );
  }
}

function requirePeer(value: string): void {
  if (!isNodeId(value.toLowerCase())) requireAddress(value);
}

function requireNodeId(value: string): void {
  try {
    parseNodeId(value);
  } catch {
    throw new SettingFault('must be a node id, 40 hexadecimal digits');
  }
}
