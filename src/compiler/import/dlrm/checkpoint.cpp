#include <algorithm>
#include <set>

#include "base/fail.h"
#include "base/version.h"
#include "compiler/import/dlrm/architecture.h"
#include "compiler/import/dlrm/named_tensors.h"
#include "compiler/import/dlrm/source.h"
#include "compiler/import/torchscript/pickle.h"
#include "compiler/import/torchscript/tensors.h"

namespace octavo {
namespace {

using dlrm_import::NamedShape;
using dlrm_import::NamedTensors;
using dlrm_import::number_in;
using torchscript::Archive;
using torchscript::MemberStream;
using torchscript::StoredTensor;
using torchscript::TensorReader;

/// What the archive and its pickle hold, as long as a table may be read.
struct Checkpoint {
  explicit Checkpoint(const std::filesystem::path& path) : archive(path) {}
  Archive archive;
  torchscript::Heap heap;
  NamedTensors tensors;
  std::set<std::string> used;

  const StoredTensor& at(const std::string& name) {
    const auto found = tensors.find(name);
    if (found == tensors.end()) fail(ErrorCode::invalid_model, "tensor '{}' is missing", name);
    used.insert(name);
    return *found->second;
  }
};

class CheckpointTable : public TableSource {
 public:
  CheckpointTable(std::shared_ptr<Checkpoint> checkpoint, const StoredTensor& tensor)
      : checkpoint_(std::move(checkpoint)),
        stream_(checkpoint_->archive.stream(tensor.storage->member)),
        offset_(tensor.offset),
        dim_(tensor.sizes[1]) {}

  void read(std::int64_t first_row, std::span<float> dst) override {
    stream_.read((offset_ + first_row * dim_) * dtype_bytes(DType::f32), std::as_writable_bytes(dst));
  }

 private:
  std::shared_ptr<Checkpoint> checkpoint_;
  MemberStream stream_;
  std::int64_t offset_;  ///< of the first row, in floats
  std::int64_t dim_;
};

NamedShape shape_of(Checkpoint& checkpoint, const std::string& name) {
  const StoredTensor& tensor = checkpoint.at(name);
  if (tensor.sizes.size() != 2) {
    fail(ErrorCode::invalid_model, "'{}' has shape {}, expected two extents", name, shape_text(tensor.sizes));
  }
  return {name, tensor.sizes[0], tensor.sizes[1]};
}

/// How many tensors `prefix` N `suffix` there are with N = 0, step, 2 step … ; one of another number shows
/// that one is missing.
std::int64_t count_numbered(const NamedTensors& tensors, std::string_view prefix, std::string_view suffix,
                            std::int64_t step) {
  std::int64_t last = -1;
  for (const auto& [name, tensor] : tensors) last = std::max(last, number_in(name, prefix, suffix));
  for (std::int64_t n = 0; n <= last; n += step) {
    const std::string name = fmt::format("{}{}{}", prefix, n, suffix);
    if (!tensors.contains(name)) {
      fail(ErrorCode::invalid_model, "'{}' is missing, but '{}{}{}' is there", name, prefix, last, suffix);
    }
  }
  return last < 0 ? 0 : last / step + 1;
}

/// The layers "bot_l.0.weight", "bot_l.2.weight" …: the odd numbers are activations.
std::vector<NamedShape> layer_shapes(Checkpoint& checkpoint, std::string_view prefix) {
  std::vector<NamedShape> shapes;
  const std::int64_t count = count_numbered(checkpoint.tensors, prefix, ".weight", 2);
  for (std::int64_t i = 0; i < count; ++i) {
    shapes.push_back(shape_of(checkpoint, fmt::format("{}{}.weight", prefix, 2 * i)));
  }
  return shapes;
}

std::vector<NamedShape> table_shapes(Checkpoint& checkpoint) {
  std::vector<NamedShape> shapes;
  const std::int64_t count = count_numbered(checkpoint.tensors, "emb_l.", ".weight", 1);
  for (std::int64_t t = 0; t < count; ++t) {
    shapes.push_back(shape_of(checkpoint, fmt::format("emb_l.{}.weight", t)));
  }
  return shapes;
}

Tensor read_floats(Checkpoint& checkpoint, TensorReader& reader, const std::string& name,
                   const std::vector<std::int64_t>& shape) {
  const StoredTensor& tensor = checkpoint.at(name);
  if (tensor.storage->dtype != DType::f32) {
    fail(ErrorCode::unsupported, "'{}' is of {}, expected f32", name, dtype_name(tensor.storage->dtype));
  }
  if (tensor.sizes != shape) {
    fail(ErrorCode::invalid_model, "'{}' has shape {}, expected {}", name, shape_text(tensor.sizes),
         shape_text(shape));
  }
  return reader.read(tensor);
}

std::vector<DlrmLayer> read_layers(Checkpoint& checkpoint, const std::vector<NamedShape>& shapes) {
  TensorReader reader(checkpoint.archive);
  std::vector<DlrmLayer> layers;
  for (const NamedShape& shape : shapes) {
    const std::string bias =
        shape.name.substr(0, shape.name.size() - std::string_view("weight").size()) + "bias";
    layers.push_back({read_floats(checkpoint, reader, shape.name, {shape.outputs, shape.inputs}),
                      read_floats(checkpoint, reader, bias, {shape.outputs})});
  }
  return layers;
}

/// Only what lies in the file row behind row can be streamed.
void check_streams(const std::string& name, const StoredTensor& tensor, const MemberStream& member) {
  if (tensor.storage->dtype != DType::f32) {
    fail(ErrorCode::unsupported, "'{}' is of {}, expected f32", name, dtype_name(tensor.storage->dtype));
  }
  if (tensor.strides != std::vector<std::int64_t>{tensor.sizes[1], 1} && tensor.sizes[0] != 1) {
    fail(ErrorCode::unsupported, "'{}' has strides {} for shape {}", name, shape_text(tensor.strides),
         shape_text(tensor.sizes));
  }
  const std::int64_t available = member.size() / dtype_bytes(DType::f32);
  if (tensor.offset < 0 || tensor.offset > available ||
      element_count(tensor.sizes) > available - tensor.offset) {
    fail(ErrorCode::invalid_model, "'{}' has shape {} at offset {}, but its data '{}' has {} elements", name,
         shape_text(tensor.sizes), tensor.offset, tensor.storage->member, available);
  }
}

std::vector<std::unique_ptr<TableSource>> open_tables(const std::shared_ptr<Checkpoint>& checkpoint,
                                                      const std::vector<NamedShape>& shapes) {
  std::vector<std::unique_ptr<TableSource>> tables;
  for (const NamedShape& shape : shapes) {
    const StoredTensor& tensor = checkpoint->at(shape.name);
    check_streams(shape.name, tensor, checkpoint->archive.stream(tensor.storage->member));
    tables.push_back(std::make_unique<CheckpointTable>(checkpoint, tensor));
  }
  return tables;
}

/// A tensor that nothing here reads would change what the model computes.
void check_all_used(const Checkpoint& checkpoint) {
  for (const auto& [name, tensor] : checkpoint.tensors) {
    if (!checkpoint.used.contains(name)) {
      fail(ErrorCode::unsupported, "tensor '{}' belongs to no plain DLRM", name);
    }
  }
}

}  // namespace

DlrmSource open_dlrm_checkpoint(const std::filesystem::path& path) {
  const auto checkpoint = std::make_shared<Checkpoint>(path);
  const std::vector<std::byte> pickle = checkpoint->archive.read("data.pkl");
  checkpoint->tensors =
      dlrm_import::named_tensors(torchscript::read_pickle(pickle, "data/", checkpoint->heap));
  const std::vector<NamedShape> bottom = layer_shapes(*checkpoint, "bot_l.");
  const std::vector<NamedShape> top = layer_shapes(*checkpoint, "top_l.");
  const std::vector<NamedShape> tables = table_shapes(*checkpoint);
  DlrmSource source;
  source.model = dlrm_import::infer_architecture(bottom, tables, top);
  source.model.name = path.stem().string();
  source.provenance = {path.filename().string(), static_cast<std::int64_t>(checkpoint->archive.file_bytes()),
                       fmt::format("octavo {}", kVersion)};
  source.bottom = read_layers(*checkpoint, bottom);
  source.top = read_layers(*checkpoint, top);
  source.tables = open_tables(checkpoint, tables);
  check_all_used(*checkpoint);
  return source;
}

}  // namespace octavo
