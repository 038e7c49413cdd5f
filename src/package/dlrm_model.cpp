#include "package/dlrm_model.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "base/fail.h"

namespace octavo {
namespace {

constexpr std::array<std::string_view, 3> kInteractionNames{"dot", "dot_with_self", "cat"};

void check_count(std::string_view what, std::int64_t value, std::int64_t most) {
  if (value < 1 || value > most) {
    fail(ErrorCode::invalid_model, "{} is {}, expected 1 to {}", what, value, most);
  }
}

void check_widths(std::string_view name, const std::vector<std::int64_t>& widths, std::int64_t last) {
  check_count(fmt::format("the number of {} layers", name), static_cast<std::int64_t>(widths.size()),
              kMostDlrmLayers);
  for (std::size_t i = 0; i < widths.size(); ++i) {
    check_count(fmt::format("the width of {} layer {}", name, i), widths[i], kMostDlrmWidth);
  }
  if (widths.back() != last) {
    fail(ErrorCode::invalid_model, "the last {} layer is {} wide, expected {}", name, widths.back(), last);
  }
}

void check_table(const DlrmModel& model, std::size_t t) {
  const DlrmTable& table = model.tables[t];
  check_count(fmt::format("the number of rows of table {}", t), table.rows, kMostDlrmRows);
  if (!std::isfinite(table.scale) || table.scale <= 0.0F) {
    fail(ErrorCode::invalid_model, "table {} has scale {}", t, table.scale);
  }
  for (const int entry : table.codebook) {
    if (entry < -127) fail(ErrorCode::invalid_model, "table {} has codebook entry {}", t, entry);
  }
}

void check_range(std::string_view what, ValueRange range) {
  if (!std::isfinite(range.min) || !std::isfinite(range.max) || range.min > range.max) {
    fail(ErrorCode::invalid_model, "calibration: {} range from {} to {}", what, range.min, range.max);
  }
}

void check_ranges(std::string_view what, const std::vector<ValueRange>& ranges, std::size_t expected) {
  if (ranges.size() != expected) {
    fail(ErrorCode::invalid_model, "calibration has {} {} ranges, expected {}", ranges.size(), what,
         expected);
  }
  for (const ValueRange& range : ranges) check_range(what, range);
}

void check_calibration(const DlrmModel& model) {
  const DlrmCalibration& c = *model.calibration;
  if (c.samples < 1) fail(ErrorCode::invalid_model, "calibration on {} samples", c.samples);
  check_range("dense", c.dense);
  check_ranges("bottom", c.bottom, model.bottom.size());
  check_ranges("embeddings", c.embeddings, model.tables.size());
  check_ranges("dots", c.dots, static_cast<std::size_t>(dot_products(model)));
  check_ranges("top", c.top, model.top.size());
  if (c.largest_bag < 0) fail(ErrorCode::invalid_model, "calibration with bags of {} rows", c.largest_bag);
}

void check_tuning(const DlrmTuning& tuning) {
  if (tuning.samples_per_pass < 0) {
    fail(ErrorCode::invalid_model, "tuning for {} on {} with {} samples at a time", tuning.arithmetic,
         tuning.isa, tuning.samples_per_pass);
  }
}

}  // namespace

std::string_view interaction_name(Interaction interaction) noexcept {
  return kInteractionNames[static_cast<std::size_t>(interaction)];
}

std::optional<Interaction> parse_interaction(std::string_view name) noexcept {
  const auto* const found = std::find(kInteractionNames.begin(), kInteractionNames.end(), name);
  if (found == kInteractionNames.end()) return std::nullopt;
  return static_cast<Interaction>(found - kInteractionNames.begin());
}

std::int64_t dot_products(const DlrmModel& model) {
  const auto vectors = static_cast<std::int64_t>(model.tables.size()) + 1;
  switch (model.interaction) {
    case Interaction::dot:
      return vectors * (vectors - 1) / 2;
    case Interaction::dot_with_self:
      return vectors * (vectors + 1) / 2;
    case Interaction::cat:
      return 0;
  }
  return 0;
}

std::int64_t interaction_width(const DlrmModel& model) {
  if (model.interaction == Interaction::cat) return model.dim * (std::ssize(model.tables) + 1);
  return model.dim + dot_products(model);
}

std::int64_t bottom_inputs(const DlrmModel& model, std::size_t i) {
  return i == 0 ? model.dense_features : model.bottom.at(i - 1);
}

std::int64_t top_inputs(const DlrmModel& model, std::size_t i) {
  return i == 0 ? interaction_width(model) : model.top.at(i - 1);
}

std::int64_t table_bytes(const DlrmModel& model, std::size_t t) {
  const DlrmTable& table = model.tables.at(t);
  return table.rows * row_bytes(table.format, model.dim);
}

std::int64_t all_table_bytes(const DlrmModel& model) {
  std::int64_t bytes = 0;
  for (std::size_t t = 0; t < model.tables.size(); ++t) bytes += table_bytes(model, t);
  return bytes;
}

std::int64_t all_table_bytes(const DlrmModel& model, RowFormat format) {
  std::int64_t bytes = 0;
  for (const DlrmTable& table : model.tables) bytes += table.rows * row_bytes(format, model.dim);
  return bytes;
}

void check(const DlrmModel& model) {
  check_count("the number of dense features", model.dense_features, kMostDlrmWidth);
  check_count("the number of elements of a row", model.dim, kMostDlrmDim);
  check_count("the number of tables", static_cast<std::int64_t>(model.tables.size()), kMostDlrmTables);
  check_widths("bottom", model.bottom, model.dim);
  check_widths("top", model.top, 1);
  for (std::size_t t = 0; t < model.tables.size(); ++t) check_table(model, t);
  if (model.calibration) check_calibration(model);
  for (const DlrmTuning& tuning : model.tunings) check_tuning(tuning);
}

const DlrmTuning* find_tuning(const DlrmModel& model, std::string_view arithmetic, std::string_view isa) {
  for (const DlrmTuning& tuning : model.tunings) {
    if (tuning.arithmetic == arithmetic && tuning.isa == isa) return &tuning;
  }
  return nullptr;
}

void set_tuning(DlrmModel& model, const DlrmTuning& tuning) {
  std::erase_if(model.tunings, [&](const DlrmTuning& old) {
    return old.arithmetic == tuning.arithmetic && old.isa == tuning.isa;
  });
  model.tunings.push_back(tuning);
}

std::string print(const DlrmModel& model) {
  std::int64_t rows = 0;
  for (const DlrmTable& table : model.tables) rows += table.rows;
  return fmt::format("{} tables x {}, {} rows; {}-{}, {}, {}-{}", model.tables.size(), model.dim, rows,
                     model.dense_features, fmt::join(model.bottom, "-"), interaction_name(model.interaction),
                     interaction_width(model), fmt::join(model.top, "-"));
}

}  // namespace octavo
