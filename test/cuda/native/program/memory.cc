// Loads, stores, fences, prefetches. In: a site. Out: its handler. Holds: vectors are one access of all of their bytes, which must be
// aligned to them; small types are extended to the whole register.
#include "decoder.h"
#include "../machine/access.h"
#include "../machine/order.h"
#include "lanes.h"

namespace machine {

using ptx::Operand;
using ptx::Scalar;
using ptx::Space;

namespace {

bool isShared(const Instruction& at, uint64_t address) {
  return at.space == Space::Shared || (at.space == Space::Generic && (address & kWindows) == kSharedWindow);
}

template <class T, class Reach>
void load(Warp& warp, const Instruction& at, Mask mask) {
  const uint32_t count = at.vector;
  const uint32_t bytes = sizeof(T) * count;
  const bool strong = (at.option & kStrong) != 0;
  const Access kind = strong ? Access::AtomicRead : Access::Read;
  const Slot place = at.operand[1];
  Reach reach(warp, at);
  for (Mask rest = mask; rest != 0; rest &= rest - 1) {
    const int lane = __builtin_ctz(rest);
    const uint64_t address = warp.value(place, lane) + static_cast<uint64_t>(at.offset);
    const uint8_t* const from = reach(address, bytes, lane, kind);
    if (strong) orderThrough(warp, address, isShared(at, address), at.option, true, false);
    for (uint32_t i = 0; i < count; ++i) {
      T value;
      std::memcpy(&value, from + sizeof(T) * i, sizeof(T));
      warp.set(at.list[i], lane, static_cast<uint64_t>(static_cast<int64_t>(value)));
    }
  }
}

template <class T, class Reach>
void store(Warp& warp, const Instruction& at, Mask mask) {
  const uint32_t count = at.vector;
  const uint32_t bytes = sizeof(T) * count;
  const bool strong = (at.option & kStrong) != 0;
  const Access kind = strong ? Access::AtomicWrite : Access::Write;
  const Slot place = at.operand[1];
  Reach reach(warp, at);
  for (Mask rest = mask; rest != 0; rest &= rest - 1) {
    const int lane = __builtin_ctz(rest);
    const uint64_t address = warp.value(place, lane) + static_cast<uint64_t>(at.offset);
    uint8_t* const to = reach(address, bytes, lane, kind);
    if (strong) orderThrough(warp, address, isShared(at, address), at.option, false, true);
    for (uint32_t i = 0; i < count; ++i) {
      const T value = static_cast<T>(warp.value(at.list[i], lane));
      std::memcpy(to + sizeof(T) * i, &value, sizeof(T));
    }
  }
}

template <class Reach>
Handler loadBy(Scalar type) {
  switch (type) {
    case Scalar::S8: return &load<int8_t, Reach>;
    case Scalar::S16: return &load<int16_t, Reach>;
    case Scalar::S32: return &load<int32_t, Reach>;
    default:
      switch (ptx::bytesOf(type)) {
        case 1: return &load<uint8_t, Reach>;
        case 2: return &load<uint16_t, Reach>;
        case 4: return &load<uint32_t, Reach>;
        case 8: return &load<uint64_t, Reach>;
        default: return nullptr;
      }
  }
}

template <class Reach>
Handler storeBy(Scalar type) {
  switch (ptx::bytesOf(type)) {
    case 1: return &store<uint8_t, Reach>;
    case 2: return &store<uint16_t, Reach>;
    case 4: return &store<uint32_t, Reach>;
    case 8: return &store<uint64_t, Reach>;
    default: return nullptr;
  }
}

template <class Reach>
Handler accessBy(Scalar type, bool loads) { return loads ? loadBy<Reach>(type) : storeBy<Reach>(type); }

uint32_t orderOf(const Site& site) {
  if (site.has("acquire")) return kStrong | kAcquire;
  if (site.has("release")) return kStrong | kRelease;
  return site.has("relaxed") || site.has("volatile") ? kStrong : 0u;
}

void values(Site& site, const Operand& one, Scalar type) {
  Instruction& made = site.made;
  made.vector = site.has("v2") ? 2 : site.has("v4") ? 4 : site.has("v8") ? 8 : 1;
  const size_t found = one.kind == Operand::Vector ? one.items.size() : 1;
  if (found != made.vector) site.fail("as many values as the vector has elements");
  if (ptx::bytesOf(type) * made.vector > 16) site.fail("at most 16 bytes");
  if (one.kind != Operand::Vector) made.list.push_back(site.any(one, type));
  else for (const Operand& item : one.items) made.list.push_back(site.any(item, type));
}

void access(Site& site, bool loads) {
  const Scalar type = site.type();
  if (type == Scalar::Pred || type == Scalar::None) site.fail("not of this type");
  site.made.space = site.space();
  site.made.operand[1] = site.address(loads ? 1 : 0, site.made.offset);
  site.made.option = orderOf(site);
  values(site, site.operand(loads ? 0 : 1), type);
  const Space space = site.made.space;
  site.made.run = space == Space::Global   ? accessBy<GlobalReach>(type, loads)
                  : space == Space::Shared ? accessBy<SharedReach>(type, loads)
                                           : accessBy<AnyReach>(type, loads);
}

void fenceAll(Warp& warp, const Instruction& at, Mask) { fence(warp, at.option != 0); }
void nothing(Warp&, const Instruction&, Mask) {}

/** The asynchronous proxy sees what the warp wrote before, if all of its lanes say so. */
void fenceProxy(Warp& warp, const Instruction&, Mask mask) {
  if (mask != warp.alive) return;
  warp.beginSegment();
  warp.proxySince = warp.segment();
}

}  // namespace

void addMemory(Table& table) {
  table["ld"] = table["ld.real"] = table["ldu"] = [](Site& site) { access(site, true); };
  table["st"] = table["st.real"] = [](Site& site) { access(site, false); };
  table["membar"] = [](Site& site) {
    site.made.option = site.has("cta");
    site.made.run = &fenceAll;
  };
  table["fence"] = [](Site& site) {
    site.made.option = site.has("cta");
    // Other proxies, and what initializes barriers, are not kept apart here.
    const bool asynchronous = site.has("proxy") && site.has("async");
    site.made.run = asynchronous ? &fenceProxy : site.has("proxy") || site.has("mbarrier_init") ? &nothing : &fenceAll;
  };
  for (const char* name : {"prefetch", "prefetchu", "discard", "applypriority", "griddepcontrol", "setmaxnreg"})
    table[name] = [](Site& site) { site.made.run = &nothing; };
}

}  // namespace machine
