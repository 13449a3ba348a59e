/* The value of one element. In: its address and its dtype, as the ABI numbers them. Out: the nearest f64, which for all dtypes but i64 and u64 is the same number. */
#ifndef TFC_SCALAR_H
#define TFC_SCALAR_H

#include <stdint.h>

double tfc_scalar_value(const void *address, int32_t dtype);

#endif
