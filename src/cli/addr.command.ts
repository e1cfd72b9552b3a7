import { isIP } from 'node:net';
import type { Command } from 'commander';
import {
  ADDRESS_FAULTS,
  formatNodeAddress,
  P2PError,
  parseNodeAddress,
  type AddressFault,
  type NodeAddress,
} from '../core/index.ts';
import { usageFailure } from './failure.ts';
import { writeJson, writeLine } from './output.ts';

/** `peerchart addr`: what an address says, part by part. */
export function addAddrCommand(program: Command): void {
  program
    .command('addr')
    .description('read a node address and explain its parts')
    .argument('<address>', 'for example mconn://<node id>@host:port')
    .option('--json', 'one JSON object on standard output')
    .addHelpText(
      'after',
      `
Examples:
  $ peerchart addr mconn://000102030405060708090a0b0c0d0e0f10111213@127.0.0.1:26656
  $ peerchart addr memory:000102030405060708090a0b0c0d0e0f10111213 --json`,
    )
    .action((text: string, { json = false }: { readonly json?: boolean }) => {
      const address = readAddress(text);
      const canonical = formatNodeAddress(address);
      if (json) writeJson({ address: canonical, ...address });
      else explain(address, canonical);
    });
}

function readAddress(text: string): NodeAddress {
  try {
    return parseNodeAddress(text);
  } catch (error) {
    if (!(error instanceof P2PError)) throw error;
    const fault = error.reason as AddressFault;
    throw usageFailure(`not a node address: ${JSON.stringify(text)}: ${ADDRESS_FAULTS[fault]} (${fault})`);
  }
}

function explain({ protocol, nodeId, hostname, port, path }: NodeAddress, canonical: string): void {
  const parts: readonly (readonly [string, string, string])[] = [
    ['protocol', protocol, PROTOCOLS[protocol] ?? 'of a transport that peerchart does not bring along'],
    ['node id', nodeId, 'the first 20 bytes of the SHA-256 of the Ed25519 public key'],
    ['host', hostname, hostKind(hostname)],
    ['port', port === 0 ? '' : String(port), port === 0 ? 'none: the transport uses its own' : 'TCP'],
    ['path', path, path === '' ? 'none' : 'for the transport'],
  ];
  const width = Math.max(...parts.map(([, value]) => value.length));
  writeLine(canonical);
  for (const [name, value, meaning] of parts) {
    writeLine(`  ${name.padEnd(8)}  ${(value === '' ? '-' : value).padEnd(width)}  ${meaning}`);
  }
}

const PROTOCOLS: Readonly<Record<string, string>> = {
  mconn: 'TCP as Tendermint and CometBFT speak it',
  tcp: 'the same as mconn',
  memory: 'within one process, for tests',
};

function hostKind(hostname: string): string {
  if (hostname === '') return 'none: the node id alone leads there';
  const version = isIP(hostname);
  return version === 0 ? 'a name, looked up at each dial' : `an IPv${version} address`;
}
