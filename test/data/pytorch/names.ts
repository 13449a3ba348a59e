// What layers of classifier.tdsl are called in PyTorch's files. In: paths. Out: names.

const layers: Readonly<Record<string, string>> = { first: '0', norm: '1', last: '3' };
const parts: Readonly<Record<string, string>> = {
  weight: 'weight',
  bias: 'bias',
  scale: 'weight',
  shift: 'bias',
  runningMean: 'running_mean',
  runningVar: 'running_var',
};

/** `first/weight` is `0.weight`, `norm/runningMean` is `1.running_mean`. */
export function nameInPyTorch(path: string): string {
  const [layer = '', part = ''] = path.split('/');
  return `${layers[layer]}.${parts[part]}`;
}
