// Compiles src into dist and puts the generated codecs beside it. Skipped when nothing has changed since the last build.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const stampFile = path.join(root, 'dist/.stamp');

const hash = createHash('sha256');
for (const file of ['package-lock.json', 'tsconfig.json', 'tsconfig.build.json', 'scripts/build.mjs']) {
  hash.update(readFileSync(path.join(root, file)));
}
const sources = readdirSync(path.join(root, 'src'), { recursive: true }).sort();
for (const name of sources) {
  const file = path.join(root, 'src', name);
  if (statSync(file).isFile()) hash.update(name).update(readFileSync(file));
}
const stamp = hash.digest('hex');

if (!existsSync(stampFile) || readFileSync(stampFile, 'utf8') !== stamp) {
  rmSync(path.join(root, 'dist'), { recursive: true, force: true });
  const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
  execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { cwd: root, stdio: ['ignore', 2, 2] });
  for (const folder of ['wire/generated', 'cli/generated']) {
    mkdirSync(path.join(root, 'dist', folder), { recursive: true });
    const isCodec = (file) => !path.basename(file).startsWith('.');
    cpSync(path.join(root, 'src', folder), path.join(root, 'dist', folder), {
      recursive: true,
      filter: isCodec,
    });
  }
  chmodSync(path.join(root, 'dist/cli/main.js'), 0o755);
  writeFileSync(stampFile, stamp);
}
