// cuTensorMapEncodeTiled. In: a tensor in device memory and a box of it. Out: 128 bytes for kernels. Holds: what the real function refuses
// (alignments, sizes of boxes, swizzles) is refused.
#include "../machine/tensor-map.h"
#include <cstring>
#include "state.h"

namespace {

/** UINT8, UINT16, UINT32, INT32, UINT64, INT64, FLOAT16, FLOAT32, FLOAT64, BFLOAT16, FLOAT32_FTZ, TFLOAT32, TFLOAT32_FTZ */
constexpr uint8_t kElementBytes[] = {1, 2, 4, 4, 8, 8, 2, 4, 8, 2, 4, 4, 4};

}  // namespace

TFC_CUDA CUresult cuTensorMapEncodeTiled(void* map, int type, unsigned rank, void* address, const uint64_t* sizes, const uint64_t* strides, const uint32_t* box,
                                         const uint32_t* elementStrides, int interleave, int swizzle, int promotion, int fill) {
  TFC_LOCKED;
  if (map == nullptr || reinterpret_cast<uintptr_t>(map) % 64 != 0 || type < 0 || type > 12 || rank < 1 || rank > 5) return kInvalidValue;
  if (reinterpret_cast<uintptr_t>(address) % 16 != 0 || interleave != 0 || swizzle < 0 || swizzle > 3 || promotion < 0 || promotion > 3) return kInvalidValue;
  machine::TensorMap made{};
  made.mark = machine::kTensorMapMark;
  made.address = reinterpret_cast<uint64_t>(address);
  made.rank = static_cast<uint8_t>(rank);
  made.elementBytes = kElementBytes[type];
  made.swizzle = static_cast<uint8_t>(swizzle);
  made.fillsNaN = static_cast<uint8_t>(fill);
  for (unsigned i = 0; i < rank; ++i) {
    if (sizes[i] == 0 || sizes[i] > uint64_t{1} << 32 || box[i] == 0 || box[i] > 256 || elementStrides[i] != 1) return kInvalidValue;
    made.sizes[i] = static_cast<uint32_t>(sizes[i]);
    made.box[i] = box[i];
    if (i == 0) continue;
    if (strides[i - 1] % 16 != 0 || strides[i - 1] >= uint64_t{1} << 40) return kInvalidValue;
    made.strides[i - 1] = strides[i - 1];
  }
  const uint64_t inner = static_cast<uint64_t>(box[0]) * made.elementBytes;
  static const uint64_t spans[] = {~uint64_t{0}, 32, 64, 128};
  if (inner % 16 != 0 || inner > spans[swizzle]) return kInvalidValue;
  std::memset(map, 0, 128);
  std::memcpy(map, &made, sizeof made);
  return kOk;
}
