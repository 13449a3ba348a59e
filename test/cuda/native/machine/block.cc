// A block's beginning, its schedule and its faults. In: a launch. Out: every warp at its end. Holds: see block.h; the paths of a warp get
// turns as warps do, so a lane that waits for another one of its warp goes on.
#include "block.h"
#include <cstring>
#include "../ptx/fault.h"

namespace machine {

uint64_t Block::next() {
  random ^= random << 13;
  random ^= random >> 7;
  random ^= random << 17;
  return random;
}

std::string Block::threadName(uint32_t warp, uint32_t lane) const {
  const uint32_t thread = warp * 32 + lane;
  const Dim3 size = launch->block;
  const auto name = [](uint32_t x, uint32_t y, uint32_t z) {
    return "(" + std::to_string(x) + "," + std::to_string(y) + "," + std::to_string(z) + ")";
  };
  return "block " + name(index.x, index.y, index.z) + " thread " + name(thread % size.x, thread / size.x % size.y, thread / size.x / size.y);
}

void Block::fault(int status, const std::string& what, const Warp& warp, const Instruction& at, int lane) const {
  throw ptx::Fault(static_cast<ptx::Status>(status), what + "; kernel " + kernel->name + ", line " + std::to_string(at.line) + " (" + at.text +
                                                         "), " + threadName(warp.id, static_cast<uint32_t>(lane)));
}

void Block::begin(const Launch& what, Dim3 at) {
  launch = &what;
  kernel = what.kernel;
  index = at;
  const Dim3 size = what.block;
  threads = size.x * size.y * size.z;
  const uint32_t count = (threads + 31) / 32;
  const uint32_t turn = at.x + what.grid.x * (at.y + what.grid.y * at.z);
  timeline->beginBlock(turn);
  shared.assign(kernel->staticShared + what.dynamicShared, 0xff);
  registers.resize(static_cast<size_t>(kernel->registerBytes) * count + 64);
  local.assign(static_cast<size_t>(kernel->localBytes) * count * 32, 0xff);
  hints.assign(kernel->code.size(), nullptr);
  sectors.assign(kernel->code.size(), ~uint64_t{0});
  barriers = {};
  phaseBarriers.clear();
  sharedSyncs.clear();
  bulk.clear();
  groupProducts.clear();
  warps.clear();
  warps.resize(count);
  const uint32_t before = timeline->blockBase() - 1;
  uint8_t* const aligned = registers.data() + (64 - reinterpret_cast<uintptr_t>(registers.data()) % 64) % 64;
  for (uint32_t i = 0; i < count; ++i) {
    Warp& warp = warps[i];
    warp.block = this;
    warp.id = i;
    warp.registers = aligned + static_cast<size_t>(kernel->registerBytes) * i;
    const uint32_t lanes = std::min(32u, threads - i * 32);
    warp.alive = lanes == 32 ? kAll : (Mask{1} << lanes) - 1;
    warp.clock.assign(count + 1, before);
    warp.first = warp.settled = timeline->blockBase();
    warp.beginSegment();
    warp.lanesSince = warp.sinceSettled = warp.clock[i];
    warp.paths.push_back({warp.alive, 0, -1, State::Ready, 0});
    fill(warp);
  }
}

void Block::fill(Warp& warp) {
  std::memset(warp.registers, 0xff, kernel->registerBytes);
  const Dim3 size = launch->block;
  const Dim3 grid = launch->grid;
  for (const Filled& one : kernel->filled) {
    for (uint32_t lane = 0; lane < 32; ++lane) {
      const uint32_t thread = warp.id * 32 + lane;
      uint64_t value = one.value;
      switch (one.special) {
        case Special::None: break;
        case Special::Zero: value = 0; break;
        case Special::TidX: value = thread % size.x; break;
        case Special::TidY: value = thread / size.x % size.y; break;
        case Special::TidZ: value = thread / size.x / size.y; break;
        case Special::NtidX: value = size.x; break;
        case Special::NtidY: value = size.y; break;
        case Special::NtidZ: value = size.z; break;
        case Special::CtaidX: value = index.x; break;
        case Special::CtaidY: value = index.y; break;
        case Special::CtaidZ: value = index.z; break;
        case Special::NctaidX: value = grid.x; break;
        case Special::NctaidY: value = grid.y; break;
        case Special::NctaidZ: value = grid.z; break;
        case Special::Lane: value = lane; break;
        case Special::WarpId: value = warp.id; break;
        case Special::WarpCount: value = warps.size(); break;
        case Special::LaneEq: value = Mask{1} << lane; break;
        case Special::LaneLt: value = (Mask{1} << lane) - 1; break;
        case Special::LaneLe: value = (Mask{2} << lane) - 1; break;
        case Special::LaneGt: value = ~((Mask{2} << lane) - 1); break;
        case Special::LaneGe: value = ~((Mask{1} << lane) - 1); break;
        case Special::DynamicShared: value = launch->dynamicShared; break;
        case Special::TotalShared: value = kernel->staticShared + launch->dynamicShared; break;
      }
      warp.set(one.slot, static_cast<int>(lane), value);
    }
  }
}

void Block::run() {
  struct Turn {
    uint32_t warp;
    uint32_t path;
  };
  std::vector<Turn> ready;
  for (;;) {
    ready.clear();
    bool running = false;
    for (Warp& warp : warps) {
      warp.tidy();
      for (size_t i = 0; i < warp.paths.size(); ++i) {
        running = true;
        if (warp.paths[i].state == State::Ready) ready.push_back({warp.id, static_cast<uint32_t>(i)});
      }
    }
    if (!running) break;
    if (!bulk.empty() && (ready.empty() || next() % 4 == 0)) {
      land(next() % bulk.size());
      continue;
    }
    if (ready.empty()) deadlock();
    const Turn turn = ready[next() % ready.size()];
    slice(warps[turn.warp], turn.path, 64 + next() % 1024);
    if (steps > settings->limit)
      throw ptx::Fault(ptx::kLaunchTimeout, "kernel " + kernel->name + " has not ended after " + std::to_string(steps) + " instructions of warps");
  }
  if (!bulk.empty())
    throw ptx::Fault(ptx::kLaunchFailed, "kernel " + kernel->name + " ends while an asynchronous copy into its shared memory is under way");
  for (const Warp& warp : warps) {
    if (!warp.products.empty())
      throw ptx::Fault(ptx::kLaunchFailed, "kernel " + kernel->name + " ends, warp " + std::to_string(warp.id) + " having never waited for its wgmma");
    const auto together = groupProducts.find(warp.id / 4 * 4);
    if (together != groupProducts.end() && together->second.size() != warp.productCount)
      throw ptx::Fault(ptx::kLaunchFailed, "kernel " + kernel->name + ": warp " + std::to_string(warp.id) + " did not multiply with the others of its four");
  }
  for (Warp& warp : warps)
    for (uint32_t lane = 0; lane < 32; ++lane)
      if (!warp.begun[lane].empty() || !warp.groups[lane].empty())
        throw ptx::Fault(ptx::kLaunchFailed, "kernel " + kernel->name + " ends, " + threadName(warp.id, lane) + " having never waited for its cp.async");
}

void Block::deadlock() const {
  std::string text = "deadlock in kernel " + kernel->name + ":";
  for (const Warp& warp : warps)
    for (const Path& path : warp.paths) {
      if (path.state == State::Gone) continue;
      const Instruction& at = kernel->code[std::min<size_t>(path.at, kernel->code.size() - 1)];
      const uint32_t lane = static_cast<uint32_t>(__builtin_ctz(path.mask));
      text += " " + threadName(warp.id, lane) + " (" + std::to_string(__builtin_popcount(path.mask)) + " lanes) waits at line " + std::to_string(at.line) +
              " (" + at.text + ")";
      if (path.state == State::AtBarrier) {
        const Barrier& barrier = barriers[path.barrier];
        text += ", where " + std::to_string(barrier.arrived) + " of " + std::to_string(barrier.expected) + " threads are";
      }
      if (text.size() > 600) throw ptx::Fault(ptx::kLaunchFailed, text + " …");
      text += ";";
    }
  throw ptx::Fault(ptx::kLaunchFailed, text);
}

}  // namespace machine
