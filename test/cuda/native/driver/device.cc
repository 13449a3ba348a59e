// Devices and contexts. In: cuInit, cuDevice…, cuCtx…. Out: one device, an H200 as its attributes have it. Holds: without a context that
// is current on the calling thread nothing else works.
#include <cstdio>
#include <cstring>
#include "state.h"

namespace {

int attribute(int which) {
  const int capability = state().capability;
  const bool hopper = capability >= 90;
  switch (which) {
    case kMaxThreadsPerBlock: case kMaxBlockX: case kMaxBlockY: return 1024;
    case kMaxBlockZ: return 64;
    case kMaxGridX: return 0x7fffffff;
    case kMaxGridY: case kMaxGridZ: return 65535;
    case kMaxSharedPerBlock: return 49152;
    case kWarpSize: return 32;
    case kMaxRegistersPerBlock: case kMaxRegistersPerMultiprocessor: return 65536;
    case kClockRate: return 1'980'000;
    case kMultiprocessors: return hopper ? 132 : 108;
    case kConcurrentKernels: case kUnifiedAddressing: case kMemoryPools: return 1;
    case kMemoryClockRate: return 3'201'000;
    case kMemoryBusWidth: return 6144;
    case kL2Bytes: return 60 << 20;
    case kMaxThreadsPerMultiprocessor: return 2048;
    case kAsyncEngines: return 3;
    case kComputeMajor: return capability / 10;
    case kComputeMinor: return capability % 10;
    case kMaxSharedPerMultiprocessor: return hopper ? 233472 : 167936;
    case kMaxSharedOptIn: return hopper ? 232448 : 166912;
    case kMaxBlocksPerMultiprocessor: return 32;
    case kReservedSharedPerBlock: return 1024;
    case kTensorMaps: return hopper ? 1 : 0;
    default: return 0;
  }
}

int initialized() {
  if (!state().initialized) return kNotInitialized;
  return state().sticky;
}

}  // namespace

TFC_CUDA CUresult cuInit(unsigned flags) {
  TFC_LOCKED;
  if (flags != 0) return kInvalidValue;
  if (state().noDevice) return kNoDevice;
  state().initialized = true;
  return kOk;
}

TFC_CUDA CUresult cuDriverGetVersion(int* version) {
  TFC_LOCKED;
  if (version == nullptr) return kInvalidValue;
  *version = state().driverVersion;
  return kOk;
}

TFC_CUDA CUresult cuDeviceGetCount(int* count) {
  TFC_LOCKED;
  if (const int status = initialized()) return status;
  *count = 1;
  return kOk;
}

TFC_CUDA CUresult cuDeviceGet(CUdevice* device, int ordinal) {
  TFC_LOCKED;
  if (const int status = initialized()) return status;
  if (ordinal != 0) return kInvalidDevice;
  *device = 0;
  return kOk;
}

TFC_CUDA CUresult cuDeviceGetName(char* name, int length, CUdevice device) {
  TFC_LOCKED;
  if (const int status = initialized()) return status;
  if (device != 0) return kInvalidDevice;
  std::snprintf(name, static_cast<size_t>(length), "emulated sm_%d", state().capability);
  return kOk;
}

TFC_CUDA CUresult cuDeviceGetUuid_v2(void* uuid, CUdevice device) {
  TFC_LOCKED;
  if (const int status = initialized()) return status;
  if (device != 0) return kInvalidDevice;
  std::memset(uuid, 0x74, 16);
  return kOk;
}

TFC_CUDA CUresult cuDeviceTotalMem_v2(size_t* bytes, CUdevice device) {
  TFC_LOCKED;
  if (const int status = initialized()) return status;
  if (device != 0) return kInvalidDevice;
  *bytes = state().totalMemory;
  return kOk;
}

TFC_CUDA CUresult cuDeviceGetAttribute(int* value, int which, CUdevice device) {
  TFC_LOCKED;
  if (const int status = initialized()) return status;
  if (device != 0) return kInvalidDevice;
  *value = attribute(which);
  return kOk;
}

TFC_CUDA CUresult cuDevicePrimaryCtxRetain(Context** context, CUdevice device) {
  TFC_LOCKED;
  if (const int status = initialized()) return status;
  if (device != 0) return kInvalidDevice;
  ++state().context.references;
  *context = &state().context;
  return kOk;
}

TFC_CUDA CUresult cuDevicePrimaryCtxRelease_v2(CUdevice device) {
  TFC_LOCKED;
  State& all = state();
  if (!all.initialized) return kNotInitialized;
  if (device != 0) return kInvalidDevice;
  if (all.context.references == 0) return kInvalidContext;
  if (--all.context.references > 0) return kOk;
  if (all.sticky == kOk) finishAll();
  // Whatever the context owned goes with it.
  all.memory.clear();
  currentContext = nullptr;
  return kOk;
}

TFC_CUDA CUresult cuCtxSetCurrent(Context* context) {
  TFC_LOCKED;
  if (const int status = initialized()) return status;
  if (context != nullptr && (context != &state().context || context->references == 0)) return kInvalidContext;
  currentContext = context;
  return kOk;
}

TFC_CUDA CUresult cuCtxGetCurrent(Context** context) {
  TFC_LOCKED;
  if (!state().initialized) return kNotInitialized;
  *context = currentContext;
  return kOk;
}

TFC_CUDA CUresult cuCtxSynchronize() {
  TFC_READY(false);
  finishAll();
  return state().sticky;
}
