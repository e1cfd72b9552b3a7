import { expect } from 'chai';
import { CommanderError } from 'commander';
import { CommandFailure, failureReport, formatFailure, usageFailure } from '../../src/cli/failure.ts';
import { P2PError } from '../../src/core/errors.ts';

/** A failed call of the platform. */
function systemError(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}

describe('failures of the command', () => {
  it('are 2 for what was asked wrongly and 1 for what went wrong', () => {
    const failures: readonly (readonly [Error, number, string])[] = [
      [usageFailure('no'), 2, 'usage'],
      [new CommandFailure('key-exists', 'no'), 1, 'key-exists'],
      [new CommanderError(1, 'commander.unknownOption', "error: unknown option '--x'"), 2, 'usage'],
      [new P2PError('invalid-address', 'no'), 2, 'invalid-address'],
      [new P2PError('store-locked', 'no'), 1, 'store-locked'],
      [systemError('EACCES', 'no'), 1, 'EACCES'],
    ];
    for (const [error, exitCode, code] of failures) {
      expect(failureReport(error), code).to.include({ exitCode, code }).and.not.have.property('stack');
    }
  });

  it('say what the platform said, unless it is said already, in one line', () => {
    const messageOf = (error: Error): string => failureReport(error)!.message;
    const cause = systemError('EIO', 'EIO: the disk\n  is gone');
    expect(messageOf(new P2PError('store-failed', 'cannot read', { cause }))).to.equal(
      'cannot read (EIO: the disk is gone)',
    );
    expect(messageOf(new P2PError('store-failed', 'cannot read: EIO', { cause }))).to.equal(
      'cannot read: EIO',
    );
    expect(messageOf(new Error('two\nlines'))).to.equal('two lines');
  });

  it('are none when the help or the version was shown', () => {
    expect(failureReport(new CommanderError(0, 'commander.helpDisplayed', '(outputHelp)'))).to.equal(
      undefined,
    );
  });

  it('come with a stack when they are defects, and only then', () => {
    const defect = failureReport(new TypeError('cannot read x of undefined'))!;
    expect(defect).to.include({ code: 'internal', exitCode: 1 });
    expect(formatFailure(defect, 'text')).to.match(
      /^peerchart: cannot read x of undefined\nTypeError: [^]+ at /,
    );
    expect(formatFailure(failureReport(usageFailure('no'))!, 'text')).to.equal('peerchart: no\n');
  });

  it('are one JSON value on one line when asked for', () => {
    const text = formatFailure(failureReport(usageFailure('no "x"'))!, 'json');
    expect(text).to.equal('{"error":{"code":"usage","message":"no \\"x\\"","exitCode":2}}\n');
  });
});
