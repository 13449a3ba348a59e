/* Floating-point mode of a step. In: the thread's control register. Out: the same with denormal results flushed, or restored.
   Holds: inside a step denormal operands count as what they are, on every thread that computes; outside nothing changes. Rounding is to
   nearest, ties to even. On x86-64 results that are denormal become zero, because moments and momenta that fade out would otherwise stay
   denormal, which makes its arithmetic many times slower, for good. AArch64 would flush operands as well, so it keeps its denormals, as
   others do. */
#ifndef TFC_FLOATING_H
#define TFC_FLOATING_H

#include <stdint.h>

#if defined(__x86_64__)
#include <immintrin.h>

static inline uint64_t tfc_floating_enter(void) {
  uint32_t before = _mm_getcsr();
  /* bit 15 flushes results, bit 6 treats operands as zero */
  if ((before & 0x8040u) != 0x8000u) _mm_setcsr((before | 0x8000u) & ~0x40u);
  return before;
}

static inline void tfc_floating_leave(uint64_t before) {
  if ((before & 0x8040u) != 0x8000u) _mm_setcsr((uint32_t)before);
}

#elif defined(__aarch64__)

static inline uint64_t tfc_floating_enter(void) {
  uint64_t before;
  __asm__ volatile("mrs %0, fpcr" : "=r"(before));
  /* bit 24 flushes operands as well as results */
  __asm__ volatile("msr fpcr, %0" : : "r"(before & ~(1ull << 24)));
  return before;
}

static inline void tfc_floating_leave(uint64_t before) {
  __asm__ volatile("msr fpcr, %0" : : "r"(before));
}

#else

static inline uint64_t tfc_floating_enter(void) { return 0; }
static inline void tfc_floating_leave(uint64_t before) { (void)before; }

#endif
#endif
