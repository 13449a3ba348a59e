// A warp: 32 lanes that run together where they can. In: instructions. Out: registers; who is where. Holds: lanes that part at a branch
// are paths, which meet again at the branch's immediate post-dominator; every path goes on independently, so lanes may wait for each other.
#pragma once
#include <array>
#include <deque>
#include <memory>
#include "program.h"
#include "timeline.h"

namespace machine {

struct Block;

enum class State : uint8_t { Ready, AtBarrier, AtMeeting, Gone };

struct Path {
  Mask mask = 0;
  int32_t at = 0;
  /** Index of the join that it will meet others in; -1: none. */
  int32_t join = -1;
  State state = State::Ready;
  uint32_t barrier = 0;
};

struct Join {
  int32_t at = 0;
  Mask members = 0;
  Mask arrived = 0;
  int32_t outer = -1;
};

/** What a warp knows of other blocks: for each of them (by turn) the newest segments of its warps that happened before. */
using Elsewhere = std::map<size_t, std::vector<uint32_t>>;

/** A copy that `cp.async` has begun. */
struct Copy {
  uint64_t to;
  const uint8_t* from;
  uint32_t bytes;
  uint32_t zeros;
};

/** A product of four warps that is under way: what this warp's registers will hold, 32 lanes each, and the group that it belongs to. */
struct Product {
  const Instruction* at;
  std::vector<float> values;
  uint64_t group;
};

/** What a product has read, until it is waited for. */
struct ProductRead {
  uint64_t address;
  std::array<uint8_t, 16> bytes;
  const Instruction* at;
};

struct Warp {
  Block* block = nullptr;
  uint32_t id = 0;
  uint8_t* registers = nullptr;
  Mask alive = 0;
  std::vector<Path> paths;
  std::vector<Join> joins;
  /** Per warp of the block, and the asynchronous engine behind them: the newest segment that happened before; the own: the present one. */
  std::vector<uint32_t> clock;
  /** The block's first segment, and the one before which all of the block's are ordered before what comes. */
  uint32_t first = 0, settled = 0;
  /** The segment that the warp began when all of the block last met. */
  uint32_t sinceSettled = 0;
  /** Whether warps of the block have met only all at once so far. */
  bool simple = true;
  /** Segments before this one are ordered between all lanes of the warp. */
  uint32_t lanesSince = 0;
  /** The same for pairs of lanes, where only some of them met. */
  std::unique_ptr<std::array<uint32_t, 1024>> pairsSince;
  std::shared_ptr<const Elsewhere> elsewhere;
  /** What a fence has made ready for others (`fencedNear`: one of the block's scope), and what atomics have read that a fence will make valid. */
  std::shared_ptr<const Elsewhere> fenced, fencedNear, unfenced;
  std::array<std::vector<Copy>, 32> begun;
  std::array<std::vector<std::vector<Copy>>, 32> groups;
  /** What was written before this segment, the asynchronous proxy sees. */
  uint32_t proxySince = 0;
  std::vector<Product> products;
  /** By group, the last one not committed. */
  std::deque<std::vector<ProductRead>> productReads{1};
  uint64_t productGroups = 0, productCount = 0;
  bool productsFenced = false;

  template <class T>
  T* lanes(uint32_t offset) const { return reinterpret_cast<T*>(registers + offset); }

  uint64_t value(Slot slot, int lane) const { return slot.wide ? lanes<uint64_t>(slot.offset)[lane] : lanes<uint32_t>(slot.offset)[lane]; }
  void set(Slot slot, int lane, uint64_t value) {
    if (slot.offset == kNoSlot) return;
    if (slot.wide) lanes<uint64_t>(slot.offset)[lane] = value;
    else lanes<uint32_t>(slot.offset)[lane] = static_cast<uint32_t>(value);
  }

  uint32_t segment() const { return clock[id]; }
  bool isOwn(uint32_t segment) const;
  /** Whether it belongs to this block and was over when all of the block's threads last met. */
  bool isSettled(uint32_t segment) const { return segment < settled && segment >= first; }
  /** Whether what `lane` did in `segment` happened before what `mine` does now. */
  bool orderedAfter(uint32_t segment, uint8_t lane, uint8_t mine) const {
    return isSettled(segment) || orderedByClocks(segment, lane, mine);
  }

  /** What the warp does from here on is not covered by what others learn of it. */
  void beginSegment();
  void learn(const std::vector<uint32_t>& others);
  /** The lanes have met with memory ordered between them. */
  void lanesMet(Mask lanes);
  void learnElsewhere(const Elsewhere& others);
  /** All that happened before now, in this block and elsewhere, for warps of other blocks. */
  std::shared_ptr<const Elsewhere> knowledge() const;

  // Paths (paths.cc).
  void part(Path& path, Mask taken, int32_t target, int32_t meeting);
  /** The path has come to its join; it waits there or goes on as all that have met. */
  void arrive(size_t path);
  void leave(size_t path, Mask lanes);
  void tidy();

 private:
  bool orderedByClocks(uint32_t segment, uint8_t lane, uint8_t mine) const;
  void complete(int32_t join);
};

}  // namespace machine
