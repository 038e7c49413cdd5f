#include <cstring>

#include "base/fail.h"
#include "bench/peers/peer.h"
#include "bench/peers/shared_library.h"

namespace octavo::bench {
namespace {

// The part of OpenVINO's C API that is used here, from its documentation. Its enumeration of element types
// has changed between versions, so tensors are taken from the model and only their shapes and bytes are set.
struct Core;
struct Model;
struct Compiled;
struct Request;
struct OvTensor;
struct Version {
  const char* build;
  const char* description;
};
struct Dimension {
  std::int64_t min, max;
};
struct PartialShape {
  Dimension rank;
  Dimension* dims;
};
struct OvShape {
  std::int64_t rank;
  std::int64_t* dims;
};

class OpenVinoInstance : public PeerInstance {
 public:
  OpenVinoInstance(PeerModel model, const Place& place, const std::filesystem::path& library)
      : PeerInstance(place), model_(std::move(model)), library_(library) {
    Version version{};
    call<int(Version*)>("ov_get_openvino_version", &version);
    version_ = version.build == nullptr ? "" : version.build;
    library_.function<void (*)(Version*)>("ov_version_free")(&version);
    infer_ = library_.function<int (*)(Request*)>("ov_infer_request_infer");
    try {
      run_on_cpus(place.cpus, [&] { open(); });
    } catch (...) {
      close();
      throw;
    }
  }
  ~OpenVinoInstance() override { close(); }

  std::int64_t run(std::int64_t first, std::int64_t count) override {
    if (first != first_ || count != count_) set_inputs(first, count);
    check(infer_(request_));
    return count;
  }

  [[nodiscard]] std::string name() const override { return "OpenVINO " + version_; }

  [[nodiscard]] std::vector<float> first_output() override {
    if (model_.outputs.at(0).dtype != DType::f32) return {};
    OvTensor* tensor = nullptr;
    call<int(const Request*, std::size_t, OvTensor**)>("ov_infer_request_get_output_tensor_by_index",
                                                       request_, std::size_t{0}, &tensor);
    const Owned owned{this, tensor};
    void* data = nullptr;
    std::size_t bytes = 0;
    call<int(const OvTensor*, void**)>("ov_tensor_data", tensor, &data);
    call<int(const OvTensor*, std::size_t*)>("ov_tensor_get_byte_size", tensor, &bytes);
    const auto* values = static_cast<const float*>(data);
    return {values, values + bytes / sizeof(float)};
  }

 private:
  /// Frees a tensor that the library handed out.
  struct Owned {
    const OpenVinoInstance* of;
    OvTensor* tensor;
    Owned(const OpenVinoInstance* instance, OvTensor* t) : of(instance), tensor(t) {}
    Owned(const Owned&) = delete;
    Owned& operator=(const Owned&) = delete;
    ~Owned() { of->library_.function<void (*)(OvTensor*)>("ov_tensor_free")(tensor); }
  };

  void check(int status) const {
    if (status == 0) return;
    const char* reason = library_.function<const char* (*)()>("ov_get_last_err_msg")();
    std::string message = reason == nullptr ? "no reason given" : reason;
    for (char& c : message) c = c == '\n' ? ' ' : c;
    fail(ErrorCode::unsupported, "OpenVINO {}: status {}: {}", version_, status, message);
  }

  template <class Signature, class... Arguments>
  void call(const char* name, Arguments... arguments) const {
    check(library_.function<Signature*>(name)(arguments...));
  }

  void open() {
    call<int(Core**)>("ov_core_create", &core_);
    const std::string path = model_.onnx.string();
    const char* const no_weights = nullptr;
    call<int(const Core*, const char*, const char*, Model**)>("ov_core_read_model", core_, path.c_str(),
                                                              no_weights, &read_);
    if (model_.inputs.size() == 1 && model_.inputs[0].is_batched) fix_batch();
    const std::string threads = std::to_string(place().threads);
    // Keys and values count one by one.
    call<int(const Core*, const Model*, const char*, std::size_t, Compiled**, ...)>(
        "ov_core_compile_model", core_, read_, "CPU", std::size_t{4}, &compiled_, "INFERENCE_NUM_THREADS",
        threads.c_str(), "NUM_STREAMS", "1");
    call<int(const Compiled*, Request**)>("ov_compiled_model_create_infer_request", compiled_, &request_);
  }

  /// A model whose sizes are all known runs faster.
  void fix_batch() {
    std::vector<std::int64_t> extents = model_.inputs[0].shape;
    extents[0] *= model_.batch;
    PartialShape shape{};
    call<int(std::int64_t, const std::int64_t*, PartialShape*)>(
        "ov_partial_shape_create_static", static_cast<std::int64_t>(extents.size()), extents.data(), &shape);
    const int status =
        library_.function<int (*)(const Model*, PartialShape)>("ov_model_reshape_single_input")(read_, shape);
    library_.function<void (*)(PartialShape*)>("ov_partial_shape_free")(&shape);
    check(status);
  }

  void set_inputs(std::int64_t first, std::int64_t count) {
    for (std::size_t i = 0; i < model_.inputs.size(); ++i) {
      TensorView view = sample_view(model_, i, first, count);
      OvTensor* tensor = nullptr;
      call<int(const Request*, std::size_t, OvTensor**)>("ov_infer_request_get_input_tensor_by_index",
                                                         request_, i, &tensor);
      const Owned owned{this, tensor};
      const OvShape shape{static_cast<std::int64_t>(view.shape.size()), view.shape.data()};
      call<int(OvTensor*, OvShape)>("ov_tensor_set_shape", tensor, shape);
      void* data = nullptr;
      std::size_t bytes = 0;
      call<int(const OvTensor*, void**)>("ov_tensor_data", tensor, &data);
      call<int(const OvTensor*, std::size_t*)>("ov_tensor_get_byte_size", tensor, &bytes);
      if (bytes != static_cast<std::size_t>(view.bytes())) {
        fail(ErrorCode::unsupported, "OpenVINO {}: input {} has {} bytes, expected {}", version_, i, bytes,
             view.bytes());
      }
      std::memcpy(data, view.data, bytes);
    }
    first_ = first;
    count_ = count;
  }

  template <class T>
  void release(const char* name, T*& thing) noexcept {
    if (thing != nullptr) library_.function<void (*)(T*)>(name)(thing);
    thing = nullptr;
  }
  void close() noexcept {
    release("ov_infer_request_free", request_);
    release("ov_compiled_model_free", compiled_);
    release("ov_model_free", read_);
    release("ov_core_free", core_);
  }

  PeerModel model_;
  SharedLibrary library_;
  std::string version_;
  int (*infer_)(Request*) = nullptr;
  Core* core_ = nullptr;
  Model* read_ = nullptr;
  Compiled* compiled_ = nullptr;
  Request* request_ = nullptr;
  std::int64_t first_ = -1, count_ = -1;
};

}  // namespace

std::unique_ptr<PeerInstance> start_openvino(const PeerModel& model, const Place& place,
                                             const std::string& library) {
  const LibraryPlaces places{"OpenVINO", "OCTAVO_OPENVINO", "libopenvino_c.so", "openvino/libs", "openvino"};
  return std::make_unique<OpenVinoInstance>(model, place, find_library(places, library));
}

}  // namespace octavo::bench
