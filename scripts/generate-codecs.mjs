// Generates protobuf codecs with protobufjs' static module target: the wire's from proto/, and those of the command and
// the examples from the schema beside each. The result is a function of the schemas and of protobufjs-cli's version, and
// is rebuilt only when one of them changed.
import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const require = createRequire(import.meta.url);
const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const version = require('protobufjs-cli/package.json').version;
const self = await readFile(fileURLToPath(import.meta.url));

const inProto = (await readdir(path.join(root, 'proto'), { recursive: true }))
  .filter((name) => name.endsWith('.proto'))
  .sort()
  .map((name) => path.join('proto', name));

await generate('src/wire/generated', 'codecs', inProto);
await generate('src/cli/generated', 'chat', ['src/cli/chat.proto']);
await generate('examples/generated', 'chat', ['examples/chat.proto']);

async function generate(folder, name, schemas) {
  const outDir = path.join(root, folder);
  const files = schemas.map((schema) => path.join(root, schema));
  const hash = createHash('sha256').update(version).update(self);
  for (const file of files) hash.update(await readFile(file));
  const stamp = hash.digest('hex');
  const stampFile = path.join(outDir, '.stamp');
  if ((await readFile(stampFile, 'utf8').catch(() => '')) === stamp) return;

  const source = path.join(outDir, `${name}.js`);
  const pbjs = promisify(require('protobufjs-cli/pbjs').main);
  const pbts = promisify(require('protobufjs-cli/pbts').main);
  await mkdir(outDir, { recursive: true });
  await pbjs([
    ...[
      '--target',
      'static-module',
      '--wrap',
      'es6',
      '--es6',
      '--dependency',
      'protobufjs/minimal.js',
      '--root',
      name,
    ],
    ...[
      '--force-long',
      '--no-create',
      '--no-verify',
      '--no-convert',
      '--no-delimited',
      '--no-service',
      '--no-typeurl',
    ],
    ...['--out', source, ...files],
  ]);
  await pbts(['--out', path.join(outDir, `${name}.d.ts`), source]);
  await writeFile(stampFile, stamp);
}
