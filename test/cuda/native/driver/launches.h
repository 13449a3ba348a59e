// A kernel with its arguments as work of a stream. In: what cuLaunchKernel is given. Out: work, or why the driver refuses it.
// Holds: arguments are copied when the call is made.
#pragma once
#include "state.h"

int kernelWork(machine::Dim3 grid, machine::Dim3 block, KernelHandle* function, unsigned sharedBytes, void** parameters, void** extra, Work& made);
