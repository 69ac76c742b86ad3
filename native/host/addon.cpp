// The Node addon: one instance per kernel set, holding a pool of threads, the memory it gave out and the files it
// mapped. Everything of an instance goes with it, also when its thread of JavaScript ends without a word.
#include <node_api.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../core/pool.h"
#include "../core/records-hash.h"
#include "../platform/file-mapping.h"

using namespace latentkit;

namespace {

// Before every block that was given out, so that an instance finds its blocks.
struct alignas(64) BlockHeader {
  BlockHeader* previous;
  BlockHeader* next;
  size_t bytes;
};

struct Mapping {
  Mapping* next;
  platform::FileMapping* file;
  // Lists may read it at any time: whether the file on disk has changed is asked after each.
  bool watched;
};

struct Instance {
  Pool* pool;
  BlockHeader blocks;  // head of a ring
  Mapping* mappings;
  // The next one to ask.
  Mapping* asked;
};

void freeBlock(BlockHeader* block) {
  block->previous->next = block->next;
  block->next->previous = block->previous;
  platform::release(block, block->bytes);
}

void closeInstance(Instance* instance) {
  if (!instance->pool) return;
  poolStop(instance->pool);
  platform::release(instance->pool, sizeof(Pool));
  instance->pool = nullptr;
  while (instance->blocks.next != &instance->blocks) freeBlock(instance->blocks.next);
  while (Mapping* mapping = instance->mappings) {
    instance->mappings = mapping->next;
    platform::unmapFile(mapping->file);
    free(mapping);
  }
  instance->asked = nullptr;
}

// ---- mapped files ----------------------------------------------------------------------------------------------------

bool someWasCut(const Instance* instance) {
  for (const Mapping* mapping = instance->mappings; mapping; mapping = mapping->next) {
    if (platform::wasCut(mapping->file)) return true;
  }
  return false;
}

// Asks the system about a few files, the next ones at the next call: a checkpoint may have hundreds.
bool someHasChanged(Instance* instance) {
  constexpr int ASKED_AT_ONCE = 8;
  for (int i = 0; i < ASKED_AT_ONCE && instance->mappings; i++) {
    Mapping* mapping = instance->asked ? instance->asked : instance->mappings;
    instance->asked = mapping->next;
    if (mapping->watched && platform::hasChanged(mapping->file)) return true;
    if (!mapping->next) break;
  }
  return false;
}

Mapping* mappingAt(Instance* instance, double address) {
  for (Mapping* mapping = instance->mappings; mapping; mapping = mapping->next) {
    if ((double)(uintptr_t)platform::versionOf(mapping->file).address == address) return mapping;
  }
  return nullptr;
}

// ---- arguments and results -----------------------------------------------------------------------------------------

napi_value fail(napi_env env, const char* message) {
  napi_throw_error(env, nullptr, message);
  return nullptr;
}

napi_value number(napi_env env, double value) {
  napi_value result = nullptr;
  napi_create_double(env, value, &result);
  return result;
}

double numberOf(napi_env env, napi_value value) {
  double result = 0;
  napi_get_value_double(env, value, &result);
  return result;
}

// A function that JavaScript calls, with its arguments; those that are not given are undefined.
typedef napi_value (*Function)(napi_env env, const napi_value* arguments);
template <Function function> napi_value called(napi_env env, napi_callback_info info) {
  napi_value arguments[4];
  size_t count = 4;
  napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  return function(env, arguments);
}

Instance* instanceOf(napi_env env, napi_value value) {
  void* data = nullptr;
  if (napi_get_value_external(env, value, &data) != napi_ok) return nullptr;
  Instance* instance = (Instance*)data;
  return instance && instance->pool ? instance : nullptr;
}

struct Bytes {
  char* data;
  size_t length;
};

Bytes bytesOf(napi_env env, napi_value value) {
  napi_typedarray_type type;
  size_t length = 0, offset = 0;
  void* data = nullptr;
  napi_value buffer;
  if (napi_get_typedarray_info(env, value, &type, &length, &data, &buffer, &offset) != napi_ok) return {nullptr, 0};
  const size_t sizes[] = {1, 1, 1, 2, 2, 4, 4, 4, 8, 8, 8};
  return {(char*)data, length * sizes[type]};
}

// ---- what JavaScript calls -----------------------------------------------------------------------------------------

// open(threads, isa) -> [instance, isa, threads], or null where there is no such instruction set.
napi_value open(napi_env env, const napi_value* arguments) {
  char wanted[16] = {};
  size_t length;
  napi_get_value_string_utf8(env, arguments[1], wanted, sizeof(wanted), &length);
  const char* isa = nullptr;
  const Operation* operations = operationsFor(wanted, &isa);
  napi_value result;
  if (!operations) {
    napi_get_null(env, &result);
    return result;
  }
  Instance* instance = (Instance*)platform::allocate(sizeof(Instance));
  Pool* pool = (Pool*)platform::allocate(sizeof(Pool));
  if (!instance || !pool) return fail(env, "out of memory");
  instance->pool = pool;
  instance->blocks.next = instance->blocks.previous = &instance->blocks;
  poolStart(pool, operations, (int)numberOf(env, arguments[0]));
  const auto finalise = [](napi_env, void* data, void*) {
    closeInstance((Instance*)data);
    platform::release(data, sizeof(Instance));
  };
  napi_value external, name;
  napi_create_external(env, instance, finalise, nullptr, &external);
  napi_create_string_utf8(env, isa, NAPI_AUTO_LENGTH, &name);
  napi_create_array_with_length(env, 3, &result);
  napi_set_element(env, result, 0, external);
  napi_set_element(env, result, 1, name);
  napi_set_element(env, result, 2, number(env, pool->team.threads));
  return result;
}

// close(instance)
napi_value close(napi_env env, const napi_value* arguments) {
  Instance* instance = instanceOf(env, arguments[0]);
  if (instance) closeInstance(instance);
  return nullptr;
}

// allocate(instance, bytes) -> address, 0 if there is no memory
napi_value allocate(napi_env env, const napi_value* arguments) {
  Instance* instance = instanceOf(env, arguments[0]);
  if (!instance) return fail(env, "the kernels are closed");
  const size_t bytes = (size_t)numberOf(env, arguments[1]) + sizeof(BlockHeader);
  BlockHeader* block = (BlockHeader*)platform::allocate(bytes);
  if (!block) return number(env, 0);
  BlockHeader* head = &instance->blocks;
  *block = {head, head->next, bytes};
  head->next->previous = block;
  head->next = block;
  return number(env, (double)(uintptr_t)(block + 1));
}

// release(instance, address)
napi_value release(napi_env env, const napi_value* arguments) {
  if (instanceOf(env, arguments[0])) freeBlock((BlockHeader*)(uintptr_t)numberOf(env, arguments[1]) - 1);
  return nullptr;
}

// An empty array has no address, and memcpy takes none, for no bytes either.
void copy(void* to, const void* from, size_t bytes) {
  if (bytes > 0) memcpy(to, from, bytes);
}

// write(address, bytes)
napi_value write(napi_env env, const napi_value* arguments) {
  const Bytes bytes = bytesOf(env, arguments[1]);
  copy((void*)(uintptr_t)numberOf(env, arguments[0]), bytes.data, bytes.length);
  return nullptr;
}

// read(address, bytes)
napi_value read(napi_env env, const napi_value* arguments) {
  const Bytes bytes = bytesOf(env, arguments[1]);
  copy(bytes.data, (const void*)(uintptr_t)numberOf(env, arguments[0]), bytes.length);
  return nullptr;
}

// run(instance, list, length, seconds) -> RunResult; `seconds` has a number for each record, or is undefined. Where a
// mapped file was found to have changed, before or while the list ran, the result is RUN_FILE_CHANGED, and what the list
// wrote is worth nothing.
napi_value run(napi_env env, const napi_value* arguments) {
  Instance* instance = instanceOf(env, arguments[0]);
  if (!instance) return fail(env, "the kernels are closed");
  const Bytes list = bytesOf(env, arguments[1]);
  const i64 length = (i64)numberOf(env, arguments[2]);
  if (length * 8 > (i64)list.length) return number(env, RUN_BAD_LIST);
  if (someWasCut(instance)) return number(env, RUN_FILE_CHANGED);
  const Bytes seconds = bytesOf(env, arguments[3]);
  const int result = seconds.data
                         ? poolRunTimed(instance->pool, (const double*)list.data, length, (double*)seconds.data)
                         : poolRun(instance->pool, (const double*)list.data, length);
  return number(env, someWasCut(instance) || someHasChanged(instance) ? RUN_FILE_CHANGED : result);
}

// map(instance, path) -> [address, bytes, modified]: the whole file, read-only, until the instance is closed. `modified`
// is a bigint: nanoseconds since 1970.
napi_value map(napi_env env, const napi_value* arguments) {
  Instance* instance = instanceOf(env, arguments[0]);
  if (!instance) return fail(env, "the kernels are closed");
  size_t length = 0;
  napi_get_value_string_utf8(env, arguments[1], nullptr, 0, &length);
  char* path = (char*)malloc(length + 1);
  Mapping* mapping = (Mapping*)malloc(sizeof(Mapping));
  if (!path || !mapping) return fail(env, "out of memory");
  napi_get_value_string_utf8(env, arguments[1], path, length + 1, &length);
  int error;
  platform::FileMapping* file = platform::mapFile(path, &error);
  free(path);
  if (!file) {
    free(mapping);
    return fail(env, error == 0 ? "the file is empty" : strerror(error));
  }
  *mapping = {instance->mappings, file, false};
  instance->mappings = mapping;
  const platform::FileVersion version = platform::versionOf(file);
  napi_value result, modified;
  napi_create_array_with_length(env, 3, &result);
  napi_create_bigint_int64(env, version.modified, &modified);
  napi_set_element(env, result, 0, number(env, (double)(uintptr_t)version.address));
  napi_set_element(env, result, 1, number(env, (double)version.bytes));
  napi_set_element(env, result, 2, modified);
  return result;
}

// watch(instance, address): from now on lists read the file mapped at `address`.
napi_value watch(napi_env env, const napi_value* arguments) {
  Instance* instance = instanceOf(env, arguments[0]);
  Mapping* mapping = instance ? mappingAt(instance, numberOf(env, arguments[1])) : nullptr;
  if (mapping) mapping->watched = true;
  return nullptr;
}

// changed(instance, address) -> whether the file mapped at `address` is another by now
napi_value changed(napi_env env, const napi_value* arguments) {
  napi_value result;
  Instance* instance = instanceOf(env, arguments[0]);
  const Mapping* mapping = instance ? mappingAt(instance, numberOf(env, arguments[1])) : nullptr;
  napi_get_boolean(env, mapping && platform::hasChanged(mapping->file), &result);
  return result;
}

// forget(address, bytes): pages of a mapped file that are not needed for now leave the process; a later look brings
// them back.
napi_value forget(napi_env env, const napi_value* arguments) {
  const uintptr_t address = (uintptr_t)numberOf(env, arguments[0]), bytes = (uintptr_t)numberOf(env, arguments[1]);
  const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  const uintptr_t first = (address + page - 1) / page * page, end = (address + bytes) / page * page;
  if (first < end) madvise((void*)first, end - first, MADV_DONTNEED);
  return nullptr;
}

}  // namespace

NAPI_MODULE_INIT() {
  const struct {
    const char* name;
    napi_callback call;
  } functions[] = {
      {"open", called<open>},   {"close", called<close>}, {"allocate", called<allocate>}, {"release", called<release>},
      {"write", called<write>}, {"read", called<read>},   {"run", called<run>},           {"map", called<map>},
      {"watch", called<watch>}, {"changed", called<changed>}, {"forget", called<forget>},
  };
  napi_value value;
  for (const auto& function : functions) {
    napi_create_function(env, function.name, NAPI_AUTO_LENGTH, function.call, nullptr, &value);
    napi_set_named_property(env, exports, function.name, value);
  }
  napi_create_string_utf8(env, LATENTKIT_VERSION, NAPI_AUTO_LENGTH, &value);
  napi_set_named_property(env, exports, "version", value);
  napi_create_string_utf8(env, LATENTKIT_RECORDS, NAPI_AUTO_LENGTH, &value);
  napi_set_named_property(env, exports, "records", value);
  return exports;
}
