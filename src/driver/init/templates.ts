// What `tfc init` writes beside `package.json`. In: the name of a project. Out: files with their texts. Holds: a project type-checks,
// trains and resumes as it stands, by the commands that its README names; the same template is the same to the byte.

import type { Wanted } from './manifest.js';
import { moonsTable, rentsTable } from './tables.js';

export interface ProjectFile {
  readonly path: string;
  readonly text: string;
}

export interface Template {
  readonly name: string;
  /** One line for help. */
  readonly about: string;
  readonly model: string;
  /** Behind `tfc train model.tdsl`. */
  readonly training: string;
  readonly table: () => string;
  /** The TypeScript program. */
  readonly program: string;
  readonly story: string;
}

/** How programs of both begin. */
const opening = `import { existsSync } from 'node:fs';
import model from './model.tdsl';

const weights = 'weights.safetensors';
if (!existsSync(weights)) {
  console.error(\`There is no \${weights} yet: npm run train makes it.\`);
  process.exit(1);
}

`;

const moons: Template = {
  name: 'moons',
  about: 'a small network that tells two kinds of points apart',
  model: `// Tells two half moons apart: a perceptron with one hidden layer.
import { Dense, tanh, sigmoid } from "std/nn"
import { binaryCrossEntropy, binaryAccuracy } from "std/loss"
import { adam } from "std/optim"

dim Hidden = 16

model Net {
  hidden = Dense<2, Hidden>(act: tanh)
  output = Dense<Hidden, 1>()

  fn call<B>(x: f32[B, 2]): f32[B, 1] = output(hidden(x))
}

net = Net()

/// How likely each point is of the second moon.
export fn probability<B>(x: f32[B, 2]): f32[B, 1] = sigmoid(net(x))

export step train<B>(x: f32[B, 2], y: f32[B, 1], lr: f32): { loss: f32, accuracy: f32 } {
  let logits = net(x)
  let loss = mean(binaryCrossEntropy(logits: logits, labels: y))
  minimize loss with adam(lr: lr)
  return { loss, accuracy: binaryAccuracy(logits: logits, labels: y) }
}

/// The same numbers without training: what validates.
export fn metrics<B>(x: f32[B, 2], y: f32[B, 1]): { loss: f32, accuracy: f32 } {
  let logits = net(x)
  return { loss: mean(binaryCrossEntropy(logits: logits, labels: y)), accuracy: binaryAccuracy(logits: logits, labels: y) }
}
`,
  training: '--batch 50 --epochs 60 --lr 0.03',
  table: moonsTable,
  program: `${opening}// What training has saved; one call for as many points as there are.
const session = model.session();
session.restore(weights);
const points = [
  [0, 1],
  [1, -0.5],
];
const { data } = session.probability({ x: points });
for (const [at, point] of points.entries()) console.log(\`(\${point.join(', ')}): \${(100 * Number(data[at])).toFixed(1)} % of the second moon\`);
session.close();
`,
  story: 'Points of two half moons, and a network that tells which of them a point is from.',
};

const regression: Template = {
  name: 'regression',
  about: 'a number from a table of numbers',
  model: `// Rents of flats: a linear part and a small network for what is not linear.
import { Dense, relu } from "std/nn"
import { mse } from "std/loss"
import { adam } from "std/optim"

dim Features = 3
dim Hidden = 8

model Net {
  linear = Dense<Features, 1>()
  hidden = Dense<Features, Hidden>(act: relu)
  output = Dense<Hidden, 1>()

  fn call<B>(x: f32[B, Features]): f32[B, 1] = linear(x) + output(hidden(x))
}

net = Net()

/// Rents in units of 1000 of flats: area in units of 100 m², rooms, age in units of 100 years.
export fn predict<B>(x: f32[B, Features]): f32[B, 1] = net(x)

export step train<B>(x: f32[B, Features], y: f32[B, 1], lr: f32): { loss: f32 } {
  let loss = mse(predictions: net(x), targets: y)
  minimize loss with adam(lr: lr)
  return { loss }
}

/// The same number without training: what validates.
export fn metrics<B>(x: f32[B, Features], y: f32[B, 1]): { loss: f32 } {
  return { loss: mse(predictions: net(x), targets: y) }
}
`,
  training: '--batch 25 --epochs 60 --lr 0.01',
  table: rentsTable,
  program: `${opening}// What training has saved; one call for as many flats as there are.
const session = model.session();
session.restore(weights);
const flats = [
  [0.5, 2, 0.3],
  [1.2, 4, 0.9],
];
const { data } = session.predict({ x: flats });
for (const [at, [area = 0, rooms = 0]] of flats.entries()) console.log(\`\${100 * area} m², \${rooms} rooms: \${(1000 * Number(data[at])).toFixed(0)}\`);
session.close();
`,
  story: 'Rents of flats by area, rooms and age, and a model that says what another flat would cost.',
};

export const templates: readonly Template[] = [moons, regression];

/** What its `package.json` has. */
export function wantedOf(template: Template): Wanted {
  const train = `tfc train model.tdsl --data data.csv ${template.training} --validate 0.2 --checkpoint checkpoints --resume --logdir runs --save weights.safetensors`;
  return {
    scripts: {
      check: 'tfc types && tsc --noEmit',
      train,
      curves: 'tfc report runs',
      start: 'tfc types && tsc && node --import @tdsl/tfc/register main.js',
    },
    devDependencies: { '@types/node': '^20.19.0', typescript: '^6.0.0' },
  };
}

export function filesOf(template: Template, name: string): ProjectFile[] {
  const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
  return [
    {
      path: 'tsconfig.json',
      text: json({
        compilerOptions: {
          target: 'es2022',
          lib: ['es2023', 'esnext.disposable'],
          module: 'nodenext',
          strict: true,
          noUncheckedIndexedAccess: true,
          skipLibCheck: true,
          types: ['node'],
          allowArbitraryExtensions: true,
          rootDirs: ['.', '.tfc/types'],
        },
        include: ['*.ts', '.tfc/types'],
      }),
    },
    { path: '.gitignore', text: 'node_modules/\n.tfc/\n*.js\ncheckpoints/\nruns/\nweights.safetensors\n' },
    { path: 'model.tdsl', text: template.model },
    { path: 'data.csv', text: template.table() },
    { path: 'main.ts', text: template.program },
    {
      path: 'README.md',
      text: `# ${name}

${template.story}

\`\`\`sh
npm install
npm run train    # from data.csv; interrupt it and start it again: it goes on where it was
npm run curves   # the losses on the terminal; runs/…/report.html is the page that training ends with
npm start        # a program in TypeScript that uses what was trained
npm run check    # types of the model and of the program
\`\`\`

\`model.tdsl\` is the model with its training step, \`data.csv\` what it learns from, \`main.ts\` a program that asks it. \`npx tfc summary
model.tdsl\` shows its layers, \`npx tfc graph model.tdsl -o graph.html\` draws it, \`npx tfc train --help\` lists what else training can do.
`,
    },
  ];
}
