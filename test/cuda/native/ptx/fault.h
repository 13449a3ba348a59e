// What ends a load or a launch. In: the driver's status and a text. Out: an exception. Holds: the numbers are those of the CUDA
// driver API; the text says more than the driver would, for whoever reads a failed test.
#pragma once
#include <stdexcept>
#include <string>

namespace ptx {

enum Status : int {
  kSuccess = 0,
  kInvalidPtx = 218,
  kUnsupportedPtxVersion = 222,
  kIllegalAddress = 700,
  kLaunchTimeout = 702,
  kIllegalInstruction = 715,
  kMisalignedAddress = 716,
  kLaunchFailed = 719,
};

struct Fault : std::runtime_error {
  Status status;
  Fault(Status status, const std::string& text) : std::runtime_error(text), status(status) {}
};

}  // namespace ptx
