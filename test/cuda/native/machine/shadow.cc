// The cells of shadow.h. In: one access at a time. Out: what it races with. Holds: which of two accesses came first is asked of the warp
// (`Warp::orderedAfter`); an access is noted also where it races, since a launch ends there.
#include "shadow.h"
#include "warp.h"

namespace machine {

namespace {

bool writes(Access kind) { return kind == Access::Write || kind == Access::AtomicWrite || kind == Access::Begin || kind == Access::Land; }
bool isAtomic(Access kind) { return kind == Access::AtomicRead || kind == Access::AtomicWrite; }

Race clashOf(const Cell& cell, const Warp& warp, uint8_t lane, Access kind, uint32_t base, bool fresh) {
  const bool atomic = isAtomic(kind);
  if ((cell.flags & kPending) != 0 && cell.write >= base) {
    if (kind != Access::Land) return {"an asynchronous copy is still under way there, begun", cell.write, cell.writeLane};
    return {};
  }
  if (cell.write >= base) {
    if (!(atomic && (cell.flags & kAtomicWrite) != 0) && !warp.orderedAfter(cell.write, cell.writeLane, lane))
      return {"nothing orders it behind the write", cell.write, cell.writeLane};
  } else if (fresh && !writes(kind)) {
    return {"nothing has been written there", 0, 0};
  }
  if (!writes(kind) || (atomic && (cell.flags & kAtomicReads) != 0)) return {};
  for (int i = 0; i < 2; ++i)
    if (cell.read[i] >= base && !warp.orderedAfter(cell.read[i], cell.readLane[i], lane))
      return {"nothing orders it behind the read", cell.read[i], cell.readLane[i]};
  return {};
}

/** Of two places one that is over, else the one of the same warp, else the older of one block, so that two warps stay. */
int placeOf(const Cell& cell, const Warp& warp, uint8_t lane, uint32_t base) {
  for (int i = 0; i < 2; ++i)
    if (cell.read[i] < base || warp.isSettled(cell.read[i])) return i;
  if (warp.isOwn(cell.read[0])) return 0;
  if (warp.isOwn(cell.read[1])) return 1;
  if (warp.orderedAfter(cell.read[0], cell.readLane[0], lane)) return 0;
  if (warp.orderedAfter(cell.read[1], cell.readLane[1], lane)) return 1;
  return cell.read[0] < cell.read[1] ? 0 : 1;
}

void note(Cell& cell, const Warp& warp, uint8_t lane, Access kind, uint32_t base) {
  const uint32_t now = warp.segment();
  if (writes(kind)) {
    cell.write = now;
    cell.writeLane = lane;
    cell.read[0] = cell.read[1] = 0;
    cell.flags = kind == Access::Begin ? kPending : kind == Access::AtomicWrite ? kAtomicWrite : 0;
    return;
  }
  if (cell.read[0] == now) {
    if (cell.readLane[0] != lane) cell.readLane[0] = kSeveral;
    if (kind != Access::AtomicRead) cell.flags &= ~kAtomicReads;
    return;
  }
  const bool none = cell.read[0] < base && cell.read[1] < base;
  if (kind == Access::AtomicRead ? none : true) cell.flags = kind == Access::AtomicRead ? cell.flags | kAtomicReads : cell.flags & ~kAtomicReads;
  const int place = placeOf(cell, warp, lane, base);
  const bool joined = cell.read[place] == now && cell.readLane[place] != lane;
  cell.read[place] = now;
  cell.readLane[place] = joined ? kSeveral : lane;
}

}  // namespace

Shadow::Page& Shadow::page(uint64_t number) {
  if (pages_.size() <= number) pages_.resize(number + 1);
  auto& one = pages_[number];
  if (one == nullptr) {
    one = std::make_unique<Page>();
    one->cells.resize(kPageBytes >> one->shift);
  }
  return *one;
}

void Shadow::refine(Page& page, uint8_t shift) {
  std::vector<Cell> cells(kPageBytes >> shift);
  for (size_t i = 0; i < cells.size(); ++i) cells[i] = page.cells[i >> (page.shift - shift)];
  page.cells = std::move(cells);
  page.shift = shift;
}

Race Shadow::slowly(uint64_t offset, uint32_t bytes, const Warp& warp, uint8_t lane, Access kind, uint32_t base, bool fresh) {
  Page& here = page(offset / kPageBytes);
  const uint8_t needed = bytes == 1 ? 0 : bytes == 2 ? 1 : 2;
  if (needed < here.shift) refine(here, needed);
  Cell* const first = &here.cells[(offset % kPageBytes) >> here.shift];
  const uint32_t count = bytes >> here.shift;
  for (uint32_t i = 0; i < count; ++i) {
    Cell& cell = first[i];
    if (const Race race = clashOf(cell, warp, lane, kind, base, fresh)) return race;
    note(cell, warp, lane, kind, base);
  }
  return {};
}

}  // namespace machine
