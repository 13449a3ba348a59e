// Memory as instructions reach it. In: an address of a lane. Out: where it lies in this process. Holds: nothing is touched that lies in no
// allocation, is misaligned, or races with what another thread does; a fault names the kernel, the line of its PTX and the thread.
#pragma once
#include "block.h"
#include "../ptx/fault.h"

namespace machine {

[[noreturn]] void raceFault(const Race& race, const Warp& warp, const Instruction& at, int lane, Access kind, uint64_t address, bool shared);
[[noreturn]] void addressFault(const char* space, const Warp& warp, const Instruction& at, int lane, uint64_t address, uint32_t bytes);
[[noreturn]] void alignmentFault(const Warp& warp, const Instruction& at, int lane, uint64_t address, uint32_t bytes);

/** Shared memory for one instruction of a warp. */
class SharedReach {
 public:
  SharedReach(const Warp& warp, const Instruction& at)
      : warp_(warp), at_(at), block_(*warp.block), data_(block_.shared.data()), size_(block_.shared.size()), races_(block_.settings->races),
        base_(block_.timeline->blockBase()) {}

  uint8_t* operator()(uint64_t address, uint32_t bytes, int lane, Access kind) {
    if ((address & (bytes - 1)) != 0) alignmentFault(warp_, at_, lane, address, bytes);
    if (address > size_ || bytes > size_ - address) addressFault("shared", warp_, at_, lane, address, bytes);
    if (races_ && !(address == last_ && several_ && kind == Access::Read)) {
      if (const Race race = block_.sharedShadow.access(address, bytes, warp_, warp_.segment(), static_cast<uint8_t>(lane), kind, base_, true))
        raceFault(race, warp_, at_, lane, kind, address, true);
      several_ = address == last_;
      last_ = address;
    }
    return data_ + address;
  }

 private:
  const Warp& warp_;
  const Instruction& at_;
  Block& block_;
  uint8_t* const data_;
  const uint64_t size_;
  const bool races_;
  const uint32_t base_;
  /** Lanes that all read one address: two of them say so. */
  uint64_t last_ = ~uint64_t{0};
  bool several_ = false;
};

/** Global memory for one instruction of a warp: it often stays in the allocation that the instruction touched last. */
class GlobalReach {
 public:
  GlobalReach(const Warp& warp, const Instruction& at)
      : warp_(warp), at_(at), block_(*warp.block), hint_(block_.hints[&at - block_.kernel->code.data()]),
        sector_(block_.sectors[&at - block_.kernel->code.data()]), races_(block_.settings->races),
        base_(block_.timeline->launchBase()) {}

  uint8_t* operator()(uint64_t address, uint32_t bytes, int lane, Access kind) {
    Allocation* one = hint_;
    if (one == nullptr || address - one->address > one->bytes || bytes > one->bytes - (address - one->address)) {
      one = block_.memory->find(address, bytes);
      if (one == nullptr) addressFault("global", warp_, at_, lane, address, bytes);
      hint_ = one;
    }
    if ((address & (bytes - 1)) != 0) alignmentFault(warp_, at_, lane, address, bytes);
    const uint64_t offset = address - one->address;
    if (sector_ != address / kSector) moved(*one, offset / kSector, kind);
    sector_ = address / kSector;
    if (races_ && !one->pinned)
      if (const Race race = one->shadow.access(offset, bytes, warp_, warp_.segment(), static_cast<uint8_t>(lane), kind, base_, false))
        raceFault(race, warp_, at_, lane, kind, address, false);
    return one->host + offset;
  }

 private:
  void moved(Allocation& one, uint64_t sector, Access kind) {
    Counts& counts = *block_.counts;
    const bool reads = kind == Access::Read || kind == Access::AtomicRead;
    if (one.readBy.empty()) {
      one.readBy.assign(one.bytes / kSector + 1, 0);
      one.writtenBy.assign(one.bytes / kSector + 1, 0);
    }
    const auto launch = static_cast<uint32_t>(counts.launches);
    uint32_t& known = (reads ? one.readBy : one.writtenBy)[sector];
    counts.bytesAsked += kSector;
    if (known != launch && !(reads && one.writtenBy[sector] == launch)) (reads ? counts.bytesRead : counts.bytesWritten) += kSector;
    known = launch;
  }

  const Warp& warp_;
  const Instruction& at_;
  Block& block_;
  Allocation*& hint_;
  uint64_t& sector_;
  const bool races_;
  const uint32_t base_;
};

inline uint8_t* sharedAt(const Warp& warp, const Instruction& at, uint64_t address, uint32_t bytes, int lane, Access kind) {
  return SharedReach(warp, at)(address, bytes, lane, kind);
}

inline uint8_t* globalAt(const Warp& warp, const Instruction& at, uint64_t address, uint32_t bytes, int lane, Access kind) {
  return GlobalReach(warp, at)(address, bytes, lane, kind);
}

inline uint8_t* localAt(const Warp& warp, const Instruction& at, uint64_t address, uint32_t bytes, int lane) {
  Block& block = *warp.block;
  const uint32_t size = block.kernel->localBytes;
  if (address % bytes != 0) alignmentFault(warp, at, lane, address, bytes);
  if (address > size || bytes > size - address) addressFault("local", warp, at, lane, address, bytes);
  return block.local.data() + (static_cast<size_t>(warp.id) * 32 + static_cast<size_t>(lane)) * size + address;
}

inline uint8_t* parameterAt(const Warp& warp, const Instruction& at, uint64_t address, uint32_t bytes, int lane) {
  const std::vector<uint8_t>& all = warp.block->launch->parameters;
  if (address % bytes != 0) alignmentFault(warp, at, lane, address, bytes);
  if (address > all.size() || bytes > all.size() - address) addressFault("parameter", warp, at, lane, address, bytes);
  return const_cast<uint8_t*>(all.data()) + address;
}

/** Where the bytes lie; 16 bytes at most, which lie in one page of a shadow because they are aligned. */
inline uint8_t* memoryAt(const Warp& warp, const Instruction& at, uint64_t address, uint32_t bytes, int lane, Access kind) {
  switch (at.space) {
    case ptx::Space::Shared: return sharedAt(warp, at, address & 0xffffffff, bytes, lane, kind);
    case ptx::Space::Local: return localAt(warp, at, address, bytes, lane);
    case ptx::Space::Generic:
      switch (address & kWindows) {
        case kLocalWindow: return localAt(warp, at, address - kLocalWindow, bytes, lane);
        case kSharedWindow: return sharedAt(warp, at, address - kSharedWindow, bytes, lane, kind);
        case kParamWindow: return parameterAt(warp, at, address - kParamWindow, bytes, lane);
        default: return globalAt(warp, at, address, bytes, lane, kind);
      }
    case ptx::Space::Param: return parameterAt(warp, at, address & ~kWindows, bytes, lane);
    default: return globalAt(warp, at, address, bytes, lane, kind);
  }
}

/** Any space. */
class AnyReach {
 public:
  AnyReach(const Warp& warp, const Instruction& at) : warp_(warp), at_(at) {}
  uint8_t* operator()(uint64_t address, uint32_t bytes, int lane, Access kind) { return memoryAt(warp_, at_, address, bytes, lane, kind); }

 private:
  const Warp& warp_;
  const Instruction& at_;
};

}  // namespace machine
