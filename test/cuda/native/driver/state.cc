// The one device's state. In: the environment, on first use. Out: see state.h. Holds: `TFC_CUDA_NAME` in the environment is what
// tfcCudaControl("name", …) says later.
#include "state.h"
#include <cstdlib>

namespace {

const char* const kControls[] = {"no-device", "driver", "capability", "memory", "fault", "fault-code", "seed", "races", "limit", "lazy"};

bool apply(State& all, const std::string& name, const std::string& value) {
  const uint64_t number = std::strtoull(value.c_str(), nullptr, 0);
  if (name == "no-device") all.noDevice = number != 0;
  else if (name == "driver") all.driverVersion = static_cast<int>(number);
  else if (name == "capability") all.capability = static_cast<int>(number);
  else if (name == "memory") all.totalMemory = number;
  else if (name == "fault") all.faultAt = number;
  else if (name == "fault-code") all.faultCode = static_cast<int>(number);
  else if (name == "seed") all.settings.seed = number;
  else if (name == "races") all.settings.races = number != 0;
  else if (name == "limit") all.settings.limit = number;
  else if (name == "lazy") all.lazy = number != 0;
  else return false;
  return true;
}

void readEnvironment(State& all) {
  for (const char* name : kControls) {
    std::string variable = "TFC_CUDA_";
    for (const char* c = name; *c != '\0'; ++c) variable += *c == '-' ? '_' : static_cast<char>(std::toupper(*c));
    if (const char* value = std::getenv(variable.c_str())) apply(all, name, value);
  }
}

}  // namespace

thread_local Context* currentContext = nullptr;

State& state() {
  // Never destroyed: programs may call the driver from what runs at their end.
  static State* const one = [] {
    State* const made = new State;
    readEnvironment(*made);
    return made;
  }();
  return *one;
}

int ready(bool capturing) {
  State& all = state();
  if (!all.initialized) return kNotInitialized;
  if (all.sticky != kOk) return all.sticky;
  if (currentContext == nullptr) return kInvalidContext;
  if (!capturing && anyCapture()) {
    invalidateCaptures();
    return kCaptureUnsupported;
  }
  return kOk;
}

bool setControl(const std::string& name, const std::string& value) { return apply(state(), name, value); }

uint64_t elapsedNanoseconds() {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count());
}

/** What tests tell the driver; 0: understood. Names are those of the environment (`TFC_CUDA_NO_DEVICE`: `no-device`). */
TFC_CUDA int tfcCudaControl(const char* name, const char* value) {
  TFC_LOCKED;
  return setControl(name, value) ? 0 : 1;
}

/** What the fault was that ended the context: kernel, line of PTX, thread, address. */
TFC_CUDA const char* tfcCudaFault() {
  TFC_LOCKED;
  return state().faultText.c_str();
}

/** So far: instructions of warps, of lanes; launches; bytes of global memory that were read, written, and asked of the cache. */
TFC_CUDA void tfcCudaCounts(unsigned long long* counts) {
  TFC_LOCKED;
  const machine::Counts& all = state().counts;
  counts[0] = all.warpInstructions;
  counts[1] = all.laneInstructions;
  counts[2] = all.launches;
  counts[3] = all.bytesRead;
  counts[4] = all.bytesWritten;
  counts[5] = all.bytesAsked;
}
