// Barriers in shared memory (`mbarrier`) and copies of the asynchronous engine. In: arrivals, bytes that land. Out: phases that complete.
// Holds: a phase is over when all arrivals and all bytes have come; who waits for it knows all that happened before.
#include "block.h"
#include <cstring>
#include "../ptx/fault.h"

namespace machine {

namespace {

void join(std::vector<uint32_t>& into, const std::vector<uint32_t>& from) {
  into.resize(from.size());
  for (size_t i = 0; i < from.size(); ++i) into[i] = std::max(into[i], from[i]);
}

}  // namespace

PhaseBarrier& Block::phaseBarrier(uint64_t address, const Warp& warp, const Instruction& at, int lane) {
  const auto found = phaseBarriers.find(address);
  if (found == phaseBarriers.end()) fault(ptx::kLaunchFailed, "there is no mbarrier at " + std::to_string(address), warp, at, lane);
  return found->second;
}

void Block::completePhase(PhaseBarrier& barrier) {
  if (barrier.pending != 0 || barrier.bytes != 0) return;
  barrier.phase ^= 1;
  barrier.pending = barrier.expected;
  join(barrier.completed, barrier.arriving);
  idle = 0;
}

void Block::land(size_t which) {
  const BulkCopy copy = std::move(bulk[which]);
  bulk.erase(bulk.begin() + static_cast<std::ptrdiff_t>(which));
  const uint32_t id = static_cast<uint32_t>(warps.size());
  Warp engine;
  engine.block = this;
  engine.id = id;
  engine.clock = copy.clock;
  engine.beginSegment();
  for (const BulkCopy::Piece& piece : copy.pieces) {
    for (uint32_t at = 0; settings->races && at < piece.bytes; at += piece.unit)
      sharedShadow.access(piece.to + at, piece.unit, engine, engine.segment(), 0, Access::Land, timeline->blockBase(), true);
    if (piece.from != nullptr) std::memcpy(shared.data() + piece.to, piece.from, piece.bytes);
    else
      for (uint32_t at = 0; at < piece.bytes; at += piece.unit) std::memcpy(shared.data() + piece.to + at, &copy.fill, piece.unit);
  }
  idle = 0;
  const auto found = phaseBarriers.find(copy.barrier);
  if (found == phaseBarriers.end()) throw ptx::Fault(ptx::kLaunchFailed, "kernel " + kernel->name + ": a copy completes at an mbarrier that is gone");
  found->second.bytes -= static_cast<int64_t>(copy.bytes);
  join(found->second.arriving, engine.clock);
  completePhase(found->second);
}

}  // namespace machine
