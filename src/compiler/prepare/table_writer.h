#pragma once
#include <filesystem>
#include <functional>

#include "compiler/import/dlrm/source.h"
#include "engine/embedding/row_coding.h"

namespace octavo {

/// What the rows of `source` are to be coded with: a scale for all rows is learned from all of them, a
/// codebook of a large table from parts that are spread over it.
RowCoding fit_coding(TableSource& source, const DlrmTable& table, std::int64_t dim);

/// Codes all rows of `source`, in order: `take` is given each piece. Reading and coding overlap; a few pieces
/// of the table are in memory.
void for_each_coded_piece(TableSource& source, std::int64_t table_rows, const RowCoding& coding,
                          const std::function<void(std::span<const std::byte>)>& take);

/// Codes the rows of `source` and writes them to `path`, which appears when it is whole. `table` says rows
/// and format; the result is `table` with the scale, codebook and checksum that came out. `written` is told
/// the bytes of each piece.
DlrmTable write_table(TableSource& source, const DlrmTable& table, std::int64_t dim,
                      const std::filesystem::path& path, const std::function<void(std::int64_t)>& written);

}  // namespace octavo
