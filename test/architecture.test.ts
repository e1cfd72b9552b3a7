import { readdirSync, readFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { Kernel } from '../src/actors/kernel.ts';
import * as machines from '../src/machines/index.ts';
import type { AnyStateMachine } from '../src/machines/xstate.ts';
import { SimulatedNetwork, type SimulatedNode } from '../src/testing/index.ts';
import { textCodec } from './support/text-codec.ts';

const SRC = fileURLToPath(new URL('../src', import.meta.url));

interface SourceFile {
  /** Path within src. */
  readonly path: string;
  readonly text: string;
}

const sources: readonly SourceFile[] = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && !path.includes('generated'))
  .map((path) => ({ path: relative(SRC, join(SRC, path)), text: readFileSync(join(SRC, path), 'utf8') }));

/** Where a pattern occurs, as `path:line`. */
function occurrences(pattern: RegExp, allowed: RegExp): readonly string[] {
  return sources
    .filter(({ path }) => !allowed.test(path))
    .flatMap(({ path, text }) =>
      text.split('\n').flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}`] : [])),
    );
}

describe('the architecture', () => {
  it('reads all sources', () => {
    expect(sources.length).to.be.greaterThan(100);
    expect(occurrences(/createActor/, /^$/)).to.not.deep.equal([]);
  });

  it('makes actors in src/actors and src/testing only', () => {
    expect(occurrences(/\bcreateActor\b/, /^(actors|testing)\/|^machines\/xstate\.ts$/)).to.deep.equal([]);
  });

  it('reaches XState through one module', () => {
    expect(
      occurrences(/from 'xstate|import\('xstate|require\('xstate/, /^machines\/xstate\.ts$/),
    ).to.deep.equal([]);
  });

  it('names each chart after its file', () => {
    const files = sources
      .filter(({ path }) => /^machines\/.*\.machine\.ts$/.test(path))
      .map(({ path }) => basename(path, '.machine.ts'));
    expect(charts.map(({ id }) => id)).to.have.members(files);
  });
});

const charts: readonly AnyStateMachine[] = Object.values(machines);

type StateNode = AnyStateMachine['root'];

function children(node: StateNode): readonly StateNode[] {
  return Object.values(node.states);
}

function descendants(node: StateNode): readonly StateNode[] {
  return children(node).flatMap((child) => [child, ...descendants(child)]);
}

/** The state and what is entered with it: its ancestors, and initial states below it. */
function entered(node: StateNode): readonly StateNode[] {
  const above = node.parent === undefined ? [] : [node.parent];
  return [...above, node, ...begun(node)];
}

function begun(node: StateNode): readonly StateNode[] {
  const below =
    node.type === 'parallel' ? children(node) : node.type === 'compound' ? node.initial.target : [];
  return below.flatMap((child: StateNode) => [child, ...begun(child)]);
}

function transitionsOf(node: StateNode): readonly {
  readonly eventType: string;
  readonly target: readonly StateNode[] | undefined;
}[] {
  return [...node.transitions.values()].flat();
}

/** Every state that some sequence of events may lead to, guards aside. */
function reachable(machine: AnyStateMachine): ReadonlySet<StateNode> {
  const found = new Set<StateNode>();
  const frontier = [machine.root, ...begun(machine.root)];
  for (let node = frontier.pop(); node !== undefined; node = frontier.pop()) {
    if (found.has(node)) continue;
    found.add(node);
    for (const { target = [] } of transitionsOf(node)) frontier.push(...target.flatMap(entered));
  }
  return found;
}

for (const machine of charts) {
  describe(`the ${machine.id} chart`, () => {
    const states = descendants(machine.root);

    it('describes every state', () => {
      const silent = states.filter(({ description = '' }) => description.trim() === '');
      expect(silent.map(({ id }) => id)).to.deep.equal([]);
    });

    it('names every delay', () => {
      const named = Object.keys(machine.implementations.delays);
      const used = [machine.root, ...states].flatMap(({ config }) => Object.keys(config.after ?? {}));
      for (const delay of used) expect(named).to.include(delay);
      expect([...new Set(used)].sort(), 'no delay is left over').to.deep.equal([...named].sort());
    });

    it('can reach every state', () => {
      const found = reachable(machine);
      expect(states.filter((state) => !found.has(state)).map(({ id }) => id)).to.deep.equal([]);
    });

    it('has a way out of every state that is not final', () => {
      const stuck = states.filter((state) => {
        const isLeaf = children(state).length === 0;
        if (!isLeaf || state.type === 'final') return false;
        const lineage: StateNode[] = [];
        for (let node: StateNode | undefined = state; node !== undefined; node = node.parent)
          lineage.push(node);
        return lineage.every((node) => transitionsOf(node).every(({ target }) => target === undefined));
      });
      expect(stuck.map(({ id }) => id)).to.deep.equal([]);
    });

    it('keeps clean-up out of exit actions', () => {
      const exits = states.flatMap(({ id, config }) => (config.exit === undefined ? [] : [id]));
      expect(exits).to.deep.equal([]);
    });

    it('spells events in lower case with a dot', () => {
      const events = [machine.root, ...states]
        .flatMap((state) => transitionsOf(state).map(({ eventType }) => eventType))
        .filter((type) => !type.startsWith('xstate.'));
      for (const type of events) expect(type).to.match(/^[a-z]+(-[a-z]+)*\.[a-z]+(-[a-z]+)*$/);
    });
  });
}

describe('the data plane', () => {
  const MESSAGES = 10_000;
  const channelOptions = {
    id: 0x20,
    codec: textCodec,
    send: { maxMessages: MESSAGES },
    receive: { maxMessages: MESSAGES, maxPerPeer: MESSAGES },
  } as const;
  const original = Object.getOwnPropertyDescriptor(Kernel.prototype, 'post') as { value: Kernel['post'] };

  afterEach(() => {
    Object.defineProperty(Kernel.prototype, 'post', original);
  });

  it(`spends no statechart event, no job and no record on ${MESSAGES} messages`, async () => {
    const network = new SimulatedNetwork();
    const receiver = network.addNode('receiver', { pex: false });
    const bootstrapPeers = [receiver.address];
    const sender = network.addNode('sender', { pex: false, bootstrapPeers });
    const [inbox, outbox] = [receiver, sender].map(({ router }) => router.openChannel(channelOptions));
    let received = 0;
    inbox!.messages$.subscribe(() => (received += 1));
    for (const { router } of [receiver, sender]) {
      void router.start();
      await network.advance(1);
    }
    await network.runUntil(() => sender.router.stats().connectedPeers === 1);
    await network.advance(1_000);

    let jobs = 0;
    Kernel.prototype.post = function (this: Kernel, ...args) {
      jobs += 1;
      original.value.apply(this, args);
    };
    const recordsOf = ({ router }: SimulatedNode): number => router.recorder.records().length;
    const before = [recordsOf(sender), recordsOf(receiver)];
    for (let count = 0; count < MESSAGES; count++)
      expect(outbox!.trySend({ to: receiver.id, message: 'x' })).to.equal('queued');
    await network.runUntil(() => received === MESSAGES);
    expect([recordsOf(sender), recordsOf(receiver)]).to.deep.equal(before);
    expect(jobs).to.equal(0);
    await network.stop();
  });
});
