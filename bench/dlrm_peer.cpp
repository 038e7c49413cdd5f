#include "dlrm_peer.h"

#include <fmt/format.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/fail.h"
#include "compiler/import/onnx/onnx_builder.h"

namespace octavo {
namespace {

using onnx_test::Ints;
using onnx_test::OnnxBuilder;
using onnx_test::set;

/// What one protobuf message may have.
constexpr std::int64_t kMostBytes = std::int64_t{2} << 30;

void add_floats(OnnxBuilder& b, const std::string& name, const Ints& extents, const float* values) {
  const std::int64_t count = element_count(extents);
  b.initializer(name, extents, std::vector<float>(values, values + count), onnx::TensorProto::FLOAT);
}

/// Adds the layers of an MLP; returns the name of what comes out of it.
std::string add_layers(OnnxBuilder& b, const std::string& prefix, const std::vector<DlrmLayer>& layers,
                       std::string src, const char* last_activation) {
  for (const DlrmLayer& layer : layers) {
    const std::string name = fmt::format("{}{}", prefix, &layer - layers.data());
    add_floats(b, name + "_w", layer.weights.shape(), layer.weights.as<float>().data());
    add_floats(b, name + "_b", layer.bias.shape(), layer.bias.as<float>().data());
    set(b.node("Gemm", {src, name + "_w", name + "_b"}, {name}), "transB", 1);
    src = name + "_out";
    b.node(&layer == &layers.back() ? last_activation : "Relu", {name}, {src});
  }
  return src;
}

/// Adds T = [x, e0, ...], its products with itself, and of these the ones below the diagonal behind x.
void add_dot(OnnxBuilder& b, const std::vector<std::string>& vectors, std::int64_t dim,
             const std::string& dst) {
  const std::int64_t count = std::ssize(vectors);
  Ints below;
  for (std::int64_t i = 0; i < count; ++i) {
    for (std::int64_t j = 0; j < i; ++j) below.push_back(i * count + j);
  }
  b.integers("t_shape", {-1, count, dim});
  b.integers("below", below);
  set(b.node("Concat", vectors, {"vectors"}), "axis", 1);
  b.node("Reshape", {"vectors", "t_shape"}, {"t"});
  set(b.node("Transpose", {"t"}, {"t_transposed"}), "perm", Ints{0, 2, 1});
  b.node("MatMul", {"t", "t_transposed"}, {"products"});
  set(b.node("Flatten", {"products"}, {"flat"}), "axis", 1);
  set(b.node("Gather", {"flat", "below"}, {"dots"}), "axis", 1);
  set(b.node("Concat", {vectors.front(), "dots"}, {dst}), "axis", 1);
}

std::string rows_of(std::size_t t) { return fmt::format("rows{}", t); }

OnnxBuilder onnx_model(const DlrmData& data) {
  OnnxBuilder b;
  b.input("dense", {-1, data.model.dense_features});
  std::vector<std::string> vectors{add_layers(b, "bottom", data.bottom, "dense", "Relu")};
  for (std::size_t t = 0; t < data.model.tables.size(); ++t) {
    const std::string table = fmt::format("table{}", t);
    b.input(rows_of(t), {-1}, onnx::TensorProto::INT64);
    add_floats(b, table, {data.model.tables[t].rows, data.model.dim},
               reinterpret_cast<const float*>(data.tables.views()[t].data));
    b.node("Gather", {table, rows_of(t)}, {vectors.emplace_back(fmt::format("e{}", t))});
  }
  add_dot(b, vectors, data.model.dim, "features");
  b.output(add_layers(b, "top", data.top, "features", "Sigmoid"));
  return b;
}

void require_onnx_can(const DlrmModel& model) {
  if (model.interaction != Interaction::dot)
    fail(ErrorCode::unsupported, "interaction '{}' in ONNX", interaction_name(model.interaction));
  for (const DlrmTable& table : model.tables) {
    if (table.format != RowFormat::f32)
      fail(ErrorCode::unsupported, "{} rows in ONNX", row_format_name(table.format));
  }
  if (all_table_bytes(model) >= kMostBytes)
    fail(ErrorCode::unsupported, "{} bytes of tables in one ONNX file", all_table_bytes(model));
}

/// A file that is gone with its folder when this is.
class TemporaryFile {
 public:
  explicit TemporaryFile(const char* name) {
    std::string pattern = (std::filesystem::temp_directory_path() / "octavo_dlrm.XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr)
      fail(ErrorCode::io, "cannot make folder '{}': {}", pattern, std::strerror(errno));
    folder_ = pattern;
    path_ = folder_ / name;
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path folder_, path_;
};

template <class T>
Tensor tensor_of(DType dtype, std::vector<std::int64_t> shape, const T* values) {
  return Tensor(TensorView{dtype, std::move(shape), reinterpret_cast<const std::byte*>(values)});
}

bench::PeerModel peer_model(const std::filesystem::path& file, const DlrmModel& model,
                            const bench::DlrmSamples& pairs) {
  bench::Samples samples;
  samples.count = pairs.pairs;
  bench::PeerModel peer{file, {}, {{"top_out", DType::f32, {1, 1}, true, {}}}, nullptr, 1};
  peer.outputs.front().name = fmt::format("top{}_out", model.top.size() - 1);
  peer.inputs.push_back({"dense", DType::f32, {1, model.dense_features}, true, {}});
  samples.inputs.push_back(tensor_of(DType::f32, {pairs.pairs, model.dense_features}, pairs.dense.data()));
  for (std::size_t t = 0; t < model.tables.size(); ++t) {
    peer.inputs.push_back({rows_of(t), DType::s64, {1}, true, {}});
    const std::int64_t* rows = pairs.indices.data() + static_cast<std::int64_t>(t) * pairs.pairs;
    samples.inputs.push_back(tensor_of(DType::s64, {pairs.pairs}, rows));
  }
  peer.samples = std::make_shared<const bench::Samples>(std::move(samples));
  return peer;
}

}  // namespace

std::unique_ptr<bench::PeerInstance> start_dlrm_peer(std::string_view peer, const DlrmData& data,
                                                     const bench::DlrmSamples& pairs,
                                                     const bench::Place& place, const std::string& library) {
  require_onnx_can(data.model);
  const TemporaryFile file("dlrm.onnx");
  {
    std::ofstream out(file.path(), std::ios::binary);
    if (!onnx_model(data).model().SerializeToOstream(&out) || !out.flush())
      fail(ErrorCode::io, "cannot write '{}'", file.path().string());
  }
  const auto start = peer == "openvino" ? bench::start_openvino : bench::start_onnxruntime;
  return start(peer_model(file.path(), data.model, pairs), place, library);
}

}  // namespace octavo
