import type { Command } from 'commander';
import { parseDuration } from './duration.ts';
import { addSettingFlags } from './node-flags.ts';
import type { NodeOptions } from './node-run.ts';

/** `peerchart node`: one node, until it is told to stop. */
export function addNodeCommand(program: Command): void {
  const command = program
    .command('node')
    .description('run one node; it prints its address, and every message it gets')
    .option('--config <file>', 'TOML file with any of the flags below as keys; flags go first');
  addSettingFlags(command);
  command
    .option('--duration <seconds>', 'stop after that time; default: at Ctrl-C', parseDuration)
    .option('--json', 'one JSON object per line on standard output')
    .addHelpText(
      'after',
      `
Examples:
  $ peerchart node --moniker alice
  $ peerchart node --moniker bob --bootstrap mconn://<alice's id>@127.0.0.1:<port>
  $ peerchart node --config node.toml --log-level warn --json

node.toml:
  listen = "0.0.0.0:26656"
  external-address = "node.example.org:26656"
  data = "node"
  bootstrap = ["mconn://000102030405060708090a0b0c0d0e0f10111213@192.0.2.1:26656"]
  max-connected = 32`,
    )
    .action(async (options: NodeOptions) => {
      const { runNode } = await import('./node-run.ts');
      await runNode(command, options);
    });
}
