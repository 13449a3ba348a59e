// Who touched which bytes last: the half of race detection that belongs to memory. In: accesses, each with the segment (timeline.h) of
// the warp that makes it. Out: the access that it races with. Holds: a cell is a word of four bytes until smaller accesses come to its
// page, then two bytes or one; it knows the last write and two reads of different warps, so a race is missed seldom and never invented.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>
#include "warp.h"

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
    if (kind <= Access::Write && bytes >= 4 && offset / kPageBytes < pages_.size()) {
      Page* const here = pages_[offset / kPageBytes].get();
      if (here != nullptr && here->shift == 2) {
        Cell* const first = &here->cells[offset % kPageBytes / 4];
        uint32_t done = 0;
        while (done < bytes / 4 && quickly(first[done], warp, now, lane, kind, base, fresh)) ++done;
        if (done == bytes / 4) return {};
      }
    }
    return slowly(offset, bytes, warp, lane, kind, base, fresh);
  }
  void clear() { pages_.clear(); }
  /** `see` is given the segments of the last writes of all cells there. */
  template <class See>
  void eachWrite(uint64_t offset, uint32_t bytes, See see) {
    const Page& here = page(offset / kPageBytes);
    for (uint32_t i = 0; i < bytes >> here.shift; ++i) see(here.cells[((offset % kPageBytes) >> here.shift) + i].write);
  }

 private:
  static constexpr uint64_t kPageBytes = 4096;

  /** Notes an access that plainly races with nothing: what came before is over, or was before all threads of the block met. */
  static bool quickly(Cell& cell, const Warp& warp, uint32_t now, uint8_t lane, Access kind, uint32_t base, bool fresh) {
    if (cell.flags != 0) return false;
    const auto isOver = [&](uint32_t segment) { return segment < base || warp.isSettled(segment); };
    const auto again = [&](int i) {
      if (cell.readLane[i] != lane) cell.readLane[i] = kSeveral;
      return true;
    };
    const auto set = [&](int i) {
      cell.read[i] = now;
      cell.readLane[i] = lane;
      return true;
    };
    if (kind == Access::Write) {
      if (!isOver(cell.write) || !isOver(cell.read[0]) || !isOver(cell.read[1])) return false;
      cell.write = now;
      cell.writeLane = lane;
      cell.read[0] = cell.read[1] = 0;
      return true;
    }
    if (cell.read[0] == now) return again(0);
    if (cell.read[1] == now) return again(1);
    if (cell.write < base ? fresh : !warp.isSettled(cell.write)) return false;
    if (isOver(cell.read[0])) return set(0);
    // Of a warp's first segment since all met: the reader that is there is another warp. Two are enough, since whoever writes is not both.
    if (now != warp.sinceSettled) return false;
    return isOver(cell.read[1]) ? set(1) : warp.simple;
  }

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
