import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { commandLine } from './cli/command.ts';

const FOLDER = new URL('../examples/', import.meta.url);

/** What each example must have shown when it ends. */
const SHOWS: Readonly<Record<string, readonly RegExp[]>> = {
  'two-nodes.mjs': [
    /^alice: [0-9a-f]{40} is up$/m,
    /^bob: {3}[0-9a-f]{40} says #1, hello, whoever you are$/m,
  ],
  'observable.mjs': [/is up$/m, /^bob: {3}got #1\nbob: {3}got #2\nbob: {3}got #3\nboth have heard enough$/m],
  'inspect.mjs': [
    /^bob decides: dials [0-9a-f]{4}… \(score 0\), the best that is due$/m,
    /^router\/peer\/out#1: .* → connected on verdict\.accepted$/m,
    /^recorded so far: \d+ start, /m,
  ],
};

describe('the examples', () => {
  const { run } = commandLine();

  it('are all run here', () => {
    const examples = readdirSync(FOLDER).filter((name) => name.endsWith('.mjs'));
    expect(examples).to.have.members(Object.keys(SHOWS));
  });

  for (const [name, shown] of Object.entries(SHOWS)) {
    it(`${name} ends by itself and shows what it promises`, async () => {
      const example = fileURLToPath(new URL(name, FOLDER));
      const { code, stdout, stderr } = await run([example], { script: true });
      expect(stderr).to.equal('');
      expect(code).to.equal(0);
      for (const pattern of shown) expect(stdout).to.match(pattern);
    });
  }
});
