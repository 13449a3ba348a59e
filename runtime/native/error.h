/* How native code reports a failure: a code that callers know by name, and a sentence. In: nothing. Out: a value that the caller owns.
   Holds: nothing here aborts, allocates or prints. */
#ifndef TFC_ERROR_H
#define TFC_ERROR_H

#include <stdio.h>

typedef struct tfc_error {
  const char *code; /* NULL: no failure; else a constant string such as "bad-artifact" */
  char text[512];
} tfc_error;

#define TFC_FAIL(error, name, ...) ((error)->code = (name), (void)snprintf((error)->text, sizeof((error)->text), __VA_ARGS__))

#endif
