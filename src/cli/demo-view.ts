import type { DemoEntry } from './demo-log.ts';
import type { DemoScene, NodeScene, PeerScene } from './demo-scene.ts';
import type { DemoChapter } from './demo-story.ts';
import { span, widthOf, type Line, type Span, type Style } from './terminal.ts';

/** Columns of the table of nodes, with their widths. */
const COLUMNS = [
  ['NODE', 9],
  ['LISTENS AT', 16],
  ['SENT', 6],
  ['RECV', 6],
  ['DROP', 6],
  ['ERR', 5],
] as const;

const TABLE_WIDTH = COLUMNS.reduce((sum, [, width]) => sum + width, 1);

/** Room for one peer: `← n3 connected persistent`, and two columns to the next. */
const PEER_WIDTH = 27;

/** `@` stands for whoever had to go. */
const CHAPTERS: Readonly<Record<DemoChapter, string>> = {
  starting: 'Starting: each node has its own key, TCP port and store.',
  meshing: 'n0 to n3 fill their three slots: peer exchange tells them of each other.',
  meshed: 'Full mesh: n0 to n3 have no slot free.',
  joining: 'n4 starts and dials n0, which is full but always wants n4.',
  told: 'n0 upgraded: it evicted @, ranked lowest, for n4; n4 took the free place of @.',
  stopping: 'Stopping.',
};

/** One picture of the demo, for a terminal of that size. */
export function demoFrame(
  scene: DemoScene,
  size: { readonly columns: number; readonly rows: number },
): Line[] {
  const top = [
    ...headerLines(scene, size.columns),
    [],
    ...nodeLines(scene.nodes, size.columns),
    [],
    [span(' WHAT THEY DECIDED, AND WHY', 'bold')],
  ];
  const room = Math.max(0, size.rows - top.length);
  const latest = scene.entries.slice(Math.max(0, scene.entries.length - room));
  return [...top, ...latest.map(entryLine)].slice(0, size.rows);
}

function headerLines({ chapter, victim, elapsedMs }: DemoScene, columns: number): Line[] {
  const title = span(' peerchart demo', 'bold');
  const subtitle = span('  five nodes in one process, TCP on 127.0.0.1', 'dim');
  const right = [span(seconds(elapsedMs)), span('   Ctrl-C stops ', 'dim')];
  const isWide = columns >= widthOf([title, subtitle, ...right]) + 2;
  const left = isWide ? [title, subtitle] : [title];
  const gap = columns - widthOf(left) - widthOf(right);
  return [
    [...left, span(' '.repeat(Math.max(2, gap))), ...right],
    [span(` ${CHAPTERS[chapter].replaceAll('@', victim)}`, 'cyan')],
  ];
}

/** The table of nodes; peers that do not fit beside each other go on in the next line. */
export function nodeLines(nodes: readonly NodeScene[], columns: number): Line[] {
  const titles = COLUMNS.map(([title, width], index) => cell(title, width, index > 1));
  const perLine = Math.max(1, Math.floor((columns - TABLE_WIDTH - 2) / PEER_WIDTH));
  return [
    [span(` ${titles.join('')}  PEERS`, 'bold')],
    ...nodes.flatMap((node) => {
      const rows = chunks(node.peers.map(peerSpans), perLine);
      const [first = [span('-', 'dim')], ...others] = rows;
      const indent = span(' '.repeat(TABLE_WIDTH + 2));
      return [[...nodeSpans(node), span('  '), ...first], ...others.map((row) => [indent, ...row])];
    }),
  ];
}

function nodeSpans({ name, shortId, listen, state, sent, received, dropped, errors }: NodeScene): Span[] {
  const [
    [, nameWidth],
    [, listenWidth],
    [, sentWidth],
    [, receivedWidth],
    [, droppedWidth],
    [, errorsWidth],
  ] = COLUMNS;
  const where = listen === '' ? state : listen;
  return [
    span(` ${name} `, 'bold'),
    span(shortId.padEnd(nameWidth - name.length - 1)),
    span(cell(where, listenWidth), listen === '' ? 'dim' : 'plain'),
    span(cell(sent, sentWidth, true)),
    span(cell(received, receivedWidth, true)),
    span(cell(dropped, droppedWidth, true), 'dim'),
    span(cell(errors, errorsWidth, true), errors > 0 ? 'red' : 'dim'),
  ];
}

function peerSpans({ name, direction, state, score, persistent }: PeerScene): Span[] {
  const rank = persistent ? 'persistent' : `score ${score}`;
  const phase = state.split('.', 1)[0] ?? state;
  const used = 4 + name.length + phase.length + rank.length;
  return [
    span(direction === 'inbound' ? '← ' : '→ ', 'dim'),
    span(`${name} `),
    span(phase, STATE_STYLES[phase] ?? 'plain'),
    span(` ${rank}`, persistent ? 'magenta' : 'dim'),
    span(' '.repeat(Math.max(1, PEER_WIDTH - used))),
  ];
}

const STATE_STYLES: Readonly<Record<string, Style>> = {
  handshaking: 'yellow',
  connected: 'green',
  evicting: 'red',
  closed: 'dim',
};

/** One piece of news in one line. */
export function entryLine(entry: DemoEntry): Line {
  const { t, node, line, cause } = entry;
  return [
    span(`${seconds(t).padStart(10)}  `, 'dim'),
    span(`${node}: `, 'bold'),
    span(line, entryStyle(entry)),
    span(cause === undefined ? '' : `: ${cause}`, 'dim'),
  ];
}

function entryStyle({ event, result, cause, why }: DemoEntry): Style {
  const { rule } = (why ?? {}) as { readonly rule?: string };
  if (event === 'evictNext' || event === 'crash' || cause === 'evicted') return 'red';
  if (rule === 'upgrade') return 'magenta';
  if (event === 'peer-up') return 'green';
  if (result === 'connected') return 'plain';
  if (event === 'accepted' || event === 'peer-down' || event.endsWith('refused')) return 'yellow';
  return 'dim';
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

function cell(value: string | number, width: number, right = false): string {
  return right ? String(value).padStart(width) : String(value).padEnd(width);
}

function chunks(spans: readonly Span[][], size: number): Span[][] {
  const rows: Span[][] = [];
  for (let index = 0; index < spans.length; index += size) rows.push(spans.slice(index, index + size).flat());
  return rows;
}
