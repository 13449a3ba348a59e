/* Looks for the driver (see cuda-driver.h). */
#include "cuda-driver.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

static const struct {
  const char *name;
  size_t at;
} symbols[] = {
    {"cuInit", offsetof(tfc_cuda, init)},
    {"cuDriverGetVersion", offsetof(tfc_cuda, driver_version)},
    {"cuDeviceGetCount", offsetof(tfc_cuda, device_count)},
    {"cuDeviceGet", offsetof(tfc_cuda, device_get)},
    {"cuDeviceGetAttribute", offsetof(tfc_cuda, device_attribute)},
    {"cuDevicePrimaryCtxRetain", offsetof(tfc_cuda, retain)},
    {"cuDevicePrimaryCtxRelease_v2", offsetof(tfc_cuda, release)},
    {"cuCtxSetCurrent", offsetof(tfc_cuda, set_current)},
    {"cuGetErrorName", offsetof(tfc_cuda, error_name)},
    {"cuGetErrorString", offsetof(tfc_cuda, error_text)},
    {"cuStreamCreate", offsetof(tfc_cuda, stream_create)},
    {"cuStreamDestroy_v2", offsetof(tfc_cuda, stream_destroy)},
    {"cuStreamSynchronize", offsetof(tfc_cuda, stream_wait)},
    {"cuStreamWaitEvent", offsetof(tfc_cuda, wait_for_event)},
    {"cuEventCreate", offsetof(tfc_cuda, event_create)},
    {"cuEventDestroy_v2", offsetof(tfc_cuda, event_destroy)},
    {"cuEventRecord", offsetof(tfc_cuda, event_record)},
    {"cuEventSynchronize", offsetof(tfc_cuda, event_wait)},
    {"cuMemHostAlloc", offsetof(tfc_cuda, pin)},
    {"cuMemFreeHost", offsetof(tfc_cuda, unpin)},
    {"cuMemAlloc_v2", offsetof(tfc_cuda, allocate)},
    {"cuMemFree_v2", offsetof(tfc_cuda, release_memory)},
    {"cuMemGetInfo_v2", offsetof(tfc_cuda, memory_info)},
    {"cuMemsetD8Async", offsetof(tfc_cuda, clear)},
    {"cuMemcpyHtoDAsync_v2", offsetof(tfc_cuda, to_device)},
    {"cuMemcpyDtoHAsync_v2", offsetof(tfc_cuda, to_host)},
    {"cuModuleLoadDataEx", offsetof(tfc_cuda, load)},
    {"cuModuleUnload", offsetof(tfc_cuda, unload)},
    {"cuModuleGetFunction", offsetof(tfc_cuda, function)},
    {"cuFuncSetAttribute", offsetof(tfc_cuda, function_set)},
    {"cuStreamBeginCapture_v2", offsetof(tfc_cuda, capture)},
    {"cuStreamEndCapture", offsetof(tfc_cuda, captured)},
    {"cuGraphInstantiateWithFlags", offsetof(tfc_cuda, instantiate)},
    {"cuGraphDestroy", offsetof(tfc_cuda, destroy_graph)},
    {"cuGraphExecDestroy", offsetof(tfc_cuda, destroy_made)},
    {"cuGraphLaunch", offsetof(tfc_cuda, launch_graph)},
    {"cuLaunchKernel", offsetof(tfc_cuda, launch)},
};

tfc_cuda tfc_cuda_driver;
static pthread_mutex_t opening = PTHREAD_MUTEX_INITIALIZER;
static bool opened;

bool tfc_cuda_open(tfc_error *error) {
  pthread_mutex_lock(&opening);
  if (!opened) {
    void *library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) TFC_FAIL(error, "no-device", "there is no driver for NVIDIA GPUs on this machine (libcuda.so.1)");
    for (size_t at = 0; library != NULL && at < sizeof(symbols) / sizeof(symbols[0]); at += 1) {
      void *symbol = dlsym(library, symbols[at].name);
      if (symbol == NULL) {
        TFC_FAIL(error, "no-device", "the driver for NVIDIA GPUs is too old: it lacks %s", symbols[at].name);
        dlclose(library);
        library = NULL;
        break;
      }
      memcpy((char *)&tfc_cuda_driver + symbols[at].at, &symbol, sizeof(symbol));
    }
    opened = library != NULL;
  }
  pthread_mutex_unlock(&opening);
  return opened;
}
