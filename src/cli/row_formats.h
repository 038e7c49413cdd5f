#pragma once
#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "compiler/import/dlrm/source.h"

namespace octavo::cli {

/// The options that choose how a DLRM's rows are stored.
struct RowFormatOptions {
  std::string precision = "f32";
  std::optional<double> error_budget;
  std::vector<std::string> tables;  ///< "19:s8_row"

  /// Declares --precision, --error-budget and --table-precision.
  void declare(CLI::App& verb);
  /// One format for each table of `source`. Error(invalid_argument) for a table that is not there.
  [[nodiscard]] std::vector<RowFormat> formats_for(DlrmSource& source) const;
  /// Bytes that the tables of `model` will take: those of --table-precision left out of account, and with an
  /// error budget as if all had 8 bits.
  [[nodiscard]] std::int64_t bytes_of(const DlrmModel& model) const;
};

}  // namespace octavo::cli
