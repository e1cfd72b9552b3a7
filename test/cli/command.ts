import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export interface CommandResult {
  /** Exit code; null when a signal ended the process. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Run something else than the command. */
  readonly script?: boolean;
}

/** A process of the built command, or of a script that uses its parts. */
export class RunningCommand {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: string[] = [];
  readonly #closed: Promise<CommandResult>;
  #stdout = '';
  #stderr = '';
  #isClosed = false;
  #onLine: () => void = () => undefined;

  /** @param args words behind `peerchart`; or all words behind `node`, with `script`. */
  constructor(args: readonly string[], { cwd, env, script = false }: CommandOptions = {}) {
    this.#child = spawn(process.execPath, script ? args : [MAIN, ...args], {
      ...(cwd === undefined ? {} : { cwd }),
      env: { ...process.env, ...env },
    });
    this.#child.stdin.end();
    this.#child.stdout.on('data', (chunk: Buffer) => {
      this.#stdout += chunk.toString();
    });
    this.#child.stderr.on('data', (chunk: Buffer) => {
      this.#stderr += chunk.toString();
    });
    createInterface(this.#child.stdout).on('line', (line) => {
      this.#lines.push(line);
      this.#onLine();
    });
    this.#closed = once(this.#child, 'close').then(([code]) => {
      this.#isClosed = true;
      this.#onLine();
      return { code: code as number | null, stdout: this.#stdout, stderr: this.#stderr };
    });
  }

  /** The next line of standard output, not asked for before, that passes; fails when the command ends without one. */
  async line(passes: (line: string) => boolean): Promise<string> {
    for (;;) {
      while (this.#lines.length > 0) {
        const line = this.#lines.shift()!;
        if (passes(line)) return line;
      }
      if (this.#isClosed) throw new Error(`no such line; standard error: ${this.#stderr}`);
      await new Promise<void>((resolve) => {
        this.#onLine = resolve;
      });
    }
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Resolves when the command has ended and all its output is read. */
  get closed(): Promise<CommandResult> {
    return this.#closed;
  }

  /** Ends it whatever it does. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#closed;
  }
}

export interface CommandLine {
  /** Starts `peerchart` with these words. */
  readonly start: (args: readonly string[], options?: CommandOptions) => RunningCommand;
  /** Runs it to its end. */
  readonly run: (args: readonly string[], options?: CommandOptions) => Promise<CommandResult>;
}

/** The command for the suite it is called in; what still runs after a test, however that went, is killed. */
export function commandLine(): CommandLine {
  const running: RunningCommand[] = [];
  afterEach(async () => {
    await Promise.all(running.splice(0).map((command) => command.kill()));
  });
  const start: CommandLine['start'] = (args, options) => {
    const command = new RunningCommand(args, options);
    running.push(command);
    return command;
  };
  return { start, run: (args, options) => start(args, options).closed };
}
