// Paths of a warp: how lanes part and meet. In: branches, exits. Out: paths that go on. Holds: a join is complete when all of its lanes
// that still run have arrived; lanes that end are taken out of every join.
#include "warp.h"

namespace machine {

void Warp::part(Path& path, Mask taken, int32_t target, int32_t meeting) {
  const Mask rest = path.mask & ~taken;
  int32_t join = path.join;
  // Lanes that leave a loop one by one meet the others in one join.
  if (meeting >= 0 && (join < 0 || joins[join].at != meeting)) {
    joins.push_back({meeting, path.mask, 0, path.join});
    join = static_cast<int32_t>(joins.size()) - 1;
  }
  path.join = join;
  path.mask = rest;
  ++path.at;
  Path other = path;
  other.mask = taken;
  other.at = target;
  paths.push_back(other);
}

void Warp::arrive(size_t index) {
  Path& path = paths[index];
  joins[path.join].arrived |= path.mask;
  path.state = State::Gone;
  complete(path.join);
}

void Warp::complete(int32_t index) {
  Join& join = joins[index];
  if (join.arrived == 0 || join.arrived != join.members) return;
  Path met;
  met.mask = join.arrived;
  met.at = join.at;
  met.join = join.outer;
  join.arrived = join.members = 0;
  paths.push_back(met);
}

void Warp::leave(size_t index, Mask lanes) {
  Path& path = paths[index];
  path.mask &= ~lanes;
  alive &= ~lanes;
  if (path.mask == 0) path.state = State::Gone;
  for (size_t i = 0; i < joins.size(); ++i) {
    if ((joins[i].members & lanes) == 0) continue;
    joins[i].members &= ~lanes;
    complete(static_cast<int32_t>(i));
  }
}

void Warp::tidy() {
  size_t kept = 0;
  for (size_t i = 0; i < paths.size(); ++i)
    if (paths[i].state != State::Gone) paths[kept++] = paths[i];
  paths.resize(kept);
  while (!joins.empty() && joins.back().members == 0) joins.pop_back();
}

}  // namespace machine
