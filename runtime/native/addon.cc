// The Node-API face of the runtime. In: paths, typed arrays, numbers and handles from runtime/native.ts. Out: handles, numbers; failures are JavaScript exceptions whose
// `code` is the failure's name. Holds: no state outside of handles, so that any number of contexts and worker threads can load it; every handle frees what it owns when it is
// collected, but for what leftovers.h keeps of the main thread; nothing aborts. Its only caller checks sizes and counts; addresses of bound arrays stay valid as long as that caller keeps the arrays.
#include "arguments.h"
#include "flight.h"

#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "../abi/seal.h"

extern "C" {
#include "leftovers.h"
#include "memory.h"
#include "processor-words.h"
}

namespace {

void give_back(napi_env env, void *memory, void *bytes) {
  int64_t held = 0;
  napi_adjust_external_memory(env, -static_cast<int64_t>(reinterpret_cast<uintptr_t>(bytes)), &held);
  tfc_memory_give(memory, reinterpret_cast<uintptr_t>(bytes));
}

// buffer(bytes): an ArrayBuffer of zeros that starts where a vector may
napi_value buffer(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  const auto bytes = static_cast<size_t>(args.integer(0));
  if (!args.good) return nullptr;
  void *memory = tfc_memory_take(bytes);
  napi_value result = nullptr;
  if (memory == nullptr || napi_create_external_arraybuffer(env, memory, bytes, give_back, reinterpret_cast<void *>(bytes), &result) != napi_ok) {
    if (memory != nullptr) tfc_memory_give(memory, bytes);
    fail(env, "out-of-memory", "there is no memory for an array of this size");
    return nullptr;
  }
  int64_t held = 0;
  napi_adjust_external_memory(env, static_cast<int64_t>(bytes), &held);
  return result;
}

// onHugePages(array): asks for them where its memory fills some
napi_value on_huge_pages(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  auto array = args.array(0);
  if (args.good) tfc_memory_on_huge_pages(array.data, array.bytes);
  return nullptr;
}

// hash(array) → 16 hexadecimal digits: XXH64 of its bytes (abi/seal.h)
napi_value hash(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  auto array = args.array(0);
  if (!args.good) return nullptr;
  char digits[17];
  const int length = snprintf(digits, sizeof(digits), "%016llx", static_cast<unsigned long long>(tfc_seal_hash(array.data, array.bytes)));
  napi_value result = nullptr;
  napi_create_string_latin1(env, digits, static_cast<size_t>(length), &result);
  return result;
}

// processor() → Uint32Array of words (processor-words.h)
napi_value processor(napi_env env, napi_callback_info) {
  void *words = nullptr;
  napi_value buffer = nullptr, result = nullptr;
  if (napi_create_arraybuffer(env, TFC_PROCESSOR_WORDS * sizeof(uint32_t), &words, &buffer) != napi_ok) return nullptr;
  tfc_processor_words(static_cast<uint32_t *>(words));
  napi_create_typedarray(env, napi_uint32_array, TFC_PROCESSOR_WORDS, buffer, 0, &result);
  return result;
}

// guard(path, signals), forget(): leftovers.h
napi_value guard(napi_env env, napi_callback_info info) {
  Arguments<2> args(env, info);
  char path[PATH_MAX];
  size_t length = 0;
  if (args.good && napi_get_value_string_utf8(env, args.values[0], path, sizeof(path), &length) != napi_ok) args.bad("not a path");
  const int64_t signals = args.integer(1);
  // What does not fit was cut.
  if (args.good && length < sizeof(path) - 1) tfc_leftovers_guard(path, static_cast<unsigned>(signals));
  return nullptr;
}

napi_value forget(napi_env, napi_callback_info) {
  tfc_leftovers_forget();
  return nullptr;
}

// openModule(path) → { handle, manifest, entries }
napi_value open_module(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  if (!args.good) return nullptr;
  size_t length = 0;
  if (napi_get_value_string_utf8(env, args.values[0], nullptr, 0, &length) != napi_ok) {
    args.bad("not a path");
    return nullptr;
  }
  char *path = static_cast<char *>(malloc(length + 1));
  if (path == nullptr) {
    fail(env, "out-of-memory", "no memory for a path");
    return nullptr;
  }
  napi_get_value_string_utf8(env, args.values[0], path, length + 1, &length);
  tfc_error error = {};
  tfc_loaded *module = tfc_loaded_open(path, &error);
  free(path);
  if (module == nullptr) {
    fail(env, error);
    return nullptr;
  }
  const tfc_module *table = module->table;
  napi_value result, handle = wrap(env, Kind::module, module), manifest, entries;
  if (handle == nullptr) return nullptr;
  if (napi_create_object(env, &result) != napi_ok || napi_create_buffer_copy(env, static_cast<size_t>(table->manifest_bytes), table->manifest, nullptr, &manifest) != napi_ok ||
      napi_create_array_with_length(env, static_cast<size_t>(table->entry_count), &entries) != napi_ok) {
    fail(env, "bad-artifact", "the manifest cannot be read");
    return nullptr;
  }
  for (int32_t at = 0; at < table->entry_count; at += 1) {
    napi_value name;
    if (napi_create_string_utf8(env, table->entries[at].name, NAPI_AUTO_LENGTH, &name) == napi_ok) napi_set_element(env, entries, static_cast<uint32_t>(at), name);
  }
  napi_set_named_property(env, result, "handle", handle);
  napi_set_named_property(env, result, "manifest", manifest);
  napi_set_named_property(env, result, "entries", entries);
  return result;
}

// close(handle): of any kind, but not of what another thread works with; closing twice is fine.
napi_value close(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  void *data = nullptr;
  if (!args.good) return nullptr;
  if (napi_get_value_external(env, args.values[0], &data) != napi_ok || data == nullptr) {
    args.bad("not a handle");
    return nullptr;
  }
  auto *handle = static_cast<Handle *>(data);
  if (handle->target != nullptr && handle->kind == Kind::session) args.require_idle(static_cast<tfc_session *>(handle->target));
  if (handle->target != nullptr && handle->kind == Kind::step) (void)args.resting_step(0);
  if (args.good) release(handle);
  return nullptr;
}

// createSession(threads, device: number of a GPU or -1, rows: Float64Array [count, bytes, pitch in bytes of each variable]) → handle
napi_value create_session(napi_env env, napi_callback_info info) {
  Arguments<3> args(env, info);
  int64_t threads = args.integer(0);
  int64_t device = args.integer(1);
  auto sizes = args.array(2);
  if (args.good && (sizes.type != napi_float64_array || sizes.length % 3 != 0)) args.bad("rows are a Float64Array of three numbers each");
  if (!args.good) return nullptr;
  tfc_error error = {};
  tfc_session *session = tfc_session_create(static_cast<int32_t>(threads), static_cast<int32_t>(device), static_cast<int32_t>(sizes.length / 3), static_cast<const tfc_rows *>(sizes.data), &error);
  if (session == nullptr) {
    fail(env, error);
    return nullptr;
  }
  return wrap(env, Kind::session, session);
}

// readVariable(session, index, array) and writeVariable(session, index, array): copies of the whole variable
napi_value copy_variable(napi_env env, napi_callback_info info, bool write) {
  Arguments<3> args(env, info);
  auto *session = args.idle_session(0);
  int64_t index = args.integer(1);
  auto array = args.array(2);
  if (args.good && (index < 0 || index >= session->variable_count || array.bytes != tfc_session_bytes(session, static_cast<int32_t>(index)))) args.bad("no variable of this size at this position");
  if (!args.good || array.bytes == 0) return nullptr;
  tfc_error error;
  error.code = nullptr;
  const bool done = write ? tfc_session_write(session, static_cast<int32_t>(index), array.data, &error) : tfc_session_read(session, static_cast<int32_t>(index), array.data, &error);
  if (!done) fail(env, error);
  return nullptr;
}

napi_value read_variable(napi_env env, napi_callback_info info) { return copy_variable(env, info, false); }
napi_value write_variable(napi_env env, napi_callback_info info) { return copy_variable(env, info, true); }

// fillVariable(session, index, array): every element is the array's first
napi_value fill_variable(napi_env env, napi_callback_info info) {
  Arguments<3> args(env, info);
  auto *session = args.idle_session(0);
  int64_t index = args.integer(1);
  auto array = args.array(2);
  if (args.good && (index < 0 || index >= session->variable_count || array.length == 0)) args.bad("no variable at this position, or no element");
  tfc_error error;
  error.code = nullptr;
  if (args.good && !tfc_session_fill(session, static_cast<int32_t>(index), array.data, array.bytes / array.length, &error)) fail(env, error);
  return nullptr;
}

// swapVariables(session, one, other): variables of one layout change places, as entries find them
napi_value swap_variables(napi_env env, napi_callback_info info) {
  Arguments<3> args(env, info);
  auto *session = args.idle_session(0);
  int64_t one = args.integer(1);
  int64_t other = args.integer(2);
  if (args.good && (one < 0 || one >= session->variable_count || other < 0 || other >= session->variable_count)) args.bad("no variable at this position");
  if (args.good && !tfc_session_swap(session, static_cast<int32_t>(one), static_cast<int32_t>(other))) args.bad("variables that are laid out differently");
  return nullptr;
}

// arenaBytes(session) → number
napi_value arena_bytes(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  auto *session = args.idle_session(0);
  return args.good ? number(env, static_cast<double>(session->arena_bytes)) : nullptr;
}

// createStep(session, module, entry, counts: Int32Array [feeds, outputs, dims], scalarOutputs: Int32Array, scalarDtypes: Int32Array) → handle
napi_value create_step(napi_env env, napi_callback_info info) {
  Arguments<6> args(env, info);
  auto *session = args.handle<tfc_session>(0, Kind::session);
  auto *module = args.handle<tfc_loaded>(1, Kind::module);
  int64_t entry = args.integer(2);
  auto *counts = static_cast<const int32_t *>(args.array(3, napi_int32_array, 3));
  auto scalars = args.array(4);
  auto *outputs = static_cast<const int32_t *>(args.array(4, napi_int32_array, 0));
  auto *dtypes = static_cast<const int32_t *>(args.array(5, napi_int32_array, scalars.length));
  if (!args.good) return nullptr;
  tfc_step_layout layout = {counts[0], counts[1], counts[2], static_cast<int32_t>(scalars.length), outputs, dtypes};
  tfc_error error = {};
  tfc_step *step = tfc_step_create(session, module, static_cast<int32_t>(entry), &layout, &error);
  if (step == nullptr) {
    fail(env, error);
    return nullptr;
  }
  return wrap(env, Kind::step, step);
}

// bindFeed(step, index, array) and bindOutput(step, index, array)
napi_value bind_feed(napi_env env, napi_callback_info info) {
  Arguments<3> args(env, info);
  auto *step = args.resting_step(0);
  int64_t index = args.integer(1);
  auto array = args.array(2);
  if (args.good && (index < 0 || index >= step->feed_count)) args.bad("no feed at this position");
  if (args.good) step->feeds[index] = array.data;
  return nullptr;
}

napi_value bind_output(napi_env env, napi_callback_info info) {
  Arguments<3> args(env, info);
  auto *step = args.resting_step(0);
  int64_t index = args.integer(1);
  auto array = args.array(2);
  if (args.good && (index < 0 || index >= step->output_count)) args.bad("no output at this position");
  if (args.good) step->outputs[index] = array.data;
  return nullptr;
}

// sizeStep(step, dims: Float64Array) → bytes that the entry works in
napi_value size_step(napi_env env, napi_callback_info info) {
  Arguments<2> args(env, info);
  auto *step = args.idle_step(0);
  auto *dims = static_cast<const double *>(args.array(1, napi_float64_array, args.good ? static_cast<size_t>(step->dim_count) : 0));
  if (!args.good) return nullptr;
  tfc_error error = {};
  int64_t bytes = tfc_step_size(step, dims, &error);
  if (bytes < 0) {
    fail(env, error);
    return nullptr;
  }
  return number(env, static_cast<double>(bytes));
}

// room(step) → number
napi_value room(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  auto *step = args.idle_step(0);
  return args.good ? number(env, static_cast<double>(tfc_step_room(step))) : nullptr;
}

// run(step) → status
napi_value run(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  auto *step = args.idle_step(0);
  if (!args.good) return nullptr;
  // Only the code is set beforehand: the text is written when there is something to say.
  tfc_error error;
  error.code = nullptr;
  int32_t status = tfc_step_run(step, &error);
  if (error.code != nullptr) {
    fail(env, error);
    return nullptr;
  }
  napi_value result = nullptr;
  napi_create_int32(env, status, &result);
  return result;
}

// start(step) → promise of the status; the step runs on a thread of Node's pool
napi_value start(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  auto *step = args.idle_step(0);
  return args.good ? take_off(env, step, args.values[0]) : nullptr;
}

// repeat(step, steps, strides: Float64Array, series: Float64Array [steps × scalars]) → status
napi_value repeat(napi_env env, napi_callback_info info) {
  Arguments<4> args(env, info);
  auto *step = args.idle_step(0);
  int64_t steps = args.integer(1);
  if (args.good && steps < 0) args.bad("a negative number of steps");
  auto *strides = static_cast<const double *>(args.array(2, napi_float64_array, args.good ? static_cast<size_t>(step->feed_count) : 0));
  auto *series = static_cast<double *>(args.array(3, napi_float64_array, args.good ? static_cast<size_t>(steps) * static_cast<size_t>(step->scalar_count) : 0));
  if (!args.good) return nullptr;
  tfc_error error;
  error.code = nullptr;
  int32_t status = tfc_step_repeat(step, steps, strides, series, &error);
  if (error.code != nullptr) {
    fail(env, error);
    return nullptr;
  }
  return number(env, status);
}

}  // namespace

NAPI_MODULE_INIT() {
  const napi_property_descriptor properties[] = {
      {"onHugePages", nullptr, on_huge_pages, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"buffer", nullptr, buffer, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"hash", nullptr, hash, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"processor", nullptr, processor, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"guard", nullptr, guard, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"forget", nullptr, forget, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"openModule", nullptr, open_module, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"close", nullptr, close, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"createSession", nullptr, create_session, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"readVariable", nullptr, read_variable, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"writeVariable", nullptr, write_variable, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"fillVariable", nullptr, fill_variable, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"swapVariables", nullptr, swap_variables, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"arenaBytes", nullptr, arena_bytes, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"createStep", nullptr, create_step, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"bindFeed", nullptr, bind_feed, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"bindOutput", nullptr, bind_output, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"sizeStep", nullptr, size_step, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"room", nullptr, room, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"run", nullptr, run, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"start", nullptr, start, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"repeat", nullptr, repeat, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
  };
  if (napi_define_properties(env, exports, sizeof(properties) / sizeof(properties[0]), properties) != napi_ok) return nullptr;
  return exports;
}
