// Code generation for NVIDIA GPUs. In: kernel IR. Out: PTX, and the launches of each program.

export { cuda } from './backend.js';
export { buildModule } from './module.js';
