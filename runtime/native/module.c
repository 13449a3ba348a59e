/* Opening artifacts (see module.h). What is loaded is a private copy of the file: the loader knows libraries by their names and would give an old one for a new file, and a file that is
   cut off or written over while it is mapped ends the process. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "module.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../abi/seal.h"

#if defined(__x86_64__)
#define MACHINE EM_X86_64
#elif defined(__aarch64__)
#define MACHINE EM_AARCH64
#else
#define MACHINE EM_NONE
#endif

/* No artifact is larger: its manifest is text of a program, and its code comes from that. */
#define LARGEST ((off_t)1 << 30)

/* The bytes of a regular file; NULL and an error when it is none or cannot be read. */
static char *contents(const char *path, size_t *bytes, tfc_error *error) {
  /* Opening a pipe must not wait for whoever writes to it. */
  int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) {
    TFC_FAIL(error, "file-not-found", "%s: %s", path, strerror(errno));
    return NULL;
  }
  struct stat status;
  char *read_bytes = NULL;
  size_t done = 0;
  if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size > LARGEST) TFC_FAIL(error, "bad-artifact", "%s is not a complete shared library", path);
  else if ((read_bytes = malloc((size_t)status.st_size + 1)) == NULL) TFC_FAIL(error, "out-of-memory", "no memory to open %s", path);
  while (read_bytes != NULL && done < (size_t)status.st_size) {
    ssize_t count = pread(file, read_bytes + done, (size_t)status.st_size - done, (off_t)done);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    done += (size_t)count;
  }
  close(file);
  *bytes = done;
  return read_bytes;
}

static bool check_contents(const char *path, const char *bytes, size_t length, tfc_error *error) {
  Elf64_Ehdr header;
  if (!tfc_seal_fits(bytes, length) || length < sizeof(header)) {
    TFC_FAIL(error, "bad-artifact", "%s is not a complete shared library of this version of tfc, or is damaged", path);
    return false;
  }
  memcpy(&header, bytes, sizeof(header));
  if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_type != ET_DYN || header.e_machine != MACHINE) {
    TFC_FAIL(error, "bad-artifact", "%s was compiled for another kind of processor or system", path);
    return false;
  }
  return true;
}

/* A file in memory with these bytes, or -1. */
static int copy_of(const char *bytes, size_t length) {
  int file = memfd_create("tfc-module", MFD_CLOEXEC);
  size_t done = 0;
  while (file >= 0 && done < length) {
    ssize_t count = write(file, bytes + done, length - done);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      int reason = errno;
      close(file);
      errno = reason;
      return -1;
    }
    done += (size_t)count;
  }
  return file;
}

static bool check_table(const char *path, const tfc_module *table, tfc_error *error) {
  if (table == NULL) {
    TFC_FAIL(error, "bad-artifact", "%s has an empty module table", path);
    return false;
  }
  if (table->abi_version != TFC_ABI_VERSION) {
    TFC_FAIL(error, "bad-artifact", "%s has version %d of the binary interface, and this runtime takes version %d", path, (int)table->abi_version, TFC_ABI_VERSION);
    return false;
  }
  if (table->manifest == NULL || table->manifest_bytes < 0 || table->entry_count < 0 || (table->entry_count > 0 && table->entries == NULL)) {
    TFC_FAIL(error, "bad-artifact", "%s has an incomplete module table", path);
    return false;
  }
  for (int32_t at = 0; at < table->entry_count; at += 1) {
    const tfc_entry *entry = &table->entries[at];
    if (entry->name == NULL || entry->arena_bytes == NULL || entry->run == NULL || entry->phase_count < 0 || (entry->phase_count > 0 && (entry->shares == NULL || entry->phase == NULL))) {
      TFC_FAIL(error, "bad-artifact", "%s: entry %d of the module table is incomplete", path, (int)at);
      return false;
    }
  }
  return true;
}

/* The library in `file`, mapped; the loader calls it by the descriptor's number, which stays taken as long as it is mapped. */
static void *map_library(const char *path, int file, tfc_error *error) {
  char name[64];
  (void)snprintf(name, sizeof(name), "/proc/self/fd/%d", file);
  void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) {
    const char *reason = dlerror();
    TFC_FAIL(error, "bad-artifact", "%s cannot be loaded: %s", path, reason == NULL ? "the loader does not say why" : reason);
  }
  return library;
}

static const tfc_module *table_of(const char *path, void *library, tfc_error *error) {
  tfc_module_table_fn module_table;
  void *symbol = dlsym(library, "tfc_module_table");
  if (symbol == NULL) {
    TFC_FAIL(error, "bad-artifact", "%s does not export tfc_module_table", path);
    return NULL;
  }
  memcpy(&module_table, &symbol, sizeof(symbol));
  const tfc_module *table = module_table();
  return check_table(path, table, error) ? table : NULL;
}

tfc_loaded *tfc_loaded_open(const char *path, tfc_error *error) {
  size_t length = 0;
  char *bytes = contents(path, &length, error);
  if (bytes == NULL) return NULL;
  int file = -1;
  if (check_contents(path, bytes, length, error)) {
    file = copy_of(bytes, length);
    if (file < 0) TFC_FAIL(error, "out-of-memory", "no memory to open %s (%s)", path, strerror(errno));
  }
  free(bytes);
  if (file < 0) return NULL;
  void *library = map_library(path, file, error);
  const tfc_module *table = library == NULL ? NULL : table_of(path, library, error);
  tfc_loaded *loaded = table == NULL ? NULL : malloc(sizeof(tfc_loaded));
  if (loaded == NULL) {
    if (error->code == NULL) TFC_FAIL(error, "out-of-memory", "no memory to open %s", path);
    if (library != NULL) dlclose(library);
    close(file);
    return NULL;
  }
  *loaded = (tfc_loaded){.references = 1, .library = library, .file = file, .table = table};
  return loaded;
}

void tfc_loaded_release(tfc_loaded *loaded) {
  if (loaded == NULL || --loaded->references > 0) return;
  dlclose(loaded->library);
  close(loaded->file);
  free(loaded);
}
