// Numbers of 32 and 64 bits with a fraction. In: a site. Out: its handler. Holds: rounding, `.ftz` and `.sat` as written; approximations
// (`.approx`) are the correctly rounded value, except `tanh`, which keeps 11 bits, so that nobody counts on more; results are not those of
// the hardware bit for bit there.
#include <cfenv>
#include "decoder.h"
#include "half.h"

namespace machine {

using ptx::Scalar;

namespace {

struct Add { template <class T> T operator()(T a, T b) const { return a + b; } };
struct Subtract { template <class T> T operator()(T a, T b) const { return a - b; } };
struct Multiply { template <class T> T operator()(T a, T b) const { return a * b; } };
struct Divide { template <class T> T operator()(T a, T b) const { return a / b; } };
/** Of `div.approx`: divisors beyond 2^126 give zero. */
struct DivideShort {
  template <class T> T operator()(T a, T b) const { return std::fabs(b) > T(0x1p126) && std::fabs(b) <= T(0x1p128) && std::isfinite(b) ? (std::isinf(a) ? T(NAN) : std::copysign(T(0), a * b)) : a / b; }
};
struct FusedMultiplyAdd {
  float operator()(float a, float b, float c) const { return __builtin_fmaf(a, b, c); }
  double operator()(double a, double b, double c) const { return __builtin_fma(a, b, c); }
};
struct Root { template <class T> T operator()(T a) const { return std::sqrt(a); } };
struct Reciprocal { template <class T> T operator()(T a) const { return T(1) / a; } };
struct RootReciprocal { template <class T> T operator()(T a) const { return static_cast<T>(1 / std::sqrt(static_cast<double>(a))); } };
struct PowerOfTwo { template <class T> T operator()(T a) const { return static_cast<T>(std::exp2(static_cast<double>(a))); } };
struct LogarithmOfTwo { template <class T> T operator()(T a) const { return static_cast<T>(std::log2(static_cast<double>(a))); } };
struct Sine { template <class T> T operator()(T a) const { return static_cast<T>(std::sin(static_cast<double>(a))); } };
struct Cosine { template <class T> T operator()(T a) const { return static_cast<T>(std::cos(static_cast<double>(a))); } };
struct HyperbolicTangent {
  template <class T> T operator()(T a) const { return static_cast<T>(rounded(std::tanh(static_cast<double>(a)), Format{11, -126, 127}, Rounding::Nearest)); }
};
struct Minimum { template <class T> T operator()(T a, T b) const { return a != a ? b : b != b ? a : a == b ? (std::signbit(a) ? a : b) : a < b ? a : b; } };
struct Maximum { template <class T> T operator()(T a, T b) const { return a != a ? b : b != b ? a : a == b ? (std::signbit(a) ? b : a) : a > b ? a : b; } };
struct MinimumNaN { template <class T> T operator()(T a, T b) const { return a != a || b != b ? T(NAN) : Minimum()(a, b); } };
struct MaximumNaN { template <class T> T operator()(T a, T b) const { return a != a || b != b ? T(NAN) : Maximum()(a, b); } };
struct CopySign { template <class T> T operator()(T a, T b) const { return std::copysign(b, a); } };
struct NegateBits { template <class U> U operator()(U a) const { return a ^ (U{1} << (8 * sizeof(U) - 1)); } };
struct AbsoluteBits { template <class U> U operator()(U a) const { return a & ~(U{1} << (8 * sizeof(U) - 1)); } };

/** A function of bits as one of numbers. */
template <class F>
struct OnBits { float operator()(float a) const { return bitsAs<float>(F()(bitsAs<uint32_t>(a))); } };

enum Option : uint32_t { kFlush = 1, kSaturate = 2, kMode = 4 };

/** A function of flushed numbers. */
template <class F>
struct Flushed {
  float operator()(float a) const { return flushed(F()(flushed(a))); }
  float operator()(float a, float b) const { return flushed(F()(flushed(a), flushed(b))); }
  float operator()(float a, float b, float c) const { return flushed(F()(flushed(a), flushed(b), flushed(c))); }
};

/** Any rounding, saturated or not: one lane after the other. Volatile: the compiler must not move arithmetic out of the changed mode. */
template <class T, class F, int sources>
void general(Warp& warp, const Instruction& at, Mask mask) {
  static const int modes[] = {FE_TONEAREST, FE_TOWARDZERO, FE_DOWNWARD, FE_UPWARD};
  const Lanes<T> to(warp, at.operand[0]), a(warp, at.operand[1]), b(warp, at.operand[2]), c(warp, at.operand[3]);
  const bool flush = (at.option & kFlush) != 0;
  const auto source = [&](const Lanes<T>& lanes, int lane) -> T {
    if constexpr (sizeof(T) == 4) if (flush) return flushed(lanes[lane]);
    return lanes[lane];
  };
  for (Mask rest = mask; rest != 0; rest &= rest - 1) {
    const int lane = __builtin_ctz(rest);
    volatile T x = source(a, lane), y = 0, z = 0;
    if constexpr (sources > 1) y = source(b, lane);
    if constexpr (sources > 2) z = source(c, lane);
    std::fesetround(modes[at.option / kMode]);
    volatile T made;
    if constexpr (sources == 1) made = F()(static_cast<T>(x));
    else if constexpr (sources == 2) made = F()(static_cast<T>(x), static_cast<T>(y));
    else made = F()(static_cast<T>(x), static_cast<T>(y), static_cast<T>(z));
    std::fesetround(FE_TONEAREST);
    T result = made;
    if constexpr (sizeof(T) == 4) if (flush) result = flushed(result);
    if ((at.option & kSaturate) != 0) result = result > 0 ? std::min(result, T(1)) : T(0);
    to.set(lane, result);
  }
}

uint32_t modeOf(const Site& site) { return site.has("rz") ? 1 : site.has("rm") ? 2 : site.has("rp") ? 3 : 0; }

template <class F, int sources>
void real(Site& site) {
  const Scalar type = site.type();
  site.all(type, sources + 1);
  Instruction& made = site.made;
  made.option = (site.has("ftz") ? kFlush : 0u) | (site.has("sat") ? kSaturate : 0u) | modeOf(site) * kMode;
  const bool special = (made.option & ~kFlush) != 0;
  if (type == Scalar::F64) made.run = special ? &general<double, F, sources> : handlerOf<double, F, sources>();
  else if (type != Scalar::F32) made.run = nullptr;
  else if (special) made.run = &general<float, F, sources>;
  else made.run = made.option == kFlush ? handlerOf<float, Flushed<F>, sources>() : handlerOf<float, F, sources>();
}

template <class Plain, class NaN>
void extreme(Site& site) {
  if (site.has("xorsign") || site.count() != 3) site.fail("only with two operands");
  if (site.has("NaN")) real<NaN, 2>(site);
  else real<Plain, 2>(site);
}

template <class F>
void bitwise(Site& site) {
  const Scalar type = site.type();
  site.all(type, 2);
  if (site.has("ftz")) site.made.run = &unary<float, Flushed<OnBits<F>>>;
  else if (type == Scalar::F64) site.made.run = &unary<uint64_t, F>;
  else site.made.run = &unary<uint32_t, F>;
}

}  // namespace

void addFloats(Table& table) {
  table["add.real"] = real<Add, 2>;
  table["sub.real"] = real<Subtract, 2>;
  table["mul.real"] = real<Multiply, 2>;
  table["mad.real"] = table["fma.real"] = real<FusedMultiplyAdd, 3>;
  table["sqrt.real"] = real<Root, 1>;
  table["rcp.real"] = real<Reciprocal, 1>;
  table["rsqrt.real"] = real<RootReciprocal, 1>;
  table["ex2.real"] = real<PowerOfTwo, 1>;
  table["lg2.real"] = real<LogarithmOfTwo, 1>;
  table["sin.real"] = real<Sine, 1>;
  table["cos.real"] = real<Cosine, 1>;
  table["tanh.real"] = real<HyperbolicTangent, 1>;
  table["copysign.real"] = real<CopySign, 2>;
  table["div.real"] = [](Site& site) {
    if (site.has("approx")) real<DivideShort, 2>(site);
    else real<Divide, 2>(site);
  };
  table["min.real"] = extreme<Minimum, MinimumNaN>;
  table["max.real"] = extreme<Maximum, MaximumNaN>;
  table["neg.real"] = bitwise<NegateBits>;
  table["abs.real"] = bitwise<AbsoluteBits>;
}

}  // namespace machine
