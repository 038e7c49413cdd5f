#include "compiler/import/dlrm/source.h"

#include <cstring>

#include "base/fail.h"
#include "base/mapped_file.h"
#include "base/streamed_file.h"
#include "base/version.h"
#include "compiler/import/dlrm/architecture.h"
#include "compiler/import/onnx/dlrm/pattern.h"
#include "compiler/import/onnx/model_file.h"
#include "compiler/import/onnx/tensor_proto.h"

namespace octavo {
namespace {

using dlrm_import::NamedShape;
using onnx_import::DlrmPattern;
using onnx_import::ExternalFiles;
using onnx_import::GraphIndex;
using onnx_import::LayerPlace;

constexpr std::int64_t kFloat = 4;

/// A table that the model's file holds itself.
class EmbeddedTable : public TableSource {
 public:
  EmbeddedTable(Tensor rows, std::int64_t dim) : rows_(std::move(rows)), dim_(dim) {}
  void read(std::int64_t first_row, std::span<float> dst) override {
    std::memcpy(dst.data(), rows_.as<float>().data() + first_row * dim_, dst.size_bytes());
  }

 private:
  Tensor rows_;
  std::int64_t dim_;
};

/// A table in a file beside the model.
class ExternalTable : public TableSource {
 public:
  ExternalTable(const onnx_import::ExternalPlace& place, std::int64_t dim)
      : file_(place.file), offset_(place.offset), dim_(dim) {}
  void read(std::int64_t first_row, std::span<float> dst) override {
    file_.read(offset_ + first_row * dim_ * kFloat, std::as_writable_bytes(dst));
  }

 private:
  StreamedFile file_;
  std::int64_t offset_;
  std::int64_t dim_;
};

/// Reads the parts that a pattern names.
class Parts {
 public:
  Parts(const GraphIndex& index, std::filesystem::path folder) : index_(index), files_(std::move(folder)) {}

  [[nodiscard]] NamedShape shape(const std::string& name, bool is_inputs_first) const {
    const std::vector<std::int64_t> extents = onnx_import::read_extents(tensor(name));
    if (extents.size() != 2) {
      fail(ErrorCode::invalid_model, "'{}' has shape {}, expected two extents", name, shape_text(extents));
    }
    return is_inputs_first ? NamedShape{name, extents[1], extents[0]}
                           : NamedShape{name, extents[0], extents[1]};
  }

  DlrmLayer layer(const LayerPlace& place) {
    const NamedShape expected = shape(place.weights, place.is_inputs_first);
    Tensor weights = floats(place.weights);
    if (place.is_inputs_first) weights = transposed(weights);
    Tensor bias = floats(place.bias);
    if (bias.shape() != std::vector<std::int64_t>{expected.outputs}) {
      fail(ErrorCode::invalid_model, "'{}' has shape {}, expected [{}]", place.bias, shape_text(bias.shape()),
           expected.outputs);
    }
    return {std::move(weights), std::move(bias)};
  }

  std::unique_ptr<TableSource> table(const std::string& name) {
    const onnx::TensorProto& proto = tensor(name);
    const NamedShape found = shape(name, false);
    if (proto.data_location() != onnx::TensorProto::EXTERNAL) {
      return std::make_unique<EmbeddedTable>(floats(name), found.inputs);
    }
    const onnx_import::ExternalPlace place = files_.place(proto);
    if (place.length != element_count(onnx_import::read_extents(proto)) * kFloat) {
      fail(ErrorCode::invalid_model, "'{}' has {} bytes of data for shape [{}, {}]", name, place.length,
           found.outputs, found.inputs);
    }
    return std::make_unique<ExternalTable>(place, found.inputs);
  }

 private:
  [[nodiscard]] const onnx::TensorProto& tensor(const std::string& name) const {
    return *index_.constant(name);
  }

  Tensor floats(const std::string& name) {
    try {
      Tensor dense = onnx_import::read_tensor(tensor(name), files_);
      if (dense.dtype() != DType::f32)
        fail(ErrorCode::unsupported, "is of {}, expected f32", dtype_name(dense.dtype()));
      return dense;
    } catch (const Error& e) {
      throw e.within(fmt::format("'{}'", name));
    }
  }

  static Tensor transposed(const Tensor& src) {
    const std::int64_t rows = src.shape()[0];
    const std::int64_t columns = src.shape()[1];
    Tensor dst(DType::f32, {columns, rows});
    for (std::int64_t r = 0; r < rows; ++r) {
      for (std::int64_t c = 0; c < columns; ++c) {
        dst.as<float>()[static_cast<std::size_t>(c * rows + r)] =
            src.as<float>()[static_cast<std::size_t>(r * columns + c)];
      }
    }
    return dst;
  }

  const GraphIndex& index_;
  ExternalFiles files_;
};

std::vector<NamedShape> shapes_of(const Parts& parts, const std::vector<LayerPlace>& layers) {
  std::vector<NamedShape> shapes;
  for (const LayerPlace& layer : layers) shapes.push_back(parts.shape(layer.weights, layer.is_inputs_first));
  return shapes;
}

}  // namespace

DlrmSource open_dlrm_onnx(const std::filesystem::path& path) {
  const MappedFile file(path);
  const onnx::ModelProto proto = onnx_import::parse_model(file.bytes());
  const GraphIndex index(proto);
  const DlrmPattern pattern = onnx_import::find_dlrm(index);
  Parts parts(index, path.has_parent_path() ? path.parent_path() : ".");
  std::vector<NamedShape> tables;
  for (const std::string& name : pattern.tables) tables.push_back(parts.shape(name, false));
  DlrmSource source;
  source.model = dlrm_import::infer_architecture(shapes_of(parts, pattern.bottom), tables,
                                                 shapes_of(parts, pattern.top), pattern.interaction);
  source.model.name = path.stem().string();
  source.provenance = {path.filename().string(), std::ssize(file.bytes()),
                       fmt::format("octavo {}", kVersion)};
  for (const LayerPlace& layer : pattern.bottom) source.bottom.push_back(parts.layer(layer));
  for (const LayerPlace& layer : pattern.top) source.top.push_back(parts.layer(layer));
  for (const std::string& name : pattern.tables) source.tables.push_back(parts.table(name));
  return source;
}

bool takes_row_numbers(const std::filesystem::path& path) {
  const MappedFile file(path);
  const onnx::ModelProto model = onnx_import::parse_model(file.bytes());
  for (const auto& input : model.graph().input()) {
    const int type = input.type().tensor_type().elem_type();
    if (type == onnx::TensorProto::INT64 || type == onnx::TensorProto::INT32) return true;
  }
  return false;
}

}  // namespace octavo
