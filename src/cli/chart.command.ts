import { Argument, Option, type Command } from 'commander';
import { writeLine } from './output.ts';

const CHARTS = ['router', 'acceptor', 'dialer', 'peer', 'channel', 'pex'] as const;

type ChartName = (typeof CHARTS)[number];

interface ChartOptions {
  readonly format: 'mermaid' | 'json';
  readonly json?: boolean;
}

/** `peerchart chart`: a statechart as text, generated from the machine that runs. */
export function addChartCommand(program: Command): void {
  program
    .command('chart')
    .description('print one of the statecharts a node is made of')
    .addArgument(new Argument('<chart>', 'which one').choices(CHARTS))
    .addOption(
      new Option('--format <format>', 'a Mermaid state diagram, or the chart as data')
        .choices(['mermaid', 'json'])
        .default('mermaid'),
    )
    .option('--json', 'the same as --format json')
    .addHelpText(
      'after',
      `
Examples:
  $ peerchart chart peer
  $ peerchart chart router --format json`,
    )
    .action(async (name: ChartName, { format, json = false }: ChartOptions) => {
      const { chartToJson, chartToMermaid } = await import('../inspect/index.ts');
      const machines = await import('../machines/index.ts');
      const machine = machines[`${name}Machine`];
      const isData = json || format === 'json';
      writeLine(isData ? JSON.stringify(chartToJson(machine), null, 2) : chartToMermaid(machine).trimEnd());
    });
}
