// The part of the CUDA driver API that is emulated: its types and numbers. In: nothing. Out: declarations whose sizes and values are the
// real ones (CUDA 12 and 13), for the library and the harness. Holds: names are our own where C's are macros; functions have the exported
// names, with their version (`cuMemAlloc_v2`).
#pragma once
#include <cstddef>
#include <cstdint>

#define TFC_CUDA extern "C" __attribute__((visibility("default")))

using CUresult = int;
using CUdevice = int;
using CUdeviceptr = unsigned long long;

enum Result : int {
  kOk = 0,
  kInvalidValue = 1,
  kOutOfMemory = 2,
  kNotInitialized = 3,
  kDeinitialized = 4,
  kNoDevice = 100,
  kInvalidDevice = 101,
  kInvalidImage = 200,
  kInvalidContext = 201,
  kNoBinaryForGpu = 209,
  kInvalidPtxResult = 218,
  kUnsupportedPtx = 222,
  kInvalidHandle = 400,
  kIllegalState = 401,
  kNotFound = 500,
  kNotReady = 600,
  kIllegalAddressResult = 700,
  kLaunchOutOfResources = 701,
  kLaunchTimeoutResult = 702,
  kIllegalInstructionResult = 715,
  kMisalignedAddressResult = 716,
  kLaunchFailedResult = 719,
  kNotSupported = 801,
  kCaptureUnsupported = 900,
  kCaptureInvalidated = 901,
  kCaptureUnmatched = 903,
  kCaptureUnjoined = 904,
  kCaptureImplicit = 906,
  kGraphUpdateFailed = 910,
};

enum DeviceAttribute : int {
  kMaxThreadsPerBlock = 1,
  kMaxBlockX = 2,
  kMaxBlockY = 3,
  kMaxBlockZ = 4,
  kMaxGridX = 5,
  kMaxGridY = 6,
  kMaxGridZ = 7,
  kMaxSharedPerBlock = 8,
  kWarpSize = 10,
  kMaxRegistersPerBlock = 12,
  kClockRate = 13,
  kMultiprocessors = 16,
  kIntegrated = 18,
  kConcurrentKernels = 31,
  kMemoryClockRate = 36,
  kMemoryBusWidth = 37,
  kL2Bytes = 38,
  kMaxThreadsPerMultiprocessor = 39,
  kAsyncEngines = 40,
  kUnifiedAddressing = 41,
  kComputeMajor = 75,
  kComputeMinor = 76,
  kMaxSharedPerMultiprocessor = 81,
  kMaxRegistersPerMultiprocessor = 82,
  kMaxSharedOptIn = 97,
  kMaxBlocksPerMultiprocessor = 106,
  kReservedSharedPerBlock = 111,
  kMemoryPools = 115,
  kTensorMaps = 127,
};

enum FunctionAttribute : int {
  kFunctionMaxThreads = 0,
  kFunctionSharedBytes = 1,
  kFunctionConstBytes = 2,
  kFunctionLocalBytes = 3,
  kFunctionRegisters = 4,
  kFunctionPtxVersion = 5,
  kFunctionBinaryVersion = 6,
  kFunctionMaxDynamicShared = 8,
  kFunctionCarveout = 9,
};

enum JitOption : int { kJitInfoLog = 3, kJitInfoLogBytes = 4, kJitErrorLog = 5, kJitErrorLogBytes = 6 };

struct LaunchConfiguration {
  unsigned gridX, gridY, gridZ, blockX, blockY, blockZ, sharedBytes;
  struct Stream* stream;
  void* attributes;
  unsigned attributeCount;
};

struct KernelNodeParameters {
  struct KernelHandle* function;
  unsigned gridX, gridY, gridZ, blockX, blockY, blockZ, sharedBytes;
  void** parameters;
  void** extra;
  void* kernel;
  void* context;
};

enum GraphUpdate : int { kUpdateOk = 0, kUpdateError = 1, kUpdateTopology = 2, kUpdateNodeType = 3, kUpdateFunction = 4 };

struct GraphUpdateInfo {
  int result;
  void* node;
  void* from;
};
