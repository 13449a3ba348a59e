// A warp's turn: what its control instructions do. In: one path and how many instructions it may take. Out: where it stands then.
// Holds: instructions that concern several lanes run once, when all of those that they name have come.
#include "block.h"
#include <cstring>
#include "../ptx/fault.h"

namespace machine {

namespace {

Mask lanesWhere(const Warp& warp, const Instruction& at, Mask mask) {
  if (at.predicate == kNoSlot) return mask;
  const uint32_t* const values = warp.lanes<uint32_t>(at.predicate);
  Mask set = 0;
  for (uint32_t lane = 0; lane < 32; ++lane) set |= (values[lane] & 1) << lane;
  return mask & (at.negated ? ~set : set);
}

}  // namespace

void Block::slice(Warp& warp, size_t index, uint32_t budget) {
  const Instruction* const code = kernel->code.data();
  const int32_t end = static_cast<int32_t>(kernel->code.size());
  uint64_t lanes = 0;
  uint32_t taken = 0;
  for (; taken < budget; ++taken) {
    Path& path = warp.paths[index];
    if (path.join >= 0 && warp.joins[path.join].at == path.at) {
      warp.arrive(index);
      break;
    }
    if (path.at >= end) {
      warp.leave(index, path.mask);
      break;
    }
    const Instruction& at = code[path.at];
    const Mask mask = lanesWhere(warp, at, path.mask);
    lanes += static_cast<uint32_t>(__builtin_popcount(mask));
    if (at.control == Control::Plain) {
      if (mask != 0) at.run(warp, at, mask);
      ++path.at;
      continue;
    }
    if (at.control == Control::Branch) {
      if (mask == path.mask) {
        path.at = at.target;
      } else if (mask == 0) {
        ++path.at;
      } else {
        warp.part(path, mask, at.target, at.meeting);
        break;
      }
      continue;
    }
    if (mask == 0) {
      ++path.at;
      continue;
    }
    if (at.control == Control::Exit) {
      ++path.at;
      warp.leave(index, mask);
      for (uint32_t id = 0; id < barriers.size(); ++id) settle(id);
      break;
    }
    if (at.control == Control::Barrier) {
      if (barrier(warp, index, at, mask)) continue;
      break;
    }
    if (at.control == Control::Yield) {
      at.run(warp, at, mask);
      ++path.at;
      break;
    }
    if (!together(warp, index, at, mask)) break;
  }
  counts->laneInstructions += lanes;
  counts->warpInstructions += taken + 1;
  steps += taken + 1;
}

/** Leaves the lanes of `mask` in a path that waits; those that a predicate keeps from the instruction go on. May move the paths. */
static void waitAlone(Warp& warp, size_t index, Mask mask) {
  Path other = warp.paths[index];
  other.mask &= ~mask;
  warp.paths[index].mask = mask;
  if (other.mask == 0) return;
  other.state = State::Ready;
  ++other.at;
  warp.paths.push_back(other);
}

/** Runs the instruction when all lanes that it names are here; each path of them goes on by itself. */
bool Block::together(Warp& warp, size_t index, const Instruction& at, Mask mask) {
  Mask members = warp.alive;
  if (at.control == Control::Together && at.members != kNoSlot) {
    const uint32_t* const named = warp.lanes<uint32_t>(at.members);
    const int first = __builtin_ctz(mask);
    members = named[first];
    for (Mask rest = mask; rest != 0; rest &= rest - 1) {
      const int lane = __builtin_ctz(rest);
      if ((named[lane] >> lane & 1) == 0) fault(ptx::kLaunchFailed, "a lane runs what its own mask does not name it for", warp, at, lane);
      if (named[lane] != members) fault(ptx::kLaunchFailed, "lanes that run together name different masks", warp, at, lane);
    }
    members &= warp.alive;
  } else if (at.control == Control::Whole && mask != warp.alive && warp.paths[index].mask != mask) {
    fault(ptx::kLaunchFailed, "all lanes of the warp must run this, a predicate keeps some from it", warp, at, __builtin_ctz(mask));
  }
  Path& path = warp.paths[index];
  const int32_t here = path.at;
  Mask all = mask;
  for (const Path& other : warp.paths)
    if (other.state == State::AtMeeting && other.at == here) all |= other.mask;
  if ((members & ~all) != 0) {
    path.state = State::AtMeeting;
    waitAlone(warp, index, mask);
    return false;
  }
  at.run(warp, at, all);
  idle = 0;
  for (Path& other : warp.paths)
    if (other.state == State::AtMeeting && other.at == here) {
      other.state = State::Ready;
      ++other.at;
    }
  ++warp.paths[index].at;
  return true;
}

/** `barrier.sync`, `.arrive`, `.red`: operands are the barrier's number and, where it is written, how many threads it waits for. */
bool Block::barrier(Warp& warp, size_t index, const Instruction& at, Mask mask) {
  Path& path = warp.paths[index];
  const int lane = __builtin_ctz(mask);
  const bool aligned = (at.option & kBarrierAligned) != 0;
  if (aligned && mask != warp.alive)
    fault(ptx::kLaunchFailed, "barrier divergence: only " + std::to_string(__builtin_popcount(mask)) + " of the warp's " +
                                  std::to_string(__builtin_popcount(warp.alive)) + " running lanes are here", warp, at, lane);
  const uint64_t id = warp.value(at.operand[1], lane);
  if (id >= barriers.size()) fault(ptx::kLaunchFailed, "there are 16 barriers, this is number " + std::to_string(id), warp, at, lane);
  Barrier& one = barriers[id];
  const bool written = at.operand[2].offset != kNoSlot;
  const uint32_t expected = written ? static_cast<uint32_t>(warp.value(at.operand[2], lane)) : 0;
  if (written && expected % 32 != 0) fault(ptx::kLaunchFailed, "a barrier's count of threads is no multiple of 32", warp, at, lane);
  if (one.arrived != 0 && one.expected != expected)
    fault(ptx::kLaunchFailed, "a barrier that waits for " + std::to_string(one.expected) + " threads is told to wait for " + std::to_string(expected), warp, at, lane);
  if (one.arrived == 0) {
    one.clock.assign(warps.size() + 1, 0);
    one.counted = 0;
    one.all = true;
    one.any = false;
  }
  one.expected = expected;
  if (written)
    for (Warp& other : warps) other.simple = false;
  one.arrived += static_cast<uint32_t>(__builtin_popcount(mask));
  if (written && one.arrived > expected)
    fault(ptx::kLaunchFailed, "a barrier that waits for " + std::to_string(expected) + " threads is reached by " + std::to_string(one.arrived), warp, at, lane);
  for (size_t i = 0; i < one.clock.size(); ++i) one.clock[i] = std::max(one.clock[i], warp.clock[i]);
  if (at.operand[3].offset != kNoSlot) {
    for (Mask rest = mask; rest != 0; rest &= rest - 1) {
      const bool set = ((warp.value(at.operand[3], __builtin_ctz(rest)) & 1) != 0) != ((at.option & kBarrierNegated) != 0);
      one.counted += set;
      one.all = one.all && set;
      one.any = one.any || set;
    }
  }
  if ((at.option & kBarrierArrive) != 0) {
    warp.beginSegment();
    ++path.at;
    settle(static_cast<uint32_t>(id));
    return true;
  }
  path.state = State::AtBarrier;
  path.barrier = static_cast<uint32_t>(id);
  waitAlone(warp, index, mask);
  settle(static_cast<uint32_t>(id));
  return false;
}

/** Opens the barrier if all have come. Threads that have ended are not waited for. */
void Block::settle(uint32_t id) {
  Barrier& one = barriers[id];
  if (one.arrived == 0) return;
  uint32_t running = 0;
  for (const Warp& warp : warps) running += static_cast<uint32_t>(__builtin_popcount(warp.alive));
  if (one.arrived < (one.expected == 0 ? running : one.expected)) return;
  // What copies of the asynchronous engine have written is ordered by their own barriers alone.
  const bool all = one.expected == 0 && phaseBarriers.empty();
  const uint32_t before = timeline->next();
  idle = 0;
  one.arrived = 0;
  for (Warp& warp : warps) {
    Mask here = 0;
    for (Path& path : warp.paths) {
      if (path.state != State::AtBarrier || path.barrier != id) continue;
      here |= path.mask;
      const Instruction& at = kernel->code[path.at];
      if (at.operand[0].offset != kNoSlot)
        for (Mask rest = path.mask; rest != 0; rest &= rest - 1) {
          const uint64_t value = at.option2 == kReduceCount ? one.counted : at.option2 == kReduceAnd ? one.all : one.any;
          warp.set(at.operand[0], __builtin_ctz(rest), value);
        }
      path.state = State::Ready;
      ++path.at;
    }
    if (here == 0) continue;
    warp.learn(one.clock);
    warp.lanesMet(here);
    if (!all) continue;
    warp.settled = before;
    warp.sinceSettled = warp.segment();
  }
}

}  // namespace machine
