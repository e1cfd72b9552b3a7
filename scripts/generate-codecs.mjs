// Generates the protobuf codecs of src/wire/generated from proto/ with protobufjs' static module target.
// The result is a function of the schemas and of protobufjs-cli's version, and is rebuilt only when one of them changed.
import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const require = createRequire(import.meta.url);
const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const outDir = path.join(root, 'src/wire/generated');

const schemas = (await readdir(path.join(root, 'proto'), { recursive: true }))
  .filter((name) => name.endsWith('.proto'))
  .sort()
  .map((name) => path.join(root, 'proto', name));

const hash = createHash('sha256').update(require('protobufjs-cli/package.json').version);
hash.update(await readFile(fileURLToPath(import.meta.url)));
for (const schema of schemas) hash.update(await readFile(schema));
const stamp = hash.digest('hex');
const stampFile = path.join(outDir, '.stamp');

if ((await readFile(stampFile, 'utf8').catch(() => '')) !== stamp) {
  const pbjs = promisify(require('protobufjs-cli/pbjs').main);
  const pbts = promisify(require('protobufjs-cli/pbts').main);
  const source = path.join(outDir, 'codecs.js');
  await mkdir(outDir, { recursive: true });
  await pbjs([
    ...['--target', 'static-module', '--wrap', 'es6', '--dependency', 'protobufjs/minimal.js', '--es6'],
    ...[
      '--force-long',
      '--no-create',
      '--no-verify',
      '--no-convert',
      '--no-delimited',
      '--no-service',
      '--no-typeurl',
    ],
    ...['--out', source, ...schemas],
  ]);
  await pbts(['--out', path.join(outDir, 'codecs.d.ts'), source]);
  await writeFile(stampFile, stamp);
}
