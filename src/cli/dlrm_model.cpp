#include "cli/dlrm_model.h"

#include <array>
#include <charconv>
#include <fstream>

#include "base/fail.h"
#include "compiler/import/torchscript/archive.h"
#include "compiler/prepare/load_dlrm.h"

namespace octavo::cli {
namespace {

/// torch.save's ZIP holds tensors and no code; jit.save's holds both.
bool is_dlrm_file(const std::filesystem::path& path) {
  try {
    return path.extension() == ".onnx" ? takes_row_numbers(path) : !torchscript::Archive(path).has_code();
  } catch (const Error&) {
    return false;  // damaged or something else: what opens it says so
  }
}

IndexRule parse_rule(const std::string& text) {
  if (text == "usual") return {};
  if (text == "none") return {IndexRule::Kind::as_is, 0};
  if (text == "rows") return {IndexRule::Kind::rows, 0};
  IndexRule rule{IndexRule::Kind::divisor, 0};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), rule.divisor);
  if (error != std::errc() || end != text.data() + text.size() || rule.divisor < 1) {
    fail(ErrorCode::invalid_argument, "--modulo '{}': expected none, rows or a number", text);
  }
  return rule;
}

}  // namespace

bool is_dlrm(const std::filesystem::path& path) {
  if (std::filesystem::is_directory(path)) {
    return is_package_folder(path) || std::filesystem::exists(path / "p0");
  }
  return std::filesystem::is_regular_file(path) && is_dlrm_file(path);
}

ClickShape shape_of(const DlrmModel& model) {
  ClickShape shape{model.dense_features, {}};
  for (const DlrmTable& table : model.tables) shape.rows.push_back(table.rows);
  return shape;
}

ClickShape shape_of(const Dlrm& model) { return {model.dense_features(), model.rows()}; }

void DlrmOptions::declare(CLI::App& verb) {
  verb.add_option("--modulo", modulo,
                  "DLRM: row numbers modulo this: none, rows (of the table) or a number (max_ind_range)");
  verb.add_option("--arithmetic", arithmetic, "DLRM: of the layers, f32, bf16 or int8")
      ->check(CLI::IsMember({"f32", "bf16", "int8"}))
      ->capture_default_str();
  verb.add_option("--tables", place, "DLRM: read the tables into memory, or leave them mapped in their files")
      ->check(CLI::IsMember({"memory", "mapped"}))
      ->capture_default_str();
  rows.declare(verb);
}

Dlrm DlrmOptions::open(const std::string& model, const RunOptions& run) const {
  if (is_package_folder(model)) {
    return Dlrm::open(model, place == "mapped" ? TablePlace::mapped : TablePlace::memory, run.threads);
  }
  DlrmSource source = open_dlrm_source(model);
  const std::vector<RowFormat> formats = rows.formats_for(source);
  return load_dlrm(std::move(source), formats);
}

DlrmSessionOptions DlrmOptions::session_options(const RunOptions& run) const {
  DlrmSessionOptions options;
  options.precision = arithmetic == "int8"   ? DlrmPrecision::int8
                      : arithmetic == "bf16" ? DlrmPrecision::bf16
                                             : DlrmPrecision::f32;
  options.threads = run.threads;
  if (!run.cpus.empty()) options.cpus = run.session_options().cpus;
  options.kernel = run.kernels;
  return options;
}

std::unique_ptr<ClickReader> DlrmOptions::open_data(const ClickShape& shape) const {
  return open_clicks(data, shape, parse_rule(modulo));
}

ScoredClicks score_clicks(DlrmSession& session, ClickReader& data) {
  constexpr std::int64_t kPiece = 4096;  // samples; scores do not depend on it
  ScoredClicks scored;
  for (;;) {
    const Clicks clicks = data.next(kPiece);
    if (clicks.samples == 0) break;
    const std::size_t begin = scored.scores.size();
    scored.scores.resize(begin + static_cast<std::size_t>(clicks.samples));
    try {
      session.score({clicks.samples, clicks.dense, clicks.indices, clicks.offsets},
                    std::span(scored.scores).subspan(begin));
    } catch (const Error& e) {
      throw e.within(fmt::format("samples from {} on", begin));
    }
    scored.labels.insert(scored.labels.end(), clicks.labels.begin(), clicks.labels.end());
    scored.reference.insert(scored.reference.end(), clicks.reference.begin(), clicks.reference.end());
  }
  if (scored.scores.empty()) fail(ErrorCode::invalid_argument, "the data has no samples");
  return scored;
}

}  // namespace octavo::cli
