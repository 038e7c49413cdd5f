#include "compiler/prepare/choose_formats.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "base/fail.h"
#include "engine/embedding/row_coding.h"

namespace octavo {
namespace {

/// Smallest rows first (for any dim from 5 on); f32 loses nothing.
constexpr std::array<RowFormat, kRowFormats> kBySize{RowFormat::s4_codebook, RowFormat::s4_row,
                                                     RowFormat::s8_table,    RowFormat::s8_row,
                                                     RowFormat::f16,         RowFormat::f32};

/// Rows in up to kPieces pieces from the first to the last of the table.
std::vector<float> sample_rows(TableSource& source, std::int64_t table_rows, std::int64_t dim) {
  constexpr std::int64_t kPieces = 32;
  constexpr std::int64_t kPieceRows = 256;
  const std::int64_t pieces = std::min(kPieces, (table_rows + kPieceRows - 1) / kPieceRows);
  std::vector<float> rows;
  for (std::int64_t i = 0; i < pieces; ++i) {
    const std::int64_t first = pieces == 1 ? 0 : i * (table_rows - kPieceRows) / (pieces - 1);
    const std::int64_t count = std::min(kPieceRows, table_rows - first);
    const auto begin = rows.size();
    rows.resize(begin + static_cast<std::size_t>(count * dim));
    source.read(first, std::span(rows).subspan(begin));
  }
  return rows;
}

}  // namespace

double format_error(RowFormat format, std::int64_t dim, std::span<const float> rows) {
  RowCodingFit fit(format, dim);
  fit.add(rows);
  const RowCoding coding = fit.coding();
  const auto count = std::ssize(rows) / dim;
  std::vector<std::byte> bytes(static_cast<std::size_t>(count * row_bytes(format, dim)));
  std::vector<float> decoded(rows.size());
  try {
    encode_rows(coding, rows, bytes);
  } catch (const Error&) {
    return std::numeric_limits<double>::infinity();  // a value that this format cannot hold
  }
  decode_rows(coding, bytes, decoded);
  double squares = 0.0;
  double lost = 0.0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const double error = static_cast<double>(decoded[i]) - static_cast<double>(rows[i]);
    squares += static_cast<double>(rows[i]) * static_cast<double>(rows[i]);
    lost += error * error;
  }
  return lost == 0.0 ? 0.0 : std::sqrt(lost / squares);
}

std::vector<FormatChoice> choose_formats(DlrmSource& source, double budget) {
  if (!(budget >= 0.0)) fail(ErrorCode::invalid_argument, "an error budget of {}", budget);
  std::vector<FormatChoice> choices;
  for (std::size_t t = 0; t < source.tables.size(); ++t) {
    const std::int64_t dim = source.model.dim;
    const std::vector<float> rows = sample_rows(*source.tables[t], source.model.tables[t].rows, dim);
    FormatChoice choice;
    for (const RowFormat format : kBySize) {
      choice = {format, format_error(format, dim, rows)};
      if (choice.error <= budget) break;
    }
    choices.push_back(choice);
  }
  return choices;
}

}  // namespace octavo
