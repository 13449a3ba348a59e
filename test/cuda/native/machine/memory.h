// The device's memory. In: allocations of the driver. Out: what lies at a device address, with its shadow. Holds: device addresses are
// never those of the host, are given once, and lie apart, so what is freed or passed by is found; pinned memory of the host keeps its own.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <vector>
#include "shadow.h"

namespace machine {

struct Allocation {
  uint64_t address = 0;
  uint64_t bytes = 0;
  uint8_t* host = nullptr;
  bool pinned = false;
  Shadow shadow;
  /** Of each 32 bytes: the launch that read them, or wrote them, last. */
  std::vector<uint32_t> readBy, writtenBy;
};

/** Bytes that memory moves at once. */
constexpr uint64_t kSector = 32;

class Memory {
 public:
  ~Memory();
  /** Device memory full of NaNs; null where the system has none. */
  Allocation* allocate(uint64_t bytes);
  /** Memory of the host that kernels reach under its own address. */
  Allocation* pin(uint64_t bytes);
  bool release(uint64_t address, bool pinned);
  /** The allocation in which all of the bytes lie; null: there is none. */
  Allocation* find(uint64_t address, uint64_t bytes);
  /** What to say of an address that lies in none: the nearest allocation below. */
  std::string describe(uint64_t address) const;
  /** Bytes of device memory that are in use. */
  uint64_t used() const { return used_; }
  void clear();

 private:
  void drop(Allocation& one);
  std::map<uint64_t, std::unique_ptr<Allocation>> all_;
  uint64_t next_ = uint64_t{1} << 40;
  uint64_t used_ = 0;
};

}  // namespace machine
