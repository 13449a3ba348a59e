// Order through memory: fences, releases, acquires. In: strong accesses and fences of a warp. Out: what other warps come to know by them.
// Holds: a relaxed access hands on what a fence before it covered, and takes what a fence behind it makes valid.
#pragma once
#include "block.h"

namespace machine {

enum Order : uint32_t { kStrong = 1, kAcquire = 2, kRelease = 4 };

/** A read takes, a write gives; an atomic does both. */
void orderThrough(Warp& warp, uint64_t address, bool shared, uint32_t order, bool takes, bool gives);
/** `near`: of the block alone. */
void fence(Warp& warp, bool near);

}  // namespace machine
