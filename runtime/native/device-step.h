/* A step's half on a GPU. In: a bound step; host addresses of its feeds and outputs. Out: copies and launches of its kernels. Holds: feeds and outputs have places on the device at the present
   sizes; launches at the same sizes and addresses are recorded once, then launched as one graph; of steps in a row, feeds travel through pinned memory while the step before them runs. */
#ifndef TFC_DEVICE_STEP_H
#define TFC_DEVICE_STEP_H

#include <stdbool.h>
#include <stdint.h>

#include "step.h"

typedef struct tfc_device_step tfc_device_step;

/* NULL and an error. `source`: the artifact's code for GPUs. */
tfc_device_step *tfc_device_step_create(tfc_step *step, const tfc_device_code *source, tfc_error *error);
/* NULL is fine, and so is a session that is closed. */
void tfc_device_step_destroy(tfc_device_step *device);

/* Places for feeds and outputs at the step's sizes. False and an error. */
bool tfc_device_step_size(tfc_device_step *device, tfc_error *error);

/* As tfc_step_run and tfc_step_repeat. */
int32_t tfc_device_step_run(tfc_device_step *device, tfc_error *error);
int32_t tfc_device_step_repeat(tfc_device_step *device, int64_t steps, const double *strides, double *series, tfc_error *error);

#endif
