// What happened before what: the vector clocks of a warp. In: segments. Out: whether one is ordered before the present. Holds: a warp
// that learns something knows it for all of its lanes; between its own lanes only barriers order.
#include "warp.h"
#include "block.h"

namespace machine {

bool Warp::isOwn(uint32_t segment) const { return segment >= block->timeline->blockBase() && block->timeline->warpOf(segment) == id; }

bool Warp::orderedByClocks(uint32_t segment, uint8_t lane, uint8_t mine) const {
  const Timeline& timeline = *block->timeline;
  if (segment < timeline.launchBase()) return true;
  const uint32_t other = timeline.warpOf(segment);
  if (segment >= timeline.blockBase()) {
    if (other != id) return segment <= clock[other];
    if (lane == mine || segment < lanesSince) return true;
    return pairsSince != nullptr && lane < kSeveral && segment < (*pairsSince)[lane * 32u + mine];
  }
  if (elsewhere == nullptr) return false;
  const auto found = elsewhere->find(timeline.turnOf(segment));
  return found != elsewhere->end() && segment <= found->second[other];
}

void Warp::beginSegment() { clock[id] = block->timeline->beginSegment(id); }

void Warp::learn(const std::vector<uint32_t>& others) {
  for (size_t i = 0; i < clock.size(); ++i)
    if (i != id) clock[i] = std::max(clock[i], others[i]);
}

void Warp::lanesMet(Mask lanes) {
  beginSegment();
  if (lanes == alive) {
    lanesSince = clock[id];
    return;
  }
  if (pairsSince == nullptr) pairsSince = std::make_unique<std::array<uint32_t, 1024>>();
  for (uint32_t a = 0; a < 32; ++a)
    for (uint32_t b = 0; b < 32; ++b)
      if ((lanes >> a & lanes >> b & 1) != 0) (*pairsSince)[a * 32 + b] = clock[id];
}

void Warp::learnElsewhere(const Elsewhere& others) {
  auto made = std::make_shared<Elsewhere>();
  if (elsewhere != nullptr) *made = *elsewhere;
  const size_t here = block->timeline->turnOf(clock[id]);
  for (const auto& [turn, newest] : others) {
    if (turn == here) {
      learn(newest);
      continue;
    }
    auto& mine = (*made)[turn];
    mine.resize(newest.size());
    for (size_t i = 0; i < newest.size(); ++i) mine[i] = std::max(mine[i], newest[i]);
  }
  elsewhere = made;
}

std::shared_ptr<const Elsewhere> Warp::knowledge() const {
  auto made = std::make_shared<Elsewhere>();
  if (elsewhere != nullptr) *made = *elsewhere;
  (*made)[block->timeline->turnOf(clock[id])] = clock;
  return made;
}

}  // namespace machine
