// A tensor map as the emulated driver writes it. In: what `cuTensorMapEncodeTiled` was told. Out: 128 bytes that kernels are given.
// Holds: the real one's bits are not published; programs only hand it on.
#pragma once
#include <cstdint>

namespace machine {

constexpr uint64_t kTensorMapMark = 0x70616d2d66637421;

struct TensorMap {
  uint64_t mark;
  uint64_t address;
  /** Bytes from one index of dimensions 1, 2, … to the next. */
  uint64_t strides[4];
  uint32_t sizes[5];
  uint32_t box[5];
  uint8_t elementBytes;
  uint8_t rank;
  /** 0: none, 1, 2, 3: of 32, 64, 128 bytes. */
  uint8_t swizzle;
  uint8_t fillsNaN;
};

static_assert(sizeof(TensorMap) <= 128, "a tensor map has 128 bytes");

}  // namespace machine
