#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/memory_region.h"
#include "engine/embedding/lost_pages.h"
#include "engine/embedding/table_view.h"
#include "octavo/dlrm.h"
#include "package/dlrm_package.h"

namespace octavo {

/// All tables of a DLRM, readable by any number of threads. Each begins on a page.
class Tables {
 public:
  /// The tables of a package. In memory they are read by `threads` threads; Error(io), before anything is
  /// read, when they are larger than the memory there is, and when a file is short. Mapped, nothing is read.
  static Tables open(const DlrmPackage& package, TablePlace place, int threads);
  /// Tables of zeros, for the caller to fill through `rows`. Error(io) as above.
  static Tables zeros(const DlrmModel& model);

  [[nodiscard]] const std::vector<TableView>& views() const noexcept { return views_; }
  /// Table t's rows, to write. Only of `zeros`.
  [[nodiscard]] std::byte* rows(std::size_t t) noexcept { return region_.data() + offsets_[t]; }
  /// Error(io) naming the file when a mapped table was found to be cut since it was opened: what was read
  /// there were zeros.
  void check_whole() const;

 private:
  Tables(const DlrmModel& model, MemoryRegion (*make)(std::int64_t));

  std::vector<std::int64_t> offsets_;
  MemoryRegion region_;
  std::vector<TableView> views_;
  std::unique_ptr<LostPageWatch> watch_;
  std::vector<std::filesystem::path> files_;
};

/// Error(io) saying which format would fit when tables of `model` in memory need more than `available` bytes.
void check_memory(const DlrmModel& model, std::int64_t available);

}  // namespace octavo
