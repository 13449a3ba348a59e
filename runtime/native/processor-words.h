/* What this machine's processor says of itself. In: nothing. Out: words that runtime/abi/processor.ts knows the bits of. Holds: all zero on processors that have no such words. */
#ifndef TFC_PROCESSOR_WORDS_H
#define TFC_PROCESSOR_WORDS_H

#include <stdint.h>

enum { TFC_PROCESSOR_WORDS = 9 };

#ifdef __x86_64__
#include <cpuid.h>

static inline void tfc_processor_words(uint32_t words[TFC_PROCESSOR_WORDS]) {
  uint32_t a = 0, b = 0, c = 0, d = 0;
  for (int at = 0; at < TFC_PROCESSOR_WORDS; at += 1) words[at] = 0;
  if (__get_cpuid(1, &a, &b, &c, &d)) {
    words[0] = a;
    words[1] = c;
    /* Only where the system saves more than the oldest registers may it be asked which. */
    if (c >> 27 & 1) {
      uint32_t low = 0, high = 0;
      __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
      words[8] = low;
    }
  }
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) {
    words[2] = b;
    words[3] = c;
    words[4] = d;
    if (a >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d)) {
      words[5] = a;
      words[6] = d;
    }
  }
  if (__get_cpuid(0x80000001u, &a, &b, &c, &d)) words[7] = c;
}
#else
static inline void tfc_processor_words(uint32_t words[TFC_PROCESSOR_WORDS]) {
  for (int at = 0; at < TFC_PROCESSOR_WORDS; at += 1) words[at] = 0;
}
#endif

#endif
