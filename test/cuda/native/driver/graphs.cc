// Captures and graphs. In: streams between cuStreamBeginCapture and cuStreamEndCapture. Out: graphs that run as one. Holds: nodes stand in
// the order in which they were captured, which is one of the orders that the graph permits; a call that a capture forbids makes it void.
#include <cstring>
#include "launches.h"
#include "state.h"

TFC_CUDA CUresult cuStreamBeginCapture_v2(Stream* handle, int mode) {
  TFC_READY();
  Stream* const stream = streamOf(handle);
  if (stream == nullptr || mode < 0 || mode > 2) return kInvalidValue;
  if (stream == &state().null) return kCaptureUnsupported;
  if (stream->capture != nullptr) return kIllegalState;
  stream->capture = new Graph;
  stream->origin = true;
  stream->invalid = false;
  stream->global = mode != 2;
  return kOk;
}

TFC_CUDA CUresult cuStreamIsCapturing(Stream* handle, int* status) {
  TFC_READY();
  Stream* const stream = streamOf(handle);
  if (stream == nullptr) return kInvalidHandle;
  *status = stream->capture == nullptr ? 0 : stream->invalid ? 2 : 1;
  return kOk;
}

TFC_CUDA CUresult cuStreamEndCapture(Stream* handle, Graph** graph) {
  TFC_READY();
  Stream* const stream = streamOf(handle);
  if (stream == nullptr || graph == nullptr) return kInvalidValue;
  if (stream->capture == nullptr) return kIllegalState;
  if (!stream->origin) return kCaptureUnmatched;
  Graph* const made = stream->capture;
  const bool invalid = stream->invalid;
  for (Stream* one : state().streams)
    if (one->capture == made) {
      one->capture = nullptr;
      one->origin = one->invalid = false;
    }
  for (Event* one : state().events)
    if (one->capture == made) one->capture = nullptr;
  *graph = nullptr;
  if (invalid) {
    delete made;
    return kCaptureInvalidated;
  }
  state().graphs.insert(made);
  *graph = made;
  return kOk;
}

TFC_CUDA CUresult cuGraphInstantiateWithFlags(GraphRun** run, Graph* graph, unsigned long long) {
  TFC_READY();
  if (state().graphs.count(graph) == 0) return kInvalidHandle;
  GraphRun* const made = new GraphRun{graph->nodes};
  state().runs.insert(made);
  *run = made;
  return kOk;
}

TFC_CUDA CUresult cuGraphLaunch(GraphRun* run, Stream* stream) {
  TFC_READY();
  if (state().runs.count(run) == 0) return kInvalidHandle;
  for (const Work& node : run->nodes)
    if (const int status = push(stream, node)) return status;
  return kOk;
}

TFC_CUDA CUresult cuGraphUpload(GraphRun* run, Stream*) {
  TFC_READY();
  return state().runs.count(run) == 0 ? kInvalidHandle : kOk;
}

TFC_CUDA CUresult cuGraphExecUpdate_v2(GraphRun* run, Graph* graph, GraphUpdateInfo* info) {
  TFC_READY();
  if (state().runs.count(run) == 0 || state().graphs.count(graph) == 0) return kInvalidHandle;
  *info = {kUpdateOk, nullptr, nullptr};
  if (run->nodes.size() != graph->nodes.size()) info->result = kUpdateTopology;
  auto old = run->nodes.begin();
  for (auto node = graph->nodes.begin(); info->result == kUpdateOk && node != graph->nodes.end(); ++node, ++old) {
    if (node->kind != old->kind) info->result = kUpdateNodeType;
    else if (node->function != old->function) info->result = kUpdateFunction;
    if (info->result != kUpdateOk) info->node = &*node;
  }
  if (info->result != kUpdateOk) return kGraphUpdateFailed;
  run->nodes = graph->nodes;
  return kOk;
}

TFC_CUDA CUresult cuGraphGetNodes(Graph* graph, void** nodes, size_t* count) {
  TFC_READY();
  if (state().graphs.count(graph) == 0) return kInvalidHandle;
  if (nodes != nullptr) {
    size_t at = 0;
    for (Work& node : graph->nodes)
      if (at < *count) nodes[at++] = &node;
  }
  *count = graph->nodes.size();
  return kOk;
}

/** Kernel, memory copy, memory fill, host, …: the real numbers. */
TFC_CUDA CUresult cuGraphNodeGetType(Work* node, int* type) {
  TFC_READY();
  static const int types[] = {0, 1, 2, 7, 3, 11};
  *type = types[node->kind];
  return kOk;
}

TFC_CUDA CUresult cuGraphExecKernelNodeSetParams_v2(GraphRun* run, void* node, const KernelNodeParameters* parameters) {
  TFC_READY();
  if (state().runs.count(run) == 0) return kInvalidHandle;
  for (Graph* graph : state().graphs) {
    auto mine = run->nodes.begin();
    for (auto one = graph->nodes.begin(); one != graph->nodes.end() && mine != run->nodes.end(); ++one, ++mine) {
      if (&*one != node) continue;
      if (mine->kind != Work::Kernel || mine->function != parameters->function) return kInvalidValue;
      Work made;
      const int status = kernelWork({parameters->gridX, parameters->gridY, parameters->gridZ}, {parameters->blockX, parameters->blockY, parameters->blockZ},
                                    parameters->function, parameters->sharedBytes, parameters->parameters, parameters->extra, made);
      if (status == kOk) *mine = std::move(made);
      return status;
    }
  }
  return kInvalidValue;
}

TFC_CUDA CUresult cuGraphDestroy(Graph* graph) {
  TFC_LOCKED;
  if (state().graphs.erase(graph) == 0) return kInvalidHandle;
  delete graph;
  return kOk;
}

TFC_CUDA CUresult cuGraphExecDestroy(GraphRun* run) {
  TFC_LOCKED;
  if (state().runs.erase(run) == 0) return kInvalidHandle;
  finishAll();
  delete run;
  return kOk;
}
