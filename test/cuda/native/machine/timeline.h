// When things happen in a launch. In: warps that begin a segment: a stretch of a warp's run between two points where it orders itself with
// others. Out: its number, and who has which. Holds: numbers rise through all launches, so those of earlier ones are over; the blocks of a
// launch run one after the other, each with a range of numbers of its own.
#pragma once
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace machine {

class Timeline {
 public:
  void beginLaunch() {
    launch_ = ++next_;
    warps_.clear();
    blocks_.clear();
  }

  void beginBlock(uint32_t block) {
    first_ = next_;
    blocks_.push_back({next_, block});
  }

  uint32_t beginSegment(uint32_t warp) {
    warps_.push_back(static_cast<uint8_t>(warp));
    return next_++;
  }

  /** The number of the segment that begins next. */
  uint32_t next() const { return next_; }
  uint32_t launchBase() const { return launch_; }
  uint32_t blockBase() const { return first_; }
  /** The warp, within its block, of a segment of this launch. */
  uint32_t warpOf(uint32_t segment) const { return warps_[segment - launch_]; }

  /** The index in order of execution of the block that a segment of this launch belongs to. */
  size_t turnOf(uint32_t segment) const {
    const auto above = std::upper_bound(blocks_.begin(), blocks_.end(), segment, [](uint32_t s, const Turn& t) { return s < t.first; });
    return static_cast<size_t>(above - blocks_.begin()) - 1;
  }

  uint32_t blockOf(uint32_t segment) const { return blocks_[turnOf(segment)].block; }

 private:
  struct Turn {
    uint32_t first;
    uint32_t block;
  };
  uint32_t next_ = 1;
  uint32_t launch_ = 1;
  uint32_t first_ = 1;
  std::vector<uint8_t> warps_;
  std::vector<Turn> blocks_;
};

}  // namespace machine
