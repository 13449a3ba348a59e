/* Sessions (see session.h). */
#include "session.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"

#define LINE ((size_t)64)
/* More than any machine has, and far from overflow in sums. */
#define MAXIMUM_BYTES ((double)(1ull << 60))

static tfc_session *without_memory(tfc_session *session, double bytes, tfc_error *error) {
  TFC_FAIL(error, "out-of-memory", "no memory for %.0f bytes of variables", bytes);
  tfc_session_release(session);
  return NULL;
}

/* Whole lines, and one at least, even when there are no elements: addresses of variables differ. */
static size_t room(const tfc_rows *rows) {
  size_t bytes = (size_t)(rows->count * rows->pitch);
  return bytes == 0 ? LINE : (bytes + LINE - 1) / LINE * LINE;
}

tfc_session *tfc_session_create(int32_t threads, int32_t device, int32_t variable_count, const tfc_rows *rows, tfc_error *error) {
  double sum = 0;
  for (int32_t at = 0; at < variable_count; at += 1) sum += rows[at].count * rows[at].pitch + (double)LINE;
  tfc_session *session = calloc(1, sizeof(tfc_session));
  if (session == NULL || !(sum < MAXIMUM_BYTES)) return without_memory(session, sum, error);
  session->references = 1;
  session->variable_count = variable_count;
  session->variables = calloc((size_t)variable_count + 1, sizeof(void *));
  session->rows = calloc((size_t)variable_count + 1, sizeof(tfc_rows));
  if (session->variables == NULL || session->rows == NULL) return without_memory(session, sum, error);
  size_t total = 0;
  for (int32_t at = 0; at < variable_count; at += 1) {
    session->rows[at] = rows[at];
    total += room(&rows[at]);
  }
  if (device >= 0) {
    session->gpu = tfc_gpu_open(device, error);
    if (session->gpu != NULL) session->block = tfc_gpu_take(session->gpu, total, true, error);
    if (session->block == NULL) {
      tfc_session_release(session);
      return NULL;
    }
  } else session->block = tfc_memory_take(total);
  session->block_bytes = total;
  if (session->block == NULL) return without_memory(session, sum, error);
  size_t offset = 0;
  for (int32_t at = 0; at < variable_count; at += 1) {
    session->variables[at] = (char *)session->block + offset;
    offset += room(&rows[at]);
  }
  session->threads = threads;
  if (threads > 1 && session->gpu == NULL) {
    session->team = tfc_team_create(threads);
    if (session->team == NULL) return without_memory(session, sum, error);
  }
  return session;
}

void tfc_session_close(tfc_session *session) {
  if (session->closed) return;
  session->closed = true;
  tfc_team_destroy(session->team);
  if (session->gpu == NULL) {
    tfc_memory_give(session->block, session->block_bytes);
    tfc_memory_give(session->arena, session->arena_bytes);
  } else {
    tfc_gpu_give(session->gpu, session->block);
    tfc_gpu_give(session->gpu, session->arena);
    tfc_gpu_close(session->gpu);
    session->gpu = NULL;
  }
  free(session->variables);
  free(session->rows);
  session->team = NULL;
  session->block = NULL;
  session->arena = NULL;
  session->arena_used = 0;
  session->variables = NULL;
  session->rows = NULL;
  session->variable_count = 0;
  session->arena_bytes = 0;
}

void tfc_session_release(tfc_session *session) {
  if (session == NULL || --session->references > 0) return;
  tfc_session_close(session);
  free(session);
}

size_t tfc_session_bytes(const tfc_session *session, int32_t variable) {
  const tfc_rows *rows = &session->rows[variable];
  return (size_t)(rows->count * rows->bytes);
}

bool tfc_session_write(tfc_session *session, int32_t variable, const void *from, tfc_error *error) {
  const tfc_rows *rows = &session->rows[variable];
  const size_t count = (size_t)rows->count, bytes = (size_t)rows->bytes, pitch = (size_t)rows->pitch;
  if (session->gpu != NULL) return tfc_gpu_write(session->gpu, session->variables[variable], from, count, bytes, pitch, error);
  for (size_t at = 0; at < count; at += 1) memcpy((char *)session->variables[variable] + at * pitch, (const char *)from + at * bytes, bytes);
  return true;
}

bool tfc_session_read(const tfc_session *session, int32_t variable, void *to, tfc_error *error) {
  const tfc_rows *rows = &session->rows[variable];
  const size_t count = (size_t)rows->count, bytes = (size_t)rows->bytes, pitch = (size_t)rows->pitch;
  if (session->gpu != NULL) return tfc_gpu_read(session->gpu, to, session->variables[variable], count, bytes, pitch, error);
  for (size_t at = 0; at < count; at += 1) memcpy((char *)to + at * bytes, (const char *)session->variables[variable] + at * pitch, bytes);
  return true;
}

bool tfc_session_swap(tfc_session *session, int32_t one, int32_t other) {
  const tfc_rows *a = &session->rows[one];
  const tfc_rows *b = &session->rows[other];
  if (a->count != b->count || a->bytes != b->bytes || a->pitch != b->pitch) return false;
  void *kept = session->variables[one];
  session->variables[one] = session->variables[other];
  session->variables[other] = kept;
  session->swaps += 1;
  return true;
}

bool tfc_session_grow(tfc_session *session, int64_t bytes, const char *who, tfc_error *error) {
  if ((uint64_t)bytes <= session->arena_bytes) return true;
  /* Its contents do not matter, so the old one goes first and the two never lie side by side. */
  if (session->gpu != NULL) tfc_gpu_give(session->gpu, session->arena);
  else tfc_memory_give(session->arena, session->arena_bytes);
  session->arena_bytes = 0;
  session->arena_used = 0;
  session->arena = session->gpu != NULL ? tfc_gpu_take(session->gpu, (size_t)bytes, false, error) : tfc_memory_take((size_t)bytes);
  if (session->arena == NULL && session->gpu != NULL) return false;
  if (session->arena == NULL) {
    TFC_FAIL(error, "out-of-memory", "no memory for the %lld bytes that entry %s works in at these sizes", (long long)bytes, who);
    return false;
  }
  session->arena_bytes = (size_t)bytes;
  return true;
}

/* What is there is copied behind itself, twice as much every time, as far as the first-level cache reaches. */
static void repeat_element(char *to, size_t all, const void *element, size_t bytes) {
  memcpy(to, element, bytes);
  for (size_t done = bytes; done < all;) {
    size_t piece = done < 16384 ? done : 16384;
    if (piece > all - done) piece = all - done;
    memcpy(to + done, to, piece);
    done += piece;
  }
}

bool tfc_session_fill(tfc_session *session, int32_t variable, const void *element, size_t bytes, tfc_error *error) {
  /* With what lies behind the rows. */
  size_t all = (size_t)(session->rows[variable].count * session->rows[variable].pitch);
  if (all < bytes) return true;
  if (session->gpu == NULL) {
    repeat_element(session->variables[variable], all, element, bytes);
    return true;
  }
  char *here = tfc_memory_take(all);
  if (here == NULL) {
    TFC_FAIL(error, "out-of-memory", "no memory for the %zu bytes of a variable", all);
    return false;
  }
  repeat_element(here, all, element, bytes);
  bool done = tfc_gpu_write(session->gpu, session->variables[variable], here, 1, all, all, error);
  tfc_memory_give(here, all);
  return done;
}
