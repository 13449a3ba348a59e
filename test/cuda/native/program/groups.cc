// Products of four warps: wgmma. In: a site. Out: its handler. Holds: each warp computes its own rows, at once, from what is in shared memory
// then; its registers have no value until the product is waited for, and what was read must still be there. Products are exact, each sum is
// added in 64 bits and rounded once. Shared memory is read through the asynchronous proxy, so whoever wrote it must have fenced.
#include "decoder.h"
#include "../machine/access.h"
#include "half.h"

namespace machine {

using ptx::Scalar;

namespace {

constexpr uint32_t kGroupWarps = 4, kRows = 16;
/** In the registers of a product that is under way. */
constexpr uint32_t kUnderWay = 0x7fb0dead;

/** How a matrix lies: in lines of 128 bytes whose parts of 16 are mixed by the line's number. */
struct Matrix {
  uint64_t start, leading, stride;
  bool alongDepth;
  uint32_t elementBytes;

  uint64_t at(uint32_t line, uint32_t step) const {
    const uint64_t lines = 128 / elementBytes;
    const uint64_t plain = alongDepth ? start + line / 8 * stride + line % 8 * 128 + step * elementBytes
                                      : start + line / lines * leading + step / 8 * stride + step % 8 * 128 + line % lines * elementBytes;
    return plain ^ (plain >> 7 & 7) << 4;
  }
};

Matrix matrixOf(const Warp& warp, const Instruction& at, Slot slot, bool alongDepth, uint32_t elementBytes) {
  const uint64_t bits = warp.value(slot, 0);
  for (int lane = 1; lane < 32; ++lane)
    if (warp.value(slot, lane) != bits) warp.block->fault(ptx::kLaunchFailed, "lanes describe different matrices", warp, at, lane);
  const auto field = [&](int shift) { return (bits >> shift & 0x3fff) << 4; };
  if (bits >> 62 != 1 || (bits & 0x3fffc000c000c000) != 0) warp.block->fault(ptx::kLaunchFailed, "only matrices in lines of 128 bytes are known here", warp, at, 0);
  const Matrix made{field(0), field(16), field(32), alongDepth, elementBytes};
  if (made.start % 1024 >= 128 || (!alongDepth && made.start % 1024 != 0))
    warp.block->fault(ptx::kLaunchFailed, "a matrix begins in the middle of eight lines", warp, at, 0);
  return made;
}

/** Lines from `first` on, `count` of them, in 64 bits, and what was read for them. */
std::vector<double> matrix(Warp& warp, const Instruction& at, const Matrix& from, uint32_t first, uint32_t count, uint32_t depth) {
  Block& block = *warp.block;
  std::vector<double> made(static_cast<size_t>(count) * depth);
  std::vector<ProductRead>& reads = warp.productReads.back();
  const uint32_t unit = 16 / from.elementBytes;
  const uint32_t steps = from.alongDepth ? unit : 1, lines = from.alongDepth ? 1 : unit;
  for (uint32_t line = 0; line < count; line += lines)
    for (uint32_t step = 0; step < depth; step += steps) {
      ProductRead read{from.at(first + line, step), {}, &at};
      std::memcpy(read.bytes.data(), sharedAt(warp, at, read.address, 16, 0, Access::Read), 16);
      if (block.settings->races) block.sharedShadow.eachWrite(read.address, 16, [&](uint32_t segment) {
        if (segment < block.timeline->blockBase()) return;
        const uint32_t writer = block.timeline->warpOf(segment);
        if (writer < block.warps.size() && segment >= block.warps[writer].proxySince)
          block.fault(ptx::kLaunchFailed, "no fence.proxy.async of warp " + std::to_string(writer) + " behind its write of shared memory that is multiplied", warp, at, 0);
      });
      for (uint32_t i = 0; i < unit; ++i) {
        double value = 0;
        if (from.elementBytes == 4) {
          uint32_t bits = 0;
          std::memcpy(&bits, read.bytes.data() + 4 * i, 4);
          value = static_cast<double>(bitsAs<float>(bits & ~0x1fffu));
        } else {
          uint16_t bits = 0;
          std::memcpy(&bits, read.bytes.data() + 2 * i, 2);
          value = static_cast<double>(at.source == Scalar::BF16 ? bfloatValue(bits) : halfValue(bits));
        }
        made[static_cast<size_t>(line + (from.alongDepth ? 0 : i)) * depth + step + (from.alongDepth ? i : 0)] = value;
      }
      reads.push_back(read);
    }
  return made;
}

/** The product under way in these registers, or a new one that begins with what they hold. */
Product& productIn(Warp& warp, const Instruction& at) {
  for (Product& one : warp.products) {
    if (one.at->list.size() == at.list.size() && std::equal(at.list.begin(), at.list.end(), one.at->list.begin(), [](Slot a, Slot b) { return a.offset == b.offset; }))
      return one;
    for (const Slot& own : one.at->list)
      for (const Slot& other : at.list)
        if (own.offset == other.offset) warp.block->fault(ptx::kLaunchFailed, "some of the registers belong to a product that is under way", warp, at, 0);
  }
  if (!warp.productsFenced) warp.block->fault(ptx::kLaunchFailed, "no wgmma.fence since its registers were free for others", warp, at, 0);
  Product made{&at, {}, 0};
  for (const Slot& slot : at.list)
    for (int lane = 0; lane < 32; ++lane) {
      made.values.push_back(bitsAs<float>(static_cast<uint32_t>(warp.value(slot, lane))));
      warp.set(slot, lane, kUnderWay);
    }
  warp.products.push_back(std::move(made));
  return warp.products.back();
}

void multiplied(Warp& warp, const Instruction& at, Mask mask) {
  Block& block = *warp.block;
  if (mask != kAll) block.fault(ptx::kLaunchFailed, "all 32 lanes must take part", warp, at, __builtin_ctz(mask));
  const uint32_t first = warp.id / kGroupWarps * kGroupWarps;
  if (first + kGroupWarps > block.warps.size()) block.fault(ptx::kLaunchFailed, "there are no four warps", warp, at, 0);
  // The four warps say the same.
  auto& said = block.groupProducts[first];
  const std::array<uint64_t, 3> mine{warp.value(at.operand[0], 0), warp.value(at.operand[1], 0), static_cast<uint64_t>(at.line)};
  if (said.size() == warp.productCount) said.push_back(mine);
  if (said[warp.productCount] != mine) block.fault(ptx::kLaunchFailed, "the four warps multiply different matrices", warp, at, 0);
  ++warp.productCount;
  const uint32_t elementBytes = at.source == Scalar::TF32 ? 4 : 2, depth = 32 / elementBytes, columns = static_cast<uint32_t>(at.list.size()) * 2;
  const auto left = matrix(warp, at, matrixOf(warp, at, at.operand[0], (at.option & 1) == 0, elementBytes), (warp.id - first) * kRows, kRows, depth);
  const auto right = matrix(warp, at, matrixOf(warp, at, at.operand[1], (at.option & 2) == 0, elementBytes), 0, columns, depth);
  Product& product = productIn(warp, at);
  product.group = warp.productGroups;
  const bool adds = (warp.value(at.operand[2], 0) & 1) != 0;
  for (size_t i = 0; i < at.list.size(); ++i)
    for (uint32_t lane = 0; lane < 32; ++lane) {
      const uint32_t row = lane / 4 + 8 * (i >> 1 & 1), column = static_cast<uint32_t>(8 * (i / 4)) + 2 * (lane % 4) + (i & 1);
      double sum = 0;
      for (uint32_t k = 0; k < depth; ++k) sum += left[row * depth + k] * right[column * depth + k];
      float& value = product.values[i * 32 + lane];
      value = static_cast<float>((adds ? static_cast<double>(value) : 0) + sum);
    }
}

void fenced(Warp& warp, const Instruction&, Mask) { warp.productsFenced = true; }

void commit(Warp& warp, const Instruction&, Mask) {
  ++warp.productGroups;
  warp.productReads.emplace_back();
}

void wait(Warp& warp, const Instruction& at, Mask) {
  Block& block = *warp.block;
  // The last one is that of products that are in no group yet.
  for (; warp.productReads.size() > at.option + 1; warp.productReads.pop_front())
    for (const ProductRead& read : warp.productReads.front()) {
      const uint8_t* const now = sharedAt(warp, *read.at, read.address, 16, 0, Access::Read);
      if (std::memcmp(now, read.bytes.data(), 16) != 0) block.fault(ptx::kLaunchFailed, "shared memory changed while it was multiplied", warp, *read.at, 0);
    }
  for (size_t which = warp.products.size(); which-- > 0;) {
    const Product& product = warp.products[which];
    if (product.group + at.option >= warp.productGroups) continue;
    for (size_t i = 0; i < product.at->list.size(); ++i)
      for (int lane = 0; lane < 32; ++lane) {
        const Slot slot = product.at->list[i];
        if (warp.value(slot, lane) != kUnderWay)
          block.fault(ptx::kLaunchFailed, "a register was written while a product was under way in it", warp, *product.at, lane);
        warp.set(slot, lane, bitsAs<uint32_t>(product.values[i * 32 + static_cast<size_t>(lane)]));
      }
    warp.products.erase(warp.products.begin() + static_cast<std::ptrdiff_t>(which));
    warp.productsFenced = false;
  }
}

void decode(Site& site) {
  Instruction& made = site.made;
  if (!site.has("sync") || !site.has("aligned")) site.fail("only .sync.aligned");
  made.control = Control::Whole;
  if (site.has("fence")) { made.run = &fenced; return; }
  if (site.has("commit_group")) { made.run = &commit; return; }
  if (site.has("wait_group")) {
    made.option = static_cast<uint32_t>(site.operand(0).value);
    made.run = &wait;
    return;
  }
  const Scalar left = site.type(1);
  if (!site.has("mma_async") || site.has("sp") || site.type(0) != Scalar::F32 || left != site.type(2)) site.fail("not a form that is known here");
  const bool narrow = left == Scalar::BF16 || left == Scalar::F16;
  if (!narrow && left != Scalar::TF32) site.fail("not for these types");
  for (const ptx::Operand& one : site.operand(0).items) made.list.push_back(site.slot(one, Scalar::F32));
  const size_t columns = made.list.size() * 2;
  if (columns == 0 || columns % 8 != 0 || columns > 256 || !site.has("m64n" + std::to_string(columns) + (narrow ? "k16" : "k8")))
    site.fail("not as many registers as the shape needs");
  if (site.operand(1).kind == ptx::Operand::Vector) site.fail("a left side in registers is not known here");
  made.source = left;
  made.operand[0] = site.slot(1, Scalar::B64);
  made.operand[1] = site.slot(2, Scalar::B64);
  made.operand[2] = site.slot(3, Scalar::Pred);
  if (site.count() != (narrow ? 8u : 6u) || site.operand(4).value != 1 || site.operand(5).value != 1) site.fail("not a form that is known here");
  if (narrow) made.option = (site.operand(6).value != 0 ? 1u : 0u) | (site.operand(7).value != 0 ? 2u : 0u);
  made.run = &multiplied;
}

}  // namespace

void addGroups(Table& table) { table["wgmma"] = table["wgmma.real"] = table["wgmma.half"] = decode; }

}  // namespace machine
