#include "base/fail.h"
#include "base/streamed_file.h"
#include "base/version.h"
#include "compiler/import/dlrm/source.h"
#include "engine/embedding/row_coding.h"

namespace octavo {
namespace {

/// Rows of a package's table, decoded.
class PackagedTable : public TableSource {
 public:
  PackagedTable(const DlrmPackage& package, std::size_t t)
      : file_(package.table_path(t)),
        row_bytes_(row_bytes(package.model.tables[t].format, package.model.dim)) {
    const DlrmTable& table = package.model.tables[t];
    coding_ = {table.format, package.model.dim, table.scale, table.codebook};
  }

  void read(std::int64_t first_row, std::span<float> dst) override {
    const std::int64_t rows = std::ssize(dst) / coding_.dim;
    bytes_.resize(static_cast<std::size_t>(rows * row_bytes_));
    file_.read(first_row * row_bytes_, bytes_);
    decode_rows(coding_, bytes_, dst);
  }

 private:
  StreamedFile file_;
  std::int64_t row_bytes_;
  RowCoding coding_;
  std::vector<std::byte> bytes_;
};

}  // namespace

DlrmSource open_dlrm_package_source(const std::filesystem::path& folder) {
  DlrmPackage package = open_dlrm_package(folder);
  DlrmSource source;
  source.provenance = package.provenance;
  for (std::size_t t = 0; t < package.model.tables.size(); ++t) {
    source.tables.push_back(std::make_unique<PackagedTable>(package, t));
  }
  source.model = std::move(package.model);
  for (DlrmTable& table : source.model.tables) table = {.rows = table.rows};
  source.model.tunings.clear();  // rows of other formats take other times
  source.bottom = std::move(package.bottom);
  source.top = std::move(package.top);
  return source;
}

}  // namespace octavo
