#pragma once
#include <filesystem>
#include <functional>

#include "compiler/import/dlrm/source.h"

namespace octavo {

/// Codes the rows of `source` and writes them to `path`, which appears when it is whole. `table` says rows
/// and format; the result is `table` with the scale, codebook and checksum that came out. `written` is told
/// the bytes of each piece. Reading and coding overlap; a few pieces of the table are in memory.
DlrmTable write_table(TableSource& source, const DlrmTable& table, std::int64_t dim,
                      const std::filesystem::path& path, const std::function<void(std::int64_t)>& written);

}  // namespace octavo
