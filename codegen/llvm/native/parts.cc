// Emission in parts, each compiled by a thread of its own. In: a module, passes for the whole of it and passes for each part. Out: one object for each part, to be linked.
// Holds: how many parts there are and what is in them follows from the module alone; what the module keeps to itself stays within the library that is linked (hidden).
#include "target.h"
#include <llvm/ADT/StringMap.h>
#include <llvm/Bitcode/BitcodeReader.h>
#include <llvm/Bitcode/BitcodeWriter.h>
#include <llvm/Transforms/Utils/Cloning.h>
#include <thread>

namespace tfc {

// Instructions below which a part does not repay its thread, and the most parts.
static const size_t partSize = 1500, mostParts = 4;

struct Part {
  Bytes object;
  std::string error;
  double optimizeMs = 0, codegenMs = 0;
};

using Places = llvm::StringMap<size_t>;

// Which part has which function: the largest first, each to the smallest part.
static size_t divide(const llvm::Module &m, Places &places) {
  std::vector<std::pair<size_t, llvm::StringRef>> functions;
  size_t total = 0;
  for (auto &f : m) {
    if (f.isDeclaration()) continue;
    functions.emplace_back(f.getInstructionCount(), f.getName());
    total += functions.back().first;
  }
  size_t count = std::clamp<size_t>(std::min(total / partSize, functions.size()), 1, mostParts);
  std::stable_sort(functions.begin(), functions.end(), [](auto &a, auto &b) { return a.first > b.first; });
  std::vector<size_t> sizes(count, 0);
  for (auto &[size, name] : functions) {
    auto least = std::min_element(sizes.begin(), sizes.end()) - sizes.begin();
    sizes[least] += size;
    places[name] = least;
  }
  return count;
}

// Names that parts know of one another; the library does not export them.
static void share(llvm::Module &m) {
  for (auto &global : m.global_values()) {
    if (!global.hasLocalLinkage()) continue;
    global.setLinkage(llvm::GlobalValue::ExternalLinkage);
    global.setVisibility(llvm::GlobalValue::HiddenVisibility);
  }
}

// Leaves declarations of what other parts have; the first part has all variables.
static void keep(llvm::Module &m, const Places &places, size_t part) {
  for (auto &f : m)
    if (!f.isDeclaration() && places.lookup(f.getName()) != part) f.deleteBody();
  if (part == 0) return;
  for (auto &variable : m.globals()) variable.setInitializer(nullptr);
}

static void compile(llvm::Module &m, const Description &to, const std::string &passes, bool autovectorize, Part &part) {
  Complaints complaints(m.getContext());
  auto machine = to.machine(part.error);
  if (!machine) return;
  auto start = Clock::now();
  part.error = runPasses(m, *machine, passes, autovectorize);
  part.optimizeMs = since(start);
  if (!part.error.empty()) return;
  start = Clock::now();
  part.error = generate(m, *machine, llvm::CodeGenFileType::ObjectFile, part.object);
  part.codegenMs = since(start);
  if (part.error.empty()) part.error = complaints.said;
}

static void compileCopy(const Bytes &written, const Places &places, size_t index, const Description &to, const std::string &passes, bool autovectorize, Part &part) {
  llvm::LLVMContext context;
  auto read = llvm::parseBitcodeFile(llvm::MemoryBufferRef({written.data(), written.size()}, "part"), context);
  if (!read) {
    part.error = llvm::toString(read.takeError());
    return;
  }
  keep(**read, places, index);
  compile(**read, to, passes, autovectorize, part);
}

// emitParts(module, target, passes, partPasses, autovectorize) → { objects, verifyMs, optimizeMs, codegenMs }
static Napi::Value emitParts(Info i) {
  auto to = description(i[1]);
  auto passes = text(i[2]), partPasses = text(i[3]);
  bool autovectorize = flag(i[4]);
  auto start = Clock::now();
  auto *original = module(i[0]);
  if (auto message = faults(*original); !message.empty()) refuse(i[0], message);
  std::string error;
  auto machine = to.machine(error);
  if (!machine) refuse(i[1], error);
  auto m = llvm::CloneModule(*original);
  prepare(*m, *machine, to);
  double verifyMs = since(start);
  setLoopPasses(to.loopPasses, i[1]);
  Complaints complaints(m->getContext());
  start = Clock::now();
  if (error = runPasses(*m, *machine, passes, autovectorize); !error.empty()) refuse(i[2], error);
  double wholeMs = since(start);
  start = Clock::now();
  Places places;
  std::vector<Part> parts(divide(*m, places));
  Bytes written;
  if (parts.size() > 1) {
    share(*m);
    llvm::raw_svector_ostream os(written);
    llvm::WriteBitcodeToFile(*m, os);
  }
  std::vector<std::thread> threads;
  for (size_t k = 1; k < parts.size(); k++)
    threads.emplace_back([&, k] { compileCopy(written, places, k, to, partPasses, autovectorize, parts[k]); });
  keep(*m, places, 0);
  compile(*m, to, partPasses, autovectorize, parts[0]);
  for (auto &thread : threads) thread.join();
  double partsMs = since(start), optimizeMs = 0, codegenMs = 0;
  auto objects = Napi::Array::New(i.Env());
  for (auto &part : parts) {
    if (!part.error.empty()) refuse(i[0], part.error);
    optimizeMs += part.optimizeMs;
    codegenMs += part.codegenMs;
    objects.Set(objects.Length(), Napi::Buffer<char>::Copy(i.Env(), part.object.data(), part.object.size()));
  }
  // Parts run beside one another: their time is shared out as their work is.
  double optimizing = partsMs * optimizeMs / std::max(optimizeMs + codegenMs, 1e-9);
  auto result = Napi::Object::New(i.Env());
  result.Set("objects", objects);
  result.Set("verifyMs", verifyMs);
  result.Set("optimizeMs", wholeMs + optimizing);
  result.Set("codegenMs", partsMs - optimizing);
  return result;
}

void addParts(Napi::Object &to) { add(to, "emitParts", emitParts); }

} // namespace tfc
