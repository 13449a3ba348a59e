// Calls of the emulated driver from a script. In: `harness LIBRARY`, lines on standard input. Out: one line for each: the status, and what
// the call gave. Holds: the library is loaded as programs load it, by dlopen, and its functions are found by name; a name that no line has
// made yet ends the harness.
#include <dlfcn.h>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <map>
#include <sstream>
#include <vector>
#include "../driver/abi.h"

namespace {

void* library = nullptr;

template <class R = int, class... A>
R call(const char* name, A... arguments) {
  using Function = R (*)(A...);
  const Function function = reinterpret_cast<Function>(dlsym(library, name));
  if (function == nullptr) {
    std::fprintf(stderr, "no function %s\n", name);
    std::exit(2);
  }
  return function(arguments...);
}

struct Buffer {
  CUdeviceptr address = 0;
  std::vector<uint8_t> host;
};

std::map<std::string, void*> handles;
std::map<std::string, Buffer> buffers;
std::map<std::string, std::vector<uint64_t>> maps;

void* handle(const std::string& name) {
  if (name == "-") return nullptr;
  const auto found = handles.find(name);
  if (found == handles.end()) {
    std::fprintf(stderr, "no handle %s\n", name.c_str());
    std::exit(2);
  }
  return found->second;
}

std::vector<uint8_t> bytesOf(const std::string& hexadecimal) {
  std::vector<uint8_t> made;
  for (size_t i = 0; i + 1 < hexadecimal.size(); i += 2) made.push_back(static_cast<uint8_t>(std::stoi(hexadecimal.substr(i, 2), nullptr, 16)));
  return made;
}

void show(int status, const uint8_t* bytes = nullptr, size_t count = 0) {
  static const char digits[] = "0123456789abcdef";
  std::string line = std::to_string(status);
  if (count > 0) line += ' ';
  for (size_t i = 0; i < count; ++i) {
    line += digits[bytes[i] >> 4];
    line += digits[bytes[i] & 15];
  }
  std::puts(line.c_str());
}

void show(int status, const std::string& text) { std::printf("%d %s\n", status, text.c_str()); }

using Words = std::istringstream;

template <class T>
T next(Words& words) {
  T made{};
  words >> made;
  return made;
}

std::string word(Words& words) { return next<std::string>(words); }

/** A device address: `name` or `name+bytes`. */
CUdeviceptr address(const std::string& text) {
  const size_t plus = text.find('+');
  const uint64_t offset = plus == std::string::npos ? 0 : std::stoull(text.substr(plus + 1));
  return buffers.at(text.substr(0, plus)).address + offset;
}

/** An argument of a kernel: `x:HEX` has these bytes, `map:NAME` is a tensor map, all else an address. */
std::vector<uint8_t> argument(const std::string& text) {
  if (text.rfind("x:", 0) == 0) return bytesOf(text.substr(2));
  std::vector<uint8_t> made(8);
  if (text.rfind("map:", 0) == 0) {
    const auto& words = maps.at(text.substr(4));
    made.resize(128);
    const uintptr_t start = (reinterpret_cast<uintptr_t>(words.data()) + 63) / 64 * 64;
    std::copy_n(reinterpret_cast<const uint8_t*>(start), 128, made.data());
    return made;
  }
  const CUdeviceptr at = address(text);
  std::copy_n(reinterpret_cast<const uint8_t*>(&at), 8, made.data());
  return made;
}

void launch(Words& words) {
  LaunchConfiguration how{};
  KernelHandle* const function = static_cast<KernelHandle*>(handle(word(words)));
  words >> how.gridX >> how.gridY >> how.gridZ >> how.blockX >> how.blockY >> how.blockZ >> how.sharedBytes;
  how.stream = static_cast<Stream*>(handle(word(words)));
  std::vector<std::vector<uint8_t>> values;
  for (std::string text; words >> text;) values.push_back(argument(text));
  std::vector<void*> pointers;
  for (auto& one : values) pointers.push_back(one.data());
  show(call("cuLaunchKernelEx", static_cast<const LaunchConfiguration*>(&how), function, pointers.data(), static_cast<void**>(nullptr)));
}

void module(Words& words) {
  const std::string name = word(words);
  const size_t bytes = next<size_t>(words);
  std::string text(bytes, '\0');
  std::cin.read(&text[0], static_cast<std::streamsize>(bytes));
  char log[4096] = "";
  int options[] = {kJitErrorLog, kJitErrorLogBytes};
  void* values[] = {log, reinterpret_cast<void*>(sizeof log)};
  const int status = call("cuModuleLoadDataEx", &handles[name], static_cast<const void*>(text.c_str()), 2u, options, values);
  show(status, std::string(log));
}

void tensorMap(Words& words) {
  auto& made = maps[word(words)];
  made.assign(24, 0);
  void* const at = reinterpret_cast<void*>((reinterpret_cast<uintptr_t>(made.data()) + 63) / 64 * 64);
  const CUdeviceptr from = address(word(words));
  const int type = next<int>(words), swizzle = next<int>(words);
  const unsigned rank = next<unsigned>(words);
  uint64_t sizes[5], strides[5];
  uint32_t box[5], ones[5] = {1, 1, 1, 1, 1};
  for (unsigned i = 0; i < rank; ++i) words >> sizes[i];
  for (unsigned i = 0; i + 1 < rank; ++i) words >> strides[i];
  for (unsigned i = 0; i < rank; ++i) words >> box[i];
  show(call("cuTensorMapEncodeTiled", at, type, rank, reinterpret_cast<void*>(from), static_cast<const uint64_t*>(sizes), static_cast<const uint64_t*>(strides),
            static_cast<const uint32_t*>(box), static_cast<const uint32_t*>(ones), 0, swizzle, 0, 0));
}

/** A call whose arguments are numbers, `h:NAME` (a handle), `n:NAME` (a handle to make), `a:NAME` (an address); the status is shown. */
void plain(const std::string& name, Words& words) {
  std::vector<uint64_t> values;
  for (std::string text; words >> text;) {
    if (text.rfind("h:", 0) == 0) values.push_back(reinterpret_cast<uint64_t>(handle(text.substr(2))));
    else if (text.rfind("n:", 0) == 0) values.push_back(reinterpret_cast<uint64_t>(&handles[text.substr(2)]));
    else if (text.rfind("a:", 0) == 0) values.push_back(address(text.substr(2)));
    else values.push_back(std::strtoull(text.c_str(), nullptr, 0));
  }
  values.resize(6);
  show(call(name.c_str(), values[0], values[1], values[2], values[3], values[4], values[5]));
}

void begin() {
  int device = 0;
  void* context = nullptr;
  int status = call("cuInit", 0u);
  if (status == 0) status = call("cuDeviceGet", &device, 0);
  if (status == 0) status = call("cuDevicePrimaryCtxRetain", &context, device);
  if (status == 0) status = call("cuCtxSetCurrent", context);
  handles["context"] = context;
  show(status);
}

void upload(Words& words, bool async) {
  const std::string to = word(words);
  Buffer& buffer = buffers[to.substr(0, to.find('+'))];
  buffer.host = bytesOf(word(words));
  const void* const from = buffer.host.data();
  if (async) show(call("cuMemcpyHtoDAsync_v2", address(to), from, buffer.host.size(), handle(word(words))));
  else show(call("cuMemcpyHtoD_v2", address(to), from, buffer.host.size()));
}

void download(Words& words) {
  const CUdeviceptr from = address(word(words));
  std::vector<uint8_t> made(next<size_t>(words));
  const int status = call("cuMemcpyDtoH_v2", static_cast<void*>(made.data()), from, made.size());
  show(status, made.data(), status == 0 ? made.size() : 0);
}

void text(const char* function, Words& words) {
  const char* made = nullptr;
  const int status = call(function, next<int>(words), &made);
  show(status, made == nullptr ? "" : made);
}

void line(const std::string& command, Words& words) {
  if (command == "begin") return begin();
  if (command == "set") {
    const std::string name = word(words), value = word(words);
    return show(call("tfcCudaControl", name.c_str(), value.c_str()));
  }
  if (command == "module") return module(words);
  if (command == "function") {
    const std::string name = word(words);
    void* const from = handle(word(words));
    const std::string entry = word(words);
    return show(call("cuModuleGetFunction", &handles[name], from, entry.c_str()));
  }
  if (command == "global") {
    Buffer& made = buffers[word(words)];
    size_t bytes = 0;
    void* const from = handle(word(words));
    const std::string name = word(words);
    const int status = call("cuModuleGetGlobal_v2", &made.address, &bytes, from, name.c_str());
    return show(status, std::to_string(bytes));
  }
  if (command == "alloc") {
    Buffer& made = buffers[word(words)];
    return show(call("cuMemAlloc_v2", &made.address, next<size_t>(words)));
  }
  if (command == "pinned") {
    void* host = nullptr;
    Buffer& made = buffers[word(words)];
    const int status = call("cuMemHostAlloc", &host, next<size_t>(words), 0u);
    made.address = reinterpret_cast<CUdeviceptr>(host);
    return show(status);
  }
  if (command == "upload") return upload(words, false);
  if (command == "upload-async") return upload(words, true);
  if (command == "download") return download(words);
  if (command == "launch") return launch(words);
  if (command == "tensor-map") return tensorMap(words);
  if (command == "name") return text("cuGetErrorName", words);
  if (command == "string") return text("cuGetErrorString", words);
  // A real driver says no more than the status.
  if (command == "fault") return show(0, dlsym(library, "tfcCudaFault") == nullptr ? "" : std::string(call<const char*>("tfcCudaFault")));
  if (command == "counts") {
    unsigned long long counts[6];
    call<void>("tfcCudaCounts", static_cast<unsigned long long*>(counts));
    std::string all;
    for (const unsigned long long one : counts) all += (all.empty() ? "" : " ") + std::to_string(one);
    return show(0, all);
  }
  if (command == "attribute") {
    int value = 0;
    const int status = call("cuDeviceGetAttribute", &value, next<int>(words), 0);
    return show(status, std::to_string(value));
  }
  if (command == "version") {
    int value = 0;
    const int status = call("cuDriverGetVersion", &value);
    return show(status, std::to_string(value));
  }
  if (command == "memory") {
    size_t available = 0, total = 0;
    const int status = call("cuMemGetInfo_v2", &available, &total);
    return show(status, std::to_string(available) + " " + std::to_string(total));
  }
  if (command == "capturing") {
    int value = 0;
    const int status = call("cuStreamIsCapturing", handle(word(words)), &value);
    return show(status, std::to_string(value));
  }
  if (command == "address-of") {
    void* found = nullptr;
    int status = 0;
    const std::string name = word(words);
    const int result = call("cuGetProcAddress_v2", name.c_str(), &found, next<int>(words), uint64_t{0}, &status);
    return show(result, std::to_string(status));
  }
  if (command == "update") {
    GraphUpdateInfo info{};
    void* const run = handle(word(words));
    const int status = call("cuGraphExecUpdate_v2", run, handle(word(words)), &info);
    return show(status, std::to_string(info.result));
  }
  plain(command, words);
}

}  // namespace

int main(int count, char** words) {
  if (count != 2 || (library = dlopen(words[1], RTLD_NOW | RTLD_LOCAL)) == nullptr) {
    std::fprintf(stderr, "harness LIBRARY: %s\n", count == 2 ? dlerror() : "no library is named");
    return 2;
  }
  for (std::string text; std::getline(std::cin, text);) {
    Words rest(text);
    line(word(rest), rest);
  }
  return 0;
}
