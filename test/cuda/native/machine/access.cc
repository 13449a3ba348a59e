// What is said of accesses that must not be. In: the access. Out: a fault with the driver's status. Holds: races and reads of what nobody
// wrote, which the hardware does not report, are launch failures here.
#include "access.h"

namespace machine {

namespace {

std::string hexadecimal(uint64_t value) {
  char text[32];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

const char* verb(Access kind) {
  switch (kind) {
    case Access::Read: return "read";
    case Access::AtomicRead: return "strong read";
    case Access::AtomicWrite: return "atomic access";
    case Access::Begin: case Access::Land: return "asynchronous write";
    default: return "write";
  }
}

}  // namespace

void raceFault(const Race& race, const Warp& warp, const Instruction& at, int lane, Access kind, uint64_t address, bool shared) {
  const Block& block = *warp.block;
  std::string text = std::string(shared ? "shared" : "global") + " memory, " + verb(kind) + " at " + hexadecimal(address) + ": " + race.what;
  if (race.segment >= block.timeline->launchBase()) {
    const uint32_t other = block.timeline->blockOf(race.segment);
    const bool same = race.segment >= block.timeline->blockBase();
    const uint32_t otherWarp = block.timeline->warpOf(race.segment);
    text += " of " + (same ? "" : "block " + std::to_string(other) + ", ") + "warp " + std::to_string(otherWarp);
    text += race.lane == kSeveral ? " (several lanes)" : " lane " + std::to_string(race.lane);
  }
  block.fault(ptx::kLaunchFailed, "race: " + text, warp, at, lane);
}

void addressFault(const char* space, const Warp& warp, const Instruction& at, int lane, uint64_t address, uint32_t bytes) {
  const Block& block = *warp.block;
  std::string text = "illegal " + std::string(space) + " address " + hexadecimal(address) + " (" + std::to_string(bytes) + " bytes): ";
  if (space[0] == 'g') text += block.memory->describe(address);
  else text += std::to_string(space[0] == 's' ? block.shared.size() : block.kernel->localBytes) + " bytes are there";
  block.fault(ptx::kIllegalAddress, text, warp, at, lane);
}

void alignmentFault(const Warp& warp, const Instruction& at, int lane, uint64_t address, uint32_t bytes) {
  warp.block->fault(ptx::kMisalignedAddress, "address " + hexadecimal(address) + " is no multiple of " + std::to_string(bytes), warp, at, lane);
}

}  // namespace machine
