// Emission in parts that other threads compile while the next ones are built. In: modules, each with a context of its own, in any number. Out: one object for
// each, in the order in which they came. Holds: a module that was handed over belongs to its part; what an object contains follows from its module alone.
#include "target.h"
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace tfc {

struct Part {
  std::unique_ptr<llvm::LLVMContext> context;
  std::unique_ptr<llvm::Module> module;
  Description to;
  std::string passes;
  bool autovectorize;
  Bytes object;
  std::string error;
  double optimizeMs = 0, codegenMs = 0;

  void compile() {
    {
      Complaints complaints(*context);
      error = emit();
      if (error.empty()) error = complaints.said;
    }
    module.reset();
    context.reset();
  }

private:
  std::string emit() {
    auto start = Clock::now();
    if (auto message = faults(*module); !message.empty()) return message;
    std::string wrong;
    auto machine = to.machine(wrong);
    if (!machine) return wrong;
    prepare(*module, *machine, to);
    if (auto message = runPasses(*module, *machine, passes, autovectorize); !message.empty()) return message;
    optimizeMs = since(start);
    start = Clock::now();
    auto message = generate(*module, *machine, llvm::CodeGenFileType::ObjectFile, object);
    codegenMs = since(start);
    return message;
  }
};

// The threads that compile parts: as many as there are parts and processors, but for the one that builds. It helps when it has nothing more to build.
class Crew {
  std::mutex lock;
  std::condition_variable changed;
  std::deque<Part> parts;
  std::vector<std::thread> threads;
  size_t next = 0, waiting = 0;
  bool complete = false;

  void work() {
    std::unique_lock<std::mutex> held(lock);
    for (;;) {
      while (next == parts.size() && !complete) {
        waiting++;
        changed.wait(held);
        waiting--;
      }
      if (next == parts.size()) return;
      auto &part = parts[next++];
      held.unlock();
      part.compile();
      held.lock();
    }
  }

  void close() {
    std::lock_guard<std::mutex> held(lock);
    complete = true;
    changed.notify_all();
  }

public:
  void add(Part part) {
    std::lock_guard<std::mutex> held(lock);
    parts.push_back(std::move(part));
    if (waiting > 0) changed.notify_one();
    else if (threads.size() + 1 < std::thread::hardware_concurrency()) threads.emplace_back([this] { work(); });
  }

  std::deque<Part> &finish() {
    close();
    work();
    for (auto &thread : threads) thread.join();
    threads.clear();
    return parts;
  }

  // Parts that nobody has begun stay as they are.
  void abandon() {
    {
      std::lock_guard<std::mutex> held(lock);
      next = parts.size();
    }
    finish();
  }

  ~Crew() { abandon(); }
};

static Crew &crew(const Napi::Value &v) {
  if (!v.IsExternal()) refuse(v, "expected an emission");
  return *v.As<Napi::External<Crew>>().Data();
}

static Napi::Value startEmission(Info i) {
  return Napi::External<Crew>::New(i.Env(), new Crew, [](Napi::Env, Crew *c) { delete c; });
}

// addPart(emission, context, module, target, passes, autovectorize): nothing of the module may be used afterwards.
static Napi::Value addPart(Info i) {
  auto &to = crew(i[0]);
  auto described = description(i[3]);
  auto passes = text(i[4]);
  bool autovectorize = flag(i[5]);
  auto *m = module(i[2]);
  auto *c = &context(i[1]);
  setLoopPasses(described.loopPasses, i[3]);
  to.add({std::unique_ptr<llvm::LLVMContext>(c), std::unique_ptr<llvm::Module>(m), described, passes, autovectorize, {}, {}});
  return i.Env().Undefined();
}

// finishEmission(emission) → { objects, optimizeMs, codegenMs }, the times of all threads together.
static Napi::Value finishEmission(Info i) {
  double optimizeMs = 0, codegenMs = 0;
  auto objects = Napi::Array::New(i.Env());
  for (auto &part : crew(i[0]).finish()) {
    if (!part.error.empty()) refuse(i[0], part.error);
    optimizeMs += part.optimizeMs;
    codegenMs += part.codegenMs;
    objects.Set(objects.Length(), Napi::Buffer<char>::Copy(i.Env(), part.object.data(), part.object.size()));
  }
  auto result = Napi::Object::New(i.Env());
  result.Set("objects", objects);
  result.Set("optimizeMs", optimizeMs);
  result.Set("codegenMs", codegenMs);
  return result;
}

// abandonEmission(emission): waits for what has begun.
static Napi::Value abandonEmission(Info i) {
  crew(i[0]).abandon();
  return i.Env().Undefined();
}

void addParts(Napi::Object &to) {
  add(to, "startEmission", startEmission);
  add(to, "addPart", addPart);
  add(to, "finishEmission", finishEmission);
  add(to, "abandonEmission", abandonEmission);
}

} // namespace tfc
