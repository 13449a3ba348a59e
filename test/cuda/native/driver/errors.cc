// Names and texts of results, and functions by name. In: a result; a name. Out: what the driver calls it; an address. Holds: texts are our
// own; a name without its version means the newest one, as cuGetProcAddress has it.
#include <dlfcn.h>
#include <cstring>
#include "state.h"

namespace {

struct Text {
  int result;
  const char* name;
  const char* text;
};

constexpr Text kTexts[] = {
    {kOk, "CUDA_SUCCESS", "no error"},
    {kInvalidValue, "CUDA_ERROR_INVALID_VALUE", "invalid argument"},
    {kOutOfMemory, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory"},
    {kNotInitialized, "CUDA_ERROR_NOT_INITIALIZED", "the driver is not initialized"},
    {kDeinitialized, "CUDA_ERROR_DEINITIALIZED", "the driver is shutting down"},
    {kNoDevice, "CUDA_ERROR_NO_DEVICE", "no CUDA-capable device is detected"},
    {kInvalidDevice, "CUDA_ERROR_INVALID_DEVICE", "invalid device ordinal"},
    {kInvalidImage, "CUDA_ERROR_INVALID_IMAGE", "the kernel image is invalid"},
    {kInvalidContext, "CUDA_ERROR_INVALID_CONTEXT", "no context is current"},
    {kNoBinaryForGpu, "CUDA_ERROR_NO_BINARY_FOR_GPU", "no kernel image is available for the device"},
    {kInvalidPtxResult, "CUDA_ERROR_INVALID_PTX", "a PTX JIT compilation failed"},
    {kUnsupportedPtx, "CUDA_ERROR_UNSUPPORTED_PTX_VERSION", "the PTX is of a version that this driver does not know"},
    {kInvalidHandle, "CUDA_ERROR_INVALID_HANDLE", "invalid resource handle"},
    {kIllegalState, "CUDA_ERROR_ILLEGAL_STATE", "the operation cannot be performed in the present state"},
    {kNotFound, "CUDA_ERROR_NOT_FOUND", "named symbol not found"},
    {kNotReady, "CUDA_ERROR_NOT_READY", "device not ready"},
    {kIllegalAddressResult, "CUDA_ERROR_ILLEGAL_ADDRESS", "an illegal memory access was encountered"},
    {kLaunchOutOfResources, "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES", "too many resources requested for launch"},
    {kLaunchTimeoutResult, "CUDA_ERROR_LAUNCH_TIMEOUT", "the launch timed out and was terminated"},
    {kIllegalInstructionResult, "CUDA_ERROR_ILLEGAL_INSTRUCTION", "an illegal instruction was encountered"},
    {kMisalignedAddressResult, "CUDA_ERROR_MISALIGNED_ADDRESS", "misaligned address"},
    {kLaunchFailedResult, "CUDA_ERROR_LAUNCH_FAILED", "unspecified launch failure"},
    {kNotSupported, "CUDA_ERROR_NOT_SUPPORTED", "operation not supported"},
    {kCaptureUnsupported, "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED", "operation not permitted when a stream is capturing"},
    {kCaptureInvalidated, "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED", "the capture failed because of an earlier error"},
    {kCaptureUnmatched, "CUDA_ERROR_STREAM_CAPTURE_UNMATCHED", "the capture was not begun in this stream"},
    {kCaptureUnjoined, "CUDA_ERROR_STREAM_CAPTURE_UNJOINED", "a stream that joined the capture was not joined back"},
    {kCaptureImplicit, "CUDA_ERROR_STREAM_CAPTURE_IMPLICIT", "the operation would make the default stream depend on a capture"},
    {kGraphUpdateFailed, "CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE", "the graph cannot be updated in place"},
};

const Text* textOf(int result) {
  for (const Text& one : kTexts)
    if (one.result == result) return &one;
  return nullptr;
}

}  // namespace

TFC_CUDA CUresult cuGetErrorName(CUresult result, const char** name) {
  const Text* const found = textOf(result);
  *name = found == nullptr ? nullptr : found->name;
  return found == nullptr ? kInvalidValue : kOk;
}

TFC_CUDA CUresult cuGetErrorString(CUresult result, const char** text) {
  const Text* const found = textOf(result);
  *text = found == nullptr ? nullptr : found->text;
  return found == nullptr ? kInvalidValue : kOk;
}

TFC_CUDA CUresult cuGetProcAddress_v2(const char* name, void** function, int version, uint64_t, int* status) {
  *function = nullptr;
  Dl_info here;
  void* const self = dladdr(reinterpret_cast<void*>(&cuGetErrorName), &here) != 0 ? dlopen(here.dli_fname, RTLD_NOLOAD | RTLD_NOW) : nullptr;
  for (const char* suffix : {"_v3", "_v2", ""}) {
    if (*function == nullptr && self != nullptr) *function = dlsym(self, (std::string(name) + suffix).c_str());
  }
  if (self != nullptr) dlclose(self);
  const bool old = version > state().driverVersion;
  if (old) *function = nullptr;
  // CU_GET_PROC_ADDRESS_SUCCESS, …_SYMBOL_NOT_FOUND, …_VERSION_NOT_SUFFICIENT
  if (status != nullptr) *status = *function != nullptr ? 0 : old ? 2 : 1;
  return *function != nullptr ? kOk : kNotFound;
}

TFC_CUDA CUresult cuGetProcAddress(const char* name, void** function, int version, uint64_t flags) {
  return cuGetProcAddress_v2(name, function, version, flags, nullptr);
}
