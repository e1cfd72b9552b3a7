import { expect } from 'chai';
import { commandLine, type RunningCommand } from './command.ts';

/** A program that takes for ever to stop, and says `tick` from then on. */
const STUBBORN = `
  import { StopSignal } from ${JSON.stringify(new URL('../../dist/cli/stop-signal.js', import.meta.url).href)};
  const stop = new StopSignal(Number(process.argv[1]) || undefined);
  process.on('exit', () => console.log('exit'));
  console.log('ready');
  setInterval(() => stop.signal.aborted && console.log('tick'), 20);
`;

describe('the stop signal of the command', () => {
  const { start: startCommand } = commandLine();

  function start(...args: string[]): RunningCommand {
    return startCommand(['--input-type=module', '--eval', STUBBORN, ...args], { script: true });
  }

  it('takes signals that come together for one request, and ends the process at a later one', async () => {
    const program = start();
    await program.line((line) => line === 'ready');
    program.signal('SIGINT');
    program.signal('SIGTERM');
    await program.line((line) => line === 'tick');
    let ended = false;
    void program.closed.then(() => {
      ended = true;
    });
    const isEnd = (line: string): boolean => {
      if (!ended) program.signal('SIGINT');
      return line === 'exit';
    };
    await program.line(isEnd);
    expect((await program.closed).code).to.equal(130);
  });

  it('stops by itself when its time is over', async () => {
    const program = start('1');
    await program.line((line) => line === 'tick');
  });
});
