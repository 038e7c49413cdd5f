#include "cli/dlrm_verbs.h"

#include <fmt/format.h>

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "base/fail.h"
#include "data/clicks/metrics.h"
#include "data/npy.h"
#include "data/npz.h"

namespace octavo::cli {
namespace {

ScoredClicks score_all(const std::string& model, const RunOptions& run, const DlrmOptions& options,
                       std::string& name) {
  const Dlrm dlrm = options.open(model, run);
  name = dlrm.name();
  const auto data = options.open_data(shape_of(dlrm));
  DlrmSession session(dlrm, options.session_options(run));
  return score_clicks(session, *data);
}

/// The scores of another model, in f32 and with the rows that it has (f32 for model files).
std::vector<float> f32_scores(const std::string& model, const RunOptions& run, const DlrmOptions& options) {
  DlrmOptions exact = options;
  exact.arithmetic = "f32";
  exact.rows = {};
  std::string name;
  return score_all(model, run, exact, name).scores;
}

struct Difference {
  double max = 0.0;
  double mean = 0.0;
};

/// A score that is no number differs infinitely.
Difference difference(std::span<const float> ours, std::span<const float> theirs) {
  Difference result;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    double d = std::abs(static_cast<double>(ours[i]) - static_cast<double>(theirs[i]));
    if (std::isnan(d)) d = INFINITY;
    result.max = std::max(result.max, d);
    result.mean += d / static_cast<double>(ours.size());
  }
  return result;
}

/// "AUC 0.7412 (reference 0.7412), log loss 0.1394 (reference 0.1394)"
std::string accuracy_text(const ScoredClicks& scored, double auc) {
  const auto beside = [&](double (*metric)(std::span<const float>, std::span<const float>)) {
    return scored.reference.empty()
               ? std::string()
               : fmt::format(" (reference {:.6f})", metric(scored.reference, scored.labels));
  };
  return fmt::format("AUC {:.6f}{}, log loss {:.6f}{}", auc, beside(roc_auc),
                     log_loss(scored.scores, scored.labels), beside(log_loss));
}

void print_tables(const DlrmModel& model) {
  fmt::print("table         rows  format       row bytes      size\n");
  for (std::size_t t = 0; t < model.tables.size(); ++t) {
    const DlrmTable& table = model.tables[t];
    fmt::print("{:5} {:12}  {:11}  {:9}  {:>8}\n", t, table.rows, row_format_name(table.format),
               row_bytes(table.format, model.dim), bytes_text(table_bytes(model, t)));
  }
}

nlohmann::ordered_json tables_json(const DlrmModel& model) {
  nlohmann::ordered_json tables = nlohmann::ordered_json::array();
  for (std::size_t t = 0; t < model.tables.size(); ++t) {
    const DlrmTable& table = model.tables[t];
    tables.push_back({{"rows", table.rows},
                      {"row_format", row_format_name(table.format)},
                      {"row_bytes", row_bytes(table.format, model.dim)},
                      {"bytes", table_bytes(model, t)}});
  }
  return tables;
}

nlohmann::ordered_json tunings_json(const DlrmModel& model) {
  nlohmann::ordered_json tunings = nlohmann::ordered_json::array();
  for (const DlrmTuning& tuning : model.tunings) {
    tunings.push_back({{"arithmetic", tuning.arithmetic},
                       {"isa", tuning.isa},
                       {"kernel", tuning.kernel},
                       {"samples_per_pass", tuning.samples_per_pass},
                       {"batch", tuning.batch},
                       {"threads", tuning.threads}});
  }
  return tunings;
}

std::int64_t layer_bytes(const DlrmModel& model) {
  std::int64_t values = 0;
  for (std::size_t i = 0; i < model.bottom.size(); ++i)
    values += model.bottom[i] * (bottom_inputs(model, i) + 1);
  for (std::size_t i = 0; i < model.top.size(); ++i) values += model.top[i] * (top_inputs(model, i) + 1);
  return values * 4;
}

}  // namespace

void run_dlrm(const std::string& model, const RunOptions& run, const DlrmOptions& options,
              const std::string& output) {
  std::string name;
  const ScoredClicks scored = score_all(model, run, options, name);
  double sum = 0.0;
  for (float score : scored.scores) sum += score;
  fmt::print("{}: {} samples, mean score {:.6f}\n", name, scored.scores.size(),
             sum / static_cast<double>(scored.scores.size()));
  if (output.empty()) return;
  const TensorView scores{
      DType::f32, {std::ssize(scored.scores), 1}, reinterpret_cast<const std::byte*>(scored.scores.data())};
  if (output.ends_with(".npy")) {
    write_npy(output, scores);
  } else {
    write_npz(output, std::vector<NpzMember>{{"pred", scores}});
  }
}

void verify_dlrm(const std::string& model, const RunOptions& run, const DlrmOptions& options,
                 const DlrmExpectation& expectation) {
  std::string name;
  ScoredClicks scored = score_all(model, run, options, name);
  if (!expectation.reference.empty()) scored.reference = f32_scores(expectation.reference, run, options);
  if (scored.labels.empty() && scored.reference.empty()) {
    fail(ErrorCode::invalid_argument,
         "'{}' has neither labels nor reference outputs: --reference MODEL computes some", options.data);
  }
  bool holds = true;
  std::string text;
  if (!scored.reference.empty()) {
    const Difference d = difference(scored.scores, scored.reference);
    holds = d.max <= expectation.tolerance;
    text += fmt::format(", max difference {:.3g}, mean {:.3g}", d.max, d.mean);
  }
  if (!scored.labels.empty()) {
    const double auc = roc_auc(scored.scores, scored.labels);
    holds = holds && !(auc < expectation.min_auc);
    text += ", " + accuracy_text(scored, auc);
  }
  fmt::print("{}: {} samples{}, {}\n", name, scored.scores.size(), text,
             holds ? "as expected" : "NOT as expected");
  if (!holds) throw ExitCode{1};
}

void verify_checksums(const std::string& folder) {
  const DlrmPackage package = open_dlrm_package(folder);
  std::size_t damaged = 0;
  for (std::size_t t = 0; t < package.model.tables.size(); ++t) {
    try {
      check_table(package, t);
    } catch (const Error& e) {
      fmt::print("{}\n", e.what());
      ++damaged;
    }
  }
  fmt::print("{}: {} of {} tables are as prepared\n", folder, package.model.tables.size() - damaged,
             package.model.tables.size());
  if (damaged > 0) throw ExitCode{1};
}

void inspect_dlrm(const std::string& path, bool as_json) {
  const DlrmModel model =
      is_package_folder(path) ? open_dlrm_package(path).model : open_dlrm_source(path).model;
  if (as_json) {
    const nlohmann::ordered_json json{{"kind", "dlrm"},
                                      {"model", model.name},
                                      {"dense_features", model.dense_features},
                                      {"dim", model.dim},
                                      {"bottom", model.bottom},
                                      {"interaction", interaction_name(model.interaction)},
                                      {"top", model.top},
                                      {"layer_bytes", layer_bytes(model)},
                                      {"table_bytes", all_table_bytes(model)},
                                      {"is_calibrated", model.calibration.has_value()},
                                      {"tunings", tunings_json(model)},
                                      {"tables", tables_json(model)}};
    fmt::print("{}\n", json.dump(1));
    return;
  }
  fmt::print("model    {}\nshape    {}\nlayers   {}\ntables   {}\nint8     {}\n", model.name, print(model),
             bytes_text(layer_bytes(model)), bytes_text(all_table_bytes(model)),
             model.calibration ? fmt::format("calibrated on {} samples", model.calibration->samples)
                               : "not calibrated");
  for (const DlrmTuning& tuning : model.tunings) {
    fmt::print(
        "tuned    {} on {}: {}{} for batch {}, {} threads\n", tuning.arithmetic, tuning.isa, tuning.kernel,
        tuning.samples_per_pass > 0 ? fmt::format(", {} samples at a time", tuning.samples_per_pass) : "",
        tuning.batch, tuning.threads);
  }
  print_tables(model);
}

}  // namespace octavo::cli
