import { expect } from 'chai';
import type { DemoScene, NodeScene, PeerScene } from '../../src/cli/demo-scene.ts';
import { demoFrame, entryLine } from '../../src/cli/demo-view.ts';
import { paintLine, widthOf, type Line } from '../../src/cli/terminal.ts';

const PEER: PeerScene = { name: 'n1', direction: 'inbound', state: 'connected', score: 0, persistent: false };

const NODE: NodeScene = {
  name: 'n0',
  shortId: '3fa2…',
  listen: '127.0.0.1:40001',
  state: 'running',
  peers: [
    PEER,
    { ...PEER, name: 'n4', persistent: true },
    { ...PEER, name: '?', state: 'handshaking.securing' },
  ],
  sent: 12,
  received: 34,
  dropped: 0,
  errors: 0,
};

const SCENE: DemoScene = {
  elapsedMs: 4_210,
  chapter: 'told',
  victim: 'n2',
  nodes: [NODE, { ...NODE, name: 'n4', listen: '', state: 'waiting', peers: [] }],
  entries: Array.from({ length: 50 }, (_, index) => ({
    t: index * 100,
    node: 'n0' as const,
    event: 'accepted',
    result: 'connected',
    line: `decision ${index}`,
  })),
};

function textOf(lines: readonly Line[]): string[] {
  return lines.map((line) => paintLine(line, false).trimEnd());
}

describe('the view of the demo', () => {
  it('shows of each node its id, where it listens, its counts, and its peers with direction, state and score', () => {
    const [, , , titles, ...rows] = textOf(demoFrame(SCENE, { columns: 140, rows: 45 }));
    expect(titles).to.match(/^ NODE +LISTENS AT +SENT +RECV +DROP +ERR +PEERS$/);
    expect(rows[0]).to.match(
      /^ n0 3fa2… +127\.0\.0\.1:40001 +12 +34 +0 +0 {2}← n1 connected score 0 +← n4 connected persistent/,
    );
    expect(rows[0]).to.include('← ? handshaking score 0');
    expect(
      textOf(demoFrame(SCENE, { columns: 80, rows: 45 }))
        .slice(4, 7)
        .map((row) => row.trim())[2],
    ).to.equal('← ? handshaking score 0');
    expect(rows.find((row) => row.startsWith(' n4'))).to.match(/ waiting .* -$/);
  });

  for (const size of [
    { columns: 140, rows: 45 },
    { columns: 80, rows: 24 },
    { columns: 60, rows: 10 },
  ]) {
    it(`fills ${size.columns} × ${size.rows} with the latest decisions and no more`, () => {
      const frame = demoFrame(SCENE, size);
      expect(frame).to.have.length(size.rows);
      if (size.rows > 20) expect(textOf(frame).at(-1)).to.match(/4\.90 s {2}n0: decision 49$/);
    });
  }

  it('tells the story in one sentence', () => {
    const [, story] = textOf(demoFrame(SCENE, { columns: 140, rows: 45 }));
    expect(story).to.equal(
      ' n0 upgraded: it evicted n2, ranked lowest, for n4; n4 took the free place of n2.',
    );
  });

  for (const columns of [120, 60]) {
    it(`puts the time at the right edge of ${columns} columns`, () => {
      const [header] = demoFrame(SCENE, { columns, rows: 30 });
      expect(widthOf(header!)).to.equal(columns);
      expect(paintLine(header!, false)).to.match(/^ peerchart demo .*4\.21 s {3}Ctrl-C stops $/);
    });
  }

  it('adds the cause of a failure or an end to its line', () => {
    const entry = {
      t: 1_500,
      node: 'n3',
      event: 'peer-down',
      result: 'down',
      cause: 'evicted',
      line: 'n0 is down',
    } as const;
    expect(paintLine(entryLine(entry), false)).to.equal('    1.50 s  n3: n0 is down: evicted');
  });
});
