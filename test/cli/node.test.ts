import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { commandLine, type RunningCommand } from './command.ts';
import { scratchFolder } from './scratch-folder.ts';

interface NodeLine {
  readonly type: 'listening' | 'message';
  readonly id: string;
  readonly addresses: readonly string[];
  readonly from: string;
  readonly sequence: number;
  readonly text: string;
}

const CHAT = ['--chat-interval', '50', '--log-level', 'info'];

describe('peerchart node', () => {
  const { start: startCommand } = commandLine();
  const folder = scratchFolder();

  function start(...args: string[]): RunningCommand {
    return startCommand(['node', ...args, ...CHAT]);
  }

  async function nextLine(command: RunningCommand, type: NodeLine['type']): Promise<NodeLine> {
    const text = await command.line((line) => (JSON.parse(line) as NodeLine).type === type);
    return JSON.parse(text) as NodeLine;
  }

  it('exchanges numbered messages with another one on the same machine, and stops in good order', async () => {
    const alice = start('--json', '--moniker', 'alice', '--data', join(folder(), 'alice'));
    const hello = await nextLine(alice, 'listening');
    const [address] = hello.addresses;
    expect(address)
      .to.match(/^mconn:\/\/[0-9a-f]{40}@127\.0\.0\.1:[1-9]\d*$/)
      .and.include(hello.id);

    const bob = start('--json', '--moniker', 'bob', '--bootstrap', address!);
    const { id: bobId } = await nextLine(bob, 'listening');
    const heardByBob = [await nextLine(bob, 'message'), await nextLine(bob, 'message')];
    const heardByAlice = await nextLine(alice, 'message');
    expect(heardByAlice).to.include({ from: bobId, text: 'hello from bob' });
    expect(heardByBob[0]).to.include({ from: hello.id, text: 'hello from alice' });
    expect(heardByBob[1]!.sequence).to.equal(heardByBob[0]!.sequence + 1);

    bob.signal('SIGINT');
    alice.signal('SIGTERM');
    for (const command of [alice, bob]) {
      const { code, stdout, stderr } = await command.closed;
      expect(code).to.equal(0);
      for (const line of stdout.trimEnd().split('\n')) JSON.parse(line);
      const logs = stderr
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as { msg: string });
      expect(logs.map(({ msg }) => msg)).to.include('peer-up');
    }
    expect(await readdir(join(folder(), 'alice'))).to.have.members(['node_key.json', 'peers']);
  });

  it('finds its peer again from its data folder, with the same id and no bootstrap', async () => {
    const alice = start('--json');
    const { id, addresses } = await nextLine(alice, 'listening');
    const data = join(folder(), 'bob');
    const ids: string[] = [];
    for (const bootstrap of [['--bootstrap', addresses[0]!], []]) {
      const bob = start('--json', '--data', data, ...bootstrap);
      ids.push((await nextLine(bob, 'listening')).id);
      expect((await nextLine(bob, 'message')).from).to.equal(id);
      bob.signal('SIGINT');
      expect((await bob.closed).code).to.equal(0);
    }
    expect(ids[1]).to.equal(ids[0]);
  });

  it('prints messages as plain lines', async () => {
    const alice = start('--moniker', 'alice');
    const address = await alice.line((line) => line.startsWith('mconn://'));
    const bob = start('--bootstrap', address);
    const heard = await bob.line((line) => line.includes('#'));
    expect(heard).to.match(/^[0-9a-f]{40} {2}#\d+ {2}hello from alice$/);
  });

  it('ends by itself after its duration', async () => {
    const command = start('--duration', '0.1');
    const { code } = await command.closed;
    expect(code).to.equal(0);
  });
});
