// Branches, ends, barriers of a block, traps. In: a site. Out: an instruction that the warp's slice (machine/slice.cc) runs itself.
// Holds: `bar` is `barrier` whose lanes come together.
#include "decoder.h"
#include "../machine/block.h"

namespace machine {

using ptx::Operand;
using ptx::Scalar;

void decodeWarpBarrier(Site& site);

namespace {

void trapped(Warp& warp, const Instruction& at, Mask mask) { warp.block->fault(ptx::kIllegalInstruction, "trap", warp, at, __builtin_ctz(mask)); }
void nothing(Warp&, const Instruction&, Mask) {}

void branch(Site& site) {
  const auto label = site.function.labels.find(site.operand(0).name);
  if (label == site.function.labels.end()) site.fail("no label " + site.operand(0).name);
  site.made.control = Control::Branch;
  site.made.target = static_cast<int32_t>(label->second);
}

void barrier(Site& site) {
  Instruction& made = site.made;
  if (site.has("warp")) return decodeWarpBarrier(site);
  if (site.has("cluster")) site.fail("clusters are not known here");
  made.control = Control::Barrier;
  const bool reduces = site.has("red"), arrives = site.has("arrive");
  // `bar` means aligned; of `barrier` it is written.
  made.option = (site.statement.parts[0] == "bar" || site.has("aligned") ? kBarrierAligned : 0u) | (arrives ? kBarrierArrive : 0u);
  size_t next = 0;
  if (reduces) {
    made.option2 = site.has("popc") ? kReduceCount : site.has("and") ? kReduceAnd : kReduceOr;
    made.operand[0] = site.slot(next++, made.option2 == kReduceCount ? Scalar::B32 : Scalar::Pred);
  }
  made.operand[1] = site.slot(next++, Scalar::B32);
  if (next < site.count() - (reduces ? 1 : 0)) made.operand[2] = site.slot(next++, Scalar::B32);
  if (reduces) {
    made.operand[3] = site.slot(next, Scalar::Pred);
    if (site.operand(next).negated) made.option |= kBarrierNegated;
  }
  if (arrives && made.operand[2].offset == kNoSlot) site.fail("an arrival says how many threads the barrier waits for");
}

}  // namespace

void addControl(Table& table) {
  table["bra"] = branch;
  table["ret"] = table["exit"] = [](Site& site) { site.made.control = Control::Exit; };
  table["bar"] = table["barrier"] = barrier;
  table["trap"] = [](Site& site) { site.made.run = &trapped; };
  table["nanosleep"] = [](Site& site) {
    site.made.control = Control::Yield;
    site.made.run = &nothing;
  };
}

}  // namespace machine
