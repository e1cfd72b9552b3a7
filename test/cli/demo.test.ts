import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect } from 'chai';
import type { DemoReport } from '../../src/cli/demo-report.ts';
import { levelPeerStore } from '../../src/store/index.ts';
import { commandLine } from './command.ts';
import { scratchFolder } from './scratch-folder.ts';

const NAMES = ['n0', 'n1', 'n2', 'n3', 'n4'];

/** Time for a run whose report is looked at. The story takes about a second. */
const DURATION_S = '6';

/** What holds of every run, whatever the nodes knew at its beginning. */
function expectLivelyNodes({ nodes, chapter }: DemoReport): void {
  expect(chapter).to.equal('told');
  expect(nodes.map(({ name }) => name)).to.deep.equal(NAMES);
  for (const node of nodes) {
    const { id, listen, connectedPeersMax, receivedFrom, messagesSent, messagesReceived, errors } = node;
    expect(id).to.match(/^[0-9a-f]{40}$/);
    expect(listen).to.match(/^127\.0\.0\.1:[1-9]\d*$/);
    expect(connectedPeersMax, `${node.name} connected`).to.be.at.least(2);
    expect(receivedFrom.length, `${node.name} received from`).to.be.at.least(2);
    expect(receivedFrom).not.to.include(id);
    expect(messagesSent).to.be.greaterThan(0);
    expect(messagesReceived).to.be.greaterThan(0);
    expect(errors, `${node.name} errors`).to.equal(0);
  }
}

/** The one thing the story is about: n0 makes room for n4. */
function expectUpgrade({ nodes, decisions, evictionsSeen }: DemoReport): void {
  const [n0, , , , n4] = nodes;
  expect(n0!.upgrades).to.be.at.least(1);
  expect(n0!.evictions).to.be.at.least(1);
  expect(n0!.peers).to.include(n4!.id);
  const eviction = evictionsSeen.find((seen) => seen.for === n4!.id)!;
  expect(eviction.by).to.equal(n0!.id);
  expect(nodes.slice(1, 4).map(({ id }) => id)).to.include(eviction.victim);
  expect(eviction.causeSeenByVictim).to.equal('evicted');
  expect(eviction.line).to.equal(
    `evicted ${eviction.victim.slice(0, 4)}… (score 0) for ${n4!.id.slice(0, 4)}… (persistent)`,
  );
  const upgrade = decisions.find(({ node, why }) => node === 'n0' && ruleOf(why) === 'upgrade')!;
  expect(upgrade).to.include({ result: 'connected', peer: n4!.id });
  expect(upgrade.t).to.be.at.most(eviction.t);
  const victim = nodes.find(({ id }) => id === eviction.victim)!;
  const down = decisions.find(({ node, event }) => node === victim.name && event === 'peer-down')!;
  expect(down).to.include({ peer: n0!.id, cause: 'evicted' });
}

function ruleOf(why: unknown): unknown {
  return (why as { rule?: unknown } | undefined)?.rule;
}

async function expectFree(port: number): Promise<void> {
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  server.close();
}

describe('peerchart demo', function () {
  this.timeout(60_000);
  const { start, run } = commandLine();
  const folder = scratchFolder();

  async function demo(...args: string[]): Promise<DemoReport> {
    const { code, stdout, stderr } = await run(['demo', '--json', '--duration', DURATION_S, ...args]);
    expect(stderr).to.equal('');
    expect(code).to.equal(0);
    expect(stdout.trimEnd().split('\n')).to.have.length(1);
    return JSON.parse(stdout) as DemoReport;
  }

  it('tells the whole story, and a second run finds everybody again from the stores alone', async () => {
    const first = await demo('--data', folder());
    expectLivelyNodes(first);
    expectUpgrade(first);
    const [n0, , , , n4] = first.nodes;
    expect(n0!.dials, 'n0 is only dialled').to.equal(0);
    const victim = first.evictionsSeen[0]!.victim;
    expect(n4!.peers, 'n4 took the free place').to.have.members([n0!.id, victim]);
    expect(first.decisions.map(({ t }) => t)).to.deep.equal(
      first.decisions.map(({ t }) => t).sort((a, b) => a - b),
    );
    expect(
      first.decisions.some(({ result }) => result === 'MaxConnected'),
      'n1 was full for n4',
    ).to.equal(true);

    const second = await demo('--data', folder());
    const places = ({ nodes }: DemoReport): string[] => nodes.map(({ address }) => address);
    expect(places(second)).to.deep.equal(places(first));
    expectLivelyNodes(second);
    for (const { name, dials, accepts } of second.nodes) expect(dials + accepts, name).to.be.at.least(2);
  });

  it('prints decisions as they happen, stops at Ctrl-C, and leaves nothing behind', async () => {
    const command = start(['demo'], { env: { NO_COLOR: '1' } });
    await command.line((line) =>
      / n0: evicted n[123] [0-9a-f]{4}… \(score 0\) for n4 [0-9a-f]{4}… \(persistent\)$/.test(line),
    );
    await command.line((line) => / n4: n[123] [0-9a-f]{4}… is up, (in|out)bound$/.test(line));
    const askedAt = performance.now();
    command.signal('SIGINT');
    const { code, stdout, stderr } = await command.closed;
    expect(performance.now() - askedAt).to.be.below(5_000);
    expect(stderr).to.equal('');
    expect(code).to.equal(0);
    expect(stdout).not.to.include('\u001b');
    const table = stdout.trimEnd().split('\n').slice(-NAMES.length);
    expect(table.map((line) => line.trim().split(' ', 1)[0])).to.deep.equal(NAMES);
    for (const [, port] of stdout.matchAll(/127\.0\.0\.1:(\d+)/g)) await expectFree(Number(port));
  });

  it('releases ports and stores of a kept folder at SIGTERM, so that they open again at once', async () => {
    const command = start(['demo', '--data', folder(), '--plain']);
    await command.line((line) => / n4: n[123] [0-9a-f]{4}… is up, (in|out)bound$/.test(line));
    command.signal('SIGTERM');
    const { code } = await command.closed;
    expect(code).to.equal(0);
    for (const name of NAMES.slice(0, 4)) {
      const listen = await readFile(join(folder(), name, 'listen'), 'utf8');
      await expectFree(Number(listen.split(':')[1]));
      const store = levelPeerStore(join(folder(), name, 'peers'));
      await store.open();
      const { records, faults } = await store.load();
      expect(faults).to.deep.equal([]);
      expect(records.length, `${name} knows`).to.be.at.least(3);
      await store.close();
    }
  });

  it('removes its temporary folder', async () => {
    const command = start(['demo'], { env: { TMPDIR: folder() } });
    await command.line((line) => line.includes('is up'));
    expect(await readdir(folder())).to.have.length(1);
    command.signal('SIGINT');
    expect((await command.closed).code).to.equal(0);
    expect(await readdir(folder())).to.deep.equal([]);
  });
});
