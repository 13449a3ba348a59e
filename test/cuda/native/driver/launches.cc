// Launches. In: cuLaunchKernel, cuLaunchKernelEx. Out: work of a stream. Holds: limits of grids, blocks and shared memory are the real
// ones; a launch that tests have chosen to fail ends with the status that they have chosen.
#include "launches.h"
#include <cstring>
#include "../ptx/fault.h"

namespace {

/** CU_LAUNCH_PARAM_BUFFER_POINTER, …_SIZE. */
constexpr uintptr_t kBufferPointer = 1, kBufferSize = 2;

int argumentsOf(const machine::Kernel& kernel, void** parameters, void** extra, std::vector<uint8_t>& bytes) {
  bytes.assign(kernel.parameterBytes, 0);
  if (extra != nullptr) {
    const void* buffer = nullptr;
    size_t size = 0;
    for (; *extra != nullptr; extra += 2) {
      if (reinterpret_cast<uintptr_t>(*extra) == kBufferPointer) buffer = extra[1];
      else if (reinterpret_cast<uintptr_t>(*extra) == kBufferSize) size = *static_cast<size_t*>(extra[1]);
      else return kInvalidValue;
    }
    if (size != bytes.size() || buffer == nullptr) return kInvalidValue;
    std::memcpy(bytes.data(), buffer, size);
    return kOk;
  }
  if (parameters == nullptr) return kernel.parameters.empty() ? kOk : kInvalidValue;
  for (size_t i = 0; i < kernel.parameters.size(); ++i) {
    if (parameters[i] == nullptr) return kInvalidValue;
    std::memcpy(bytes.data() + kernel.parameters[i].offset, parameters[i], kernel.parameters[i].bytes);
  }
  return kOk;
}

void run(const machine::Launch& launch, KernelHandle* function) {
  State& all = state();
  if (all.functions.count(function) == 0) throw ptx::Fault(static_cast<ptx::Status>(kInvalidHandle), "a kernel whose module was unloaded before it ran");
  if (all.faultAt != 0 && all.counts.launches + 1 == all.faultAt) {
    ++all.counts.launches;
    throw ptx::Fault(static_cast<ptx::Status>(all.faultCode), "injected fault in launch " + std::to_string(all.faultAt) + ", kernel " + launch.kernel->name);
  }
  machine::runLaunch(launch, all.memory, all.timeline, all.counts, all.settings);
}

}  // namespace

int kernelWork(machine::Dim3 grid, machine::Dim3 block, KernelHandle* function, unsigned sharedBytes, void** parameters, void** extra, Work& made) {
  if (state().functions.count(function) == 0) return kInvalidHandle;
  const machine::Kernel& kernel = *function->kernel;
  const uint64_t threads = static_cast<uint64_t>(block.x) * block.y * block.z;
  if (grid.x == 0 || grid.y == 0 || grid.z == 0 || threads == 0) return kInvalidValue;
  if (grid.x > 0x7fffffff || grid.y > 65535 || grid.z > 65535 || block.x > 1024 || block.y > 1024 || block.z > 64) return kInvalidValue;
  if (threads > 1024 || threads > kernel.maxThreads || (kernel.exactThreads && threads != kernel.maxThreads)) return kInvalidValue;
  if (sharedBytes > kernel.maxDynamicShared) return kInvalidValue;
  auto launch = std::make_shared<machine::Launch>();
  launch->kernel = &kernel;
  launch->grid = grid;
  launch->block = block;
  launch->dynamicShared = sharedBytes;
  if (const int status = argumentsOf(kernel, parameters, extra, launch->parameters)) return status;
  made = {Work::Kernel, [launch, function] { run(*launch, function); }, function, launch};
  return kOk;
}

TFC_CUDA CUresult cuLaunchKernel(KernelHandle* function, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX, unsigned blockY, unsigned blockZ,
                                 unsigned sharedBytes, Stream* stream, void** parameters, void** extra) {
  TFC_READY();
  Work made;
  if (const int status = kernelWork({gridX, gridY, gridZ}, {blockX, blockY, blockZ}, function, sharedBytes, parameters, extra, made)) return status;
  return push(stream, std::move(made));
}

TFC_CUDA CUresult cuLaunchKernelEx(const LaunchConfiguration* how, KernelHandle* function, void** parameters, void** extra) {
  if (how == nullptr) return kInvalidValue;
  return cuLaunchKernel(function, how->gridX, how->gridY, how->gridZ, how->blockX, how->blockY, how->blockZ, how->sharedBytes, how->stream, parameters, extra);
}

TFC_CUDA CUresult cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, KernelHandle* function, int blockSize, size_t dynamicShared) {
  TFC_READY();
  if (state().functions.count(function) == 0) return kInvalidHandle;
  if (blockSize <= 0) return kInvalidValue;
  const size_t shared = function->kernel->staticShared + dynamicShared + 1024;
  const size_t byThreads = 2048 / ((static_cast<size_t>(blockSize) + 31) / 32 * 32);
  *blocks = static_cast<int>(std::min({byThreads, size_t{233472} / shared, size_t{32}}));
  return kOk;
}
