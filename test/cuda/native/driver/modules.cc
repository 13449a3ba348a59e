// Modules: PTX → kernels. In: text, as the driver is given it. Out: functions and variables; what is wrong with the text in the JIT's error
// log. Holds: only PTX is loaded, since there is nothing here that runs machine code.
#include <cstdio>
#include <cstring>
#include "../program/decoder.h"
#include "../ptx/parser.h"
#include "state.h"

namespace {

/** The newest PTX that a driver knows: 12.4 → 8.4. */
int newestPtx(int driver) {
  const int major = driver / 1000, minor = driver % 1000 / 10;
  if (major == 11) return 70 + minor;
  if (major == 12) return 80 + (minor <= 5 ? minor : minor - 1);
  return 90 + minor;
}

void log(const std::string& text, unsigned count, const int* options, void** values) {
  char* buffer = nullptr;
  size_t bytes = 0;
  for (unsigned i = 0; i < count; ++i) {
    if (options[i] == kJitErrorLog) buffer = static_cast<char*>(values[i]);
    if (options[i] == kJitErrorLogBytes) bytes = reinterpret_cast<size_t>(values[i]);
  }
  if (buffer != nullptr && bytes > 0) std::snprintf(buffer, bytes, "%s", text.c_str());
}

/** Throws where the module is not for this driver or this device. `sm_90a` runs on 9.0 alone, `sm_80` on all later ones. */
void fits(const ptx::Module& module) {
  const State& all = state();
  const int newest = newestPtx(all.driverVersion);
  if (module.version > newest)
    throw ptx::Fault(ptx::kUnsupportedPtxVersion, "the text is PTX " + std::to_string(module.version / 10) + "." + std::to_string(module.version % 10) +
                                                      ", this driver knows PTX up to " + std::to_string(newest / 10) + "." + std::to_string(newest % 10));
  if (module.target.rfind("sm_", 0) != 0) throw ptx::Fault(ptx::kInvalidPtx, "no .target");
  const int target = std::atoi(module.target.c_str() + 3);
  const bool exact = std::isalpha(static_cast<unsigned char>(module.target.back())) != 0;
  if (exact ? target != all.capability : target > all.capability)
    throw ptx::Fault(static_cast<ptx::Status>(kNoBinaryForGpu), "the text is for " + module.target + ", the device is sm_" + std::to_string(all.capability));
  if (exact && module.version < 80) throw ptx::Fault(ptx::kInvalidPtx, module.target + " needs PTX 8.0");
}

uint64_t allocate(uint64_t bytes, const std::vector<uint8_t>& initial) {
  machine::Allocation* const made = state().memory.allocate(std::max<uint64_t>(bytes, 1));
  if (made == nullptr) throw ptx::Fault(static_cast<ptx::Status>(kOutOfMemory), "no memory for a variable");
  std::memset(made->host, 0, bytes);
  if (!initial.empty()) std::memcpy(made->host, initial.data(), initial.size());
  return made->address;
}

}  // namespace

TFC_CUDA CUresult cuModuleLoadDataEx(Module** module, const void* image, unsigned count, int* options, void** values) {
  TFC_READY();
  if (module == nullptr || image == nullptr) return kInvalidValue;
  const char* const text = static_cast<const char*>(image);
  if (std::memcmp(text, "\x7f" "ELF", 4) == 0) return kNoBinaryForGpu;
  try {
    const ptx::Module parsed = ptx::parse(text);
    fits(parsed);
    auto made = std::make_unique<Module>();
    made->program = machine::decode(parsed, allocate);
    state().modules.insert(made.get());
    *module = made.release();
    return kOk;
  } catch (const ptx::Fault& fault) {
    log(fault.what(), count, options, values);
    return fault.status;
  }
}

TFC_CUDA CUresult cuModuleLoadData(Module** module, const void* image) { return cuModuleLoadDataEx(module, image, 0, nullptr, nullptr); }

TFC_CUDA CUresult cuModuleUnload(Module* module) {
  TFC_READY(false);
  State& all = state();
  if (all.modules.erase(module) == 0) return kInvalidHandle;
  finishAll();
  for (const auto& one : module->functions) all.functions.erase(one.second.get());
  for (const auto& one : module->program->globals) all.memory.release(one.second.address, false);
  delete module;
  return all.sticky;
}

TFC_CUDA CUresult cuModuleGetFunction(KernelHandle** function, Module* module, const char* name) {
  TFC_READY();
  if (state().modules.count(module) == 0) return kInvalidHandle;
  const auto found = module->program->kernels.find(name);
  if (found == module->program->kernels.end()) return kNotFound;
  auto& handle = module->functions[name];
  if (handle == nullptr) {
    handle = std::make_unique<KernelHandle>(KernelHandle{found->second.get()});
    state().functions.insert(handle.get());
  }
  *function = handle.get();
  return kOk;
}

TFC_CUDA CUresult cuModuleGetGlobal_v2(CUdeviceptr* address, size_t* bytes, Module* module, const char* name) {
  TFC_READY();
  if (state().modules.count(module) == 0) return kInvalidHandle;
  const auto found = module->program->globals.find(name);
  if (found == module->program->globals.end()) return kNotFound;
  if (address != nullptr) *address = found->second.address;
  if (bytes != nullptr) *bytes = found->second.bytes;
  return kOk;
}

TFC_CUDA CUresult cuFuncSetAttribute(KernelHandle* function, int attribute, int value) {
  TFC_READY();
  if (state().functions.count(function) == 0) return kInvalidHandle;
  machine::Kernel& kernel = *function->kernel;
  if (attribute == kFunctionMaxDynamicShared) {
    const int most = (state().capability >= 90 ? 232448 : 166912) - static_cast<int>(kernel.staticShared);
    if (value < 0 || value > most) return kInvalidValue;
    kernel.maxDynamicShared = static_cast<uint32_t>(value);
    return kOk;
  }
  return attribute == kFunctionCarveout ? kOk : kInvalidValue;
}

TFC_CUDA CUresult cuFuncGetAttribute(int* value, int attribute, KernelHandle* function) {
  TFC_READY();
  if (state().functions.count(function) == 0) return kInvalidHandle;
  const machine::Kernel& kernel = *function->kernel;
  switch (attribute) {
    case kFunctionMaxThreads: *value = static_cast<int>(kernel.maxThreads); return kOk;
    case kFunctionSharedBytes: *value = static_cast<int>(kernel.staticShared); return kOk;
    case kFunctionLocalBytes: *value = static_cast<int>(kernel.localBytes); return kOk;
    case kFunctionRegisters: *value = 32; return kOk;
    case kFunctionBinaryVersion: *value = state().capability; return kOk;
    case kFunctionMaxDynamicShared: *value = static_cast<int>(kernel.maxDynamicShared); return kOk;
    default: *value = 0; return kOk;
  }
}
