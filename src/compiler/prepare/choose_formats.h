#pragma once
#include <vector>

#include "compiler/import/dlrm/source.h"

namespace octavo {

/// A table's row format, and what it loses: the root of the mean square of the elements' errors, relative to
/// that of the elements.
struct FormatChoice {
  RowFormat format = RowFormat::f32;
  double error = 0.0;
};

/// For each table the format with the smallest rows that loses no more than `budget`, measured on some
/// thousand rows spread over the table. Error(invalid_argument) for a budget that is negative or no number.
std::vector<FormatChoice> choose_formats(DlrmSource& source, double budget);

/// What `format` loses on these rows.
double format_error(RowFormat format, std::int64_t dim, std::span<const float> rows);

}  // namespace octavo
