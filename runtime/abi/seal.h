/* The seal of an artifact: its last bytes, by which damage is told before anything is loaded. In: the bytes of a shared library. Out: what is appended to them.
   Holds: it guards against damage (a full disk, a broken copy), not against malice: who can write the library can seal it. Loaders of shared libraries pass over it. */
#ifndef TFC_SEAL_H
#define TFC_SEAL_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct tfc_seal {
  char magic[8];    /* "tfc seal" */
  uint64_t bytes;   /* of the library before the seal */
  uint64_t hash;    /* of these bytes: XXH64 with seed 0 */
} tfc_seal;

static inline uint64_t tfc_seal_rotate(uint64_t x, int by) { return x << by | x >> (64 - by); }

static inline uint64_t tfc_seal_word(const unsigned char *at) {
  uint64_t word;
  memcpy(&word, at, sizeof(word));
  return word;
}

/* XXH64 (Yann Collet, "xxHash fast digest algorithm", version 0.1.1), for little-endian machines. */
static inline uint64_t tfc_seal_hash(const void *data, size_t bytes) {
  const uint64_t p1 = 0x9E3779B185EBCA87u, p2 = 0xC2B2AE3D27D4EB4Fu, p3 = 0x165667B19E3779F9u, p4 = 0x85EBCA77C2B2AE63u, p5 = 0x27D4EB2F165667C5u;
  const unsigned char *at = (const unsigned char *)data;
  const unsigned char *const end = at + bytes;
  uint64_t hash = p5;
  if (bytes >= 32) {
    uint64_t lanes[4] = {p1 + p2, p2, 0, 0 - p1};
    for (; end - at >= 32; at += 32) {
      for (int lane = 0; lane < 4; lane += 1) lanes[lane] = tfc_seal_rotate(lanes[lane] + tfc_seal_word(at + 8 * lane) * p2, 31) * p1;
    }
    hash = tfc_seal_rotate(lanes[0], 1) + tfc_seal_rotate(lanes[1], 7) + tfc_seal_rotate(lanes[2], 12) + tfc_seal_rotate(lanes[3], 18);
    for (int lane = 0; lane < 4; lane += 1) hash = (hash ^ tfc_seal_rotate(lanes[lane] * p2, 31) * p1) * p1 + p4;
  }
  hash += (uint64_t)bytes;
  for (; end - at >= 8; at += 8) hash = tfc_seal_rotate(hash ^ tfc_seal_rotate(tfc_seal_word(at) * p2, 31) * p1, 27) * p1 + p4;
  if (end - at >= 4) {
    uint32_t half;
    memcpy(&half, at, sizeof(half));
    hash = tfc_seal_rotate(hash ^ half * p1, 23) * p2 + p3;
    at += 4;
  }
  for (; at < end; at += 1) hash = tfc_seal_rotate(hash ^ *at * p5, 11) * p1;
  hash = (hash ^ hash >> 33) * p2;
  hash = (hash ^ hash >> 29) * p3;
  return hash ^ hash >> 32;
}

static inline tfc_seal tfc_seal_of(const void *library, size_t bytes) {
  tfc_seal seal;
  memcpy(seal.magic, "tfc seal", sizeof(seal.magic));
  seal.bytes = bytes;
  seal.hash = tfc_seal_hash(library, bytes);
  return seal;
}

/* Whether `bytes` bytes are a library and its seal. */
static inline int tfc_seal_fits(const void *file, size_t bytes) {
  if (bytes < sizeof(tfc_seal)) return 0;
  const size_t library = bytes - sizeof(tfc_seal);
  const tfc_seal wanted = tfc_seal_of(file, library);
  return memcmp((const unsigned char *)file + library, &wanted, sizeof(wanted)) == 0;
}

#endif
