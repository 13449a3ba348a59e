// The decoder of decoder.h: variables, registers, labels; what instructions do is in the families' files. In: a module. Out: kernels.
// Holds: static shared memory lies first, what is dynamic behind it; a kernel has memory for the shared variables that it names.
#include "decoder.h"
#include "flow.h"

namespace machine {

using ptx::Operand;
using ptx::Scalar;
using ptx::Space;

namespace {

uint64_t roundUp(uint64_t value, uint64_t to) { return (value + to - 1) / to * to; }

const std::map<std::string, Special> kSpecials = {
    {"%tid.x", Special::TidX}, {"%tid.y", Special::TidY}, {"%tid.z", Special::TidZ}, {"%ntid.x", Special::NtidX}, {"%ntid.y", Special::NtidY},
    {"%ntid.z", Special::NtidZ}, {"%ctaid.x", Special::CtaidX}, {"%ctaid.y", Special::CtaidY}, {"%ctaid.z", Special::CtaidZ},
    {"%nctaid.x", Special::NctaidX}, {"%nctaid.y", Special::NctaidY}, {"%nctaid.z", Special::NctaidZ}, {"%laneid", Special::Lane},
    {"%warpid", Special::WarpId}, {"%nwarpid", Special::WarpCount}, {"%lanemask_eq", Special::LaneEq}, {"%lanemask_lt", Special::LaneLt},
    {"%lanemask_le", Special::LaneLe}, {"%lanemask_gt", Special::LaneGt}, {"%lanemask_ge", Special::LaneGe},
    {"%dynamic_smem_size", Special::DynamicShared}, {"%total_smem_size", Special::TotalShared}, {"%clock", Special::Zero},
    {"%clock64", Special::Zero}, {"%globaltimer", Special::Zero}, {"%cluster_ctarank", Special::Zero}, {"%cluster_ctaid.x", Special::Zero}};

struct Symbol {
  Space space;
  uint64_t address;
};

const Table& table() {
  static const Table all = [] {
    Table made;
    for (auto add : {addIntegers, addBits, addFloats, addHalves, addComparisons, addConversions, addMoves, addMemory, addAtomics, addWarps, addMatrices, addGroups,
                     addAsynchronous, addControl})
      add(made);
    return made;
  }();
  return all;
}

}  // namespace

class KernelNames {
 public:
  KernelNames(const ptx::Function& function, Kernel& kernel) : function_(function), kernel_(kernel) {}

  std::map<std::string, Symbol> symbols;

  Slot registerSlot(const std::string& name, Scalar scalar) {
    const auto found = registers_.find(name);
    if (found != registers_.end()) return found->second;
    return registers_[name] = make(ptx::laneBytes(scalar) == 8);
  }

  Slot constant(uint64_t value, bool wide) { return filled({value, wide}, constants_, {{}, value, Special::None}, wide); }

  Slot special(const std::string& name, bool wide) {
    const auto found = kSpecials.find(name);
    if (found == kSpecials.end()) return {};
    return filled({name, wide}, specials_, {{}, 0, found->second}, wide);
  }

  Slot carry() { return registerSlot("carry of this warp", Scalar::B32); }

 private:
  Slot make(bool wide) {
    const Slot slot{kernel_.registerBytes, wide};
    kernel_.registerBytes += wide ? 256 : 128;
    return slot;
  }

  template <class Key>
  Slot filled(const Key& key, std::map<Key, Slot>& known, Filled what, bool wide) {
    const auto found = known.find(key);
    if (found != known.end()) return found->second;
    what.slot = make(wide);
    kernel_.filled.push_back(what);
    return known[key] = what.slot;
  }

  const ptx::Function& function_;
  Kernel& kernel_;
  std::map<std::string, Slot> registers_;
  std::map<std::pair<uint64_t, bool>, Slot> constants_;
  std::map<std::pair<std::string, bool>, Slot> specials_;
};

void Site::fail(const std::string& what) const { throw ptx::Fault(ptx::kInvalidPtx, "line " + std::to_string(statement.line) + ": " + statement.text + ": " + what); }

bool Site::has(const std::string& part) const {
  for (const std::string& one : statement.parts)
    if (one == part || (one.size() > part.size() + 1 && one.compare(0, part.size(), part) == 0 && one.compare(part.size(), 2, "::") == 0)) return true;
  return false;
}

Scalar Site::type(size_t index) const {
  for (size_t i = 1; i < statement.parts.size(); ++i) {
    const Scalar scalar = ptx::scalarNamed(statement.parts[i]);
    if (scalar != Scalar::None && index-- == 0) return scalar;
  }
  return Scalar::None;
}

const Operand& Site::operand(size_t index) const {
  if (index >= statement.operands.size()) fail("there are only " + std::to_string(statement.operands.size()) + " operands");
  return statement.operands[index];
}

Scalar Site::declared(const Operand& operand) const {
  const auto found = function.registers.find(operand.name);
  return operand.kind == Operand::Name && found != function.registers.end() ? found->second : Scalar::None;
}

Slot Site::slot(const Operand& operand, Scalar type) {
  const bool wide = ptx::laneBytes(type) == 8;
  const Slot slot = any(operand, type);
  const Scalar known = declared(operand);
  if (slot.offset != kNoSlot && known != Scalar::None && ((known == Scalar::Pred) != (type == Scalar::Pred) || ptx::bytesOf(known) != ptx::bytesOf(type)))
    fail(operand.name + " has another size than the instruction");
  if (slot.offset != kNoSlot && slot.wide != wide) fail("an operand has another size than the instruction");
  return slot;
}

Slot Site::any(const Operand& operand, Scalar type) {
  const bool wide = ptx::laneBytes(type) == 8;
  switch (operand.kind) {
    case Operand::Sink: return {};
    case Operand::Integer: {
      const uint32_t bytes = ptx::bytesOf(type);
      const uint64_t value = static_cast<uint64_t>(operand.value);
      return names_.constant(bytes >= 8 ? value : value & ((uint64_t{1} << 8 * bytes) - 1), wide);
    }
    case Operand::Float: {
      if (!wide && operand.single) return names_.constant(operand.bits, false);
      double value = 0;
      std::memcpy(&value, &operand.bits, sizeof value);
      if (operand.single) {
        const uint32_t bits = static_cast<uint32_t>(operand.bits);
        float single = 0;
        std::memcpy(&single, &bits, sizeof single);
        value = single;
      }
      uint64_t bits = 0;
      const float single = static_cast<float>(value);
      std::memcpy(&bits, wide ? static_cast<const void*>(&value) : &single, wide ? 8 : 4);
      return names_.constant(bits, wide);
    }
    case Operand::Name: {
      const Scalar known = declared(operand);
      if (known != Scalar::None) return names_.registerSlot(operand.name, known);
      if (operand.name == "WARP_SZ") return names_.constant(32, wide);
      const auto symbol = names_.symbols.find(operand.name);
      if (symbol != names_.symbols.end()) return names_.constant(symbol->second.address + static_cast<uint64_t>(operand.value), wide);
      const Slot special = names_.special(operand.name, wide);
      if (special.offset == kNoSlot) fail("unknown name " + operand.name);
      return special;
    }
    default: fail("this operand does not stand here");
  }
}

Slot Site::constant(uint64_t value, bool wide) { return names_.constant(value, wide); }
Slot Site::carry() { return names_.carry(); }

void Site::all(Scalar type, size_t operands) {
  if (count() != operands) fail("has " + std::to_string(count()) + " operands, not " + std::to_string(operands));
  for (size_t i = 0; i < operands; ++i) made.operand[i] = slot(i, type);
}

Slot Site::address(size_t index, int64_t& offset) {
  const Operand& one = operand(index);
  if (one.kind != Operand::Address) fail("expected an address");
  offset = one.value;
  return any(one.items[0], Scalar::B64);
}

Space Site::space() const {
  if (has("global")) return Space::Global;
  if (has("shared")) return Space::Shared;
  if (has("local")) return Space::Local;
  if (has("param")) return Space::Param;
  if (has("const")) return Space::Global;
  return Space::Generic;
}

namespace {

void layOut(const ptx::Module& module, const ptx::Function& function, Kernel& kernel, Program& program, std::map<std::string, Symbol>& symbols) {
  std::set<std::string> named;
  const std::function<void(const Operand&)> note = [&](const Operand& one) {
    named.insert(one.name);
    for (const Operand& item : one.items) note(item);
  };
  for (const auto& statement : function.statements)
    for (const Operand& one : statement.operands) note(one);
  uint64_t at = 0;
  for (const ptx::Variable& one : function.parameters) {
    at = roundUp(at, one.alignment);
    kernel.parameters.push_back({one.name, static_cast<uint32_t>(at), static_cast<uint32_t>(one.bytes)});
    symbols[one.name] = {Space::Param, kParamWindow + at};
    at += one.bytes;
  }
  kernel.parameterBytes = static_cast<uint32_t>(at);
  uint64_t shared = 0, local = 0;
  std::vector<const ptx::Variable*> all;
  for (const auto& one : module.variables) all.push_back(&one);
  for (const auto& one : function.variables) all.push_back(&one);
  std::vector<std::string> dynamic;
  uint64_t alignment = 16;
  for (const ptx::Variable* one : all) {
    if (one->space == Space::Shared && named.count(one->name) != 0) {
      if (one->bytes == 0) {
        dynamic.push_back(one->name);
        alignment = std::max(alignment, one->alignment);
        continue;
      }
      shared = roundUp(shared, one->alignment);
      symbols[one->name] = {Space::Shared, shared};
      shared += one->bytes;
    } else if (one->space == Space::Local) {
      local = roundUp(local, std::max<uint64_t>(one->alignment, 16));
      symbols[one->name] = {Space::Local, local};
      local += one->bytes;
    } else if (one->space == Space::Global || one->space == Space::Const) {
      symbols[one->name] = {Space::Global, program.globals.at(one->name).address};
    }
  }
  if (!dynamic.empty()) shared = roundUp(shared, alignment);
  for (const std::string& name : dynamic) symbols[name] = {Space::Shared, shared};
  kernel.staticShared = static_cast<uint32_t>(shared);
  kernel.localBytes = static_cast<uint32_t>(roundUp(local, 16));
}

/** What decodes it: the form for numbers with a fraction where there is one. */
Decode decodeOf(const Site& site) {
  const Scalar type = site.type();
  const bool half = type >= Scalar::F16 && type <= Scalar::BF16x2;
  const bool real = type == Scalar::F32 || type == Scalar::F64;
  const std::string& name = site.statement.parts[0];
  auto found = table().find(half ? name + ".half" : real ? name + ".real" : name);
  if (found == table().end()) found = table().find(name);
  if (found == table().end()) site.fail("not an instruction that is known here");
  return found->second;
}

void decodeStatement(const ptx::Statement& statement, const ptx::Function& function, Kernel& kernel, KernelNames& names) {
  Site site(statement, function, kernel, names);
  site.made.line = statement.line;
  site.made.text = statement.text;
  if (!statement.predicate.empty()) {
    Operand predicate;
    predicate.kind = Operand::Name;
    predicate.name = statement.predicate;
    site.made.predicate = site.slot(predicate, Scalar::Pred).offset;
    site.made.negated = statement.negated;
  }
  decodeOf(site)(site);
  if (site.made.run == nullptr && (site.made.control == Control::Plain || site.made.control == Control::Together)) site.fail("not for these types");
  kernel.code.push_back(std::move(site.made));
}

}  // namespace

std::unique_ptr<Program> decode(const ptx::Module& module, const Allocate& allocate) {
  auto program = std::make_unique<Program>();
  program->version = module.version;
  program->target = module.target;
  for (const auto& one : module.variables)
    if (one.space == Space::Global || one.space == Space::Const) program->globals[one.name] = {allocate(one.bytes, one.initial), one.bytes};
  for (const auto& function : module.functions) {
    auto kernel = std::make_unique<Kernel>();
    kernel->name = function.name;
    if (function.maxThreads != 0) kernel->maxThreads = function.maxThreads;
    kernel->exactThreads = function.exact;
    KernelNames names(function, *kernel);
    layOut(module, function, *kernel, *program, names.symbols);
    for (const auto& statement : function.statements) {
      if (statement.parts[0] == "wgmma" && module.target != "sm_90a")
        throw ptx::Fault(ptx::kInvalidPtx, "line " + std::to_string(statement.line) + ": wgmma is for sm_90a, the text for " + module.target);
      decodeStatement(statement, function, *kernel, names);
    }
    findMeetings(*kernel);
    kernel->maxDynamicShared = kernel->staticShared >= 49152 ? 0 : 49152 - kernel->staticShared;
    program->kernels[function.name] = std::move(kernel);
  }
  return program;
}

}  // namespace machine
