// Code generation for NVIDIA GPUs. In: kernel IR. Out: PTX, and the launches of each program.

export { cuda, forHopper } from './backend.js';
export { buildModule } from './module.js';
