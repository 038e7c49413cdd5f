#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <vector>

#include "compiler/import/dlrm/source.h"

namespace octavo {

/// How far `prepare_dlrm` is.
struct PrepareProgress {
  std::size_t tables_done = 0;
  std::size_t tables = 0;
  std::int64_t bytes_done = 0;  ///< of tables written, those of an earlier run included
  std::int64_t bytes = 0;
};

struct PrepareOptions {
  /// The row format of each table.
  std::vector<RowFormat> formats;
  /// Told now and then, from the caller's thread.
  std::function<void(const PrepareProgress&)> progress;
};

/// What a run of `prepare_dlrm` did.
struct PrepareOutcome {
  std::size_t tables_written = 0;
  std::size_t tables_kept = 0;  ///< finished by an earlier run
};

/// Writes `source` as a package into `folder`, made if it is not there. Memory does not grow with the tables.
/// A run that was killed or failed goes on where it stopped, by whole tables, when it is repeated: finished
/// tables are never rewritten, a half-written one never has its final name, and the manifest comes last.
/// Error(io) when the disk has no room (said before the first table), is full after all, or refuses;
/// Error(invalid_argument) when the folder holds something else: a package or an unfinished package of
/// another source or other formats, or when another process is at work in it.
PrepareOutcome prepare_dlrm(DlrmSource& source, const std::filesystem::path& folder,
                            const PrepareOptions& options);

}  // namespace octavo
