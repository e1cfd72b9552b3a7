import js from '@eslint/js';
import tseslint from 'typescript-eslint';

const outsideWorld = [
  ['Date', 'Time comes from Env.clock.'],
  ['performance', 'Time comes from Env.clock.'],
  ['setTimeout', 'Timers come from Env.clock.'],
  ['setInterval', 'Timers come from Env.clock.'],
  ['setImmediate', 'Use Env.clock.defer.'],
  ['queueMicrotask', 'Use Env.clock.defer.'],
  ['crypto', 'Randomness comes from Env.random.'],
].map(([name, message]) => ({ name, message }));

const outsideModules = [
  { name: 'node:timers', message: 'Timers come from Env.clock.' },
  { name: 'node:timers/promises', message: 'Timers come from Env.clock.' },
  { name: 'node:perf_hooks', message: 'Time comes from Env.clock.' },
  { name: 'node:dns', message: 'Names are resolved by Env.resolver.' },
  { name: 'node:dns/promises', message: 'Names are resolved by Env.resolver.' },
];

export default tseslint.config(
  { ignores: ['dist/', 'coverage/', '**/generated/', 'node_modules/'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true, allow: [{ from: 'lib', name: 'Error' }] },
      ],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/unified-signatures': 'off',
      eqeqeq: 'error',
      'no-console': 'error',
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/env/**', 'src/testing/**'],
    rules: {
      'no-restricted-globals': ['error', ...outsideWorld],
      'no-restricted-imports': ['error', { paths: outsideModules }],
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: 'Randomness comes from Env.random.' },
        { object: 'process', property: 'hrtime', message: 'Time comes from Env.clock.' },
        { object: 'process', property: 'nextTick', message: 'Use Env.clock.defer.' },
        { object: 'AbortSignal', property: 'timeout', message: 'Timers come from Env.clock.' },
      ],
      'no-restricted-syntax': [
        'error',
        {
          selector: 'ImportSpecifier[imported.name=/^(randomBytes|randomInt|randomUUID|randomFillSync)$/]',
          message: 'Randomness comes from Env.random.',
        },
      ],
    },
  },
  {
    files: ['src/cli/**/*.ts'],
    rules: { 'no-restricted-globals': 'off' },
  },
  {
    files: ['test/**/*.ts'],
    rules: { '@typescript-eslint/no-unused-expressions': 'off' },
  },
  {
    files: ['**/*.{js,mjs,cjs}'],
    languageOptions: {
      globals: {
        console: 'readonly',
        process: 'readonly',
        module: 'writable',
        URL: 'readonly',
        Buffer: 'readonly',
        AbortController: 'readonly',
      },
    },
  },
);
