/* An NVIDIA GPU, by its driver alone. In: a device's number; PTX; addresses and sizes. Out: memory on the device, launches, copies. Holds: `libcuda.so.1` is looked for when a device is first
   asked for; one stream keeps the order of all that is asked, but for what is staged on another one; what fails once fails from then on, with the first text, until the device is closed. Functions may be called from any thread, from
   one at a time. */
#ifndef TFC_GPU_H
#define TFC_GPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../abi/tfc.h"
#include "error.h"

typedef struct tfc_gpu tfc_gpu;

/* Launches that are done again as they are: the same kernels, sizes and addresses. */
typedef struct tfc_gpu_graph tfc_gpu_graph;

/* A point in the order of what a device does. */
typedef struct tfc_gpu_event tfc_gpu_event;

/* The kernels of one artifact on a device. */
typedef struct tfc_gpu_code tfc_gpu_code;

/* NULL and no-device, or device-failed, with the driver's words. */
tfc_gpu *tfc_gpu_open(int32_t number, tfc_error *error);
/* With all memory, code and graphs that are left. */
void tfc_gpu_close(tfc_gpu *gpu);

/* NULL and an error: out-of-memory with the sizes, device-failed. Contents: `zero` or whatever. */
void *tfc_gpu_take(tfc_gpu *gpu, size_t bytes, bool zero, tfc_error *error);
/* Memory of this machine that the device copies from while steps run. NULL and an error. */
void *tfc_gpu_pin(tfc_gpu *gpu, size_t bytes, tfc_error *error);
/* NULL and an error. */
tfc_gpu_event *tfc_gpu_event_make(tfc_gpu *gpu, tfc_error *error);
/* Lets go of memory of either kind, an event, or a graph, when the device is done with all that was asked; NULL is fine. */
void tfc_gpu_give(tfc_gpu *gpu, void *what);

/* The best of an artifact's codes that the device can run; NULL: there is none. */
const tfc_device_code *tfc_gpu_best(const tfc_gpu *gpu, const tfc_device_code *codes, int32_t count);

/* Compiled by the driver; NULL and device-failed with what it says of the text. Closing the device frees it. */
tfc_gpu_code *tfc_gpu_load(tfc_gpu *gpu, const tfc_device_code *code, tfc_error *error);

/* Rows of `bytes` bytes, `pitch` bytes apart on the device, one after the other here. Waits until they are there. */
bool tfc_gpu_write(tfc_gpu *gpu, void *to, const void *from, size_t rows, size_t bytes, size_t pitch, tfc_error *error);
bool tfc_gpu_read(tfc_gpu *gpu, void *to, const void *from, size_t rows, size_t bytes, size_t pitch, tfc_error *error);

/* What `tfc_call.device` is for code of an entry. */
tfc_device *tfc_gpu_begin(tfc_gpu *gpu, tfc_gpu_code *code);
/* Between the two nothing that is launched runs: it becomes a graph, which is launched at once. NULL where anything failed. */
void tfc_gpu_record(tfc_gpu *gpu);
tfc_gpu_graph *tfc_gpu_recorded(tfc_gpu *gpu);
void tfc_gpu_replay(tfc_gpu *gpu, tfc_gpu_graph *graph);

/* In the order of the stream: from host memory, and back to it. */
void tfc_gpu_send(tfc_gpu *gpu, void *to, const void *from, size_t bytes);
void tfc_gpu_fetch(tfc_gpu *gpu, void *to, const void *from, size_t bytes);
/* From pinned memory, beside whatever runs. */
void tfc_gpu_stage(tfc_gpu *gpu, void *to, const void *from, size_t bytes);
/* What is asked from here on waits for what was staged. */
void tfc_gpu_staged(tfc_gpu *gpu, tfc_gpu_event *event);
/* The end of what was asked so far; and waiting, here, until the device came there: false where something failed. */
void tfc_gpu_mark(tfc_gpu *gpu, tfc_gpu_event *event);
bool tfc_gpu_reach(tfc_gpu *gpu, tfc_gpu_event *event);
/* Waits for all of it; false and device-failed when anything failed since the device was opened. */
bool tfc_gpu_finish(tfc_gpu *gpu, tfc_error *error);

#endif
