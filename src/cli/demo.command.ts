import type { Command } from 'commander';
import type { DemoOptions } from './demo-run.ts';
import { parseDuration } from './duration.ts';

/** `peerchart demo`: five nodes that find each other, and one of them that has to go. */
export function addDemoCommand(program: Command): void {
  program
    .command('demo')
    .description('run five nodes in this process and watch them connect, upgrade and evict')
    .option('--duration <seconds>', 'stop after that time; default: at Ctrl-C', parseDuration)
    .option(
      '--data <folder>',
      'keep keys, ports and peers there for another run; default: a temporary folder',
    )
    .option('--json', 'say nothing until the end, then print one JSON object')
    .option('--plain', 'print decisions line by line, also on a terminal')
    .addHelpText(
      'after',
      `
Examples:
  $ peerchart demo
  $ peerchart demo --duration 10 --json
  $ peerchart demo --data /tmp/five    (a second time: the same nodes find each other again by themselves)`,
    )
    .action(async (options: DemoOptions) => {
      const { runDemo } = await import('./demo-run.ts');
      await runDemo(options);
    });
}
