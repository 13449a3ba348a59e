// Who touched which bytes last: the half of race detection that belongs to memory. In: accesses, each with the segment (timeline.h) of
// the warp that makes it. Out: the access that it races with. Holds: a cell is a word of four bytes until smaller accesses come to its
// page, then two bytes or one; it knows the last write and two reads of different warps, so a race is missed seldom and never invented.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace machine {

/** Of `Cell::readLane`: several lanes of the warp have read. */
constexpr uint8_t kSeveral = 32;

struct Cell {
  uint32_t write = 0;
  uint32_t read[2] = {0, 0};
  uint8_t writeLane = 0;
  uint8_t readLane[2] = {0, 0};
  uint8_t flags = 0;
};

enum CellFlags : uint8_t {
  /** An asynchronous copy has begun to write here, and nobody has waited for it. */
  kPending = 1,
  /** The last write was atomic or `relaxed` or stronger. */
  kAtomicWrite = 2,
  /** The same of all reads that are kept. */
  kAtomicReads = 4,
};

enum class Access : uint8_t { Read, Write, AtomicRead, AtomicWrite, Begin, Land };

struct Warp;

struct Race {
  /** What clashes: `reads what`, … ; empty: nothing. */
  const char* what = nullptr;
  uint32_t segment = 0;
  uint8_t lane = 0;
  explicit operator bool() const { return what != nullptr; }
};

class Shadow {
 public:
  /**
   * Notes an access of `lane` in `warp`'s present segment, `now`; `base`: earlier segments are over. With `fresh`, unwritten memory is a fault.
   * A word that the warp has read already in this segment has not been written since, or the write would have removed that.
   */
  Race access(uint64_t offset, uint32_t bytes, const Warp& warp, uint32_t now, uint8_t lane, Access kind, uint32_t base, bool fresh) {
    if (kind == Access::Read && bytes == 4 && offset / kPageBytes < pages_.size()) {
      Page* const here = pages_[offset / kPageBytes].get();
      if (here != nullptr && here->shift == 2) {
        Cell& cell = here->cells[offset % kPageBytes / 4];
        if (cell.read[0] == now && cell.flags == 0) {
          if (cell.readLane[0] != lane) cell.readLane[0] = kSeveral;
          return {};
        }
      }
    }
    return slowly(offset, bytes, warp, lane, kind, base, fresh);
  }
  void clear() { pages_.clear(); }

 private:
  static constexpr uint64_t kPageBytes = 4096;
  Race slowly(uint64_t offset, uint32_t bytes, const Warp& warp, uint8_t lane, Access kind, uint32_t base, bool fresh);
  struct Page {
    uint8_t shift = 2;
    std::vector<Cell> cells;
  };
  Page& page(uint64_t number);
  static void refine(Page& page, uint8_t shift);
  std::vector<std::unique_ptr<Page>> pages_;
};

}  // namespace machine
