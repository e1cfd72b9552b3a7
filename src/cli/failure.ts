import { CommanderError } from 'commander';
import { P2PError, type ErrorCode } from '../core/index.ts';

/** Exit code of a command that understood what it was asked for and could not do it. */
export const EXIT_FAILURE = 1;

/** Exit code of a command that was asked for something that cannot be. */
export const EXIT_USAGE = 2;

/** An expected end of a command: one line tells the user what and where. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
  readonly code: string;
  readonly exitCode: number;

  constructor(code: string, message: string, exitCode: number = EXIT_FAILURE) {
    super(message);
    this.code = code;
    this.exitCode = exitCode;
  }
}

/** A flag, an argument or a configuration that cannot be. */
export function usageFailure(message: string): CommandFailure {
  return new CommandFailure('usage', message, EXIT_USAGE);
}

export interface FailureReport {
  readonly code: string;
  /** One line. */
  readonly message: string;
  readonly exitCode: number;
  /** Only of defects of this program. */
  readonly stack?: string;
}

const BAD_INPUT: ReadonlySet<ErrorCode> = new Set([
  'invalid-option',
  'invalid-address',
  'invalid-endpoint',
  'invalid-node-id',
  'invalid-channel',
]);

/** What to tell the user about a thrown value; undefined when it only ends a command that has shown its help. */
export function failureReport(thrown: unknown): FailureReport | undefined {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const message = oneLine(error.message);
  if (error instanceof CommandFailure) return { code: error.code, message, exitCode: error.exitCode };
  if (error instanceof CommanderError) return commanderReport(error);
  if (error instanceof P2PError) {
    const exitCode = BAD_INPUT.has(error.code) ? EXIT_USAGE : EXIT_FAILURE;
    return { code: error.code, message: withCause(message, error.cause), exitCode };
  }
  if (isSystemError(error)) return { code: error.code, message, exitCode: EXIT_FAILURE };
  const { stack } = error;
  return { code: 'internal', message, exitCode: EXIT_FAILURE, ...(stack === undefined ? {} : { stack }) };
}

/** The line for standard error, as text or as JSON. */
export function formatFailure(
  { code, message, exitCode, stack }: FailureReport,
  format: 'text' | 'json',
): string {
  if (format === 'json') return `${JSON.stringify({ error: { code, message, exitCode } })}\n`;
  const trace = stack === undefined ? '' : `${stack}\n`;
  return `peerchart: ${message}\n${trace}`;
}

function commanderReport({ code, exitCode, message }: CommanderError): FailureReport | undefined {
  if (exitCode === 0) return undefined;
  if (code === 'commander.help') {
    return { code: 'usage', message: 'no command given; --help lists them', exitCode: EXIT_USAGE };
  }
  return { code: 'usage', message: oneLine(message.replace(/^error: /, '')), exitCode: EXIT_USAGE };
}

/** Adds what the platform or the store said, unless the message has it already. */
function withCause(message: string, cause: unknown): string {
  if (!(cause instanceof Error) || message.includes(cause.message)) return message;
  const code = isSystemError(cause) ? cause.code : undefined;
  return code !== undefined && message.includes(code) ? message : `${message} (${oneLine(cause.message)})`;
}

/** Node's own errors about files and sockets have a code that begins with E; its complaints about misuse do not count. */
function isSystemError(error: Error): error is Error & { readonly code: string } {
  return 'code' in error && typeof error.code === 'string' && /^E[A-Z]+$/.test(error.code);
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ').trim();
}
