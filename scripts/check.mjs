// Runs every check in turn and says which failed: format, lint, types, import rules, unused code, docs, package, tests.
import { spawnSync } from 'node:child_process';

const CHECKS = [
  'format:check',
  'build',
  'lint',
  'typecheck',
  'imports',
  'unused',
  'docs:check',
  'package:check',
];
const withTests = process.argv.includes('--tests');

const failed = [];
for (const name of withTests ? [...CHECKS, 'test'] : CHECKS) {
  const started = process.hrtime.bigint();
  const { status } = spawnSync('npm', ['run', '--silent', name], { stdio: 'inherit' });
  const seconds = Number((process.hrtime.bigint() - started) / 1_000_000n) / 1000;
  console.log(`${status === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds.toFixed(1)} s)`);
  if (status !== 0) failed.push(name);
}
if (failed.length > 0) {
  console.error(`failed: ${failed.join(', ')}`);
  process.exitCode = 1;
}
