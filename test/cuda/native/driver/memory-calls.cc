// Memory of the device and of the host, copies, fills. In: cuMem…. Out: allocations; bytes moved in the order of their streams.
// Holds: every range is checked against the allocations when the call is made; without `Async` a copy waits as the real one does.
#include <cstring>
#include "../ptx/fault.h"
#include "state.h"

namespace {

uint8_t* hostOf(CUdeviceptr address, size_t bytes) {
  machine::Allocation* const one = state().memory.find(address, bytes);
  return one == nullptr ? nullptr : one->host + (address - one->address);
}

/** One side of a copy. Device memory is looked for when the copy runs: a graph may run after it was freed. */
struct Side {
  uint64_t address;
  bool device;
  uint8_t* at(size_t bytes) const { return device ? hostOf(address, bytes) : reinterpret_cast<uint8_t*>(address); }
};

Side device(CUdeviceptr address) { return {address, true}; }
Side host(const void* address) { return {reinterpret_cast<uint64_t>(address), false}; }

[[noreturn]] void freed() { throw ptx::Fault(ptx::kIllegalAddress, "memory of a copy or a fill was freed before it ran"); }

int copy(Side to, Side from, size_t bytes, Stream* stream, bool waits) {
  if (bytes == 0) return kOk;
  if (to.at(bytes) == nullptr || from.at(bytes) == nullptr) return kInvalidValue;
  const auto run = [=] {
    uint8_t* const target = to.at(bytes);
    const uint8_t* const source = from.at(bytes);
    if (target == nullptr || source == nullptr) freed();
    std::memmove(target, source, bytes);
  };
  if (!waits) return push(stream, {Work::Copy, run, nullptr, nullptr});
  finishBlocking();
  if (state().sticky != kOk) return state().sticky;
  run();
  return kOk;
}

template <class T>
int fill(CUdeviceptr address, T value, size_t count, Stream* stream, bool waits) {
  if (count == 0) return kOk;
  const size_t bytes = count * sizeof(T);
  if (hostOf(address, bytes) == nullptr || address % sizeof(T) != 0) return kInvalidValue;
  const auto run = [=] {
    T* const to = reinterpret_cast<T*>(hostOf(address, bytes));
    if (to == nullptr) freed();
    std::fill(to, to + count, value);
  };
  const int status = push(stream, {Work::Fill, run, nullptr, nullptr});
  if (waits && status == kOk) finishBlocking();
  return status != kOk ? status : state().sticky;
}

}  // namespace

TFC_CUDA CUresult cuMemGetInfo_v2(size_t* available, size_t* total) {
  TFC_READY();
  *total = state().totalMemory;
  *available = state().totalMemory - std::min(state().totalMemory, state().memory.used());
  return kOk;
}

TFC_CUDA CUresult cuMemAlloc_v2(CUdeviceptr* address, size_t bytes) {
  TFC_READY(false);
  if (address == nullptr || bytes == 0) return kInvalidValue;
  State& all = state();
  if (bytes > all.totalMemory || all.memory.used() > all.totalMemory - bytes) return kOutOfMemory;
  machine::Allocation* const made = all.memory.allocate(bytes);
  if (made == nullptr) return kOutOfMemory;
  *address = made->address;
  return kOk;
}

TFC_CUDA CUresult cuMemFree_v2(CUdeviceptr address) {
  TFC_READY(false);
  if (address == 0) return kOk;
  finishAll();
  if (state().sticky != kOk) return state().sticky;
  return state().memory.release(address, false) ? kOk : kInvalidValue;
}

TFC_CUDA CUresult cuMemAllocAsync(CUdeviceptr* address, size_t bytes, Stream*) { return cuMemAlloc_v2(address, bytes); }

TFC_CUDA CUresult cuMemFreeAsync(CUdeviceptr address, Stream* stream) {
  TFC_READY();
  if (hostOf(address, 1) == nullptr) return kInvalidValue;
  return push(stream, {Work::Free, [address] { state().memory.release(address, false); }, nullptr, nullptr});
}

TFC_CUDA CUresult cuMemHostAlloc(void** host, size_t bytes, unsigned) {
  TFC_READY(false);
  if (host == nullptr || bytes == 0) return kInvalidValue;
  machine::Allocation* const made = state().memory.pin(bytes);
  if (made == nullptr) return kOutOfMemory;
  *host = made->host;
  return kOk;
}

TFC_CUDA CUresult cuMemAllocHost_v2(void** host, size_t bytes) { return cuMemHostAlloc(host, bytes, 0); }

TFC_CUDA CUresult cuMemFreeHost(void* host) {
  TFC_READY(false);
  finishAll();
  return state().memory.release(reinterpret_cast<uint64_t>(host), true) ? kOk : kInvalidValue;
}

TFC_CUDA CUresult cuMemHostGetDevicePointer_v2(CUdeviceptr* address, void* host, unsigned) {
  TFC_READY();
  if (hostOf(reinterpret_cast<uint64_t>(host), 1) == nullptr) return kInvalidValue;
  *address = reinterpret_cast<uint64_t>(host);
  return kOk;
}

TFC_CUDA CUresult cuMemcpyHtoD_v2(CUdeviceptr to, const void* from, size_t bytes) {
  TFC_READY(false);
  return copy(device(to), host(from), bytes, nullptr, true);
}

TFC_CUDA CUresult cuMemcpyDtoH_v2(void* to, CUdeviceptr from, size_t bytes) {
  TFC_READY(false);
  return copy(host(to), device(from), bytes, nullptr, true);
}

TFC_CUDA CUresult cuMemcpyDtoD_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes) {
  TFC_READY(false);
  return copy(device(to), device(from), bytes, nullptr, true);
}

TFC_CUDA CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void* from, size_t bytes, Stream* stream) {
  TFC_READY();
  return copy(device(to), host(from), bytes, stream, false);
}

TFC_CUDA CUresult cuMemcpyDtoHAsync_v2(void* to, CUdeviceptr from, size_t bytes, Stream* stream) {
  TFC_READY();
  return copy(host(to), device(from), bytes, stream, false);
}

TFC_CUDA CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes, Stream* stream) {
  TFC_READY();
  return copy(device(to), device(from), bytes, stream, false);
}

TFC_CUDA CUresult cuMemsetD8_v2(CUdeviceptr to, unsigned char value, size_t count) {
  TFC_READY(false);
  return fill<uint8_t>(to, value, count, nullptr, true);
}

TFC_CUDA CUresult cuMemsetD32_v2(CUdeviceptr to, unsigned value, size_t count) {
  TFC_READY(false);
  return fill<uint32_t>(to, value, count, nullptr, true);
}

TFC_CUDA CUresult cuMemsetD8Async(CUdeviceptr to, unsigned char value, size_t count, Stream* stream) {
  TFC_READY();
  return fill<uint8_t>(to, value, count, stream, false);
}

TFC_CUDA CUresult cuMemsetD32Async(CUdeviceptr to, unsigned value, size_t count, Stream* stream) {
  TFC_READY();
  return fill<uint32_t>(to, value, count, stream, false);
}
