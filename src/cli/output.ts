/** Standard output carries data and nothing else. */
export function writeLine(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** One JSON value on a line of its own. */
export function writeJson(value: unknown): void {
  writeLine(JSON.stringify(value));
}

/** A text of a stranger with nothing left in it that could control a terminal. */
export function printableText(text: string): string {
  return text.replace(/\p{C}/gu, '\u{fffd}');
}
