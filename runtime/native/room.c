/* Memory that is left (see room.h). */
#include "room.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The number behind `name` at the start of a line; of an empty name that of the first line. */
static bool number_in(const char *path, const char *name, uint64_t *found) {
  FILE *file = fopen(path, "re");
  if (file == NULL) return false;
  char line[256];
  bool is_found = false;
  while (!is_found && fgets(line, sizeof(line), file) != NULL) {
    if (strncmp(line, name, strlen(name)) != 0) continue;
    const char *start = line + strlen(name);
    char *end = NULL;
    *found = strtoull(start, &end, 10);
    is_found = end != start;
  }
  fclose(file);
  return is_found;
}

/* What a control group leaves, whose files lie in `folder`; `most` where it has no limit. */
static uint64_t left_in(const char *folder, const char *limit_name, const char *used_name, const char *cached_name, uint64_t most) {
  char path[PATH_MAX];
  uint64_t limit = 0, used = 0, cached = 0;
  if (snprintf(path, sizeof(path), "%s/%s", folder, limit_name) >= (int)sizeof(path) || !number_in(path, "", &limit)) return most;
  if (snprintf(path, sizeof(path), "%s/%s", folder, used_name) >= (int)sizeof(path) || !number_in(path, "", &used)) return most;
  if (snprintf(path, sizeof(path), "%s/memory.stat", folder) < (int)sizeof(path)) number_in(path, cached_name, &cached);
  used -= cached < used ? cached : used;
  uint64_t left = used < limit ? limit - used : 0;
  return left < most ? left : most;
}

size_t tfc_room(void) {
  uint64_t available = 0, swap = 0;
  if (!number_in("/proc/meminfo", "MemAvailable:", &available)) return SIZE_MAX;
  number_in("/proc/meminfo", "SwapFree:", &swap);
  uint64_t room = (available + swap) << 10;
  /* In a container the own group is what is seen at the top. */
  room = left_in("/sys/fs/cgroup", "memory.max", "memory.current", "inactive_file ", room);
  room = left_in("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file ", room);
  return room < SIZE_MAX ? (size_t)room : SIZE_MAX;
}
