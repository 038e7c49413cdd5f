#pragma once
#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>

#include "cli/model_options.h"
#include "cli/row_formats.h"
#include "data/clicks/clicks.h"
#include "octavo/dlrm.h"

namespace octavo::cli {

/// Whether the path is a recommendation model: a DLRM package's folder, the demo's folder of p0, p1, …, a
/// checkpoint without code, or an ONNX model that takes row numbers.
bool is_dlrm(const std::filesystem::path& path);

/// What the model takes.
ClickShape shape_of(const DlrmModel& model);
ClickShape shape_of(const Dlrm& model);

/// What a user may name as click data, for --help.
inline constexpr const char* kClickForms =
    "Click data: a folder with batch_dense_X_ref, batch_lS_i_ref and batch_res_ref; FILE.bin (Criteo's "
    "int32\n"
    "rows); FILE.npz (X_int, X_cat or bags, y, pred); Criteo's lines of text; "
    "zipf:SAMPLES[:EXPONENT[:SEED]].\n";

/// The options of verbs that score click data, in addition to those of any model.
struct DlrmOptions {
  std::string data;
  std::string modulo = "usual";
  std::string arithmetic = "f32";
  std::string place = "memory";
  RowFormatOptions rows;

  /// Declares --modulo, --arithmetic, --tables and, for models that are no package yet, --precision.
  void declare(CLI::App& verb);
  /// Opens a package, or loads another model's tables into memory.
  [[nodiscard]] Dlrm open(const std::string& model, const RunOptions& run) const;
  [[nodiscard]] DlrmSessionOptions session_options(const RunOptions& run) const;
  [[nodiscard]] std::unique_ptr<ClickReader> open_data(const ClickShape& shape) const;
};

/// All samples of a data set with what a model makes of them.
struct ScoredClicks {
  std::vector<float> scores;
  std::vector<float> labels;     ///< empty without
  std::vector<float> reference;  ///< empty without
};

/// Scores everything that `data` gives, a few thousand samples at a time. Error(invalid_argument) when there
/// is none.
ScoredClicks score_clicks(DlrmSession& session, ClickReader& data);

}  // namespace octavo::cli
