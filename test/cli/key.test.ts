import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { parseNodeKey } from '../../src/crypto/node-key.ts';
import { commandLine } from './command.ts';
import { scratchFolder } from './scratch-folder.ts';

describe('peerchart key', () => {
  const { run } = commandLine();
  const folder = scratchFolder();

  it('create writes a key that show reads, and that only its owner may read', async () => {
    const file = join(folder(), 'alice.json');
    const created = await run(['key', 'create', '--file', file, '--json']);
    expect(created.stderr).to.equal('');
    expect(created.code).to.equal(0);
    const { mode } = await stat(file);
    expect(mode & 0o777).to.equal(0o600);
    const key = parseNodeKey(await readFile(file, 'utf8'));
    expect(JSON.parse(created.stdout)).to.deep.equal({
      id: key.nodeId,
      publicKey: Buffer.from(key.publicKey).toString('base64'),
      file,
    });

    const shown = await run(['key', 'show', '--file', file]);
    expect(shown.code).to.equal(0);
    expect(shown.stdout).to.include(key.nodeId).and.include(file);
    expect(shown.stdout).not.to.include(await readFile(file, 'utf8'));
  });

  it('uses node_key.json of the current folder when no file is named', async () => {
    const { code } = await run(['key', 'create'], { cwd: folder() });
    expect(code).to.equal(0);
    parseNodeKey(await readFile(join(folder(), 'node_key.json'), 'utf8'));
  });

  it('create never overwrites a file', async () => {
    const file = join(folder(), 'precious');
    await writeFile(file, 'precious');
    const { code, stderr } = await run(['key', 'create', '--file', file]);
    expect(code).to.equal(1);
    expect(stderr).to.equal(`peerchart: ${file} exists already, and a key is never overwritten\n`);
    expect(await readFile(file, 'utf8')).to.equal('precious');
  });
});
