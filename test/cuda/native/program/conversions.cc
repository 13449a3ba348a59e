// cvt: between all types, with rounding, saturation and clamping as PTX says. In: a site. Out: its handler. Holds: whole numbers clamp to
// the range of a whole type and NaNs become what PTX says there; a number is rounded once.
#include "decoder.h"
#include "half.h"

namespace machine {

using ptx::Scalar;

namespace {

enum Option : uint32_t { kFlush = 1, kSaturate = 2, kWhole = 4, kRelu = 8 };

bool isReal(Scalar type) { return type == Scalar::F16 || type == Scalar::BF16 || type == Scalar::TF32 || type == Scalar::F32 || type == Scalar::F64; }

int64_t wholeValue(uint64_t lane, Scalar type) {
  switch (type) {
    case Scalar::S8: return static_cast<int8_t>(lane);
    case Scalar::S16: return static_cast<int16_t>(lane);
    case Scalar::S32: return static_cast<int32_t>(lane);
    case Scalar::U8: case Scalar::B8: return static_cast<uint8_t>(lane);
    case Scalar::U16: case Scalar::B16: return static_cast<uint16_t>(lane);
    case Scalar::U32: case Scalar::B32: return static_cast<uint32_t>(lane);
    default: return static_cast<int64_t>(lane);
  }
}

double realValue(uint64_t lane, Scalar type) {
  switch (type) {
    case Scalar::F16: return halfValue(static_cast<uint16_t>(lane));
    case Scalar::BF16: return bfloatValue(static_cast<uint16_t>(lane));
    case Scalar::F64: return bitsAs<double>(lane);
    default: return bitsAs<float>(static_cast<uint32_t>(lane));
  }
}

/** A number that 64 bits may not hold exactly: whole numbers beyond 2^53, rounded to odd. */
double exactReal(int64_t value, bool isUnsigned) {
  const bool negative = !isUnsigned && value < 0;
  uint64_t size = negative ? -static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  const int bits = size == 0 ? 0 : 64 - __builtin_clzll(size);
  if (bits > 53) {
    const int lost = bits - 53;
    const bool sticky = (size & ((uint64_t{1} << lost) - 1)) != 0;
    size = size >> lost << lost;
    if (sticky) size |= uint64_t{1} << lost;
  }
  const double made = static_cast<double>(size);
  return negative ? -made : made;
}

uint64_t realBits(double value, Scalar type, Rounding mode) {
  switch (type) {
    case Scalar::F16: return halfBits(value, mode);
    case Scalar::BF16: return bfloatBits(value, mode);
    case Scalar::F64: return bitsAs<uint64_t>(value);
    case Scalar::TF32: return std::isnan(value) ? 0x7fffffffu : bitsAs<uint32_t>(static_cast<float>(rounded(value, kTF32, mode)));
    default: {
      if (std::isnan(value)) return bitsAs<uint32_t>(static_cast<float>(value));
      return bitsAs<uint32_t>(static_cast<float>(mode == Rounding::Nearest ? value : rounded(value, kF32, mode)));
    }
  }
}

double wholeNumber(double value, Rounding mode) {
  switch (mode) {
    case Rounding::Nearest: return std::nearbyint(value);
    case Rounding::Down: return std::floor(value);
    case Rounding::Up: return std::ceil(value);
    default: return std::trunc(value);
  }
}

uint64_t clamped(double value, Scalar from, Scalar type) {
  const uint32_t bits = 8 * ptx::bytesOf(type);
  if (std::isnan(value)) return from == Scalar::F64 || bits == 64 ? uint64_t{1} << (bits - 1) : 0;
  const double least = ptx::isSigned(type) ? -std::ldexp(1.0, static_cast<int>(bits) - 1) : 0;
  const double beyond = std::ldexp(1.0, static_cast<int>(ptx::isSigned(type) ? bits - 1 : bits));
  if (value < least) return static_cast<uint64_t>(static_cast<int64_t>(least));
  if (value >= beyond) return ptx::isSigned(type) ? (uint64_t{1} << (bits - 1)) - 1 : bits == 64 ? ~uint64_t{0} : (uint64_t{1} << bits) - 1;
  return ptx::isSigned(type) ? static_cast<uint64_t>(static_cast<int64_t>(value)) : static_cast<uint64_t>(value);
}

/** As many bits as the type has; signed types fill the register with their sign. */
uint64_t cut(uint64_t value, Scalar type) { return static_cast<uint64_t>(wholeValue(value, type)); }

uint64_t saturatedWhole(int64_t value, bool fromUnsigned, Scalar to) {
  const uint32_t bits = 8 * ptx::bytesOf(to);
  const __int128 exact = fromUnsigned ? static_cast<__int128>(static_cast<uint64_t>(value)) : static_cast<__int128>(value);
  const __int128 least = ptx::isSigned(to) ? -(static_cast<__int128>(1) << (bits - 1)) : 0;
  const __int128 most = (static_cast<__int128>(1) << (ptx::isSigned(to) ? bits - 1 : bits)) - 1;
  return static_cast<uint64_t>(exact < least ? least : exact > most ? most : exact);
}

void converted(Warp& warp, const Instruction& at, Mask mask) {
  const Scalar to = at.type, from = at.source;
  const Rounding mode = static_cast<Rounding>(at.offset);
  const bool fromUnsigned = !ptx::isSigned(from);
  for (Mask rest = mask; rest != 0; rest &= rest - 1) {
    const int lane = __builtin_ctz(rest);
    const uint64_t bits = warp.value(at.operand[1], lane);
    uint64_t made = 0;
    if (isReal(from)) {
      double value = realValue(bits, from);
      if ((at.option & kFlush) != 0 && from == Scalar::F32) value = flushed(static_cast<float>(value));
      if ((at.option & kWhole) != 0 || !isReal(to)) value = wholeNumber(value, mode);
      if (!isReal(to)) {
        made = clamped(value, from, to);
      } else {
        if ((at.option & kSaturate) != 0) value = value > 0 ? std::min(value, 1.0) : 0;
        if ((at.option & kRelu) != 0 && value < 0) value = 0;
        const bool same = (at.option & kWhole) != 0;
        made = realBits(value, to, same ? Rounding::Nearest : mode);
        if ((at.option & kFlush) != 0 && to == Scalar::F32) made = bitsAs<uint32_t>(flushed(bitsAs<float>(static_cast<uint32_t>(made))));
      }
    } else {
      const int64_t value = wholeValue(bits, from);
      if (isReal(to)) {
        if (to == Scalar::F64) {
          const double nearest = fromUnsigned ? static_cast<double>(static_cast<uint64_t>(value)) : static_cast<double>(value);
          made = bitsAs<uint64_t>(nearest);
        } else {
          made = realBits(exactReal(value, fromUnsigned), to, mode);
          if (mode == Rounding::Nearest && to == Scalar::F32) {
            const float nearest = fromUnsigned ? static_cast<float>(static_cast<uint64_t>(value)) : static_cast<float>(value);
            made = bitsAs<uint32_t>(nearest);
          }
        }
      } else {
        made = (at.option & kSaturate) != 0 ? saturatedWhole(value, fromUnsigned, to) : cut(static_cast<uint64_t>(value), to);
      }
    }
    // A register of 16 bits has nothing above them.
    if (at.option2 == 2) made &= 0xffff;
    warp.set(at.operand[0], lane, made);
  }
}

/** Whole numbers of 32 bits to those of 64, and back: what addresses need. */
template <class From, class To>
void resized(Warp& warp, const Instruction& at, Mask mask) {
  const Lanes<From> from(warp, at.operand[1]);
  const Lanes<To> to(warp, at.operand[0]);
  eachLane(mask, [&](int lane) { to.set(lane, static_cast<To>(from[lane])); });
}

void bfloatsToSingle(Warp& warp, const Instruction& at, Mask mask) {
  const Lanes<uint32_t> to(warp, at.operand[0]), from(warp, at.operand[1]);
  eachLane(mask, [&](int lane) { to.set(lane, from[lane] << 16); });
}

void singlesToBfloat(Warp& warp, const Instruction& at, Mask mask) {
  const Lanes<uint32_t> to(warp, at.operand[0]);
  const Lanes<float> from(warp, at.operand[1]);
  eachLane(mask, [&](int lane) { to.set(lane, bfloatNearest(from[lane])); });
}

/** cvt.rn.bf16x2.f32 d, a, b: `a` is the upper half. */
void packed(Warp& warp, const Instruction& at, Mask mask) {
  const Lanes<uint32_t> to(warp, at.operand[0]);
  const Lanes<float> upper(warp, at.operand[1]), lower(warp, at.operand[2]);
  const Rounding mode = static_cast<Rounding>(at.offset);
  eachLane(mask, [&](int lane) {
    const auto bits = [&](float value) -> uint32_t {
      if ((at.option & kRelu) != 0 && value < 0) value = 0;
      if (at.type == Scalar::F16x2) return halfBits(value, mode);
      return mode == Rounding::Nearest ? bfloatNearest(value) : bfloatBits(value, mode);
    };
    to.set(lane, bits(upper[lane]) << 16 | bits(lower[lane]));
  });
}

Rounding modeOf(const Site& site) {
  if (site.has("rz") || site.has("rzi")) return Rounding::Zero;
  if (site.has("rm") || site.has("rmi")) return Rounding::Down;
  if (site.has("rp") || site.has("rpi")) return Rounding::Up;
  return site.has("rna") ? Rounding::Away : Rounding::Nearest;
}

void convert(Site& site) {
  Instruction& made = site.made;
  made.type = site.type(0);
  made.source = site.type(1);
  made.offset = static_cast<int64_t>(modeOf(site));
  const bool whole = site.has("rni") || site.has("rzi") || site.has("rmi") || site.has("rpi");
  made.option = (site.has("ftz") ? kFlush : 0u) | (site.has("sat") ? kSaturate : 0u) | (whole ? kWhole : 0u) | (site.has("relu") ? kRelu : 0u);
  if (site.has("pack") || site.has("satfinite") || made.source == Scalar::None) return;
  if (made.type == Scalar::F16x2 || made.type == Scalar::BF16x2) {
    if (made.source != Scalar::F32) return;
    made.operand[0] = site.slot(0, Scalar::B32);
    made.operand[1] = site.slot(1, Scalar::F32);
    made.operand[2] = site.slot(2, Scalar::F32);
    made.run = &packed;
    return;
  }
  if (isReal(made.source) && !isReal(made.type) && !whole) site.fail("a whole number needs a rounding to whole numbers");
  made.operand[0] = site.any(site.operand(0), made.type);
  made.operand[1] = site.any(site.operand(1), made.source);
  made.option2 = ptx::bytesOf(site.declared(site.operand(0)));
  made.run = &converted;
  const bool plain = made.option == 0 && made.offset == 0;
  if (!plain) return;
  const bool fromWide = made.operand[1].wide, toWide = made.operand[0].wide;
  if (made.type == Scalar::F32 && made.source == Scalar::BF16) made.run = &bfloatsToSingle;
  if (made.type == Scalar::BF16 && made.source == Scalar::F32) made.run = &singlesToBfloat;
  if (made.type == Scalar::F32 && made.source == Scalar::S32) made.run = &resized<int32_t, float>;
  if (made.type == Scalar::F32 && made.source == Scalar::U32) made.run = &resized<uint32_t, float>;
  if (made.source == Scalar::U32 && ptx::bytesOf(made.type) == 8 && toWide && !fromWide && !isReal(made.type)) made.run = &resized<uint32_t, uint64_t>;
  if (made.source == Scalar::S32 && ptx::bytesOf(made.type) == 8 && toWide && !fromWide && !isReal(made.type)) made.run = &resized<int32_t, int64_t>;
  if (ptx::bytesOf(made.type) == 4 && ptx::bytesOf(made.source) == 8 && !toWide && fromWide && !isReal(made.type) && !isReal(made.source))
    made.run = &resized<uint64_t, uint32_t>;
}

}  // namespace

void addConversions(Table& table) { table["cvt"] = convert; }

}  // namespace machine
