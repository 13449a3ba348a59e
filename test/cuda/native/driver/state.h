// What the emulated driver knows. In: calls of the API. Out: one device with its memory, streams, modules, graphs; its faults.
// Holds: a fault in a kernel makes the context unusable for good, as on the hardware; every handle is checked before it is used.
#pragma once
#include <chrono>
#include <deque>
#include <functional>
#include <list>
#include <mutex>
#include <set>
#include "../machine/block.h"
#include "abi.h"

struct Context {
  int references = 0;
};

struct KernelHandle {
  machine::Kernel* kernel;
};

struct Module {
  std::unique_ptr<machine::Program> program;
  std::map<std::string, std::unique_ptr<KernelHandle>> functions;
};

/** What streams run and graphs keep. */
struct Work {
  enum Kind : uint8_t { Kernel, Copy, Fill, Event, Host, Free } kind;
  std::function<void()> run;
  /** Of a kernel. */
  KernelHandle* function = nullptr;
  std::shared_ptr<machine::Launch> launch;
};

struct Graph {
  std::list<Work> nodes;
};

struct GraphRun {
  std::list<Work> nodes;
};

struct Stream {
  bool blocking = true;
  std::deque<Work> queue;
  uint64_t pushed = 0, done = 0;
  Graph* capture = nullptr;
  /** Whether it began the capture itself, or joined it by an event. */
  bool origin = false;
  bool invalid = false;
  bool global = false;
};

struct Event {
  Stream* stream = nullptr;
  uint64_t after = 0;
  bool recorded = false, done = false;
  double milliseconds = 0;
  Graph* capture = nullptr;
};

struct State {
  std::recursive_mutex mutex;
  bool initialized = false;
  int sticky = kOk;
  std::string faultText;
  Context context;
  machine::Memory memory;
  machine::Timeline timeline;
  machine::Counts counts;
  machine::Settings settings;
  Stream null;
  std::set<Stream*> streams;
  std::set<Event*> events;
  std::set<Module*> modules;
  std::set<KernelHandle*> functions;
  std::set<Graph*> graphs;
  std::set<GraphRun*> runs;

  // Told by the environment or by tfcCudaControl (control.cc).
  bool noDevice = false, lazy = false;
  int driverVersion = 13000, capability = 90;
  uint64_t totalMemory = uint64_t{4} << 30;
  /** The launch, counted from 1, that ends with `faultCode`; 0: none. */
  uint64_t faultAt = 0;
  int faultCode = kIllegalAddressResult;
};

State& state();
extern thread_local Context* currentContext;

/** What every call asks first. `capturing`: whether it may be called while a stream is captured. */
int ready(bool capturing = true);

/** Runs work now, or when somebody waits for it (`lazy`), or keeps it in the graph that the stream is captured into. */
int push(Stream* stream, Work work);
Stream* streamOf(Stream* handle);
void runOne(Stream& stream);
void finish(Stream& stream);
/** What the default stream waits for: itself and all streams that are not `NON_BLOCKING`. */
void finishBlocking();
void finishAll();
void runWork(const Work& work);
bool anyCapture();
void invalidateCaptures();
bool setControl(const std::string& name, const std::string& value);
uint64_t elapsedNanoseconds();

#define TFC_LOCKED std::lock_guard<std::recursive_mutex> locked(state().mutex)
#define TFC_READY(...) \
  TFC_LOCKED; \
  if (const int status = ready(__VA_ARGS__)) return status
