// What lanes of a warp tell each other: shfl, vote, match, redux, activemask, elect, bar.warp.sync. In: a site. Out: its handler.
// Holds: all lanes that the mask names come first (slice.cc); only bar.warp.sync orders memory.
#include "decoder.h"
#include "../machine/block.h"
#include "lanes.h"

namespace machine {

using ptx::Operand;
using ptx::Scalar;

namespace {

enum Shuffle : uint32_t { kUp, kDown, kButterfly, kIndex };

void shuffled(Warp& warp, const Instruction& at, Mask mask) {
  const Lanes<uint32_t> to(warp, at.operand[0]), from(warp, at.operand[1]), by(warp, at.operand[2]), clamp(warp, at.operand[3]);
  uint32_t values[32], found[32];
  bool inside[32];
  for (int lane = 0; lane < 32; ++lane) values[lane] = from[lane];
  for (Mask rest = mask; rest != 0; rest &= rest - 1) {
    const int lane = __builtin_ctz(rest);
    const int count = static_cast<int>(by[lane] & 31), limit = static_cast<int>(clamp[lane] & 31), segment = static_cast<int>(clamp[lane] >> 8 & 31);
    const int most = (lane & segment) | (limit & ~segment), least = lane & segment;
    int source = 0;
    switch (at.option) {
      case kUp: source = lane - count; inside[lane] = source >= most; break;
      case kDown: source = lane + count; inside[lane] = source <= most; break;
      case kButterfly: source = lane ^ count; inside[lane] = source <= most; break;
      default: source = least | (count & ~segment); inside[lane] = source <= most; break;
    }
    if (!inside[lane]) source = lane;
    if ((mask >> source & 1) == 0) warp.block->fault(ptx::kLaunchFailed, "reads lane " + std::to_string(source) + ", which does not take part", warp, at, lane);
    found[lane] = values[source];
  }
  for (Mask rest = mask; rest != 0; rest &= rest - 1) {
    const int lane = __builtin_ctz(rest);
    warp.set(at.operand[0], lane, found[lane]);
    warp.set(at.operand[4], lane, inside[lane]);
  }
}

enum Vote : uint32_t { kVoteAll, kVoteAny, kVoteUniform, kVoteBallot };

void voted(Warp& warp, const Instruction& at, Mask mask) {
  Mask set = 0;
  for (int lane = 0; lane < 32; ++lane) set |= static_cast<Mask>((warp.value(at.operand[1], lane) & 1) ^ (at.option2 & 1)) << lane;
  set &= mask;
  const uint32_t made = at.option == kVoteBallot ? set : at.option == kVoteAll ? set == mask : at.option == kVoteAny ? set != 0 : set == 0 || set == mask;
  eachLane(mask, [&](int lane) { warp.set(at.operand[0], lane, made); });
}

void matched(Warp& warp, const Instruction& at, Mask mask) {
  const bool all = at.option != 0;
  const uint64_t first = warp.value(at.operand[1], __builtin_ctz(mask));
  for (Mask rest = mask; rest != 0; rest &= rest - 1) {
    const int lane = __builtin_ctz(rest);
    const uint64_t mine = all ? first : warp.value(at.operand[1], lane);
    Mask same = 0;
    for (Mask others = mask; others != 0; others &= others - 1) {
      const int other = __builtin_ctz(others);
      if (warp.value(at.operand[1], other) == mine) same |= Mask{1} << other;
    }
    if (all && same != mask) same = 0;
    warp.set(at.operand[0], lane, same);
    warp.set(at.operand[4], lane, same == mask);
  }
}

template <class T>
void reduced(Warp& warp, const Instruction& at, Mask mask) {
  const Lanes<T> from(warp, at.operand[1]);
  T made = from[__builtin_ctz(mask)];
  for (Mask rest = mask & (mask - 1); rest != 0; rest &= rest - 1) {
    const T one = from[__builtin_ctz(rest)];
    switch (at.option) {
      case 0: made = static_cast<T>(made + one); break;
      case 1: made = std::min(made, one); break;
      case 2: made = std::max(made, one); break;
      case 3: made = static_cast<T>(made & one); break;
      case 4: made = static_cast<T>(made | one); break;
      default: made = static_cast<T>(made ^ one); break;
    }
  }
  eachLane(mask, [&](int lane) { warp.set(at.operand[0], lane, static_cast<uint32_t>(made)); });
}

void active(Warp& warp, const Instruction& at, Mask mask) {
  eachLane(mask, [&](int lane) { warp.set(at.operand[0], lane, mask); });
}

void elected(Warp& warp, const Instruction& at, Mask mask) {
  const int leader = __builtin_ctz(mask);
  eachLane(mask, [&](int lane) {
    warp.set(at.operand[0], lane, static_cast<uint64_t>(leader));
    warp.set(at.operand[4], lane, lane == leader);
  });
}

void met(Warp& warp, const Instruction&, Mask mask) { warp.lanesMet(mask); }

void second(Site& site) {
  const Operand& to = site.operand(0);
  if (to.second.empty()) return;
  Operand name;
  name.kind = Operand::Name;
  name.name = to.second;
  site.made.operand[4] = site.slot(name, Scalar::Pred);
}

void memberMask(Site& site, size_t index) {
  site.made.control = Control::Together;
  site.made.members = site.slot(index, Scalar::B32).offset;
}

int which(const Site& site, std::initializer_list<const char*> names) {
  int at = 0;
  for (const char* name : names) {
    if (site.has(name)) return at;
    ++at;
  }
  site.fail("not a form that is known here");
}

}  // namespace

void addWarps(Table& table) {
  table["shfl"] = [](Site& site) {
    if (!site.has("sync")) site.fail("only .sync");
    for (size_t i = 0; i < 4; ++i) site.made.operand[i] = site.slot(i, Scalar::B32);
    second(site);
    site.made.option = static_cast<uint32_t>(which(site, {"up", "down", "bfly", "idx"}));
    memberMask(site, 4);
    site.made.run = &shuffled;
  };
  table["vote"] = [](Site& site) {
    if (!site.has("sync")) site.fail("only .sync");
    site.made.option = static_cast<uint32_t>(which(site, {"all", "any", "uni", "ballot"}));
    site.made.operand[0] = site.slot(0, site.made.option == kVoteBallot ? Scalar::B32 : Scalar::Pred);
    site.made.operand[1] = site.slot(1, Scalar::Pred);
    site.made.option2 = site.operand(1).negated;
    memberMask(site, 2);
    site.made.run = &voted;
  };
  table["match"] = [](Site& site) {
    site.made.option = site.has("all");
    site.made.operand[0] = site.slot(0, Scalar::B32);
    site.made.operand[1] = site.slot(1, site.type());
    second(site);
    memberMask(site, 2);
    site.made.run = &matched;
  };
  table["redux"] = [](Site& site) {
    site.made.option = static_cast<uint32_t>(which(site, {"add", "min", "max", "and", "or", "xor"}));
    site.made.operand[0] = site.slot(0, Scalar::B32);
    site.made.operand[1] = site.slot(1, Scalar::B32);
    memberMask(site, 2);
    site.made.run = site.type() == Scalar::S32 ? &reduced<int32_t> : &reduced<uint32_t>;
  };
  table["activemask"] = [](Site& site) {
    site.made.operand[0] = site.slot(0, Scalar::B32);
    site.made.run = &active;
  };
  table["elect"] = [](Site& site) {
    site.made.operand[0] = site.slot(0, Scalar::B32);
    second(site);
    memberMask(site, 1);
    site.made.run = &elected;
  };
}

/** bar.warp.sync, which addControl finds among the barriers. */
void decodeWarpBarrier(Site& site) {
  memberMask(site, 0);
  site.made.run = &met;
}

}  // namespace machine
