// Streams and events. In: work in the order that streams are given it. Out: work done. Holds: work runs at once, unless `lazy` is set: then
// nothing runs before somebody waits for it, so that whoever forgets to wait sees old bytes; a stream that waits for an event has what
// came before it done first.
#include "state.h"
#include "../ptx/fault.h"

Stream* streamOf(Stream* handle) {
  State& all = state();
  // 1 and 2: the default stream, as its macros name it.
  if (handle == nullptr || reinterpret_cast<uintptr_t>(handle) <= 2) return &all.null;
  return all.streams.count(handle) != 0 ? handle : nullptr;
}

void runWork(const Work& work) {
  State& all = state();
  if (all.sticky != kOk) return;
  try {
    work.run();
  } catch (const ptx::Fault& fault) {
    all.sticky = fault.status;
    all.faultText = fault.what();
  }
}

void runOne(Stream& stream) {
  const Work work = std::move(stream.queue.front());
  stream.queue.pop_front();
  runWork(work);
  ++stream.done;
}

void finish(Stream& stream) {
  while (!stream.queue.empty()) runOne(stream);
}

void finishBlocking() {
  State& all = state();
  for (Stream* one : all.streams)
    if (one->blocking) finish(*one);
  finish(all.null);
}

void finishAll() {
  for (Stream* one : state().streams) finish(*one);
  finish(state().null);
}

bool anyCapture() {
  for (const Stream* one : state().streams)
    if (one->capture != nullptr && one->global) return true;
  return false;
}

void invalidateCaptures() {
  for (Stream* one : state().streams)
    if (one->capture != nullptr) one->invalid = true;
}

int push(Stream* handle, Work work) {
  State& all = state();
  Stream* const stream = streamOf(handle);
  if (stream == nullptr) return kInvalidHandle;
  if (stream->capture != nullptr) {
    if (stream->invalid) return kCaptureInvalidated;
    stream->capture->nodes.push_back(std::move(work));
    return kOk;
  }
  if (stream == &all.null && anyCapture()) {
    invalidateCaptures();
    return kCaptureImplicit;
  }
  if (stream == &all.null) finishBlocking();
  else if (stream->blocking) finish(all.null);
  stream->queue.push_back(std::move(work));
  ++stream->pushed;
  if (!all.lazy) finish(*stream);
  // A fault of work that ran at once is told by the next call, as on the hardware, where it comes later.
  return kOk;
}

TFC_CUDA CUresult cuStreamCreate(Stream** stream, unsigned flags) {
  TFC_READY();
  if (stream == nullptr || flags > 1) return kInvalidValue;
  Stream* const made = new Stream;
  made->blocking = flags == 0;
  state().streams.insert(made);
  *stream = made;
  return kOk;
}

TFC_CUDA CUresult cuStreamCreateWithPriority(Stream** stream, unsigned flags, int) { return cuStreamCreate(stream, flags); }

TFC_CUDA CUresult cuStreamDestroy_v2(Stream* stream) {
  TFC_LOCKED;
  State& all = state();
  if (all.streams.count(stream) == 0) return kInvalidHandle;
  finish(*stream);
  for (Event* one : all.events)
    if (one->stream == stream) one->stream = nullptr;
  all.streams.erase(stream);
  delete stream;
  return kOk;
}

TFC_CUDA CUresult cuStreamSynchronize(Stream* handle) {
  TFC_READY();
  Stream* const stream = streamOf(handle);
  if (stream == nullptr) return kInvalidHandle;
  if (stream->capture != nullptr || (stream == &state().null && anyCapture())) {
    invalidateCaptures();
    return kCaptureUnsupported;
  }
  if (stream == &state().null) finishBlocking();
  else finish(*stream);
  return state().sticky;
}

TFC_CUDA CUresult cuStreamQuery(Stream* handle) {
  TFC_READY();
  Stream* const stream = streamOf(handle);
  if (stream == nullptr) return kInvalidHandle;
  if (stream->queue.empty()) return kOk;
  // Time goes on.
  runOne(*stream);
  return stream->queue.empty() ? state().sticky : static_cast<int>(kNotReady);
}

TFC_CUDA CUresult cuStreamWaitEvent(Stream* handle, Event* event, unsigned) {
  TFC_READY();
  Stream* const stream = streamOf(handle);
  if (stream == nullptr || state().events.count(event) == 0) return kInvalidHandle;
  if (event->capture != nullptr) {
    if (stream->capture != nullptr && stream->capture != event->capture) return kCaptureUnmatched;
    stream->capture = event->capture;
    stream->global = true;
    return kOk;
  }
  if (!event->recorded || event->stream == nullptr) return kOk;
  Stream* const other = event->stream;
  const uint64_t after = event->after;
  return push(handle, {Work::Event, [other, after] { while (state().streams.count(other) + (other == &state().null) != 0 && other->done < after) runOne(*other); }, nullptr, nullptr});
}

TFC_CUDA CUresult cuEventCreate(Event** event, unsigned) {
  TFC_READY();
  Event* const made = new Event;
  state().events.insert(made);
  *event = made;
  return kOk;
}

TFC_CUDA CUresult cuEventDestroy_v2(Event* event) {
  TFC_LOCKED;
  if (state().events.erase(event) == 0) return kInvalidHandle;
  finishAll();
  delete event;
  return kOk;
}

TFC_CUDA CUresult cuEventRecord(Event* event, Stream* handle) {
  TFC_READY();
  Stream* const stream = streamOf(handle);
  if (stream == nullptr || state().events.count(event) == 0) return kInvalidHandle;
  event->capture = stream->capture;
  event->done = false;
  if (stream->capture != nullptr) return kOk;
  event->recorded = true;
  event->stream = stream;
  event->after = stream->pushed + 1;
  return push(handle, {Work::Event, [event] {
    event->done = true;
    event->milliseconds = static_cast<double>(elapsedNanoseconds()) / 1e6;
  }, nullptr, nullptr});
}

TFC_CUDA CUresult cuEventQuery(Event* event) {
  TFC_READY();
  if (state().events.count(event) == 0) return kInvalidHandle;
  return !event->recorded || event->done ? kOk : kNotReady;
}

TFC_CUDA CUresult cuEventSynchronize(Event* event) {
  TFC_READY();
  if (state().events.count(event) == 0) return kInvalidHandle;
  if (event->capture != nullptr) return kCaptureUnsupported;
  while (event->recorded && event->stream != nullptr && event->stream->done < event->after) runOne(*event->stream);
  return state().sticky;
}

TFC_CUDA CUresult cuEventElapsedTime(float* milliseconds, Event* start, Event* end) {
  TFC_READY();
  if (state().events.count(start) == 0 || state().events.count(end) == 0 || !start->recorded || !end->recorded) return kInvalidHandle;
  if (!start->done || !end->done) return kNotReady;
  *milliseconds = static_cast<float>(end->milliseconds - start->milliseconds);
  return kOk;
}

TFC_CUDA CUresult cuLaunchHostFunc(Stream* stream, void (*function)(void*), void* data) {
  TFC_READY();
  return push(stream, {Work::Host, [=] { function(data); }, nullptr, nullptr});
}
