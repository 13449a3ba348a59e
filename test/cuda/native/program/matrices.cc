// Matrix products of a warp: mma.sync, and ldmatrix / stmatrix, which load and store their fragments. In: a site. Out: its handler.
// Holds: products are exact, each element is summed in 64 bits and rounded once, so results differ from the hardware's, which cuts bits off
// on the way, in the last bits of an f32; tf32 operands lose their lower 13 bits, as there.
#include "decoder.h"
#include "../machine/access.h"
#include "half.h"

namespace machine {

using ptx::Scalar;

namespace {

struct Shape {
  const char* name;
  Scalar operand;
  int rows, depth;
  int left, right, sum;  // registers of the fragments
};

constexpr Shape kShapes[] = {
    {"m16n8k4", Scalar::TF32, 16, 4, 2, 1, 4},   {"m16n8k8", Scalar::TF32, 16, 8, 4, 2, 4},   {"m16n8k8", Scalar::BF16, 16, 8, 2, 1, 4},
    {"m16n8k16", Scalar::BF16, 16, 16, 4, 2, 4}, {"m16n8k8", Scalar::F16, 16, 8, 2, 1, 4},    {"m16n8k16", Scalar::F16, 16, 16, 4, 2, 4},
    {"m8n8k4", Scalar::F64, 8, 4, 1, 1, 2},
};

constexpr int kColumns = 8;

float halfOf(Scalar type, uint32_t bits) { return type == Scalar::BF16 ? bfloatValue(static_cast<uint16_t>(bits)) : halfValue(static_cast<uint16_t>(bits)); }

/** Fragment → matrix: `i`-th register of a lane holds one element, or two of 16 bits. Rows of groups of four lanes, columns within them. */
template <class Put>
void unpack(const Warp& warp, Scalar type, const Slot* slots, int count, bool left, Put put) {
  const int across = left && type != Scalar::F64 ? 2 : 1;
  for (int i = 0; i < count; ++i)
    for (int lane = 0; lane < 32; ++lane) {
      const uint64_t bits = warp.value(slots[i], lane);
      const int group = lane >> 2, within = lane & 3;
      // A left fragment goes down eight rows with every other register, a right one only along the depth.
      const int down = i % across * 8, along = i / across;
      if (type == Scalar::F64) put(group, within, bitsAs<double>(bits));
      else if (type == Scalar::TF32) put(group + down, within + 4 * along, static_cast<double>(bitsAs<float>(static_cast<uint32_t>(bits) & ~0x1fffu)));
      else
        for (int half = 0; half < 2; ++half)
          put(group + down, 2 * within + half + 8 * along, static_cast<double>(halfOf(type, static_cast<uint32_t>(bits >> (16 * half)))));
    }
}

void multiplied(Warp& warp, const Instruction& at, Mask mask) {
  if (mask != kAll) warp.block->fault(ptx::kLaunchFailed, "all 32 lanes must take part", warp, at, __builtin_ctz(mask));
  const Shape& shape = kShapes[at.option];
  const bool halfSum = at.type == Scalar::F16;
  const int sums = halfSum ? 2 : shape.sum;
  const Slot* const to = at.list.data();
  const Slot* const left = to + sums;
  const Slot* const right = left + shape.left;
  const Slot* const addend = right + shape.right;
  double a[16][16], b[16][kColumns], made[16][kColumns];
  unpack(warp, shape.operand, left, shape.left, true, [&](int row, int k, double value) { a[row][k] = value; });
  unpack(warp, shape.operand, right, shape.right, false, [&](int column, int k, double value) { b[k][column] = value; });
  const auto element = [&](int i, int lane, auto use) { use((lane >> 2) + 8 * (i >> 1), 2 * (lane & 3) + (i & 1)); };
  const int perLane = shape.rows * kColumns / 32;
  for (int lane = 0; lane < 32; ++lane)
    for (int i = 0; i < perLane; ++i)
      element(i, lane, [&](int row, int column) {
        const uint64_t bits = warp.value(addend[halfSum ? i / 2 : i], lane);
        made[row][column] = shape.operand == Scalar::F64 ? bitsAs<double>(bits)
                            : halfSum ? static_cast<double>(halfValue(static_cast<uint16_t>(bits >> (16 * (i & 1)))))
                                      : static_cast<double>(bitsAs<float>(static_cast<uint32_t>(bits)));
      });
  for (int row = 0; row < shape.rows; ++row) {
    double sum[kColumns] = {};
    if (shape.operand == Scalar::F64)
      for (int column = 0; column < kColumns; ++column) sum[column] = made[row][column];
    for (int k = 0; k < shape.depth; ++k)
      for (int column = 0; column < kColumns; ++column)
        sum[column] = shape.operand == Scalar::F64 ? __builtin_fma(a[row][k], b[k][column], sum[column]) : sum[column] + a[row][k] * b[k][column];
    for (int column = 0; column < kColumns; ++column) made[row][column] = shape.operand == Scalar::F64 ? sum[column] : made[row][column] + sum[column];
  }
  for (int lane = 0; lane < 32; ++lane)
    for (int i = 0; i < perLane; ++i)
      element(i, lane, [&](int row, int column) {
        const double value = made[row][column];
        if (shape.operand == Scalar::F64) return warp.set(to[i], lane, bitsAs<uint64_t>(value));
        if (!halfSum) return warp.set(to[i], lane, bitsAs<uint32_t>(static_cast<float>(value)));
        const uint64_t before = i % 2 == 0 ? 0 : warp.value(to[i / 2], lane) & 0xffff;
        warp.set(to[i / 2], lane, before | static_cast<uint64_t>(halfBits(value)) << (16 * (i & 1)));
      });
}

void multiply(Site& site) {
  const Scalar sum = site.type(0), left = site.type(1), right = site.type(2), addend = site.type(3);
  if (left != right || sum != addend || !site.has("row") || !site.has("col")) site.fail("not a form that is known here");
  int found = -1;
  for (size_t i = 0; i < std::size(kShapes); ++i)
    if (site.has(kShapes[i].name) && kShapes[i].operand == left) found = static_cast<int>(i);
  if (found < 0) site.fail("not a shape that is known here");
  const Shape& shape = kShapes[found];
  if (sum != (left == Scalar::F64 ? Scalar::F64 : Scalar::F32) && !(sum == Scalar::F16 && left == Scalar::F16)) site.fail("not sums of this type");
  Instruction& made = site.made;
  made.type = sum;
  made.option = static_cast<uint32_t>(found);
  const size_t sums = static_cast<size_t>(sum == Scalar::F16 ? 2 : shape.sum);
  const size_t sizes[] = {sums, static_cast<size_t>(shape.left), static_cast<size_t>(shape.right), sums};
  for (size_t i = 0; i < 4; ++i) {
    const ptx::Operand& one = site.operand(i);
    const size_t count = one.kind == ptx::Operand::Vector ? one.items.size() : 1;
    if (count != sizes[i]) site.fail("operand " + std::to_string(i) + " has " + std::to_string(count) + " registers, not " + std::to_string(sizes[i]));
    const Scalar element = left == Scalar::F64 ? Scalar::F64 : Scalar::B32;
    if (one.kind == ptx::Operand::Vector) for (const auto& item : one.items) made.list.push_back(site.slot(item, element));
    else made.list.push_back(site.slot(one, element));
  }
  made.control = Control::Whole;
  made.run = &multiplied;
}

/** Lane `8 q + r` has the address of row `r` of matrix `q`; each lane gets or gives two elements of every matrix. */
template <bool loads>
void fragment(Warp& warp, const Instruction& at, Mask mask) {
  if (mask != kAll) warp.block->fault(ptx::kLaunchFailed, "all 32 lanes must take part", warp, at, __builtin_ctz(mask));
  const bool transposed = at.option != 0;
  for (size_t q = 0; q < at.list.size(); ++q) {
    uint8_t* rows[8];
    for (int row = 0; row < 8; ++row) {
      const int lane = static_cast<int>(q) * 8 + row;
      const uint64_t address = warp.value(at.operand[1], lane) + static_cast<uint64_t>(at.offset);
      rows[row] = memoryAt(warp, at, address, 16, lane, loads ? Access::Read : Access::Write);
    }
    for (int lane = 0; lane < 32; ++lane) {
      uint32_t bits = loads ? 0 : static_cast<uint32_t>(warp.value(at.list[q], lane));
      for (int half = 0; half < 2; ++half) {
        const int major = lane >> 2, minor = 2 * (lane & 3) + half;
        uint8_t* const place = transposed ? rows[minor] + 2 * major : rows[major] + 2 * minor;
        uint16_t value = static_cast<uint16_t>(bits >> (16 * half));
        if constexpr (loads) {
          std::memcpy(&value, place, 2);
          bits |= static_cast<uint32_t>(value) << (16 * half);
        } else {
          std::memcpy(place, &value, 2);
        }
      }
      if (loads) warp.set(at.list[q], lane, bits);
    }
  }
}

void fragments(Site& site, bool loads) {
  Instruction& made = site.made;
  if (!site.has("m8n8") || site.type() != Scalar::B16) site.fail("only matrices m8n8 of b16");
  made.space = site.space();
  made.operand[1] = site.address(loads ? 1 : 0, made.offset);
  const ptx::Operand& values = site.operand(loads ? 0 : 1);
  const size_t count = site.has("x4") ? 4 : site.has("x2") ? 2 : 1;
  if (values.kind == ptx::Operand::Vector) for (const auto& item : values.items) made.list.push_back(site.slot(item, Scalar::B32));
  else made.list.push_back(site.slot(values, Scalar::B32));
  if (made.list.size() != count) site.fail("as many registers as matrices");
  made.option = site.has("trans");
  made.control = Control::Whole;
  made.run = loads ? &fragment<true> : &fragment<false>;
}

}  // namespace

void addMatrices(Table& table) {
  table["mma"] = table["mma.real"] = table["mma.half"] = multiply;
  table["ldmatrix"] = [](Site& site) { fragments(site, true); };
  table["stmatrix"] = [](Site& site) { fragments(site, false); };
}

}  // namespace machine
