import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { Command } from 'commander';
import { CommandFailure } from '../../src/cli/failure.ts';
import { readNodeConfig, type NodeConfig } from '../../src/cli/node-config.ts';
import { addSettingFlags } from '../../src/cli/node-flags.ts';
import { rejection } from '../support/rejection.ts';
import { scratchFolder } from './scratch-folder.ts';

const ID = '000102030405060708090a0b0c0d0e0f10111213';
const ADDRESS = `mconn://${ID}@127.0.0.1:26656`;

describe('the configuration of peerchart node', () => {
  const folder = scratchFolder();

  /** Reads flags and, unless it is absent, the text of a configuration file. */
  async function read(flags: readonly string[], toml?: string): Promise<NodeConfig> {
    const command = new Command();
    addSettingFlags(command);
    command.parse(flags, { from: 'user' });
    if (toml === undefined) return readNodeConfig(command, undefined);
    const file = join(folder(), 'node.toml');
    await writeFile(file, toml);
    return readNodeConfig(command, file);
  }

  it('has a default for everything', async () => {
    expect(await read([])).to.deep.equal({
      listen: '127.0.0.1:0',
      network: 'peerchart',
      moniker: 'peerchart',
      externalAddress: undefined,
      bootstrap: [],
      persistent: [],
      private: [],
      data: undefined,
      key: undefined,
      peers: {},
      pex: true,
      chatIntervalMs: 1000,
      logLevel: 'info',
    });
  });

  it('takes every flag as a key of the file too, paths from where the file is', async () => {
    const flags = [
      ...[
        '--listen',
        '[::1]:7',
        '--network',
        'net',
        '--moniker',
        'me',
        '--external-address',
        'example.org:8',
      ],
      ...[
        '--bootstrap',
        ADDRESS,
        `${ID}@b:1`,
        '--persistent',
        ID,
        '--private',
        ID,
        '--data',
        'd',
        '--key',
        '/k',
      ],
      ...[
        '--max-connected',
        '9',
        '--max-connected-upgrade',
        '0',
        '--max-incoming',
        '5',
        '--max-outgoing',
        '4',
      ],
      ...['--max-peers', '99', '--no-pex', '--chat-interval', '0', '--log-level', 'warn'],
    ];
    const toml = `
      listen = "[::1]:7"
      network = "net"
      moniker = "me"
      external-address = "example.org:8"
      bootstrap = ["${ADDRESS}", "${ID}@b:1"]
      persistent = ["${ID}"]
      private = ["${ID}"]
      data = "d"
      key = "/k"
      max-connected = 9
      max-connected-upgrade = 0
      max-incoming = 5
      max-outgoing = 4
      max-peers = 99
      pex = false
      chat-interval = 0
      log-level = "warn"
    `;
    const fromFlags = await read(flags);
    const fromFile = await read([], toml);
    expect(fromFlags.peers).to.deep.equal({
      maxConnected: 9,
      maxConnectedUpgrade: 0,
      maxIncomingConnections: 5,
      maxOutgoingConnections: 4,
      maxPeers: 99,
    });
    expect(fromFlags.pex).to.equal(false);
    expect(fromFile).to.deep.equal({ ...fromFlags, data: join(folder(), 'd') });
  });

  it('lets a flag go before the file', async () => {
    const config = await read(
      ['--moniker', 'flag', '--no-pex'],
      'moniker = "file"\nnetwork = "net"\npex = true',
    );
    expect(config).to.include({ moniker: 'flag', network: 'net', pex: false });
  });

  const badKeys: readonly (readonly [string, string])[] = [
    ['listen', '"localhost:1"'],
    ['listen', '"127.0.0.1"'],
    ['listen', '"127.0.0.1:65536"'],
    ['listen', '1'],
    ['network', '""'],
    ['moniker', '"\\u00e9"'],
    ['moniker', '" "'],
    ['external-address', '"example.org:0"'],
    ['bootstrap', `"${ADDRESS}"`],
    ['bootstrap', '["mconn://beef@127.0.0.1:1"]'],
    ['bootstrap', '[1]'],
    ['persistent', '["beef"]'],
    ['private', `["${ADDRESS}"]`],
    ['data', '""'],
    ['data', 'true'],
    ['max-connected', '"many"'],
    ['max-connected', '0'],
    ['max-connected', '1.5'],
    ['max-connected', '65536'],
    ['max-connected-upgrade', '-1'],
    ['pex', '"yes"'],
    ['chat-interval', '-1'],
    ['log-level', '"loud"'],
    ['unknown', '1'],
  ];
  for (const [key, value] of badKeys) {
    it(`refuses ${key} = ${value} in a file, naming file, key and value`, async () => {
      const error = await rejection(read([], `${key} = ${value}`));
      expect(error).to.be.instanceOf(CommandFailure).with.property('exitCode', 2);
      expect(error.message).to.include(join(folder(), 'node.toml'));
      expect(error.message).to.include(key);
      const shown = value.startsWith('"\\u') ? 'é' : value.replaceAll(', ', ',');
      expect(error.message).to.include(shown);
      expect(error.message).not.to.include('\n');
    });
  }

  const badFlags: readonly (readonly string[])[] = [
    ['--listen', '127.0.0.1:x'],
    ['--max-connected', '-5'],
    ['--max-connected', '1e3'],
    ['--max-incoming', ''],
    ['--chat-interval', 'often'],
    ['--persistent', ID, 'beef'],
    ['--private', 'beef'],
    ['--log-level', 'loud'],
  ];
  for (const flags of badFlags) {
    it(`refuses ${flags.join(' ')}, naming the flag and the value`, async () => {
      const error = await rejection(read(flags));
      expect(error).to.be.instanceOf(CommandFailure).with.property('exitCode', 2);
      expect(error.message).to.include(flags[0]).and.include(flags.at(-1));
    });
  }

  it('refuses more persistent peers than slots', async () => {
    const others = [ID, ID.replace(/3$/, '4')];
    const error = await rejection(read(['--max-connected', '1', '--persistent', ...others]));
    expect(error.message).to.include('opt-persistent-count');
  });

  it('points at the line and column where a file is no TOML', async () => {
    const error = await rejection(read([], 'moniker = "me"\nlisten 5\n'));
    expect(error.message).to.match(/node\.toml:2:\d+: Invalid TOML document: [^\n]+$/);
  });
});
