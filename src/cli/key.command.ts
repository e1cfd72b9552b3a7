import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { CommandFailure } from './failure.ts';
import { writeJson, writeLine } from './output.ts';

const DEFAULT_FILE = 'node_key.json';

interface KeyOptions {
  readonly file: string;
  readonly json?: boolean;
}

/** `peerchart key create` and `peerchart key show`. */
export function addKeyCommand(program: Command): void {
  const key = program.command('key').description('make or show the key that a node is known by');
  withOptions(key.command('create'))
    .description('make a new key and save it, readable by its owner only')
    .action(createKey);
  withOptions(key.command('show'))
    .description('show the node id and the public key of a key file')
    .action(showKey);
  key.addHelpText(
    'after',
    `
Examples:
  $ peerchart key create --file alice.json
  $ peerchart key show --file ~/.tendermint/config/node_key.json --json`,
  );
}

function withOptions(command: Command): Command {
  return command
    .option('--file <file>', 'key file, in the format of Tendermint and CometBFT', DEFAULT_FILE)
    .option('--json', 'one JSON object on standard output');
}

async function createKey({ file, json = false }: KeyOptions): Promise<void> {
  if (existsSync(file)) {
    throw new CommandFailure('key-exists', `${file} exists already, and a key is never overwritten`);
  }
  const { loadOrCreateNodeKey, realEnv } = await import('../index.ts');
  const { nodeId, publicKey } = await loadOrCreateNodeKey(file, realEnv().random);
  print({ id: nodeId, publicKey, file }, json);
}

async function showKey({ file, json = false }: KeyOptions): Promise<void> {
  const { loadNodeKey } = await import('../index.ts');
  const { nodeId, publicKey } = await loadNodeKey(file);
  print({ id: nodeId, publicKey, file }, json);
}

function print(
  { id, publicKey, file }: { readonly id: string; readonly publicKey: Uint8Array; readonly file: string },
  json: boolean,
): void {
  const text = Buffer.from(publicKey).toString('base64');
  if (json) {
    writeJson({ id, publicKey: text, file });
    return;
  }
  writeLine(`node id     ${id}`);
  writeLine(`public key  ${text} (Ed25519)`);
  writeLine(`file        ${file}`);
}
