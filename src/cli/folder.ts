import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CommandFailure } from './failure.ts';

/**
 * Makes a folder and those above it, unless it is there. Not `mkdir` with `recursive`, which never returns where the
 * file system says of a new folder that it does not exist, as /proc does.
 *
 * @throws CommandFailure `folder`, or what the file system says.
 */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EEXIST') await requireFolder(path);
    else if (code === 'ENOENT' && dirname(path) !== path) await makeBelow(path);
    else throw error;
  }
}

async function makeBelow(path: string): Promise<void> {
  await makeFolder(dirname(path));
  await mkdir(path);
}

async function requireFolder(path: string): Promise<void> {
  const found = await stat(path);
  if (!found.isDirectory()) throw new CommandFailure('folder', `${path} is no folder`);
}
