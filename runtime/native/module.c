/* Opening artifacts (see module.h). A file that was cut off would crash the dynamic loader, so its segments are compared with the file's length first. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "module.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __linux__
#include <elf.h>

static int complete(int file, off_t length) {
  Elf64_Ehdr header;
  if (pread(file, &header, sizeof(header), 0) != (ssize_t)sizeof(header)) return 0;
  if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_type != ET_DYN) return 0;
  if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum == 0 || header.e_phnum > 64) return 0;
  for (int at = 0; at < header.e_phnum; at += 1) {
    Elf64_Phdr segment;
    if (header.e_phoff > (uint64_t)length) return 0;
    off_t offset = (off_t)(header.e_phoff + (uint64_t)at * sizeof(segment));
    if (pread(file, &segment, sizeof(segment), offset) != (ssize_t)sizeof(segment)) return 0;
    if (segment.p_type != PT_LOAD) continue;
    if (segment.p_offset > (uint64_t)length || segment.p_filesz > (uint64_t)length - segment.p_offset) return 0;
  }
  return 1;
}
#else
static int complete(int file, off_t length) {
  (void)file;
  return length > 0;
}
#endif

static int check_file(const char *path, tfc_error *error) {
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    TFC_FAIL(error, "file-not-found", "%s: %s", path, strerror(errno));
    return 0;
  }
  struct stat status;
  int good = fstat(file, &status) == 0 && S_ISREG(status.st_mode) && complete(file, status.st_size);
  close(file);
  if (!good) TFC_FAIL(error, "bad-artifact", "%s is not a complete shared library", path);
  return good;
}

static int check_table(const char *path, const tfc_module *table, tfc_error *error) {
  if (table == NULL) {
    TFC_FAIL(error, "bad-artifact", "%s has an empty module table", path);
    return 0;
  }
  if (table->abi_version != TFC_ABI_VERSION) {
    TFC_FAIL(error, "bad-artifact", "%s has version %d of the binary interface, and this runtime takes version %d", path, (int)table->abi_version, TFC_ABI_VERSION);
    return 0;
  }
  if (table->manifest == NULL || table->entry_count < 0 || (table->entry_count > 0 && table->entries == NULL)) {
    TFC_FAIL(error, "bad-artifact", "%s has an incomplete module table", path);
    return 0;
  }
  for (int32_t at = 0; at < table->entry_count; at += 1) {
    const tfc_entry *entry = &table->entries[at];
    if (entry->name == NULL || entry->arena_bytes == NULL || entry->run == NULL || entry->phase_count < 0 || (entry->phase_count > 0 && (entry->shares == NULL || entry->phases == NULL))) {
      TFC_FAIL(error, "bad-artifact", "%s: entry %d of the module table is incomplete", path, (int)at);
      return 0;
    }
  }
  return 1;
}

tfc_loaded *tfc_loaded_open(const char *path, tfc_error *error) {
  if (!check_file(path, error)) return NULL;
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) {
    const char *reason = dlerror();
    TFC_FAIL(error, "bad-artifact", "%s", reason == NULL ? path : reason);
    return NULL;
  }
  tfc_module_table_fn module_table;
  void *symbol = dlsym(library, "tfc_module_table");
  memcpy(&module_table, &symbol, sizeof(symbol));
  if (symbol == NULL) {
    TFC_FAIL(error, "bad-artifact", "%s does not export tfc_module_table", path);
    dlclose(library);
    return NULL;
  }
  const tfc_module *table = module_table();
  tfc_loaded *loaded = check_table(path, table, error) ? malloc(sizeof(tfc_loaded)) : NULL;
  if (loaded == NULL) {
    if (error->code == NULL) TFC_FAIL(error, "out-of-memory", "no memory to open %s", path);
    dlclose(library);
    return NULL;
  }
  loaded->references = 1;
  loaded->library = library;
  loaded->table = table;
  return loaded;
}

void tfc_loaded_release(tfc_loaded *loaded) {
  if (loaded == NULL || --loaded->references > 0) return;
  dlclose(loaded->library);
  free(loaded);
}
