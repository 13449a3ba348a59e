// Scalar types of PTX. In: the suffix of an instruction. Out: its type; bytes, whether signed or floating.
// Holds: what packs two numbers (f16x2) is one scalar of four bytes, as it is one register.
#pragma once
#include <cstdint>
#include <string_view>

namespace ptx {

enum class Scalar : uint8_t {
  None, Pred, B8, B16, B32, B64, B128, U8, U16, U32, U64, S8, S16, S32, S64, F16, BF16, F16x2, BF16x2, TF32, F32, F64
};

struct ScalarName { std::string_view name; Scalar scalar; uint8_t bytes; };

inline constexpr ScalarName kScalars[] = {
    {"pred", Scalar::Pred, 1}, {"b8", Scalar::B8, 1},       {"b16", Scalar::B16, 2},       {"b32", Scalar::B32, 4},
    {"b64", Scalar::B64, 8},   {"b128", Scalar::B128, 16},  {"u8", Scalar::U8, 1},         {"u16", Scalar::U16, 2},
    {"u32", Scalar::U32, 4},   {"u64", Scalar::U64, 8},     {"s8", Scalar::S8, 1},         {"s16", Scalar::S16, 2},
    {"s32", Scalar::S32, 4},   {"s64", Scalar::S64, 8},     {"f16", Scalar::F16, 2},       {"bf16", Scalar::BF16, 2},
    {"f16x2", Scalar::F16x2, 4}, {"bf16x2", Scalar::BF16x2, 4}, {"tf32", Scalar::TF32, 4}, {"f32", Scalar::F32, 4},
    {"f64", Scalar::F64, 8},
};

inline Scalar scalarNamed(std::string_view name) {
  for (const auto& one : kScalars)
    if (one.name == name) return one.scalar;
  return Scalar::None;
}

inline uint32_t bytesOf(Scalar scalar) {
  for (const auto& one : kScalars)
    if (one.scalar == scalar) return one.bytes;
  return 0;
}

inline bool isSigned(Scalar s) { return s >= Scalar::S8 && s <= Scalar::S64; }
inline bool isFloat(Scalar s) { return s >= Scalar::F16; }
/** How wide a lane of its register is: small types have the lanes of 32 bits. */
inline uint32_t laneBytes(Scalar s) { return bytesOf(s) == 8 ? 8 : 4; }

}  // namespace ptx
