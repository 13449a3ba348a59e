// Moves, addresses and parameters in registers: mov (packing and unpacking too), cvta, isspacep. In: a site. Out: its handler.
// Holds: a vector of a move fills a register from its lowest bits.
#include "decoder.h"
#include "lanes.h"

namespace machine {

using ptx::Operand;
using ptx::Scalar;
using ptx::Space;

namespace {

template <class T>
struct Same { T operator()(T a) const { return a; } };

void packedMove(Warp& warp, const Instruction& at, Mask mask) {
  const uint32_t bits = at.option;
  for (Mask rest = mask; rest != 0; rest &= rest - 1) {
    const int lane = __builtin_ctz(rest);
    uint64_t value = 0;
    for (size_t i = 0; i < at.list.size(); ++i) value |= (warp.value(at.list[i], lane) & ((uint64_t{1} << bits) - 1)) << (i * bits);
    warp.set(at.operand[0], lane, value);
  }
}

void unpackedMove(Warp& warp, const Instruction& at, Mask mask) {
  const uint32_t bits = at.option;
  for (Mask rest = mask; rest != 0; rest &= rest - 1) {
    const int lane = __builtin_ctz(rest);
    const uint64_t value = warp.value(at.operand[0], lane);
    for (size_t i = 0; i < at.list.size(); ++i) warp.set(at.list[i], lane, value >> (i * bits) & ((uint64_t{1} << bits) - 1));
  }
}

Scalar piece(Site& site, uint32_t bytes) {
  if (bytes == 1) return Scalar::B8;
  if (bytes == 2) return Scalar::B16;
  if (bytes == 4) return Scalar::B32;
  site.fail("pieces of " + std::to_string(bytes) + " bytes");
}

void move(Site& site) {
  const Scalar type = site.type();
  Instruction& made = site.made;
  const bool packs = site.operand(1).kind == Operand::Vector;
  if (packs || site.operand(0).kind == Operand::Vector) {
    const Operand& many = site.operand(packs ? 1 : 0);
    const uint32_t bytes = ptx::bytesOf(type) / static_cast<uint32_t>(many.items.size());
    const Scalar element = piece(site, bytes);
    for (const Operand& one : many.items) made.list.push_back(site.any(one, element));
    made.operand[0] = site.slot(packs ? 0 : 1, type);
    made.option = 8 * bytes;
    made.run = packs ? &packedMove : &unpackedMove;
    return;
  }
  site.all(type, 2);
  if (site.operand(1).negated) site.fail("a negated operand");
  made.run = ptx::laneBytes(type) == 8 ? &unary<uint64_t, Same<uint64_t>> : &unary<uint32_t, Same<uint32_t>>;
}

/** Between an address of a space and the generic one: the window is added or taken away. */
void window(Warp& warp, const Instruction& at, Mask mask) {
  for (Mask rest = mask; rest != 0; rest &= rest - 1) {
    const int lane = __builtin_ctz(rest);
    warp.set(at.operand[0], lane, warp.value(at.operand[1], lane) + static_cast<uint64_t>(at.offset));
  }
}

void convertAddress(Site& site) {
  const Space space = site.space();
  const uint64_t base = space == Space::Shared ? kSharedWindow : space == Space::Local ? kLocalWindow : 0;
  site.made.operand[0] = site.any(site.operand(0), Scalar::B64);
  site.made.operand[1] = site.any(site.operand(1), Scalar::B64);
  site.made.offset = static_cast<int64_t>(site.has("to") ? -base : base);
  site.made.run = &window;
}

void inSpace(Warp& warp, const Instruction& at, Mask mask) {
  for (Mask rest = mask; rest != 0; rest &= rest - 1) {
    const int lane = __builtin_ctz(rest);
    warp.set(at.operand[0], lane, (warp.value(at.operand[1], lane) & kWindows) == static_cast<uint64_t>(at.offset));
  }
}

}  // namespace

void addMoves(Table& table) {
  table["mov"] = move;
  table["cvta"] = convertAddress;
  table["isspacep"] = [](Site& site) {
    const Space space = site.space();
    site.made.operand[0] = site.slot(0, Scalar::Pred);
    site.made.operand[1] = site.slot(1, Scalar::B64);
    site.made.offset = static_cast<int64_t>(space == Space::Shared ? kSharedWindow : space == Space::Local ? kLocalWindow : 0);
    site.made.run = &inSpace;
  };
}

}  // namespace machine
