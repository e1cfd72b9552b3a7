import { existsSync, readFileSync } from 'node:fs';
import { expect } from 'chai';

const root = new URL('../', import.meta.url);
const readme = readFileSync(new URL('README.md', root), 'utf8');

describe('the README', () => {
  it('shows the example that the tests run, to the letter', () => {
    const listing = /```js\n([\s\S]*?)```/.exec(readme)?.[1];
    expect(listing).to.equal(readFileSync(new URL('examples/two-nodes.mjs', root), 'utf8'));
  });

  it('links only to files that are there', () => {
    const links = [...readme.matchAll(/\]\(([^)#]+?)(?:#[^)]*)?\)/g)].map(([, target]) => target!);
    const local = links.filter((target) => !/^[a-z]+:/.test(target));
    expect(local).not.to.deep.equal([]);
    for (const target of local) expect(existsSync(new URL(target, root)), target).to.equal(true);
  });

  it('shows a tree whose folders are there', () => {
    const tree = /```text\n(src\/[\s\S]*?)```/.exec(readme)?.[1] ?? '';
    const folders = [...tree.matchAll(/^ {2}([a-z]+)\/ /gm)].map(([, folder]) => folder!);
    expect(folders).to.include.members(['core', 'machines', 'actors', 'transports']);
    for (const folder of folders) expect(existsSync(new URL(`src/${folder}`, root)), folder).to.equal(true);
  });
});
