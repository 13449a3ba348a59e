/* The functions of NVIDIA's driver that the runtime calls, by their binary names. In: nothing. Out: their addresses. Holds: `libcuda.so.1` is opened once for the process, and stays; numbers
   and signatures are those that NVIDIA documents for CUDA 11 and later, so nothing of a toolkit is needed. */
#ifndef TFC_CUDA_DRIVER_H
#define TFC_CUDA_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

typedef int status;
/* On the device. */
typedef uint64_t address;

typedef struct {
  status (*init)(unsigned flags);
  status (*driver_version)(int *version);
  status (*device_count)(int *count);
  status (*device_get)(int *device, int number);
  status (*device_attribute)(int *value, int attribute, int device);
  status (*retain)(void **context, int device);
  status (*release)(int device);
  status (*set_current)(void *context);
  status (*error_name)(status of, const char **name);
  status (*error_text)(status of, const char **text);
  status (*stream_create)(void **stream, unsigned flags);
  status (*stream_destroy)(void *stream);
  status (*stream_wait)(void *stream);
  status (*wait_for_event)(void *stream, void *event, unsigned flags);
  status (*event_create)(void **event, unsigned flags);
  status (*event_destroy)(void *event);
  status (*event_record)(void *event, void *stream);
  status (*event_wait)(void *event);
  status (*allocate)(address *memory, size_t bytes);
  status (*release_memory)(address memory);
  status (*pin)(void **memory, size_t bytes, unsigned flags);
  status (*unpin)(void *memory);
  status (*memory_info)(size_t *left, size_t *all);
  status (*clear)(address to, unsigned char value, size_t bytes, void *stream);
  status (*to_device)(address to, const void *from, size_t bytes, void *stream);
  status (*to_host)(void *to, address from, size_t bytes, void *stream);
  status (*load)(void **module, const void *text, unsigned count, int *options, void **values);
  status (*unload)(void *module);
  status (*function)(void **function, void *module, const char *name);
  status (*function_set)(void *function, int attribute, int value);
  status (*capture)(void *stream, int mode);
  status (*captured)(void *stream, void **graph);
  status (*instantiate)(void **made, void *graph, unsigned long long flags);
  status (*destroy_graph)(void *graph);
  status (*destroy_made)(void *made);
  status (*launch_graph)(void *made, void *stream);
  status (*launch)(void *function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared, void *stream, void **arguments, void **extra);
} tfc_cuda;

/* Filled by the first tfc_cuda_open that succeeds. */
extern tfc_cuda tfc_cuda_driver;

/* False and no-device, where there is no driver or it lacks a function. */
bool tfc_cuda_open(tfc_error *error);

#endif
