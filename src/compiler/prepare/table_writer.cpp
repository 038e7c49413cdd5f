#include "compiler/prepare/table_writer.h"

#include <algorithm>
#include <future>

#include "base/atomic_file.h"
#include "base/crc32c.h"
#include "engine/embedding/row_coding.h"

namespace octavo {
namespace {

/// Floats of a piece: 8 MiB, much more than a disk's latency costs, much less than a small machine has.
constexpr std::int64_t kPieceFloats = std::int64_t{2} << 20U;

/// From how many values of a table, spread evenly over it, its codebook is learned.
constexpr std::int64_t kMostCodebookValues = std::int64_t{128} << 20U;

/// Calls visit(first row, values) for every `stride`-th piece of the table; the next piece is read meanwhile.
template <class Visit>
void for_each_piece(TableSource& source, std::int64_t rows, std::int64_t dim, const Visit& visit,
                    std::int64_t stride = 1) {
  const std::int64_t piece_rows = std::max<std::int64_t>(1, kPieceFloats / dim);
  const auto read = [&](std::int64_t first, std::vector<float> piece) {
    piece.resize(static_cast<std::size_t>(std::min(piece_rows, rows - first) * dim));
    source.read(first, piece);
    return piece;
  };
  std::vector<float> piece = read(0, {});
  std::vector<float> spare;
  const std::int64_t step = piece_rows * stride;
  for (std::int64_t first = 0; first < rows; first += step) {
    std::future<std::vector<float>> next;
    if (first + step < rows) next = std::async(std::launch::async, read, first + step, std::move(spare));
    visit(first, std::span<const float>(piece));
    spare = std::move(piece);
    if (next.valid()) piece = next.get();
  }
}

/// A scale must hold the largest value of all; a codebook of 16 values is known well after fewer.
std::int64_t fit_stride(const DlrmTable& table, std::int64_t dim) {
  if (table.format != RowFormat::s4_codebook) return 1;
  return std::max<std::int64_t>(1, table.rows * dim / kMostCodebookValues);
}

}  // namespace

RowCoding fit_coding(TableSource& source, const DlrmTable& table, std::int64_t dim) {
  RowCodingFit fit(table.format, dim);
  if (has_table_scale(table.format)) {
    for_each_piece(
        source, table.rows, dim, [&](std::int64_t, std::span<const float> values) { fit.add(values); },
        fit_stride(table, dim));
  }
  return fit.coding();
}

void for_each_coded_piece(TableSource& source, std::int64_t table_rows, const RowCoding& coding,
                          const std::function<void(std::span<const std::byte>)>& take) {
  const auto bytes_of_row = static_cast<std::size_t>(row_bytes(coding.format, coding.dim));
  std::vector<std::byte> bytes;
  for_each_piece(source, table_rows, coding.dim, [&](std::int64_t first, std::span<const float> values) {
    bytes.resize(values.size() / static_cast<std::size_t>(coding.dim) * bytes_of_row);
    encode_rows(coding, values, bytes, first);
    take(bytes);
  });
}

DlrmTable write_table(TableSource& source, const DlrmTable& table, std::int64_t dim,
                      const std::filesystem::path& path, const std::function<void(std::int64_t)>& written) {
  const RowCoding coding = fit_coding(source, table, dim);
  DlrmTable result = table;
  result.scale = coding.scale;
  result.codebook = coding.codebook;
  result.crc32c = 0;
  AtomicFile file(path);
  for_each_coded_piece(source, table.rows, coding, [&](std::span<const std::byte> rows) {
    file.write(rows);
    result.crc32c = crc32c(rows, result.crc32c);
    written(std::ssize(rows));
  });
  file.commit();
  return result;
}

}  // namespace octavo
