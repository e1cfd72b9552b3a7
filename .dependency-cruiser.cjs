// Who may import whom. Each row of `may` is one folder of src; everything not listed is forbidden.
const core = '^src/core/';
const npm = (...names) => `^node_modules/(${names.join('|')})/`;
const may = {
  core: [core, npm('@noble/hashes', 'sorted-btree')],
  wire: ['^src/wire/', core, npm('protobufjs', 'long')],
  crypto: ['^src/(crypto|wire|core)/', npm('@noble/hashes'), 'node'],
  env: ['^src/(env|crypto|wire|core)/', 'node'],
  store: ['^src/(store|crypto|wire|core)/', npm('classic-level'), 'node'],
  transports: ['^src/(transports|crypto|wire|core)/', 'node'],
  machines: [
    '^src/(machines|core)/',
    '^src/transports/transport\\.ts$',
    '^src/store/peer-store\\.ts$',
    npm('xstate'),
  ],
  inspect: ['^src/(inspect|core)/', '^src/machines/xstate\\.ts$', npm('xstate')],
  actors: ['^src/(actors|inspect|machines|transports|store|env|crypto|wire|core)/', npm('xstate', 'rxjs')],
  testing: [
    '^src/(testing|core|transports|store|inspect|machines)/',
    '^src/index\\.ts$',
    npm('xstate', '@noble/hashes'),
  ],
  cli: [
    '^src/cli/',
    '^src/index\\.ts$',
    '^src/[a-z]+/index\\.ts$',
    npm('commander', 'pino', 'smol-toml', 'protobufjs', 'long'),
    'node',
  ],
};
const folders = Object.entries(may).map(([folder, allowed]) => ({
  name: `${folder}-imports`,
  severity: 'error',
  from: { path: `^src/${folder}/` },
  to: {
    pathNot: allowed.filter((pattern) => pattern !== 'node'),
    dependencyTypesNot: allowed.includes('node') ? ['core'] : [],
  },
}));

module.exports = {
  forbidden: [
    ...folders,
    { name: 'no-cycles', severity: 'error', from: { path: '^src/' }, to: { circular: true } },
    { name: 'no-tests-in-src', severity: 'error', from: { path: '^src/' }, to: { path: '^test/' } },
    {
      name: 'no-dev-dependencies-in-src',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev', 'unknown'] },
    },
    { name: 'no-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: ['^node_modules', '^dist'] },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
};
