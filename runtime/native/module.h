/* An opened artifact. In: a path. Out: its table of entries and its manifest. Holds: the file is as it was sealed (abi/seal.h); what is mapped is a copy of its own, whatever becomes of the
   file, and stays until the last reference is given back. */
#ifndef TFC_MODULE_H
#define TFC_MODULE_H

#include <stdint.h>

#include "../abi/tfc.h"
#include "error.h"

typedef struct tfc_loaded {
  int64_t references; /* counted on one thread only */
  void *library;
  int file; /* the copy */
  const tfc_module *table;
} tfc_loaded;

/* NULL and an error with code bad-artifact or file-not-found when the file is no module of this version. The result has one reference. */
tfc_loaded *tfc_loaded_open(const char *path, tfc_error *error);
void tfc_loaded_release(tfc_loaded *loaded);

#endif
