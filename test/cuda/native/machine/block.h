// A block of threads while it runs. In: a kernel, its grid, parameters, memory. Out: a finished block, or a fault. Holds: warps run in
// an order that a seed decides, for as long as it decides; whoever waits for what never comes is found and named.
#pragma once
#include <deque>
#include <unordered_map>
#include "memory.h"
#include "warp.h"

namespace machine {

struct Dim3 {
  uint32_t x, y, z;
};

struct Launch {
  const Kernel* kernel = nullptr;
  Dim3 grid{1, 1, 1};
  Dim3 block{1, 1, 1};
  uint32_t dynamicShared = 0;
  std::vector<uint8_t> parameters;
};

/** What the machine is told from outside, and what it counts. */
struct Settings {
  uint64_t seed = 1;
  bool races = true;
  /** Instructions of warps that one launch may take. */
  uint64_t limit = 4'000'000'000;
};

struct Counts {
  uint64_t warpInstructions = 0;
  uint64_t laneInstructions = 0;
  uint64_t launches = 0;
  /** Bytes of global memory that launches read before they wrote them, and that they wrote, each once in a launch: what memory moves at least. */
  uint64_t bytesRead = 0;
  uint64_t bytesWritten = 0;
  /** Bytes that instructions move, in whole sectors; what one touches again at once counts once: what the second-level cache moves. */
  uint64_t bytesAsked = 0;
};

/** Of instructions `barrier`: in `option` and `option2`. */
enum BarrierOption : uint32_t { kBarrierAligned = 1, kBarrierArrive = 2, kBarrierNegated = 4 };
enum Reduction : uint32_t { kReduceCount, kReduceAnd, kReduceOr };

struct Barrier {
  uint32_t arrived = 0;
  uint32_t expected = 0;
  std::vector<uint32_t> clock;
  uint32_t counted = 0;
  bool all = true, any = false;
};

/** An object `mbarrier` in shared memory. */
struct PhaseBarrier {
  uint32_t expected = 0;
  uint32_t pending = 0;
  int64_t bytes = 0;
  uint32_t phase = 0;
  std::vector<uint32_t> arriving, completed;
};

/** A tensor copy of the asynchronous engine, which lands later. */
struct BulkCopy {
  uint64_t barrier = 0;
  uint64_t bytes = 0;
  /** `unit`: bytes of an access; without a source it is filled. */
  struct Piece {
    uint64_t to;
    const uint8_t* from;
    uint32_t bytes;
    uint32_t unit;
  };
  std::vector<Piece> pieces;
  uint32_t fill = 0;
  std::vector<uint32_t> clock;
};

struct Sync {
  std::shared_ptr<const Elsewhere> known;
};

struct Block {
  const Kernel* kernel = nullptr;
  const Launch* launch = nullptr;
  Memory* memory = nullptr;
  Timeline* timeline = nullptr;
  Counts* counts = nullptr;
  const Settings* settings = nullptr;
  Dim3 index{0, 0, 0};
  uint64_t random = 1;
  uint32_t threads = 0;
  std::vector<Warp> warps;
  std::vector<uint8_t> registers, shared, local;
  Shadow sharedShadow;
  std::array<Barrier, 16> barriers;
  std::unordered_map<uint64_t, PhaseBarrier> phaseBarriers;
  std::deque<BulkCopy> bulk;
  /** What four warps have multiplied so far, by their first one: both matrices and the line. */
  std::unordered_map<uint32_t, std::vector<std::array<uint64_t, 3>>> groupProducts;
  /** Per instruction: the allocation that it touched last, and the sector. */
  std::vector<Allocation*> hints;
  std::vector<uint64_t> sectors;
  /** Addresses of atomics → what they hand from block to block; of the whole launch. */
  std::unordered_map<uint64_t, Sync>* syncs = nullptr;
  /** The same for shared memory. */
  std::unordered_map<uint64_t, Sync> sharedSyncs;
  uint64_t steps = 0;
  /** Tries in vain since something last happened. */
  uint64_t idle = 0;

  void begin(const Launch& launch, Dim3 index);
  void run();
  uint64_t next();
  [[noreturn]] void fault(int status, const std::string& what, const Warp& warp, const Instruction& at, int lane) const;
  std::string threadName(uint32_t warp, uint32_t lane) const;
  void land(size_t which);
  PhaseBarrier& phaseBarrier(uint64_t address, const Warp& warp, const Instruction& at, int lane);
  void completePhase(PhaseBarrier& barrier);

 private:
  void fill(Warp& warp);
  void slice(Warp& warp, size_t path, uint32_t budget);
  bool barrier(Warp& warp, size_t path, const Instruction& at, Mask mask);
  void settle(uint32_t id);
  bool together(Warp& warp, size_t path, const Instruction& at, Mask mask);
  [[noreturn]] void deadlock() const;

};

/** Runs all blocks, in an order that the seed decides. */
void runLaunch(const Launch& launch, Memory& memory, Timeline& timeline, Counts& counts, const Settings& settings);

}  // namespace machine
