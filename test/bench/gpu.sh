#!/bin/sh
# tfc on an NVIDIA GPU: are its numbers right, and how fast is it?
#
#   test/bench/gpu.sh --pack DIR   makes DIR, on a machine with Node (none of it needs a GPU)
#   sh DIR/gpu.sh                  measures, on a machine with a GPU, a C compiler and Python; Node is not needed there
#   test/bench/gpu.sh              both, for a machine that has all of it; and runs the tests of kernels on the GPU
#
# PyTorch, JAX and compute-sanitizer take part where they are installed.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$here/../..

build() {
  ${CC:-cc} -O2 -pthread -D_GNU_SOURCE -I "$here/runtime/native" -I "$here/runtime/abi" -o "$here/peer" \
    "$here/peer.c" "$here"/runtime/native/*.c -ldl -lm
}

measure() {
  cd "$here"
  [ -x peer ] || build
  exec "${PYTHON:-python3}" measure.py
}

case ${1:-} in
  --build) build ;;
  --pack) exec node "$root/dist/test/bench/main.js" --gpu "$2" ;;
  '')
    if [ -f "$here/workloads.json" ]; then measure; fi
    cd "$root"
    npm run setup
    TFC_CUDA_LIBRARY=libcuda.so.1 npx vitest run test/cuda/chain.test.ts test/cuda/programs.test.ts test/cuda/double.test.ts
    # What four warps multiply is for this generation alone.
    if [ "$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader -i 0)" = 9.0 ]; then
      TFC_CUDA_LIBRARY=libcuda.so.1 npx vitest run test/cuda/hopper.test.ts
    fi
    node dist/test/bench/main.js --gpu build/bench/gpu
    exec sh build/bench/gpu/gpu.sh
    ;;
  *)
    echo 'usage: gpu.sh [--pack DIR]' >&2
    exit 2
    ;;
esac
