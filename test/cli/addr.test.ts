import { expect } from 'chai';
import { commandLine } from './command.ts';

const ID = '000102030405060708090a0b0c0d0e0f10111213';

describe('peerchart addr', () => {
  const { run } = commandLine();

  it('explains every part of an address', async () => {
    const { code, stdout, stderr } = await run(['addr', `tcp://${ID}@[2001:db8::1]:26656/some/path`]);
    expect(stderr).to.equal('');
    expect(code).to.equal(0);
    const [canonical, ...parts] = stdout.trimEnd().split('\n');
    expect(canonical).to.equal(`tcp://${ID}@[2001:db8::1]:26656/some/path`);
    expect(parts.map((line) => line.trim().split(/ {2,}/).slice(0, 2))).to.deep.equal([
      ['protocol', 'tcp'],
      ['node id', ID],
      ['host', '2001:db8::1'],
      ['port', '26656'],
      ['path', '/some/path'],
    ]);
  });

  it('prints the parts as one JSON object', async () => {
    const { code, stdout } = await run(['addr', `${ID}@Example.ORG:80`, '--json']);
    expect(code).to.equal(0);
    expect(JSON.parse(stdout)).to.deep.equal({
      address: `mconn://${ID}@example.org:80`,
      protocol: 'mconn',
      nodeId: ID,
      hostname: 'example.org',
      port: 80,
      path: '',
    });
  });

  it('says which rule a text breaks, as text and as JSON', async () => {
    const [text, json] = await Promise.all([
      run(['addr', 'mconn://beef@127.0.0.1:1']),
      run(['addr', 'mconn://beef@127.0.0.1:1', '--json']),
    ]);
    const message =
      'not a node address: "mconn://beef@127.0.0.1:1": The node id does not have 40 digits. (id-length)';
    expect(text).to.deep.equal({ code: 2, stdout: '', stderr: `peerchart: ${message}\n` });
    expect(JSON.parse(json.stderr)).to.deep.equal({ error: { code: 'usage', message, exitCode: 2 } });
    expect(json.code).to.equal(2);
    expect(json.stdout).to.equal('');
  });
});
