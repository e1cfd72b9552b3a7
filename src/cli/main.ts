#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { addAddrCommand } from './addr.command.ts';
import { addChartCommand } from './chart.command.ts';
import { addDemoCommand } from './demo.command.ts';
import { failureReport, formatFailure } from './failure.ts';
import { addKeyCommand } from './key.command.ts';
import { addNodeCommand } from './node.command.ts';

const packageFile = new URL('../../package.json', import.meta.url);
const { version, description } = JSON.parse(readFileSync(packageFile, 'utf8')) as {
  readonly version: string;
  readonly description: string;
};

const program = new Command('peerchart')
  .description(description)
  .version(version)
  .exitOverride()
  .showSuggestionAfterError(false)
  .configureOutput({ writeErr: () => undefined })
  .addHelpText('after', '\nWhat each command offers: peerchart <command> --help');
addDemoCommand(program);
addNodeCommand(program);
addKeyCommand(program);
addAddrCommand(program);
addChartCommand(program);

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // Whoever read our output has seen enough.
  if (error.code === 'EPIPE') process.exit();
  throw error;
});

try {
  await program.parseAsync();
} catch (error) {
  const report = failureReport(error);
  if (report !== undefined) {
    process.stderr.write(formatFailure(report, process.argv.includes('--json') ? 'json' : 'text'));
    process.exitCode = report.exitCode;
  }
}
