// All blocks of a launch. In: a kernel, grid, memory, a seed. Out: memory as the kernel leaves it. Holds: blocks run one after the other,
// shuffled by the seed; what one does is ordered before another only by what they say through memory.
#include <numeric>
#include "block.h"

namespace machine {

void runLaunch(const Launch& launch, Memory& memory, Timeline& timeline, Counts& counts, const Settings& settings) {
  timeline.beginLaunch();
  ++counts.launches;
  const uint64_t count = static_cast<uint64_t>(launch.grid.x) * launch.grid.y * launch.grid.z;
  std::vector<uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  Block block;
  block.memory = &memory;
  block.timeline = &timeline;
  block.counts = &counts;
  block.settings = &settings;
  // The generator must not start at zero, nor near it.
  block.random = settings.seed * 0x9e3779b97f4a7c15 + counts.launches;
  for (int i = 0; i < 4; ++i) block.next();
  std::unordered_map<uint64_t, Sync> syncs;
  block.syncs = &syncs;
  for (size_t i = count; i > 1; --i) std::swap(order[i - 1], order[block.next() % i]);
  for (const uint32_t at : order) {
    block.begin(launch, {at % launch.grid.x, at / launch.grid.x % launch.grid.y, at / launch.grid.x / launch.grid.y});
    block.run();
  }
}

}  // namespace machine
