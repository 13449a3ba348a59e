/* Vectors of f32 as wide as the machine has them. In: pointers, vectors. Out: vectors. Holds: loads and stores need no alignment beyond an element's; lanes past a tail are never touched. */
#ifndef BENCH_VECTOR_H
#define BENCH_VECTOR_H

#include <immintrin.h>
#include <stdint.h>

#define INLINE static inline __attribute__((always_inline))
#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

#if defined(__AVX512F__)
#define LANES 16
typedef __m512 wide;
typedef __mmask16 lanes;
INLINE wide load(const float *p) { return _mm512_loadu_ps(p); }
INLINE void store(float *p, wide v) { _mm512_storeu_ps(p, v); }
INLINE void stream(float *p, wide v) { _mm512_stream_ps(p, v); }
INLINE wide splat(float x) { return _mm512_set1_ps(x); }
INLINE wide madd(wide a, wide b, wide c) { return _mm512_fmadd_ps(a, b, c); }
INLINE wide larger(wide a, wide b) { return _mm512_max_ps(a, b); }
INLINE wide smaller(wide a, wide b) { return _mm512_min_ps(a, b); }
INLINE wide root(wide a) { return _mm512_sqrt_ps(a); }
INLINE float total(wide a) { return _mm512_reduce_add_ps(a); }
INLINE float largest(wide a) { return _mm512_reduce_max_ps(a); }
INLINE wide absolute(wide a) { return _mm512_abs_ps(a); }
INLINE wide nearest(wide a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
/* a · 2^n for whole n */
INLINE wide scale(wide a, wide n) { return _mm512_scalef_ps(a, n); }
INLINE lanes positive(wide a) { return _mm512_cmp_ps_mask(a, _mm512_setzero_ps(), _CMP_GT_OQ); }
INLINE wide keep(lanes m, wide a) { return _mm512_maskz_mov_ps(m, a); }
INLINE wide choose(lanes m, wide yes, wide no) { return _mm512_mask_blend_ps(m, no, yes); }
INLINE lanes first(long n) { return (lanes)(n >= LANES ? 0xffff : (1u << n) - 1); }
INLINE wide load_some(lanes m, const float *p) { return _mm512_maskz_loadu_ps(m, p); }
#elif defined(__AVX2__)
#define LANES 8
typedef __m256 wide;
typedef __m256 lanes;
INLINE wide load(const float *p) { return _mm256_loadu_ps(p); }
INLINE void store(float *p, wide v) { _mm256_storeu_ps(p, v); }
INLINE void stream(float *p, wide v) { _mm256_stream_ps(p, v); }
INLINE wide splat(float x) { return _mm256_set1_ps(x); }
INLINE wide madd(wide a, wide b, wide c) { return _mm256_fmadd_ps(a, b, c); }
INLINE wide larger(wide a, wide b) { return _mm256_max_ps(a, b); }
INLINE wide smaller(wide a, wide b) { return _mm256_min_ps(a, b); }
INLINE wide root(wide a) { return _mm256_sqrt_ps(a); }
INLINE float total(wide a) {
  __m128 s = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
  s = _mm_add_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}
INLINE float largest(wide a) {
  __m128 s = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
  s = _mm_max_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_max_ss(s, _mm_movehdup_ps(s)));
}
INLINE wide absolute(wide a) { return _mm256_andnot_ps(splat(-0.0f), a); }
INLINE wide nearest(wide a) { return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
INLINE wide scale(wide a, wide n) {
  __m256i bits = _mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23);
  return _mm256_mul_ps(a, _mm256_castsi256_ps(bits));
}
INLINE lanes positive(wide a) { return _mm256_cmp_ps(a, _mm256_setzero_ps(), _CMP_GT_OQ); }
INLINE wide keep(lanes m, wide a) { return _mm256_and_ps(m, a); }
INLINE wide choose(lanes m, wide yes, wide no) { return _mm256_blendv_ps(no, yes, m); }
INLINE lanes first(long n) { return _mm256_cmp_ps(_mm256_setr_ps(0, 1, 2, 3, 4, 5, 6, 7), splat((float)n), _CMP_LT_OQ); }
INLINE wide load_some(lanes m, const float *p) { return _mm256_maskload_ps(p, _mm256_castps_si256(m)); }
#elif defined(__SSE2__)
/* What every x86-64 has: no fused multiply-add, no masks. */
#define LANES 4
typedef __m128 wide;
typedef __m128 lanes;
INLINE wide load(const float *p) { return _mm_loadu_ps(p); }
INLINE void store(float *p, wide v) { _mm_storeu_ps(p, v); }
INLINE void stream(float *p, wide v) { _mm_stream_ps(p, v); }
INLINE wide splat(float x) { return _mm_set1_ps(x); }
INLINE wide madd(wide a, wide b, wide c) { return a * b + c; }
INLINE wide larger(wide a, wide b) { return _mm_max_ps(a, b); }
INLINE wide smaller(wide a, wide b) { return _mm_min_ps(a, b); }
INLINE wide root(wide a) { return _mm_sqrt_ps(a); }
INLINE float total(wide a) {
  a = _mm_add_ps(a, _mm_movehl_ps(a, a));
  return _mm_cvtss_f32(_mm_add_ss(a, _mm_shuffle_ps(a, a, 1)));
}
INLINE float largest(wide a) {
  a = _mm_max_ps(a, _mm_movehl_ps(a, a));
  return _mm_cvtss_f32(_mm_max_ss(a, _mm_shuffle_ps(a, a, 1)));
}
INLINE wide absolute(wide a) { return _mm_andnot_ps(splat(-0.0f), a); }
INLINE wide nearest(wide a) { return _mm_cvtepi32_ps(_mm_cvtps_epi32(a)); }
INLINE wide scale(wide a, wide n) { return _mm_mul_ps(a, _mm_castsi128_ps(_mm_slli_epi32(_mm_add_epi32(_mm_cvtps_epi32(n), _mm_set1_epi32(127)), 23))); }
INLINE lanes positive(wide a) { return _mm_cmpgt_ps(a, _mm_setzero_ps()); }
INLINE wide keep(lanes m, wide a) { return _mm_and_ps(m, a); }
INLINE wide choose(lanes m, wide yes, wide no) { return _mm_or_ps(_mm_and_ps(m, yes), _mm_andnot_ps(m, no)); }
INLINE lanes first(long n) { return _mm_cmplt_ps(_mm_setr_ps(0, 1, 2, 3), splat((float)n)); }
/* Memory of the marks is readable beyond the end of an array. */
INLINE wide load_some(lanes m, const float *p) { return keep(m, load(p)); }
#else
#error "the marks are written for x86-64"
#endif

/* e^x: x = n·ln 2 + r, polynomial of degree 5 in r (Cephes, Stephen Moshier); about 1 ulp within [-87, 88]. */
INLINE wide exponential(wide x) {
  x = smaller(larger(x, splat(-87.3f)), splat(88.0f));
  wide n = nearest(x * splat(1.44269504f));
  wide r = madd(n, splat(-0.693359375f), x);
  r = madd(n, splat(2.12194440e-4f), r);
  wide p = madd(splat(1.9875691500e-4f), r, splat(1.3981999507e-3f));
  p = madd(p, r, splat(8.3334519073e-3f));
  p = madd(p, r, splat(4.1665795894e-2f));
  p = madd(p, r, splat(1.6666665459e-1f));
  p = madd(p, r, splat(5.0000001201e-1f));
  return scale(madd(p, r * r, r + splat(1.0f)), n);
}

/* log(1 + t) for t in [0, 1]: 2·artanh(t / (2 + t)) as a series; its terms fall by at least 9, so eight of them reach f32's end. */
INLINE wide log_one_plus(wide t) {
  wide s = t / (splat(2.0f) + t);
  wide q = s * s;
  wide p = madd(splat(1.0f / 15), q, splat(1.0f / 13));
  p = madd(p, q, splat(1.0f / 11));
  p = madd(p, q, splat(1.0f / 9));
  p = madd(p, q, splat(1.0f / 7));
  p = madd(p, q, splat(1.0f / 5));
  p = madd(p, q, splat(1.0f / 3));
  return splat(2.0f) * s * madd(p, q, splat(1.0f));
}

/* GELU by its tanh, as v·s with s = sigmoid(2u), u = c(v + kv³). */
INLINE wide gelu_sigmoid(wide v) {
  wide u = v * madd(v * v, splat(-2 * 0.7978845608f * 0.044715f), splat(-2 * 0.7978845608f));
  return splat(1.0f) / (splat(1.0f) + exponential(u));
}

/* Its derivative: s + v·s·(1 - s)·2u'. */
INLINE wide gelu_slope(wide v, wide s) {
  wide vs = v * s, rise = madd(v * v, splat(6 * 0.7978845608f * 0.044715f), splat(2 * 0.7978845608f));
  return madd(vs - vs * s, rise, s);
}
#endif
