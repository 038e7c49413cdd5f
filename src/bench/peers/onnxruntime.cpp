#include "base/fail.h"
#include "bench/peers/peer.h"
#include "bench/peers/shared_library.h"

namespace octavo::bench {
namespace {

// The part of ONNX Runtime's C API that is used here, from its documentation. The library hands out a table
// of functions whose order never changes: later versions only append. All of these are there since version 1.
struct OrtStatus;
struct OrtEnv;
struct OrtSession;
struct OrtSessionOptions;
struct OrtRunOptions;
struct OrtMemoryInfo;
struct OrtValue;
struct OrtTensorInfo;

using ApiTable = void* const*;
struct ApiBase {
  ApiTable (*api)(std::uint32_t version);
  const char* (*version)();
};
constexpr std::uint32_t kApiVersion = 1;

enum Slot : std::size_t {
  kGetErrorMessage = 2,
  kCreateEnv = 3,
  kCreateSession = 7,
  kRun = 9,
  kCreateSessionOptions = 10,
  kSetIntraOpNumThreads = 24,
  kSetInterOpNumThreads = 25,
  kCreateTensorWithData = 49,
  kGetTensorMutableData = 51,
  kGetTensorElementType = 60,
  kGetTensorElementCount = 64,
  kGetTensorTypeAndShape = 65,
  kCreateCpuMemoryInfo = 69,
  kReleaseEnv = 92,
  kReleaseStatus = 93,
  kReleaseMemoryInfo = 94,
  kReleaseSession = 95,
  kReleaseValue = 96,
  kReleaseTensorInfo = 99,
  kReleaseSessionOptions = 100,
};

constexpr int kErrorsOnly = 3;  // severity of its log
constexpr int kArenaAllocator = 1, kDefaultMemory = 0;
constexpr int kFloatElements = 1;

int element_type(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return kFloatElements;
    case DType::u8:
      return 2;
    case DType::s8:
      return 3;
    case DType::u16:
      return 4;
    case DType::s16:
      return 5;
    case DType::s32:
      return 6;
    case DType::s64:
      return 7;
    case DType::boolean:
      return 9;
    case DType::f16:
      return 10;
    case DType::f64:
      return 11;
    case DType::bf16:
      return 16;
  }
  return 0;
}

class OnnxRuntimeInstance : public PeerInstance {
 public:
  OnnxRuntimeInstance(PeerModel model, const Place& place, const std::filesystem::path& library)
      : PeerInstance(place), model_(std::move(model)), library_(library) {
    const auto* base = library_.function<const ApiBase* (*)()>("OrtGetApiBase")();
    version_ = base->version();
    table_ = base->api(kApiVersion);
    if (table_ == nullptr)
      fail(ErrorCode::unsupported, "ONNX Runtime {} has no C API of version {}", version_, kApiVersion);
    for (const PortInfo& port : model_.inputs) input_names_.push_back(port.name.c_str());
    for (const PortInfo& port : model_.outputs) output_names_.push_back(port.name.c_str());
    inputs_.resize(input_names_.size());
    outputs_.resize(output_names_.size());
    // Its pool has a thread less than asked for: the caller of Run is the first.
    const std::vector<int>& cpus = place.cpus;
    try {
      run_on_cpus(cpus.size() > 1 ? std::vector<int>(cpus.begin() + 1, cpus.end()) : cpus, [&] { open(); });
    } catch (...) {
      close();
      throw;
    }
  }
  ~OnnxRuntimeInstance() override { close(); }

  std::int64_t run(std::int64_t first, std::int64_t count) override {
    if (first != first_ || count != count_) set_inputs(first, count);
    release_outputs();
    check(call<OrtStatus* (*)(OrtSession*, const OrtRunOptions*, const char* const*, const OrtValue* const*,
                              std::size_t, const char* const*, std::size_t, OrtValue**)>(kRun)(
        session_, nullptr, input_names_.data(), inputs_.data(), inputs_.size(), output_names_.data(),
        outputs_.size(), outputs_.data()));
    return count;
  }

  [[nodiscard]] std::string name() const override { return "ONNX Runtime " + version_; }

  [[nodiscard]] std::vector<float> first_output() override {
    OrtTensorInfo* info = nullptr;
    check(call<OrtStatus* (*)(const OrtValue*, OrtTensorInfo**)>(kGetTensorTypeAndShape)(outputs_.at(0),
                                                                                         &info));
    int type = 0;
    std::size_t count = 0;
    OrtStatus* const no_type =
        call<OrtStatus* (*)(const OrtTensorInfo*, int*)>(kGetTensorElementType)(info, &type);
    OrtStatus* const no_count =
        call<OrtStatus* (*)(const OrtTensorInfo*, std::size_t*)>(kGetTensorElementCount)(info, &count);
    call<void (*)(OrtTensorInfo*)>(kReleaseTensorInfo)(info);
    check(no_type);
    check(no_count);
    void* data = nullptr;
    check(call<OrtStatus* (*)(OrtValue*, void**)>(kGetTensorMutableData)(outputs_[0], &data));
    if (type != kFloatElements) return {};
    const auto* values = static_cast<const float*>(data);
    return {values, values + count};
  }

 private:
  template <class Function>
  [[nodiscard]] Function call(Slot slot) const {
    return reinterpret_cast<Function>(table_[slot]);
  }

  void check(OrtStatus* status) const {
    if (status == nullptr) return;
    std::string message = call<const char* (*)(const OrtStatus*)>(kGetErrorMessage)(status);
    call<void (*)(OrtStatus*)>(kReleaseStatus)(status);
    for (char& c : message) c = c == '\n' ? ' ' : c;
    fail(ErrorCode::unsupported, "ONNX Runtime {}: {}", version_, message);
  }

  void open() {
    check(call<OrtStatus* (*)(int, const char*, OrtEnv**)>(kCreateEnv)(kErrorsOnly, "octavo", &env_));
    check(call<OrtStatus* (*)(OrtSessionOptions**)>(kCreateSessionOptions)(&options_));
    check(call<OrtStatus* (*)(OrtSessionOptions*, int)>(kSetIntraOpNumThreads)(options_, place().threads));
    check(call<OrtStatus* (*)(OrtSessionOptions*, int)>(kSetInterOpNumThreads)(options_, 1));
    check(call<OrtStatus* (*)(const OrtEnv*, const char*, const OrtSessionOptions*, OrtSession**)>(
        kCreateSession)(env_, model_.onnx.c_str(), options_, &session_));
    check(call<OrtStatus* (*)(int, int, OrtMemoryInfo**)>(kCreateCpuMemoryInfo)(kArenaAllocator,
                                                                                kDefaultMemory, &memory_));
  }

  void set_inputs(std::int64_t first, std::int64_t count) {
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      const TensorView view = sample_view(model_, i, first, count);
      release_value(inputs_[i]);
      check(call<OrtStatus* (*)(const OrtMemoryInfo*, void*, std::size_t, const std::int64_t*, std::size_t,
                                int, OrtValue**)>(kCreateTensorWithData)(
          memory_, const_cast<std::byte*>(view.data), static_cast<std::size_t>(view.bytes()),
          view.shape.data(), view.shape.size(), element_type(view.dtype), &inputs_[i]));
    }
    first_ = first;
    count_ = count;
  }

  void release_value(OrtValue*& value) {
    if (value != nullptr) call<void (*)(OrtValue*)>(kReleaseValue)(value);
    value = nullptr;
  }
  void release_outputs() {
    for (OrtValue*& value : outputs_) release_value(value);
  }

  void close() noexcept {
    release_outputs();
    for (OrtValue*& value : inputs_) release_value(value);
    if (memory_ != nullptr) call<void (*)(OrtMemoryInfo*)>(kReleaseMemoryInfo)(memory_);
    if (session_ != nullptr) call<void (*)(OrtSession*)>(kReleaseSession)(session_);
    if (options_ != nullptr) call<void (*)(OrtSessionOptions*)>(kReleaseSessionOptions)(options_);
    if (env_ != nullptr) call<void (*)(OrtEnv*)>(kReleaseEnv)(env_);
  }

  PeerModel model_;
  SharedLibrary library_;
  std::string version_;
  ApiTable table_ = nullptr;
  OrtEnv* env_ = nullptr;
  OrtSessionOptions* options_ = nullptr;
  OrtSession* session_ = nullptr;
  OrtMemoryInfo* memory_ = nullptr;
  std::vector<const char*> input_names_, output_names_;
  std::vector<OrtValue*> inputs_, outputs_;
  std::int64_t first_ = -1, count_ = -1;
};

}  // namespace

std::unique_ptr<PeerInstance> start_onnxruntime(const PeerModel& model, const Place& place,
                                                const std::string& library) {
  const LibraryPlaces places{"ONNX Runtime", "OCTAVO_ONNXRUNTIME", "libonnxruntime.so", "onnxruntime/capi",
                             "onnxruntime"};
  return std::make_unique<OnnxRuntimeInstance>(model, place, find_library(places, library));
}

}  // namespace octavo::bench
