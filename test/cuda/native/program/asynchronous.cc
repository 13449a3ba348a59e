// Copies that end later: cp.async with its groups, cp.async.bulk(.tensor), and mbarrier, which waits for the latter. In: a site.
// Out: its handler. Holds: bytes arrive when they are waited for, or when the schedule lets the engine go on, never at once, so whoever
// does not wait reads what was there, and is told.
#include "decoder.h"
#include "../machine/access.h"
#include "../machine/tensor-map.h"
#include "half.h"

namespace machine {

using ptx::Operand;
using ptx::Scalar;
using ptx::Space;

namespace {

// ---- cp.async

void begin(Warp& warp, const Instruction& at, Mask mask) {
  for (Mask rest = mask; rest != 0; rest &= rest - 1) {
    const int lane = __builtin_ctz(rest);
    const uint64_t to = (warp.value(at.operand[0], lane) + static_cast<uint64_t>(at.offset)) & 0xffffffff;
    const uint64_t from = warp.value(at.operand[1], lane) + static_cast<uint64_t>(at.offset2);
    const uint32_t bytes = at.option;
    uint32_t taken = bytes;
    if (at.operand[2].offset != kNoSlot) {
      taken = static_cast<uint32_t>(warp.value(at.operand[2], lane));
      if (at.option2 != 0) taken = (taken & 1) != 0 ? 0 : bytes;
    }
    if (taken > bytes) warp.block->fault(ptx::kLaunchFailed, "takes more bytes than it writes", warp, at, lane);
    sharedAt(warp, at, to, bytes, lane, Access::Begin);
    if (from % bytes != 0) alignmentFault(warp, at, lane, from, bytes);
    const uint8_t* source = nullptr;
    for (uint32_t i = 0; i < taken; i += 4) {
      const uint8_t* const part = globalAt(warp, at, from + i, std::min(4u, taken - i), lane, Access::Read);
      if (i == 0) source = part;
    }
    warp.begun[lane].push_back({to, source, taken, bytes - taken});
  }
}

void land(Warp& warp, const Instruction& at, int lane, const std::vector<Copy>& copies) {
  for (const Copy& copy : copies) {
    uint8_t* const to = sharedAt(warp, at, copy.to, copy.bytes + copy.zeros, lane, Access::Land);
    if (copy.bytes != 0) std::memcpy(to, copy.from, copy.bytes);
    std::memset(to + copy.bytes, 0, copy.zeros);
  }
}

void commit(Warp& warp, const Instruction&, Mask mask) {
  for (Mask rest = mask; rest != 0; rest &= rest - 1) {
    const int lane = __builtin_ctz(rest);
    warp.groups[lane].push_back(std::move(warp.begun[lane]));
    warp.begun[lane].clear();
  }
}

void wait(Warp& warp, const Instruction& at, Mask mask) {
  for (Mask rest = mask; rest != 0; rest &= rest - 1) {
    const int lane = __builtin_ctz(rest);
    auto& groups = warp.groups[lane];
    for (; groups.size() > at.option; groups.erase(groups.begin())) land(warp, at, lane, groups.front());
    if (at.option2 == 0) continue;
    land(warp, at, lane, warp.begun[lane]);
    warp.begun[lane].clear();
  }
}

// ---- mbarrier

uint64_t barrierAddress(Warp& warp, const Instruction& at, int lane, Access kind) {
  const uint64_t address = (warp.value(at.operand[1], lane) + static_cast<uint64_t>(at.offset)) & 0xffffffff;
  sharedAt(warp, at, address, 8, lane, kind);
  return address;
}

void initialize(Warp& warp, const Instruction& at, Mask mask) {
  for (Mask rest = mask; rest != 0; rest &= rest - 1) {
    const int lane = __builtin_ctz(rest);
    for (Warp& other : warp.block->warps) other.simple = false;
    PhaseBarrier made;
    made.expected = made.pending = static_cast<uint32_t>(warp.value(at.operand[2], lane));
    if (made.expected == 0 || made.expected >= 1u << 20) warp.block->fault(ptx::kLaunchFailed, "a count of arrivals is between 1 and 2^20 - 1", warp, at, lane);
    made.arriving.assign(warp.clock.size(), 0);
    made.completed = made.arriving;
    warp.block->phaseBarriers[barrierAddress(warp, at, lane, Access::Write)] = made;
  }
}

enum Arrival : uint32_t { kArrives = 1, kExpects = 2 };

void arrive(Warp& warp, const Instruction& at, Mask mask) {
  for (Mask rest = mask; rest != 0; rest &= rest - 1) {
    const int lane = __builtin_ctz(rest);
    PhaseBarrier& one = warp.block->phaseBarrier(barrierAddress(warp, at, lane, Access::AtomicWrite), warp, at, lane);
    const uint32_t number = at.operand[2].offset == kNoSlot ? 1 : static_cast<uint32_t>(warp.value(at.operand[2], lane));
    warp.set(at.operand[0], lane, one.phase);
    if ((at.option & kExpects) != 0) one.bytes += number;
    if ((at.option & kArrives) == 0) continue;
    const uint32_t count = (at.option & kExpects) != 0 ? 1 : number;
    if (count > one.pending)
      warp.block->fault(ptx::kLaunchFailed, "the phase waits for " + std::to_string(one.pending) + " more arrivals of " + std::to_string(one.expected) +
                                                 ", here come " + std::to_string(count), warp, at, lane);
    one.pending -= count;
    for (size_t i = 0; i < warp.clock.size(); ++i) one.arriving[i] = std::max(one.arriving[i], warp.clock[i]);
    warp.block->completePhase(one);
  }
  warp.beginSegment();
}

void test(Warp& warp, const Instruction& at, Mask mask) {
  bool vain = false;
  for (Mask rest = mask; rest != 0; rest &= rest - 1) {
    const int lane = __builtin_ctz(rest);
    const uint64_t address = barrierAddress(warp, at, lane, Access::AtomicRead);
    PhaseBarrier& one = warp.block->phaseBarrier(address, warp, at, lane);
    const bool done = one.phase != (warp.value(at.operand[2], lane) & 1);
    warp.set(at.operand[0], lane, done);
    if (done) warp.learn(one.completed);
    vain = vain || !done;
    if (vain && warp.block->idle > 100'000)
      warp.block->fault(ptx::kLaunchFailed, "deadlock: the mbarrier at " + std::to_string(address) + " waits for " + std::to_string(one.pending) + " of " +
                                                 std::to_string(one.expected) + " arrivals and for " + std::to_string(one.bytes) + " bytes", warp, at, lane);
  }
  if (vain) ++warp.block->idle;
}

// ---- cp.async.bulk

void enqueue(Warp& warp, const Instruction& at, int lane, BulkCopy& copy) {
  for (const BulkCopy::Piece& piece : copy.pieces)
    for (uint32_t i = 0; i < piece.bytes; i += piece.unit) sharedAt(warp, at, piece.to + i, piece.unit, lane, Access::Begin);
  copy.clock = warp.clock;
  warp.block->bulk.push_back(std::move(copy));
}

void bulk(Warp& warp, const Instruction& at, Mask mask) {
  for (Mask rest = mask; rest != 0; rest &= rest - 1) {
    const int lane = __builtin_ctz(rest);
    BulkCopy copy;
    const uint64_t to = warp.value(at.operand[0], lane) & 0xffffffff;
    const uint64_t from = warp.value(at.operand[1], lane);
    copy.bytes = warp.value(at.operand[2], lane);
    copy.barrier = warp.value(at.operand[3], lane) & 0xffffffff;
    warp.block->phaseBarrier(copy.barrier, warp, at, lane);
    if (copy.bytes % 16 != 0 || to % 16 != 0 || from % 16 != 0) warp.block->fault(ptx::kMisalignedAddress, "addresses and sizes are multiples of 16", warp, at, lane);
    for (uint64_t i = 0; i < copy.bytes; i += 16)
      copy.pieces.push_back({to + i, globalAt(warp, at, from + i, 16, lane, Access::Read), 16, 16});
    enqueue(warp, at, lane, copy);
  }
}

/** Where a swizzled box has the byte: bits 4 to 6 of its address are mixed with those of the row of 128 bytes. */
uint64_t swizzled(uint64_t address, uint8_t mode) { return address ^ (address >> 7 & ((1u << mode) - 1)) << 4; }

TensorMap mapAt(Warp& warp, const Instruction& at, int lane) {
  const uint64_t address = warp.value(at.operand[1], lane);
  if (address % 64 != 0) alignmentFault(warp, at, lane, address, 64);
  TensorMap map{};
  uint8_t bytes[128];
  const bool parameter = (address & kWindows) == kParamWindow;
  for (uint32_t i = 0; i < 128; i += 16)
    std::memcpy(bytes + i, parameter ? parameterAt(warp, at, address - kParamWindow + i, 16, lane) : globalAt(warp, at, address + i, 16, lane, Access::Read), 16);
  std::memcpy(&map, bytes, sizeof map);
  if (map.mark != kTensorMapMark) warp.block->fault(ptx::kIllegalInstruction, "there is no tensor map at this address", warp, at, lane);
  if (map.rank != at.list.size()) warp.block->fault(ptx::kIllegalInstruction, "a tensor map of another rank", warp, at, lane);
  return map;
}

void tensor(Warp& warp, const Instruction& at, Mask mask) {
  for (Mask rest = mask; rest != 0; rest &= rest - 1) {
    const int lane = __builtin_ctz(rest);
    const TensorMap map = mapAt(warp, at, lane);
    const uint64_t to = warp.value(at.operand[0], lane) & 0xffffffff;
    if (to % 128 != 0) alignmentFault(warp, at, lane, to, 128);
    BulkCopy copy;
    copy.barrier = warp.value(at.operand[2], lane) & 0xffffffff;
    copy.fill = map.fillsNaN == 0 ? 0 : 0x7fff7fff;
    warp.block->phaseBarrier(copy.barrier, warp, at, lane);
    uint64_t rows = 1;
    for (uint32_t d = 1; d < map.rank; ++d) rows *= map.box[d];
    const uint64_t rowBytes = static_cast<uint64_t>(map.box[0]) * map.elementBytes;
    copy.bytes = rows * rowBytes;
    for (uint64_t row = 0; row < rows; ++row) {
      bool inside = true;
      uint64_t from = map.address, left = row;
      for (uint32_t d = 1; d < map.rank; ++d) {
        const int64_t index = static_cast<int32_t>(warp.value(at.list[d], lane)) + static_cast<int64_t>(left % map.box[d]);
        left /= map.box[d];
        inside = inside && index >= 0 && index < static_cast<int64_t>(map.sizes[d]);
        from += static_cast<uint64_t>(index) * map.strides[d - 1];
      }
      const int64_t first = static_cast<int32_t>(warp.value(at.list[0], lane));
      for (uint32_t i = 0; i < map.box[0]; ++i) {
        const int64_t index = first + i;
        const bool there = inside && index >= 0 && index < static_cast<int64_t>(map.sizes[0]);
        const uint64_t place = swizzled(to + row * rowBytes + static_cast<uint64_t>(i) * map.elementBytes, map.swizzle);
        const uint8_t* const source = there ? globalAt(warp, at, from + static_cast<uint64_t>(index) * map.elementBytes, map.elementBytes, lane, Access::Read) : nullptr;
        copy.pieces.push_back({place, source, map.elementBytes, map.elementBytes});
      }
    }
    enqueue(warp, at, lane, copy);
  }
}

Slot addressSlot(Site& site, size_t index, const char* what) {
  int64_t offset = 0;
  const Slot slot = site.address(index, offset);
  if (offset != 0) site.fail(std::string("the address of ") + what + " has an offset");
  return slot;
}

void decodeCopy(Site& site) {
  Instruction& made = site.made;
  if (site.has("commit_group")) { made.run = &commit; return; }
  if (site.has("wait_all")) { made.option2 = 1; made.run = &wait; return; }
  if (site.has("wait_group")) { made.option = static_cast<uint32_t>(site.operand(0).value); made.run = &wait; return; }
  if (site.has("mbarrier") && !site.has("bulk")) site.fail("not a form that is known here");
  if (!site.has("bulk")) {
    made.operand[0] = site.address(0, made.offset);
    made.operand[1] = site.address(1, made.offset2);
    made.option = static_cast<uint32_t>(site.operand(2).value);
    const bool sizes = made.option == 16 || (site.has("ca") && (made.option == 4 || made.option == 8));
    if (!sizes) site.fail("4, 8 or 16 bytes; .cg: 16");
    if (site.count() > 3) {
      made.option2 = site.declared(site.operand(3)) == Scalar::Pred;
      made.operand[2] = site.any(site.operand(3), made.option2 != 0 ? Scalar::Pred : Scalar::B32);
    }
    made.run = &begin;
    return;
  }
  if (!site.has("mbarrier") || site.has("multicast") || site.has("im2col")) site.fail("not a form that is known here");
  made.operand[0] = addressSlot(site, 0, "the destination");
  if (site.has("tensor")) {
    made.operand[1] = addressSlot(site, 1, "the tensor map");
    if (site.operand(1).items.size() != 2) site.fail("no coordinates");
    for (const Operand& one : site.operand(1).items[1].items) made.list.push_back(site.slot(one, Scalar::B32));
    made.operand[2] = addressSlot(site, 2, "the mbarrier");
    made.run = &tensor;
    return;
  }
  made.operand[1] = addressSlot(site, 1, "the source");
  made.operand[2] = site.slot(2, Scalar::B32);
  made.operand[3] = addressSlot(site, 3, "the mbarrier");
  made.run = &bulk;
}

void decodeBarrier(Site& site) {
  Instruction& made = site.made;
  made.space = Space::Shared;
  if (site.has("init")) {
    made.operand[1] = site.address(0, made.offset);
    made.operand[2] = site.slot(1, Scalar::B32);
    made.run = &initialize;
  } else if (site.has("inval")) {
    made.operand[1] = site.address(0, made.offset);
    made.run = [](Warp& warp, const Instruction& at, Mask mask) {
      const int lane = __builtin_ctz(mask);
      warp.block->phaseBarriers.erase(barrierAddress(warp, at, lane, Access::Write));
    };
  } else if (site.has("test_wait") || site.has("try_wait")) {
    made.operand[0] = site.slot(0, Scalar::Pred);
    made.operand[1] = site.address(1, made.offset);
    made.operand[2] = site.slot(2, site.has("parity") ? Scalar::B32 : Scalar::B64);
    made.control = Control::Yield;
    made.run = &test;
  } else if (site.has("arrive") || site.has("expect_tx")) {
    if (site.has("noComplete") || site.has("arrive_drop")) site.fail("not a form that is known here");
    made.option = (site.has("arrive") ? kArrives : 0u) | (site.has("expect_tx") ? kExpects : 0u);
    size_t next = 0;
    if (site.operand(0).kind != Operand::Address) made.operand[0] = site.slot(next++, Scalar::B64);
    made.operand[1] = site.address(next++, made.offset);
    if (next < site.count()) made.operand[2] = site.slot(next, Scalar::B32);
    else if ((made.option & kExpects) != 0) site.fail("expects how many bytes?");
    made.run = &arrive;
  } else {
    site.fail("not a form that is known here");
  }
}

}  // namespace

void addAsynchronous(Table& table) {
  table["cp"] = decodeCopy;
  table["mbarrier"] = decodeBarrier;
}

}  // namespace machine
