import { expect } from 'chai';
import { P2PError, type NodeId, type ReportOutcome } from '../../src/index.ts';
import { TextNetwork, type TextNode } from '../support/text-network.ts';

describe('what a reactor reports of a peer', () => {
  let texts: TextNetwork;
  let a: TextNode;
  let b: TextNode;
  let seen: string[];

  async function connect(maxConnected = 64): Promise<void> {
    const names = ['a', 'b'];
    texts = await TextNetwork.connect({ names, node: { peers: { maxConnected, maxConnectedUpgrade: 0 } } });
    [a, b] = texts.nodes as [TextNode, TextNode];
    seen = [];
    a.router.updates$.subscribe(({ status, cause }) =>
      seen.push(cause === undefined ? status : `${status} ${cause}`),
    );
    await texts.network.advance(1);
  }

  function scoreOf(node: TextNode): number {
    return a.router.peers().find(({ id }) => id === node.id)!.score;
  }

  const misbehaviour = new Error('sent the same vote twice');

  afterEach(() => texts.stop());

  it('RT-151 costs a point while there are free slots', async () => {
    await connect();
    const before = scoreOf(b);
    expect(a.channel.report({ peer: b.id, error: misbehaviour })).to.equal('noted');
    expect(scoreOf(b)).to.equal(before - 1);
    await texts.network.advance(100);
    expect(seen).to.deep.equal(['up']);
  });

  it('is worth a point when it is good', async () => {
    await connect();
    const before = scoreOf(b);
    a.channel.praise(b.id);
    a.channel.praise('f'.repeat(40) as NodeId);
    expect(scoreOf(b)).to.equal(before + 1);
  });

  it('RT-152 costs the connection when every slot is in use', async () => {
    await connect(1);
    expect(a.channel.report({ peer: b.id, error: misbehaviour })).to.equal('evicting');
    await texts.network.advance(100);
    expect(seen.slice(0, 2)).to.deep.equal(['up', 'down evicted']);
  });

  it('RT-153 never costs the connection where connections are not limited', async () => {
    await connect(0);
    expect(a.channel.report({ peer: b.id, error: misbehaviour })).to.equal('noted');
    await texts.network.advance(100);
    expect(seen).to.deep.equal(['up']);
  });

  it('RT-150 RT-154 costs the connection whatever the capacity when it is fatal', async () => {
    await connect();
    expect(a.channel.report({ peer: b.id, error: misbehaviour, fatal: true })).to.equal('evicting');
    await texts.network.advance(100);
    expect(seen.slice(0, 2)).to.deep.equal(['up', 'down evicted']);
    const [errored] = a.router.recorder
      .records()
      .filter((record) => record.kind === 'decision' && record.event === 'errored');
    expect(errored).to.include({ peer: b.id });
  });

  it('RT-155 is nothing for an unknown peer, of whom no record is made', async () => {
    await connect();
    const { knownPeers } = a.router.stats();
    expect(a.channel.report({ peer: 'f'.repeat(40) as NodeId, error: misbehaviour })).to.equal(
      'no_such_peer',
    );
    expect(a.router.stats().knownPeers).to.equal(knownPeers);
  });

  const ownDoing: readonly [string, unknown][] = [
    ['a cancellation', new DOMException('gone', 'AbortError')],
    ['a cancellation of ours', new P2PError('aborted', 'gone')],
    ['a time-out of ours', new P2PError('timeout', 'late')],
    [
      'an error that a cancellation caused',
      new Error('no answer', { cause: new DOMException('gone', 'AbortError') }),
    ],
  ];

  for (const [what, error] of ownDoing) {
    it(`CH-025 RT-156 is ignored for ${what}`, async () => {
      await connect();
      const before = scoreOf(b);
      expect(a.channel.report({ peer: b.id, error, fatal: true })).to.equal('ignored');
      expect(scoreOf(b)).to.equal(before);
      await texts.network.advance(100);
      expect(seen).to.deep.equal(['up']);
    });
  }

  it('RT-157 counts once a second, however often it is said', async () => {
    await connect();
    const before = scoreOf(b);
    const outcomes = new Map<ReportOutcome, number>();
    for (let count = 0; count < 1_000; count++) {
      const outcome = a.channel.report({ peer: b.id, error: misbehaviour });
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
    expect(Object.fromEntries(outcomes)).to.deep.equal({ noted: 1, ignored: 999 });
    expect(scoreOf(b)).to.equal(before - 1);
    await texts.network.advance(1_000);
    expect(a.channel.report({ peer: b.id, error: misbehaviour })).to.equal('noted');
  });

  it('RT-158 keeps the peer away for as long as it says', async () => {
    await connect();
    expect(a.channel.report({ peer: b.id, error: misbehaviour, banMs: 60_000 })).to.equal('evicting');
    await texts.network.advance(100);
    expect(seen).to.deep.equal(['up', 'down evicted']);
    await texts.network.advance(59_800);
    expect(a.router.stats().connectedPeers).to.equal(0);
    const refused = a.router.recorder
      .records()
      .filter((record) => record.kind === 'transition' && record.event === 'peer.refuse');
    expect(refused.length).to.be.greaterThan(0);
    await texts.network.runUntil(() => a.router.stats().connectedPeers === 1, 600_000);
  });
});
