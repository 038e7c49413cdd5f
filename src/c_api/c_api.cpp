#include "octavo/c_api.h"

#include <cstring>
#include <memory>
#include <mutex>
#include <new>

#include "base/cpu.h"
#include "base/fail.h"
#include "base/version.h"
#include "c_api/attached_package.h"
#include "octavo/session.h"
#include "package/package.h"

struct octavo_model {
  octavo::Package package;
  std::vector<octavo::PortInfo> inputs, outputs;

  explicit octavo_model(octavo::Package opened)
      : package(std::move(opened)), inputs(package.inputs()), outputs(package.outputs()) {}
};

struct octavo_session {
  std::mutex mutex;
  octavo::Session session;

  octavo_session(const octavo::Package& package, const octavo::SessionOptions& options)
      : session(package, options) {}
};

namespace octavo {
namespace {

static_assert(static_cast<int>(DType::f32) == OCTAVO_F32 && static_cast<int>(DType::u8) == OCTAVO_U8 &&
              static_cast<int>(DType::boolean) == OCTAVO_BOOLEAN);
static_assert(static_cast<int>(ErrorCode::invalid_argument) + 1 == OCTAVO_INVALID_ARGUMENT &&
              static_cast<int>(ErrorCode::internal) + 1 == OCTAVO_INTERNAL);

/// Room for a message that needs no memory to be kept: the failure may be that there is none.
thread_local char last_error[1024] = "";

octavo_status failed(octavo_status status, const char* message) noexcept {
  const std::size_t length = std::min(std::strlen(message), sizeof last_error - 1);
  std::memcpy(last_error, message, length);
  last_error[length] = '\0';
  return status;
}

/// Calls `work`; whatever it throws becomes a code and a text.
template <class Work>
octavo_status guarded(const Work& work) noexcept {
  try {
    work();
    return OCTAVO_OK;
  } catch (const Error& e) {
    return failed(static_cast<octavo_status>(static_cast<int>(e.code()) + 1), e.what());
  } catch (const std::exception& e) {
    return failed(OCTAVO_INTERNAL, e.what());
  } catch (...) {
    return failed(OCTAVO_INTERNAL, "unknown exception");
  }
}

void require(const void* pointer, const char* what) {
  if (pointer == nullptr) fail(ErrorCode::invalid_argument, "{} is a null pointer", what);
}

/// The library's own code is compiled for this level.
void require_cpu() {
  if (!__builtin_cpu_supports("sse4.2") || !__builtin_cpu_supports("popcnt")) {
    fail(ErrorCode::unsupported, "this CPU lacks SSE4.2 or POPCNT (x86-64-v2), which Octavo needs");
  }
}

std::unique_ptr<octavo_model> opened(Package package) {
  return std::make_unique<octavo_model>(std::move(package));
}

void describe(const std::vector<PortInfo>& ports, std::size_t index, octavo_port& port) {
  if (index >= ports.size()) {
    fail(ErrorCode::invalid_argument, "port {} of {} was asked for", index, ports.size());
  }
  const PortInfo& info = ports[index];
  if (info.shape.size() > OCTAVO_MAX_RANK) {
    fail(ErrorCode::unsupported, "'{}' has {} extents, this interface has room for {}", info.name,
         info.shape.size(), OCTAVO_MAX_RANK);
  }
  port = {info.name.c_str(), static_cast<octavo_dtype>(info.dtype), info.shape.size(), {}, info.is_batched};
  std::copy(info.shape.begin(), info.shape.end(), port.shape);
}

TensorView view_of(const octavo_array& array) {
  if (array.rank > OCTAVO_MAX_RANK) {
    fail(ErrorCode::invalid_argument, "an array has {} extents, at most {} fit", array.rank, OCTAVO_MAX_RANK);
  }
  if (array.dtype < OCTAVO_F32 || array.dtype > OCTAVO_BOOLEAN)
    fail(ErrorCode::invalid_argument, "{} is no dtype", static_cast<int>(array.dtype));
  require(array.data, "the array's data");
  return {static_cast<DType>(array.dtype),
          {array.shape, array.shape + array.rank},
          static_cast<const std::byte*>(array.data)};
}

octavo_array array_of(const TensorView& view) {
  octavo_array array{view.data, static_cast<octavo_dtype>(view.dtype), view.shape.size(), {}};
  if (view.shape.size() > OCTAVO_MAX_RANK) {
    fail(ErrorCode::unsupported, "an output has {} extents, this interface has room for {}",
         view.shape.size(), OCTAVO_MAX_RANK);
  }
  std::copy(view.shape.begin(), view.shape.end(), array.shape);
  return array;
}

Package read_or_copy(std::span<const std::byte> file) {
  if (reinterpret_cast<std::uintptr_t>(file.data()) % kTensorAlignment == 0) return read_package(file);
  Tensor copy(DType::u8, {static_cast<std::int64_t>(file.size())});
  std::memcpy(copy.data(), file.data(), file.size());
  return read_package(std::move(copy));
}

}  // namespace
}  // namespace octavo

using octavo::guarded;
using octavo::require;

const char* octavo_version(void) { return octavo::kVersion.data(); }
const char* octavo_last_error(void) { return octavo::last_error; }

octavo_status octavo_model_attached(const char* weights, octavo_model** model) {
  return guarded([&] {
    octavo::require_cpu();
    require(model, "'model'");
    *model = octavo::opened(octavo::attached_package(weights)).release();
  });
}

octavo_status octavo_model_open(const char* path, octavo_model** model) {
  return guarded([&] {
    octavo::require_cpu();
    require(path, "'path'");
    require(model, "'model'");
    *model = octavo::opened(octavo::Package::open(path)).release();
  });
}

octavo_status octavo_model_read(const void* data, size_t bytes, octavo_model** model) {
  return guarded([&] {
    octavo::require_cpu();
    require(data, "'data'");
    require(model, "'model'");
    *model = octavo::opened(octavo::read_or_copy({static_cast<const std::byte*>(data), bytes})).release();
  });
}

void octavo_model_close(octavo_model* model) { delete model; }

const char* octavo_model_name(const octavo_model* model) {
  return model == nullptr ? "" : model->package.name().c_str();
}

size_t octavo_model_input_count(const octavo_model* model) {
  return model == nullptr ? 0 : model->inputs.size();
}

size_t octavo_model_output_count(const octavo_model* model) {
  return model == nullptr ? 0 : model->outputs.size();
}

octavo_status octavo_model_input(const octavo_model* model, size_t index, octavo_port* port) {
  return guarded([&] {
    require(model, "'model'");
    require(port, "'port'");
    octavo::describe(model->inputs, index, *port);
  });
}

octavo_status octavo_model_output(const octavo_model* model, size_t index, octavo_port* port) {
  return guarded([&] {
    require(model, "'model'");
    require(port, "'port'");
    octavo::describe(model->outputs, index, *port);
  });
}

octavo_status octavo_session_open(const octavo_model* model, int threads, const char* cpus,
                                  octavo_session** session) {
  return guarded([&] {
    require(model, "'model'");
    require(session, "'session'");
    octavo::SessionOptions options;
    options.threads = threads;
    if (cpus != nullptr) options.cpus = octavo::parse_cpu_list(cpus);
    if (cpus != nullptr && options.cpus.empty())
      octavo::fail(octavo::ErrorCode::invalid_argument, "'{}' is no list of CPUs", cpus);
    *session = std::make_unique<octavo_session>(model->package, options).release();
  });
}

void octavo_session_close(octavo_session* session) { delete session; }

octavo_status octavo_session_set_input(octavo_session* session, const char* name, const octavo_array* value) {
  return guarded([&] {
    require(session, "'session'");
    require(name, "'name'");
    require(value, "'value'");
    const std::lock_guard lock(session->mutex);
    session->session.set_input(name, octavo::view_of(*value));
  });
}

octavo_status octavo_session_run(octavo_session* session) {
  return guarded([&] {
    require(session, "'session'");
    const std::lock_guard lock(session->mutex);
    session->session.run();
  });
}

octavo_status octavo_session_output(octavo_session* session, const char* name, octavo_array* value) {
  return guarded([&] {
    require(session, "'session'");
    require(name, "'name'");
    require(value, "'value'");
    const std::lock_guard lock(session->mutex);
    *value = octavo::array_of(session->session.output(name));
  });
}
