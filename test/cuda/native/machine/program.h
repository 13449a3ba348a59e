// Decoded kernels. In: what the decoder makes. Out: instructions that warps run. Holds: each register is a slot, 32 lanes of four bytes
// or of eight, given by its offset in the warp's registers; constants and special registers are slots too, filled when a warp begins.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>
#include "../ptx/syntax.h"

namespace machine {

using Mask = uint32_t;
constexpr Mask kAll = ~Mask{0};
/** Of operands that are `_`. */
constexpr uint32_t kNoSlot = ~uint32_t{0};

/** Generic addresses of parameters, shared and local memory lie in windows; all others are global. */
constexpr uint64_t kParamWindow = uint64_t{0x10} << 56;
constexpr uint64_t kSharedWindow = uint64_t{0x20} << 56;
constexpr uint64_t kLocalWindow = uint64_t{0x30} << 56;
constexpr uint64_t kWindows = uint64_t{0x30} << 56;

struct Warp;
struct Instruction;
using Handler = void (*)(Warp&, const Instruction&, Mask);

enum class Control : uint8_t {
  Plain,
  Branch,
  Exit,
  /** Waits for other warps. */
  Barrier,
  /** All lanes that operand `members` names run it at once. */
  Together,
  /** All lanes of the warp run it at once. */
  Whole,
  /** May have to be tried again: other warps get their turn. */
  Yield,
};

struct Slot {
  uint32_t offset = kNoSlot;
  /** Lanes of eight bytes. */
  bool wide = false;
};

struct Instruction {
  Handler run = nullptr;
  Control control = Control::Plain;
  bool negated = false;
  ptx::Space space = ptx::Space::Generic;
  uint8_t vector = 1;
  ptx::Scalar type = ptx::Scalar::None;
  ptx::Scalar source = ptx::Scalar::None;
  /** Slot of the predicate. */
  uint32_t predicate = kNoSlot;
  /** Destination first. */
  Slot operand[5];
  /** Of `Together`. */
  uint32_t members = kNoSlot;
  /** Elements of vectors, fragments of matrices. */
  std::vector<Slot> list;
  int64_t offset = 0;
  int64_t offset2 = 0;
  int32_t target = -1;
  /** Where the two ways of a branch meet again: an instruction, or the kernel's end (the number of instructions). */
  int32_t meeting = -1;
  uint32_t option = 0;
  uint32_t option2 = 0;
  int line = 0;
  std::string text;
};

enum class Special : uint8_t {
  None, TidX, TidY, TidZ, NtidX, NtidY, NtidZ, CtaidX, CtaidY, CtaidZ, NctaidX, NctaidY, NctaidZ, Lane, WarpId, WarpCount,
  LaneEq, LaneLt, LaneLe, LaneGt, LaneGe, DynamicShared, TotalShared, Zero
};

/** A slot that is filled when a warp begins. */
struct Filled {
  Slot slot;
  uint64_t value = 0;
  Special special = Special::None;
};

struct Parameter {
  std::string name;
  uint32_t offset;
  uint32_t bytes;
};

struct Kernel {
  std::string name;
  std::vector<Parameter> parameters;
  uint32_t parameterBytes = 0;
  std::vector<Instruction> code;
  std::vector<Filled> filled;
  uint32_t registerBytes = 0;
  uint32_t staticShared = 0;
  uint32_t localBytes = 0;
  uint32_t maxThreads = 1024;
  bool exactThreads = false;
  /** How much dynamic shared memory the caller has asked for: `CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES`. */
  uint32_t maxDynamicShared = 0;
};

/** A variable of a module in global memory. */
struct Global {
  uint64_t address = 0;
  uint64_t bytes = 0;
};

struct Program {
  int version = 0;
  std::string target;
  std::map<std::string, std::unique_ptr<Kernel>> kernels;
  std::map<std::string, Global> globals;
};

}  // namespace machine
