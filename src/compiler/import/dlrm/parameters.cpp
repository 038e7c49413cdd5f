#include <algorithm>
#include <cstring>

#include "base/fail.h"
#include "base/streamed_file.h"
#include "base/version.h"
#include "compiler/import/dlrm/architecture.h"
#include "compiler/import/dlrm/named_tensors.h"
#include "compiler/import/dlrm/source.h"

namespace octavo {
namespace {

using dlrm_import::NamedShape;
using Files = std::vector<std::shared_ptr<StreamedFile>>;

constexpr std::int64_t kMostFiles = 4096;
constexpr std::int64_t kFloat = 4;
constexpr std::int64_t kIndex = 8;

std::string name_of(const StreamedFile& file) { return file.path().filename().string(); }

/// The files p0, p1, … of the folder; other files are nobody's business.
Files open_files(const std::filesystem::path& folder) {
  std::int64_t last = -1;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    last = std::max(last, dlrm_import::number_in(entry.path().filename().string() + ".", "p", "."));
  }
  if (error) fail(ErrorCode::io, "cannot read the folder: {}", error.message());
  if (last < 0) fail(ErrorCode::invalid_model, "no DLRM: the folder has no files p0, p1, …");
  if (last >= kMostFiles) fail(ErrorCode::invalid_model, "'p{}': more than {} files", last, kMostFiles);
  Files files;
  for (std::int64_t i = 0; i <= last; ++i) {
    const std::string name = fmt::format("p{}", i);
    if (!std::filesystem::exists(folder / name)) {
      fail(ErrorCode::invalid_model, "'{}' is missing, but 'p{}' is there", name, last);
    }
    files.push_back(std::make_shared<StreamedFile>(folder / name));
  }
  return files;
}

/// What tells bottom layers, tables and top layers apart: the file with the interaction's indices into T·Tᵀ
/// of `tables` + 1 vectors.
struct Triangle {
  std::size_t file = 0;
  std::size_t tables = 0;
};

/// Whether the file holds  i * vectors + j  for all j < i (or j <= i), row by row.
bool is_triangle(const StreamedFile& file, std::int64_t vectors, bool with_self) {
  const std::int64_t pairs = vectors * (vectors + (with_self ? 1 : -1)) / 2;
  if (file.size() != pairs * kIndex) return false;
  std::vector<std::int64_t> found(static_cast<std::size_t>(pairs));
  file.read(0, std::as_writable_bytes(std::span(found)));
  std::vector<std::int64_t> expected;
  for (std::int64_t i = 0; i < vectors; ++i) {
    for (std::int64_t j = 0; j < i + (with_self ? 1 : 0); ++j) expected.push_back(i * vectors + j);
  }
  return found == expected;
}

Triangle find_triangle(const Files& files) {
  for (std::size_t at = 3; at < files.size(); ++at) {
    // In front of it are at least one bottom layer (two files) and the tables, of which the number must fit.
    for (std::size_t tables = at - 2; tables >= 1 && tables <= at - 2; tables -= 2) {
      const auto vectors = static_cast<std::int64_t>(tables) + 1;
      if (is_triangle(*files[at], vectors, false) || is_triangle(*files[at], vectors, true))
        return {at, tables};
      if (tables < 3) break;
    }
  }
  fail(ErrorCode::invalid_model, "none of p0 to p{} holds the indices of the interaction's triangle",
       files.size() - 1);
}

std::int64_t quotient(const StreamedFile& file, std::int64_t divisor, std::string_view unit) {
  if (divisor == 0 || file.size() == 0 || file.size() % divisor != 0) {
    fail(ErrorCode::invalid_model, "'{}' has {} bytes, no multiple of {} bytes ({})", name_of(file),
         file.size(), divisor, unit);
  }
  return file.size() / divisor;
}

/// The layers in files [begin, end): weights and bias by turns.
std::vector<NamedShape> layer_shapes(const Files& files, std::size_t begin, std::size_t end) {
  if ((end - begin) % 2 != 0) {
    fail(ErrorCode::invalid_model, "'{}' stands alone: layers are pairs of weights and bias",
         name_of(*files[end - 1]));
  }
  std::vector<NamedShape> shapes;
  for (std::size_t i = begin; i < end; i += 2) {
    const std::int64_t outputs = quotient(*files[i + 1], kFloat, "one float");
    const std::int64_t inputs =
        quotient(*files[i], outputs * kFloat, fmt::format("outputs by '{}'", name_of(*files[i + 1])));
    shapes.push_back({name_of(*files[i]), outputs, inputs});
  }
  return shapes;
}

std::vector<DlrmLayer> read_layers(const Files& files, std::size_t begin,
                                   const std::vector<NamedShape>& shapes) {
  std::vector<DlrmLayer> layers;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    DlrmLayer layer{Tensor(DType::f32, {shapes[i].outputs, shapes[i].inputs}),
                    Tensor(DType::f32, {shapes[i].outputs})};
    files[begin + 2 * i]->read(0, std::as_writable_bytes(layer.weights.as<float>()));
    files[begin + 2 * i + 1]->read(0, std::as_writable_bytes(layer.bias.as<float>()));
    layers.push_back(std::move(layer));
  }
  return layers;
}

class FileTable : public TableSource {
 public:
  FileTable(std::shared_ptr<StreamedFile> file, std::int64_t dim) : file_(std::move(file)), dim_(dim) {}
  void read(std::int64_t first_row, std::span<float> dst) override {
    file_->read(first_row * dim_ * kFloat, std::as_writable_bytes(dst));
  }

 private:
  std::shared_ptr<StreamedFile> file_;
  std::int64_t dim_;
};

}  // namespace

DlrmSource open_dlrm_parameters(const std::filesystem::path& folder) {
  const Files files = open_files(folder);
  const Triangle triangle = find_triangle(files);
  const std::size_t first_table = triangle.file - triangle.tables;
  const std::vector<NamedShape> bottom = layer_shapes(files, 0, first_table);
  const std::vector<NamedShape> top = layer_shapes(files, triangle.file + 1, files.size());
  const std::int64_t dim = bottom.back().outputs;
  std::vector<NamedShape> tables;
  for (std::size_t i = first_table; i < triangle.file; ++i) {
    tables.push_back({name_of(*files[i]), quotient(*files[i], dim * kFloat, "rows of a table"), dim});
  }
  DlrmSource source;
  source.model = dlrm_import::infer_architecture(bottom, tables, top);
  source.model.name = std::filesystem::weakly_canonical(folder).filename().string();
  source.provenance = {source.model.name, 0, fmt::format("octavo {}", kVersion)};
  for (const auto& file : files) source.provenance.source_bytes += file->size();
  source.bottom = read_layers(files, 0, bottom);
  source.top = read_layers(files, triangle.file + 1, top);
  for (std::size_t i = first_table; i < triangle.file; ++i) {
    source.tables.push_back(std::make_unique<FileTable>(files[i], dim));
  }
  return source;
}

}  // namespace octavo
