// Immediate post-dominators of basic blocks (Cooper, Harvey, Kennedy: "A Simple, Fast Dominance Algorithm", 2001), on the reversed graph
// with one node for the end. In: instructions. Out: see flow.h. Holds: blocks that never reach the end have none.
#include "flow.h"
#include <algorithm>
#include <functional>

namespace machine {

namespace {

struct Graph {
  std::vector<int32_t> first;
  std::vector<std::vector<int>> next, before;
};

bool endsBlock(const Instruction& one) { return one.control == Control::Branch || one.control == Control::Exit; }

Graph graphOf(const Kernel& kernel) {
  const int32_t count = static_cast<int32_t>(kernel.code.size());
  std::vector<char> leads(static_cast<size_t>(count) + 1, 0);
  leads[0] = 1;
  for (int32_t i = 0; i < count; ++i) {
    const Instruction& one = kernel.code[i];
    if (endsBlock(one)) leads[i + 1] = 1;
    if (one.control == Control::Branch) leads[one.target] = 1;
  }
  Graph made;
  std::vector<int> blockAt(static_cast<size_t>(count) + 1, -1);
  for (int32_t i = 0; i < count; ++i) {
    if (leads[i]) made.first.push_back(i);
    blockAt[i] = static_cast<int>(made.first.size()) - 1;
  }
  const int end = static_cast<int>(made.first.size());
  blockAt[count] = end;
  made.next.resize(end + 1);
  made.before.resize(end + 1);
  for (int block = 0; block < end; ++block) {
    const int32_t last = (block + 1 < end ? made.first[block + 1] : count) - 1;
    const Instruction& one = kernel.code[last];
    const bool always = one.predicate == kNoSlot;
    auto& next = made.next[block];
    if (one.control == Control::Branch) next.push_back(blockAt[one.target]);
    if (one.control == Control::Exit) next.push_back(end);
    if (!endsBlock(one) || !always) next.push_back(blockAt[last + 1]);
    for (int to : next) made.before[to].push_back(block);
  }
  return made;
}

}  // namespace

void findMeetings(Kernel& kernel) {
  const Graph graph = graphOf(kernel);
  const int end = static_cast<int>(graph.first.size());
  std::vector<int> order, number(end + 1, -1), above(end + 1, -1);
  // Post-order of the reversed graph, without recursion: kernels may have thousands of blocks.
  std::vector<std::pair<int, size_t>> stack = {{end, 0}};
  std::vector<char> seen(end + 1, 0);
  seen[end] = 1;
  while (!stack.empty()) {
    auto& [block, at] = stack.back();
    if (at < graph.before[block].size()) {
      const int next = graph.before[block][at++];
      if (!seen[next]) {
        seen[next] = 1;
        stack.push_back({next, 0});
      }
      continue;
    }
    number[block] = static_cast<int>(order.size());
    order.push_back(block);
    stack.pop_back();
  }
  above[end] = end;
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t i = order.size(); i-- > 0;) {
      const int block = order[i];
      if (block == end) continue;
      int common = -1;
      for (int next : graph.next[block]) {
        if (number[next] < 0 || above[next] < 0) continue;
        if (common < 0) { common = next; continue; }
        for (int other = next; common != other;) {
          while (number[common] < number[other]) common = above[common];
          while (number[other] < number[common]) other = above[other];
        }
      }
      if (common != above[block]) {
        above[block] = common;
        changed = true;
      }
    }
  }
  for (int block = 0; block < end; ++block) {
    const int32_t last = (block + 1 < end ? graph.first[block + 1] : static_cast<int32_t>(kernel.code.size())) - 1;
    Instruction& one = kernel.code[last];
    if (one.control == Control::Branch && above[block] >= 0 && above[block] != end) one.meeting = graph.first[above[block]];
  }
}

}  // namespace machine
