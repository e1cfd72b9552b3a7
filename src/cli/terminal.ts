/** Styles a piece of text can have. */
const SGR = {
  plain: '',
  bold: '1',
  dim: '2',
  red: '31',
  green: '32',
  yellow: '33',
  blue: '34',
  magenta: '35',
  cyan: '36',
} as const;

export type Style = keyof typeof SGR;

/** A piece of a line. The text holds no control characters, and each character is one column wide. */
export interface Span {
  readonly text: string;
  readonly style: Style;
}

export type Line = readonly Span[];

export function span(text: string, style: Style = 'plain'): Span {
  return { text, style };
}

export function widthOf(line: Line): number {
  return line.reduce((sum, { text }) => sum + text.length, 0);
}

/** The line cut to a width, the cut marked by an ellipsis. */
export function cutLine(line: Line, width: number): Line {
  if (widthOf(line) <= width) return line;
  const cut: Span[] = [];
  let room = Math.max(0, width - 1);
  for (const { text, style } of line) {
    if (room === 0) break;
    const kept = text.slice(0, room);
    room -= kept.length;
    cut.push({ text: kept, style });
  }
  return [...cut, span('…', 'dim')];
}

/** A line as text, with escape sequences when there is colour. */
export function paintLine(line: Line, color: boolean): string {
  return line
    .map(({ text, style }) => (color && SGR[style] !== '' ? `\u001b[${SGR[style]}m${text}\u001b[0m` : text))
    .join('');
}

/** What a user can see: width, height, and whether colours are wanted (https://no-color.org). */
export interface TerminalTraits {
  readonly columns: number;
  readonly rows: number;
  readonly color: boolean;
}

const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;

const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const CLEAR_TO_LINE_END = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';

/** Whether standard output is a terminal that can be painted on. */
export function canPaint(): boolean {
  return process.stdout.isTTY && process.env['TERM'] !== 'dumb';
}

/** Standard output as a screen that is painted again and again; what was there before is left untouched. */
export class Screen {
  readonly #restore = (): void => {
    process.stdout.write(LEAVE);
  };

  traits(): TerminalTraits {
    const { columns = DEFAULT_COLUMNS, rows = DEFAULT_ROWS } = process.stdout as {
      columns?: number;
      rows?: number;
    };
    return { columns, rows, color: (process.env['NO_COLOR'] ?? '') === '' };
  }

  /** Takes the terminal over; it is given back by `leave`, or when the process exits. */
  enter(): void {
    process.once('exit', this.#restore);
    process.stdout.write(ENTER);
  }

  /** Paints a whole frame in one write, so that nothing flickers. */
  paint(frame: readonly Line[]): void {
    const { columns, rows, color } = this.traits();
    const lines = frame
      .slice(0, rows)
      .map((line) => paintLine(cutLine(line, columns), color) + CLEAR_TO_LINE_END);
    process.stdout.write(HOME + lines.join('\r\n') + CLEAR_BELOW);
  }

  /** Gives the terminal back. */
  leave(): void {
    process.off('exit', this.#restore);
    this.#restore();
  }
}
