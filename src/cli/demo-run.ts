import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { demoReport } from './demo-report.ts';
import { demoScene } from './demo-scene.ts';
import { DemoStory } from './demo-story.ts';
import { demoFrame, entryLine, nodeLines } from './demo-view.ts';
import { makeFolder } from './folder.ts';
import { writeJson, writeLine } from './output.ts';
import { StopSignal } from './stop-signal.ts';
import { canPaint, cutLine, paintLine, Screen, type Line } from './terminal.ts';

const REPAINT_MS = 250;

/** Somebody who watches wants to see the full mesh before it changes. */
const PAUSE_TO_WATCH_MS = 1_500;

export interface DemoOptions {
  /** Milliseconds. */
  readonly duration?: number;
  readonly data?: string;
  readonly json?: boolean;
  readonly plain?: boolean;
}

/** Shows a story while it happens. The returned function ends that, while the nodes still run, and sums up when asked. */
type Watcher = (story: DemoStory) => (sumUp: boolean) => void;

/** Runs the five nodes until it is time to stop. */
export async function runDemo({ duration, data, json = false, plain = false }: DemoOptions): Promise<void> {
  const stop = new StopSignal(duration);
  const isPainted = !json && !plain && canPaint();
  const watch = json ? silently : isPainted ? onScreen : lineByLine;
  try {
    await withFolder(data, async (folder) => {
      const story = await DemoStory.open({ folder, pauseMs: isPainted ? PAUSE_TO_WATCH_MS : 0 });
      await playStory(story, { stop, watch, json });
    });
  } finally {
    stop.dispose();
  }
}

async function playStory(
  story: DemoStory,
  { stop, watch, json }: { readonly stop: StopSignal; readonly watch: Watcher; readonly json: boolean },
): Promise<void> {
  const unwatch = watch(story);
  let isTold = false;
  try {
    await story.tell(stop.signal);
    await stop.stopped;
    isTold = true;
    if (json) writeJson(demoReport(story));
  } finally {
    unwatch(isTold);
    await story.stop();
  }
}

const silently: Watcher = () => () => undefined;

const lineByLine: Watcher = (story) => {
  const unsubscribe = story.log.subscribe((entry) => {
    writeLine(paintLine(entryLine({ ...entry, line: story.log.withNames(entry.line) }), false));
  });
  return (sumUp) => {
    unsubscribe();
    if (sumUp) writeLines(nodeLines(demoScene(story).nodes, Infinity), false);
  };
};

const onScreen: Watcher = (story) => {
  const screen = new Screen();
  const paint = (): void => screen.paint(demoFrame(demoScene(story), screen.traits()));
  screen.enter();
  paint();
  const timer = setInterval(paint, REPAINT_MS);
  process.stdout.on('resize', paint);
  return (sumUp) => {
    clearInterval(timer);
    process.stdout.off('resize', paint);
    screen.leave();
    const { columns, rows, color } = screen.traits();
    const frame = demoFrame(demoScene(story), { columns, rows: rows - 1 });
    if (!sumUp) return;
    const lines = frame.map((line) => cutLine(line, columns));
    writeLines(lines, color);
  };
};

function writeLines(lines: readonly Line[], color: boolean): void {
  for (const line of lines) writeLine(paintLine(line, color).trimEnd());
}

/** Runs with the given folder, or with a temporary one that is gone afterwards, however this process ends. */
async function withFolder(data: string | undefined, run: (folder: string) => Promise<void>): Promise<void> {
  if (data !== undefined) {
    await makeFolder(data);
    await run(data);
    return;
  }
  const folder = await mkdtemp(join(tmpdir(), 'peerchart-demo-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  process.once('exit', remove);
  try {
    await run(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
    process.off('exit', remove);
  }
}
