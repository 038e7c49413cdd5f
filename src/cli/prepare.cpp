#include <fmt/format.h>

#include "base/fail.h"
#include "cli/dlrm_calibration.h"
#include "cli/model_options.h"
#include "cli/progress.h"
#include "cli/row_formats.h"
#include "cli/verbs.h"
#include "compiler/import/dlrm/synthetic.h"
#include "compiler/import/dlrm/variants.h"
#include "compiler/prepare/prepare_dlrm.h"

namespace octavo::cli {
namespace {

struct Options {
  std::string output;
  std::string variant;
  std::string from;
  bool synthetic = false;
  double rows_scale = 1.0;
  std::uint64_t seed = 1;
  RowFormatOptions rows;
  DlrmOptions calibration;  ///< its data; empty = a synthetic model on generated samples, others not at all
  std::int64_t calibration_samples = 8192;
};

DlrmSource open_source(const Options& options) {
  if (options.synthetic) {
    if (options.variant.empty()) fail(ErrorCode::invalid_argument, "--synthetic needs --variant");
    return synthetic_dlrm(find_dlrm_variant(options.variant).model(), options.rows_scale, options.seed);
  }
  DlrmSource source = open_dlrm_source(options.from);
  if (!options.variant.empty()) {
    const DlrmModel expected = find_dlrm_variant(options.variant).model();
    if (print(expected) != print(source.model)) {
      fail(ErrorCode::invalid_model, "'{}' is no {}: it has {}, expected {}", options.from, options.variant,
           print(source.model), print(expected));
    }
  }
  return source;
}

/// A synthetic model has no data of its own: generated samples give it ranges, so that int8 can be tried.
void calibrate(const Options& options) {
  DlrmOptions data = options.calibration;
  if (data.data.empty() && options.synthetic) data.data = "zipf:1024";
  if (data.data.empty()) return;
  const std::int64_t samples = calibrate_package(options.output, data, options.calibration_samples);
  fmt::print("{}: calibrated on {} samples\n", options.output, samples);
}

void prepare(const Options& options) {
  DlrmSource source = open_source(options);
  const std::vector<RowFormat> formats = options.rows.formats_for(source);
  fmt::print("{}: {}\n", source.provenance.source, print(source.model));
  std::unique_ptr<ProgressLine> line;
  const auto show = [&](const PrepareProgress& progress) {
    if (line == nullptr) line = std::make_unique<ProgressLine>(options.output, progress.bytes_done);
    line->update(progress.bytes_done, progress.bytes);
  };
  const PrepareOutcome outcome = prepare_dlrm(source, options.output, {formats, show});
  line.reset();
  const DlrmPackage package = open_dlrm_package(options.output);
  fmt::print("{}: {} tables written, {} kept, {} in all\n", options.output, outcome.tables_written,
             outcome.tables_kept, bytes_text(all_table_bytes(package.model)));
  calibrate(options);
}

}  // namespace

void add_prepare(CLI::App& app) {
  CLI::App* verb = app.add_subcommand("prepare", "make a package of a model too large to compile in memory");
  verb->require_subcommand(1);
  CLI::App* dlrm = verb->add_subcommand("dlrm", "a recommendation model, its embedding tables streamed");
  const auto options = std::make_shared<Options>();
  dlrm->add_option("-o,--output", options->output, "the package's folder; an interrupted run goes on there")
      ->required();
  CLI::Option* from = dlrm->add_option(
      "--from", options->from,
      "a PyTorch checkpoint (.pt), an ONNX export (.onnx), the demo's folder of p0, p1, …, or "
      "another package");
  dlrm->add_option("--variant", options->variant, "40m, 10m or kaggle");
  CLI::Option* synthetic =
      dlrm->add_flag("--synthetic", options->synthetic, "random weights in the variant's exact architecture")
          ->excludes(from);
  dlrm->add_option("--rows-scale", options->rows_scale, "multiply the tables' rows")
      ->needs(synthetic)
      ->capture_default_str();
  dlrm->add_option("--seed", options->seed, "of the random weights")->needs(synthetic)->capture_default_str();
  options->rows.declare(*dlrm);
  dlrm->add_option("--calibrate", options->calibration.data,
                   "click data to measure activations on, for int8 (run --help says which forms)");
  dlrm->add_option("--calibrate-samples", options->calibration_samples, "how many of them")
      ->check(CLI::Range(1, 1 << 24))
      ->capture_default_str();
  dlrm->add_option("--modulo", options->calibration.modulo,
                   "its row numbers modulo this: none, rows (of the table) or a number (max_ind_range)");
  dlrm->footer(
      "Killed or failed, the same command goes on where it stopped, by whole tables.\nExamples:\n"
      "  octavo prepare dlrm --from tb00_40M.pt --precision s4_row --calibrate day_23.npz -o dlrm_40m\n"
      "  octavo prepare dlrm --variant 40m --synthetic --rows-scale 0.01 -o small");
  dlrm->callback([options, from] {
    if (from->empty() && !options->synthetic) {
      fail(ErrorCode::invalid_argument, "--from or --synthetic is missing");
    }
    prepare(*options);
  });
}

}  // namespace octavo::cli
