// The device's memory of memory.h. In: sizes, addresses. Out: allocations. Holds: between two of them lie at least 64 KB that belong to none.
#include "memory.h"
#include <cstdlib>
#include <cstring>

namespace machine {

namespace {
constexpr uint64_t kAlignment = 512;
constexpr uint64_t kApart = 65536;
uint64_t roundUp(uint64_t value, uint64_t to) { return (value + to - 1) / to * to; }
}  // namespace

Memory::~Memory() { clear(); }

void Memory::clear() {
  for (auto& one : all_) drop(*one.second);
  all_.clear();
  used_ = 0;
}

void Memory::drop(Allocation& one) {
  if (!one.pinned) used_ -= one.bytes;
  std::free(one.host);
}

Allocation* Memory::allocate(uint64_t bytes) {
  auto made = std::make_unique<Allocation>();
  made->host = static_cast<uint8_t*>(std::aligned_alloc(kAlignment, roundUp(bytes, kAlignment)));
  if (made->host == nullptr) return nullptr;
  std::memset(made->host, 0xff, bytes);
  made->bytes = bytes;
  made->address = next_;
  next_ = roundUp(next_ + bytes + kApart, kAlignment);
  used_ += bytes;
  return (all_[made->address] = std::move(made)).get();
}

Allocation* Memory::pin(uint64_t bytes) {
  auto made = std::make_unique<Allocation>();
  made->host = static_cast<uint8_t*>(std::aligned_alloc(4096, roundUp(bytes, 4096)));
  if (made->host == nullptr) return nullptr;
  made->bytes = bytes;
  made->pinned = true;
  made->address = reinterpret_cast<uint64_t>(made->host);
  return (all_[made->address] = std::move(made)).get();
}

bool Memory::release(uint64_t address, bool pinned) {
  const auto found = all_.find(address);
  if (found == all_.end() || found->second->pinned != pinned) return false;
  drop(*found->second);
  all_.erase(found);
  return true;
}

Allocation* Memory::find(uint64_t address, uint64_t bytes) {
  auto above = all_.upper_bound(address);
  if (above == all_.begin()) return nullptr;
  Allocation& one = *std::prev(above)->second;
  const uint64_t offset = address - one.address;
  return offset <= one.bytes && bytes <= one.bytes - offset ? &one : nullptr;
}

std::string Memory::describe(uint64_t address) const {
  const auto above = all_.upper_bound(address);
  if (above == all_.begin()) return "no allocation lies below it";
  const Allocation& one = *std::prev(above)->second;
  return "the allocation below has " + std::to_string(one.bytes) + " bytes, this is byte " + std::to_string(address - one.address);
}

}  // namespace machine
