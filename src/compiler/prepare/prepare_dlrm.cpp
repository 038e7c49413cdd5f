#include "compiler/prepare/prepare_dlrm.h"

#include "base/assert.h"
#include "base/fail.h"
#include "compiler/prepare/table_writer.h"
#include "compiler/prepare/unfinished.h"

namespace octavo {
namespace {

/// Manifest, state and the file system's own needs.
constexpr std::int64_t kSlackBytes = std::int64_t{16} << 20U;

DlrmPackage wanted_package(DlrmSource& source, const std::filesystem::path& folder,
                           const std::vector<RowFormat>& formats) {
  OCTAVO_ASSERT(formats.size() == source.model.tables.size());
  DlrmPackage package{folder, source.model, source.provenance, std::move(source.bottom),
                      std::move(source.top)};
  for (std::size_t t = 0; t < formats.size(); ++t) package.model.tables[t].format = formats[t];
  return package;
}

PrepareProgress progress_of(const UnfinishedPackage& package) {
  const DlrmModel& model = package.package().model;
  PrepareProgress progress{.tables = model.tables.size(), .bytes = all_table_bytes(model)};
  for (std::size_t t = 0; t < model.tables.size(); ++t) {
    if (!package.has(t)) continue;
    ++progress.tables_done;
    progress.bytes_done += table_bytes(model, t);
  }
  return progress;
}

void check_room(const std::filesystem::path& folder, const PrepareProgress& progress) {
  std::error_code error;
  const auto space = std::filesystem::space(folder, error);
  if (error) fail(ErrorCode::io, "cannot tell the free space of '{}': {}", folder.string(), error.message());
  const std::int64_t needed = progress.bytes - progress.bytes_done + kSlackBytes;
  if (needed > static_cast<std::int64_t>(space.available)) {
    fail(ErrorCode::io, "'{}' needs {} more bytes ({:.1f} GB), its disk has {} free ({:.1f} GB)",
         folder.string(), needed, static_cast<double>(needed) / 1e9, space.available,
         static_cast<double>(space.available) / 1e9);
  }
}

}  // namespace

PrepareOutcome prepare_dlrm(DlrmSource& source, const std::filesystem::path& folder,
                            const PrepareOptions& options) {
  UnfinishedPackage package(wanted_package(source, folder, options.formats));
  const std::size_t tables = source.tables.size();
  if (package.is_whole()) return {.tables_kept = tables};
  PrepareProgress progress = progress_of(package);
  check_room(folder, progress);
  PrepareOutcome outcome{.tables_kept = progress.tables_done};
  for (std::size_t t = 0; t < tables; ++t) {
    if (package.has(t)) continue;
    try {
      const DlrmTable& table = package.package().model.tables[t];
      const DlrmTable written = write_table(*source.tables[t], table, source.model.dim,
                                            package.package().table_path(t), [&](std::int64_t bytes) {
                                              progress.bytes_done += bytes;
                                              if (options.progress) options.progress(progress);
                                            });
      package.finish(t, written);
    } catch (const Error& e) {
      throw e.within(fmt::format("table {}", t));
    }
    ++progress.tables_done;
    ++outcome.tables_written;
  }
  package.finish_all();
  return outcome;
}

}  // namespace octavo
