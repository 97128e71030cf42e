import js from '@eslint/js';
import query from '@tanstack/eslint-plugin-query';
import { createTypeScriptImportResolver } from 'eslint-import-resolver-typescript';
import importX from 'eslint-plugin-import-x';
import jsxA11y from 'eslint-plugin-jsx-a11y';
import reactHooks from 'eslint-plugin-react-hooks';
import globals from 'globals';
import tseslint from 'typescript-eslint';

/** Features, in one list, so that each is kept apart from all the others. */
const features = [
  'catalogue',
  'compare',
  'home',
  'jobs',
  'runs',
  'session',
  'settings',
  'sites',
  'sweeps',
];

/** Imports flow shared -> features -> app, and no feature knows another. */
const zones = [
  {
    target: ['./src/api', './src/components', './src/lib', './src/strings'],
    from: ['./src/features', './src/app'],
    message: 'Shared code knows neither features nor the app.',
  },
  { target: './src/features', from: './src/app', message: 'Features do not know the app.' },
  {
    target: ['./src/api', './src/lib', './src/strings'],
    from: './src/components',
    message: 'Only features, the app and components use components.',
  },
  ...features.map((name) => ({
    target: `./src/features/${name}`,
    from: './src/features',
    except: [`./${name}`],
    message: 'A feature does not import another; move what both need to shared code.',
  })),
];

export default tseslint.config(
  { ignores: ['dist', 'src/api/schema.d.ts'] },
  js.configs.recommended,
  {
    files: ['**/*.{ts,tsx}'],
    extends: [
      ...tseslint.configs.strictTypeChecked,
      ...tseslint.configs.stylisticTypeChecked,
      jsxA11y.flatConfigs.strict,
      ...query.configs['flat/recommended'],
      reactHooks.configs.flat.recommended,
    ],
    languageOptions: { parserOptions: { projectService: true }, globals: globals.browser },
    plugins: { 'import-x': importX },
    settings: {
      'import-x/resolver-next': [createTypeScriptImportResolver({ project: 'tsconfig.app.json' })],
    },
    rules: {
      complexity: ['error', 12],
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true }],
      'max-lines': ['error', { max: 400 }],
      'import-x/no-restricted-paths': ['error', { zones }],
      'import-x/no-cycle': 'error',
      'import-x/no-default-export': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/consistent-type-definitions': ['error', 'interface'],
      '@typescript-eslint/only-throw-error': [
        'error',
        { allow: [{ from: 'package', package: '@tanstack/router-core', name: 'Redirect' }] },
      ],
    },
  },
  { files: ['*.config.ts'], rules: { 'import-x/no-default-export': 'off' } },
  { files: ['**/*.js'], languageOptions: { globals: { ...globals.node, ...globals.browser } } },
);
