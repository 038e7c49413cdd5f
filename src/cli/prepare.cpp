#include <fmt/format.h>

#include "base/fail.h"
#include "cli/byte_progress.h"
#include "cli/dlrm_calibration.h"
#include "cli/model_options.h"
#include "cli/row_formats.h"
#include "cli/verbs.h"
#include "compiler/import/dlrm/synthetic.h"
#include "compiler/import/dlrm/variants.h"
#include "compiler/prepare/prepare_dlrm.h"
#include "data/download.h"

namespace octavo::cli {
namespace {

struct Options {
  std::string output;
  std::string variant;
  std::string from;
  std::string url;
  std::string md5;
  std::string download_to;
  std::int64_t retry_pause_ms = 1000;
  bool synthetic = false;
  double rows_scale = 1.0;
  std::uint64_t seed = 1;
  RowFormatOptions rows;
  DlrmOptions calibration;  ///< its data; empty = a synthetic model on generated samples, others not at all
  std::int64_t calibration_samples = 8192;
};

/// Where the checkpoint at `url` goes: beside the package, under the name that it has there.
std::filesystem::path download_place(const Options& options, std::string_view url) {
  if (!options.download_to.empty()) return options.download_to;
  const std::string name(url.substr(url.rfind('/') + 1));
  if (name.empty()) fail(ErrorCode::invalid_argument, "'{}' names no file: --download-to is missing", url);
  const std::filesystem::path package = std::filesystem::path(options.output).lexically_normal();
  return (package.has_filename() ? package : package.parent_path()).parent_path() / name;
}

/// Fetches the checkpoint, unless it is there; returns where it is.
std::filesystem::path fetch(const Options& options) {
  Download what{options.url, {}, options.md5, 0, 8, std::chrono::milliseconds(options.retry_pause_ms), {}};
  std::string licence;
  if (!options.variant.empty()) {
    const DlrmVariant& variant = find_dlrm_variant(options.variant);
    if (what.url.empty()) {
      what.url = variant.url;
      licence = variant.licence;
    }
    if (what.md5.empty()) what.md5 = variant.md5;
    if (what.url.empty()) {
      fail(ErrorCode::unsupported, "nobody publishes a checkpoint of '{}': use --from, --url or --synthetic",
           variant.name);
    }
    what.bytes_beside = options.rows.bytes_of(variant.model());
  }
  what.file = download_place(options, what.url);
  if (std::filesystem::exists(what.file)) return what.file;
  fmt::print("{} -> {}{}\n", what.url, what.file.string(),
             licence.empty() ? "" : " (licence " + licence + ")");
  ByteProgress line(what.file.filename().string());
  what.progress = [&](std::int64_t done, std::int64_t total) { line.update(done, total); };
  download(what);
  return what.file;
}

DlrmSource open_source(const Options& options) {
  if (options.synthetic) {
    if (options.variant.empty()) fail(ErrorCode::invalid_argument, "--synthetic needs --variant");
    return synthetic_dlrm(find_dlrm_variant(options.variant).model(), options.rows_scale, options.seed);
  }
  const std::filesystem::path from =
      options.from.empty() ? fetch(options) : std::filesystem::path(options.from);
  DlrmSource source = open_dlrm_source(from);
  if (!options.variant.empty()) {
    const DlrmModel expected = find_dlrm_variant(options.variant).model();
    if (print(expected) != print(source.model)) {
      fail(ErrorCode::invalid_model, "'{}' is no {}: it has {}, expected {}", from.string(), options.variant,
           print(source.model), print(expected));
    }
  }
  return source;
}

/// A synthetic model has no data of its own: generated samples give it ranges, so that int8 can be tried.
void calibrate(const Options& options) {
  DlrmOptions data = options.calibration;
  if (data.data.empty() && options.synthetic) data.data = "zipf:1024";
  if (data.data.empty()) {
    const auto& carried = open_dlrm_package(options.output).model.calibration;
    if (carried) fmt::print("{}: calibrated on {} samples\n", options.output, carried->samples);
    return;
  }
  const std::int64_t samples = calibrate_package(options.output, data, options.calibration_samples);
  fmt::print("{}: calibrated on {} samples\n", options.output, samples);
}

void prepare(const Options& options) {
  DlrmSource source = open_source(options);
  const std::vector<RowFormat> formats = options.rows.formats_for(source);
  fmt::print("{}: {}\n", source.provenance.source, print(source.model));
  std::unique_ptr<ByteProgress> line;
  const auto show = [&](const PrepareProgress& progress) {
    if (line == nullptr) line = std::make_unique<ByteProgress>(options.output, progress.bytes_done);
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
  dlrm->add_option("--variant", options->variant,
                   "40m, 10m or kaggle: its published checkpoint is fetched, or the model checked to be it");
  dlrm->add_option("--url", options->url, "fetch the checkpoint from here")->excludes(from);
  dlrm->add_option("--md5", options->md5, "what the fetched file's MD5 must be");
  dlrm->add_option("--download-to", options->download_to,
                   "the fetched file (default: beside the package); it stays, and is not fetched again");
  dlrm->add_option("--retry-pause-ms", options->retry_pause_ms,
                   "wait this long before a failed request is repeated, then twice as long")
      ->check(CLI::Range(1, 600000))
      ->capture_default_str();
  CLI::Option* synthetic =
      dlrm->add_flag("--synthetic", options->synthetic, "random weights in the variant's exact architecture")
          ->excludes(from);
  dlrm->add_option("--rows-scale", options->rows_scale, "multiply the tables' rows")
      ->needs(synthetic)
      ->capture_default_str();
  dlrm->add_option("--seed", options->seed, "of the random weights")->needs(synthetic)->capture_default_str();
  options->rows.declare(*dlrm);
  dlrm->add_option("--calibrate", options->calibration.data,
                   "click data to measure activations on, for int8; forms as for run");
  dlrm->add_option("--calibrate-samples", options->calibration_samples, "how many of them")
      ->check(CLI::Range(1, 1 << 24))
      ->capture_default_str();
  dlrm->add_option("--modulo", options->calibration.modulo,
                   "its row numbers modulo this: none, rows (of the table) or a number (max_ind_range)");
  dlrm->footer(
      "Killed or failed, the same command goes on where it stopped, by whole tables.\nExamples:\n"
      "  octavo prepare dlrm --from tb00_40M.pt --precision s4_row --calibrate day_23.npz -o dlrm_40m\n"
      "  octavo prepare dlrm --variant 40m --synthetic --rows-scale 0.01 -o small");
  dlrm->callback([options] {
    if (options->from.empty() && options->url.empty() && options->variant.empty()) {
      fail(ErrorCode::invalid_argument, "--variant, --from or --url is missing");
    }
    prepare(*options);
  });
}

}  // namespace octavo::cli
