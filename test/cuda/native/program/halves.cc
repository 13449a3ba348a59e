// Numbers of 16 bits, one or two in a register. In: a site. Out: its handler. Holds: f16 and bf16 round once, from 64 bits, where sums and
// products of theirs are exact or rounded to odd; packed types do both halves.
#include "decoder.h"
#include "half.h"

namespace machine {

using ptx::Scalar;

namespace {

struct F16 {
  static double value(uint16_t bits) { return halfValue(bits); }
  static uint16_t bits(double value) { return halfBits(value); }
};
struct BF16 {
  static double value(uint16_t bits) { return bfloatValue(bits); }
  static uint16_t bits(double value) { return bfloatBits(value); }
};

struct Add { double operator()(double a, double b, double) const { return a + b; } };
struct Subtract { double operator()(double a, double b, double) const { return a - b; } };
struct Multiply { double operator()(double a, double b, double) const { return a * b; } };
struct FusedMultiplyAdd { double operator()(double a, double b, double c) const { return productPlus(a, b, c); } };
struct Positive { double operator()(double a, double b, double c) const { const double made = productPlus(a, b, c); return made > 0 || made != made ? made : 0; } };
struct PowerOfTwo { double operator()(double a, double, double) const { return std::exp2(a); } };
struct HyperbolicTangent { double operator()(double a, double, double) const { return std::tanh(a); } };
struct Minimum { double operator()(double a, double b, double) const { return a != a ? b : b != b ? a : a == b ? (std::signbit(a) ? a : b) : a < b ? a : b; } };
struct Maximum { double operator()(double a, double b, double) const { return a != a ? b : b != b ? a : a == b ? (std::signbit(a) ? b : a) : a > b ? a : b; } };
struct MinimumNaN { double operator()(double a, double b, double c) const { return a != a || b != b ? NAN : Minimum()(a, b, c); } };
struct MaximumNaN { double operator()(double a, double b, double c) const { return a != a || b != b ? NAN : Maximum()(a, b, c); } };

/** Denormal numbers of f16 become zeros. */
uint16_t flushedHalf(uint16_t bits) { return (bits & 0x7c00) == 0 ? bits & 0x8000 : bits; }

template <class N, class F, int sources, int halves>
void mapped(Warp& warp, const Instruction& at, Mask mask) {
  const Lanes<uint32_t> to(warp, at.operand[0]), a(warp, at.operand[1]), b(warp, at.operand[sources > 1 ? 2 : 1]), c(warp, at.operand[sources > 2 ? 3 : 1]);
  const bool flush = (at.option & 1) != 0, saturate = (at.option & 2) != 0;
  eachLane(mask, [&](int lane) {
    uint32_t made = 0;
    for (int half = 0; half < 16 * halves; half += 16) {
      const auto source = [&](const Lanes<uint32_t>& lanes) {
        const uint16_t bits = static_cast<uint16_t>(lanes[lane] >> half);
        return N::value(flush ? flushedHalf(bits) : bits);
      };
      double value = F()(source(a), source(b), source(c));
      if (saturate) value = value > 0 ? std::min(value, 1.0) : 0;
      const uint16_t bits = N::bits(value);
      made |= static_cast<uint32_t>(flush ? flushedHalf(bits) : bits) << half;
    }
    to.set(lane, made);
  });
}

template <class F, int sources>
void half(Site& site) {
  const Scalar type = site.type();
  site.all(type, sources + 1);
  site.made.option = (site.has("ftz") ? 1 : 0) | (site.has("sat") ? 2 : 0);
  switch (type) {
    case Scalar::F16: site.made.run = &mapped<F16, F, sources, 1>; return;
    case Scalar::F16x2: site.made.run = &mapped<F16, F, sources, 2>; return;
    case Scalar::BF16: site.made.run = &mapped<BF16, F, sources, 1>; return;
    case Scalar::BF16x2: site.made.run = &mapped<BF16, F, sources, 2>; return;
    default: return;
  }
}

/** Signs: of both halves, where a register has two. */
struct NegateBoth { uint32_t operator()(uint32_t a) const { return a ^ 0x80008000; } };
struct AbsoluteBoth { uint32_t operator()(uint32_t a) const { return a & 0x7fff7fff; } };
struct NegateOne { uint32_t operator()(uint32_t a) const { return (a ^ 0x8000) & 0xffff; } };
struct AbsoluteOne { uint32_t operator()(uint32_t a) const { return a & 0x7fff; } };

template <class One, class Both>
void sign(Site& site) {
  const Scalar type = site.type();
  site.all(type, 2);
  if (site.has("ftz")) return;
  site.made.run = type == Scalar::F16x2 || type == Scalar::BF16x2 ? &unary<uint32_t, Both> : &unary<uint32_t, One>;
}

}  // namespace

void addHalves(Table& table) {
  table["add.half"] = half<Add, 2>;
  table["sub.half"] = half<Subtract, 2>;
  table["mul.half"] = half<Multiply, 2>;
  table["fma.half"] = [](Site& site) {
    if (site.has("relu")) half<Positive, 3>(site);
    else half<FusedMultiplyAdd, 3>(site);
  };
  table["ex2.half"] = half<PowerOfTwo, 1>;
  table["tanh.half"] = half<HyperbolicTangent, 1>;
  table["min.half"] = [](Site& site) { site.has("NaN") ? half<MinimumNaN, 2>(site) : half<Minimum, 2>(site); };
  table["max.half"] = [](Site& site) { site.has("NaN") ? half<MaximumNaN, 2>(site) : half<Maximum, 2>(site); };
  table["neg.half"] = sign<NegateOne, NegateBoth>;
  table["abs.half"] = sign<AbsoluteOne, AbsoluteBoth>;
}

}  // namespace machine
