import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect } from 'chai';
import { commandLine } from './command.ts';
import { scratchFolder } from './scratch-folder.ts';

interface BadCall {
  readonly title: string;
  /** Words of the command; `@` stands for the scratch folder. */
  readonly args: string;
  /** Files to be there, by name. */
  readonly files?: Readonly<Record<string, string>>;
  readonly code: 1 | 2;
  /** What standard error must name. */
  readonly names: readonly string[];
}

const BAD_CALLS: readonly BadCall[] = [
  { title: 'no command', args: '', code: 2, names: ['no command'] },
  { title: 'an unknown command', args: 'dmeo', code: 2, names: ['dmeo'] },
  { title: 'an unknown flag', args: 'demo --jsno', code: 2, names: ['--jsno'] },
  { title: 'a key without a command', args: 'key', code: 2, names: ['no command'] },
  {
    title: 'a duration that is no number',
    args: 'demo --duration soon',
    code: 2,
    names: ['--duration', 'soon'],
  },
  { title: 'a duration of nothing', args: 'demo --duration 0', code: 2, names: ['--duration', '0'] },
  { title: 'an unknown chart', args: 'chart soup', code: 2, names: ['soup', 'router'] },
  { title: 'an unknown format', args: 'chart peer --format svg', code: 2, names: ['svg', 'mermaid'] },
  { title: 'no address', args: 'addr', code: 2, names: ['address'] },
  {
    title: 'a key file that is not there',
    args: 'key show --file @/none',
    code: 1,
    names: ['none', 'does not exist'],
  },
  {
    title: 'a key file that is no key',
    args: 'key show --file @/key',
    files: { key: '{"priv_key":{"type":"tendermint/PrivKeyEd25519","value":"c2VjcmV0"}}' },
    code: 1,
    names: ['64 bytes'],
  },
  {
    title: 'a key in a folder that is not there',
    args: 'key create --file @/no/key',
    code: 1,
    names: ['/no/key'],
  },
  {
    title: 'a configuration that is not there',
    args: 'node --config @/none.toml',
    code: 2,
    names: ['none.toml', 'cannot be read'],
  },
  {
    title: 'a configuration that is no TOML',
    args: 'node --config @/node.toml',
    files: { 'node.toml': 'listen = \n' },
    code: 2,
    names: ['node.toml:1:'],
  },
  {
    title: 'a configuration with an unknown key',
    args: 'node --config @/node.toml',
    files: { 'node.toml': 'data = "data"\nlistne = "127.0.0.1:0"\n' },
    code: 2,
    names: ['node.toml', 'listne', '"127.0.0.1:0"'],
  },
  {
    title: 'an address that is none',
    args: 'node --data @/data --bootstrap 1.2.3.4:5',
    code: 2,
    names: ['--bootstrap', '1.2.3.4:5'],
  },
  {
    title: 'limits at odds',
    args: 'node --data @/data --max-connected 2 --max-outgoing 3',
    code: 2,
    names: ['opt-max-outgoing'],
  },
  {
    title: 'a data folder that is a file',
    args: 'node --data @/data',
    files: { data: 'not a folder' },
    code: 1,
    names: ['data is no folder'],
  },
  {
    title: 'a demo folder that is a file',
    args: 'demo --data @/data --duration 5',
    files: { data: 'not a folder' },
    code: 1,
    names: ['data is no folder'],
  },
  {
    title: 'a data folder below a file',
    args: 'node --data @/data/below',
    files: { data: 'not a folder' },
    code: 1,
    names: ['data/below', 'ENOTDIR'],
  },
];

/** One line that is no stack trace, and nothing on standard output. */
function expectOneLine({ stdout, stderr }: { stdout: string; stderr: string }): void {
  expect(stderr).to.match(/^peerchart: [^\n]+\n$/);
  expect(stderr).not.to.match(/\bat .+:\d+:\d+/);
  expect(stdout).to.equal('');
}

describe('peerchart on bad input', () => {
  const { start, run } = commandLine();
  const folder = scratchFolder();

  for (const { title, args, files = {}, code, names } of BAD_CALLS) {
    it(`answers ${title} with one line and writes nothing`, async () => {
      for (const [name, content] of Object.entries(files)) await writeFile(join(folder(), name), content);
      const words = args.split(' ').filter((word) => word !== '');
      const result = await run(
        words.map((word) => word.replace('@', folder())),
        { cwd: folder() },
      );
      expectOneLine(result);
      for (const name of names) expect(result.stderr).to.include(name);
      expect(result.code).to.equal(code);
      expect((await readdir(folder())).sort()).to.deep.equal(Object.keys(files).sort());
    });
  }

  it('answers a broken key in the data folder with one line and touches nothing', async () => {
    const data = join(folder(), 'data');
    await mkdir(data);
    await writeFile(join(data, 'node_key.json'), 'secret nonsense');
    const result = await run(['node', '--data', data]);
    expectOneLine(result);
    expect(result.stderr).not.to.include('secret');
    expect(result.code).to.equal(1);
    expect(await readdir(data)).to.deep.equal(['node_key.json']);
  });

  it('names the port that is in use', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const { port } = server.address() as { port: number };
      const result = await run(['node', '--listen', `127.0.0.1:${port}`]);
      expectOneLine(result);
      expect(result.stderr).to.include(`127.0.0.1:${port}`).and.include('EADDRINUSE');
      expect(result.code).to.equal(1);
    } finally {
      server.close();
    }
  });

  it('names the data folder that another node has open', async () => {
    const data = join(folder(), 'data');
    const first = start(['node', '--data', data]);
    await first.line((line) => line.startsWith('mconn://'));
    const second = await run(['node', '--data', data, '--json']);
    expect(second.stderr.trimEnd().split('\n')).to.have.length(1);
    const { error } = JSON.parse(second.stderr) as { error: { code: string; message: string } };
    expect(error.code).to.equal('store-locked');
    expect(error.message).to.include(data);
    expect(second.code).to.equal(1);
    expect(second.stdout).to.equal('');
  });
});
