// What the compiler does not say. In: every TypeScript and script file. Out: lint errors. Holds: a room imports only the rooms
// that its tsconfig.json references, so the table of imports is written down once.

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import tseslint from 'typescript-eslint';

const root = dirname(fileURLToPath(import.meta.url));

/** The nearest folder above `path` with a tsconfig.json, as a path from the root; undefined at the root itself. */
function roomOf(path) {
  for (let folder = dirname(path); folder !== root && folder.startsWith(root); folder = dirname(folder)) {
    if (existsSync(join(folder, 'tsconfig.json'))) return relative(root, folder);
  }
  return undefined;
}

function referencesOf(room) {
  const { references } = JSON.parse(readFileSync(join(root, room, 'tsconfig.json'), 'utf8'));
  return references.map((r) => relative(root, resolve(root, room, r.path)));
}

const roomImports = {
  meta: {
    type: 'problem',
    schema: [],
    messages: { wall: '{{from}} must not import {{to}} (see the references in {{from}}/tsconfig.json).' },
  },
  create(context) {
    const from = roomOf(context.filename);
    if (from === undefined) return {};
    const allowed = new Set([from, ...referencesOf(from)]);
    const check = (node) => {
      const name = node.source?.value;
      if (typeof name !== 'string' || !name.startsWith('.')) return;
      const to = roomOf(resolve(dirname(context.filename), name));
      if (to !== undefined && !allowed.has(to)) context.report({ node, messageId: 'wall', data: { from, to } });
    };
    return { ImportDeclaration: check, ImportExpression: check, ExportNamedDeclaration: check, ExportAllDeclaration: check };
  },
};

const opName = "MemberExpression[property.name='name'][object.property.name='op']";

export default tseslint.config(
  { ignores: ['dist/', 'build/', 'coverage/', 'node_modules/', 'src/train/tensorboard/proto/*_pb.ts'] },
  {
    files: ['**/*.{js,mjs,ts}'],
    extends: [tseslint.configs.strict],
    plugins: { tfc: { rules: { 'room-imports': roomImports } } },
    rules: {
      'tfc/room-imports': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      // `noUncheckedIndexedAccess` makes the checks; an assertion stays visible where a bound is known.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/no-invalid-void-type': 'off',
      eqeqeq: 'error',
      // What the formatter cannot break: comments, names.
      'max-len': ['error', { code: 140, ignoreStrings: true, ignoreTemplateLiterals: true, ignoreRegExpLiterals: true }],
      'no-console': 'off',
      'prefer-const': 'error',
    },
  },
  {
    // Passes ask the op: what differs from op to op is a field of its definition, and attributes have the types that it gives them.
    files: ['src/**/*.ts', 'codegen/**/*.ts', 'runtime/**/*.ts'],
    ignores: ['src/ops/**'],
    rules: {
      'no-restricted-syntax': [
        'error',
        ...[
          `BinaryExpression[operator=/^[!=]==?$/] > ${opName}`,
          `SwitchStatement > ${opName}.discriminant`,
          `CallExpression[callee.property.name=/^(includes|has|get)$/] > ${opName}.arguments`,
        ].map((selector) => ({ selector, message: 'Ask the op (src/ops/define.ts), or compare with its definition (isNodeOf).' })),
        {
          selector: "MemberExpression[computed=true][object.property.name='attrs'] > Literal.property",
          message: 'Attributes have types: isNodeOf, sourceOf.',
        },
      ],
    },
  },
  {
    // LLVM has one door.
    files: ['**/*.ts'],
    ignores: ['codegen/llvm/builder/**', 'test/llvm/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            { group: ['llvm-bindings', '**/builder/addon.js', '**/builder/raw.js'], message: 'Use codegen/llvm/builder/index.js.' },
          ],
        },
      ],
    },
  },
);
