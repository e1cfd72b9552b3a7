import { expect } from 'chai';
import { chartToMermaid } from '../../src/inspect/index.ts';
import { peerMachine } from '../../src/machines/index.ts';
import { commandLine } from './command.ts';

describe('peerchart chart', () => {
  const { run } = commandLine();

  it('prints the chart of a machine as Mermaid', async () => {
    const { code, stdout, stderr } = await run(['chart', 'peer']);
    expect(stderr).to.equal('');
    expect(code).to.equal(0);
    expect(stdout.trimEnd()).to.equal(chartToMermaid(peerMachine).trimEnd());
  });

  const states: Readonly<Record<string, string>> = {
    router: 'running',
    acceptor: 'paused',
    dialer: 'attempting',
    peer: 'handshaking',
    channel: 'draining',
    pex: 'resting',
  };
  for (const [name, state] of Object.entries(states)) {
    it(`prints the ${name} chart as data`, async () => {
      const { code, stdout } = await run(['chart', name, '--format', 'json']);
      expect(code).to.equal(0);
      const chart = JSON.parse(stdout) as { key: string; states: { key: string }[] };
      expect(chart.key).to.equal(name);
      expect(chart.states.map(({ key }) => key)).to.include(state);
    });
  }
});
