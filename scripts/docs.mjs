// Writes the generated pages of docs/: the statecharts from the machines, the codes from their registry, the limits from
// the constants and the reasons beside them. With --check it compares instead, and fails on a difference.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const load = (file) => import(new URL(`../dist/${file}`, import.meta.url));
const machines = await load('machines/index.js');
const { chartToMarkdown } = await load('inspect/index.js');
const codes = await load('core/codes.js');

const pages = new Map();
for (const [name, machine] of Object.entries(machines)) {
  pages.set(`docs/statecharts/${name.replace('Machine', '')}.md`, chartToMarkdown(machine));
}
pages.set('docs/codes.md', codesPage());
pages.set('docs/limits.md', limitsPage());

const stale = [];
for (const [file, text] of pages) {
  const target = path.join(root, file);
  if (process.argv.includes('--check')) {
    if (!existsSync(target) || readFileSync(target, 'utf8') !== text) stale.push(file);
  } else {
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, text);
  }
}
if (stale.length > 0) {
  console.error(`stale, run npm run docs: ${stale.join(', ')}`);
  process.exit(1);
}

function codesPage() {
  const sections = Object.entries(codes).map(([name, table]) => {
    const rows = Object.entries(table).map(([code, sentence]) => `| \`${code}\` | ${sentence} |`);
    return `## ${name}\n\n| code | meaning |\n| --- | --- |\n${rows.join('\n')}\n`;
  });
  const head = '# Codes\n\nEvery stable code, from `src/core/codes.ts`. A code is never renamed or reused.\n';
  return [head, ...sections].join('\n');
}

/** Each `/** reason … export const NAME = value;` of limits.ts, under the comment line above its group. */
function limitsPage() {
  const source = readFileSync(path.join(root, 'src/core/limits.ts'), 'utf8');
  const lines = [
    '# Limits',
    '',
    'Every bound, its default and the reason for it, from `src/core/limits.ts`.',
  ];
  const pattern =
    /^\/\/ (?<group>.+)$|\/\*\* (?<reason>[^]*?) \*\/\nexport const (?<name>\w+) = (?<value>[^;]+);/gm;
  for (const { groups } of source.matchAll(pattern)) {
    if (groups.group !== undefined) {
      lines.push(
        '',
        `## ${groups.group.replace(/[.:]$/, '')}`,
        '',
        '| limit | value | why |',
        '| --- | --- | --- |',
      );
    } else {
      const reason = groups.reason.replaceAll(/\s*\n \* ?/g, ' ');
      lines.push(`| \`${groups.name}\` | ${groups.value.replaceAll('_', '')} | ${reason} |`);
    }
  }
  return `${lines.join('\n')}\n`;
}
