// Where the two ways of a branch meet. In: a decoded kernel. Out: `meeting` of its branches. Holds: it is the immediate post-dominator,
// the first instruction that every lane comes to, whichever way it goes; -1: there is none but the end.
#pragma once
#include "../machine/program.h"

namespace machine {

void findMeetings(Kernel& kernel);

}  // namespace machine
