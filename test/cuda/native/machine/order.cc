// The rules of order.h. In: see there. Out: see there. Holds: what is known is never changed, only replaced, since warps share it.
#include "order.h"

namespace machine {

namespace {

using Known = std::shared_ptr<const Elsewhere>;

Known joined(const Known& a, const Known& b) {
  if (a == nullptr || a == b) return b;
  if (b == nullptr) return a;
  auto made = std::make_shared<Elsewhere>(*a);
  for (const auto& [turn, newest] : *b) {
    auto& mine = (*made)[turn];
    mine.resize(newest.size());
    for (size_t i = 0; i < newest.size(); ++i) mine[i] = std::max(mine[i], newest[i]);
  }
  return made;
}

}  // namespace

void orderThrough(Warp& warp, uint64_t address, bool shared, uint32_t order, bool takes, bool gives) {
  auto& all = shared ? warp.block->sharedSyncs : *warp.block->syncs;
  Known give = (order & kRelease) != 0 ? warp.knowledge() : warp.fenced;
  if (shared && (order & kRelease) == 0) give = joined(give, warp.fencedNear);
  if (takes && !all.empty()) {
    const auto found = all.find(address);
    if (found != all.end() && found->second.known != nullptr) {
      if ((order & kAcquire) != 0) warp.learnElsewhere(*found->second.known);
      else warp.unfenced = joined(warp.unfenced, found->second.known);
    }
  }
  if (gives && give != nullptr) {
    Known& known = all[address].known;
    known = joined(known, give);
    if ((order & kRelease) != 0) warp.beginSegment();
  }
}

void fence(Warp& warp, bool near) {
  if (warp.unfenced != nullptr) warp.learnElsewhere(*warp.unfenced);
  warp.unfenced = nullptr;
  (near ? warp.fencedNear : warp.fenced) = warp.knowledge();
  warp.beginSegment();
}

}  // namespace machine
