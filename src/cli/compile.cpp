#include "octavo/compile.h"

#include <fmt/format.h>

#include "base/fail.h"
#include "cli/artifacts.h"
#include "cli/model_options.h"
#include "compiler/tune/tune.h"

namespace octavo::cli {
namespace {

struct Options {
  ModelOptions model;
  std::string output = "saved_model.tar";
  std::string output_folder, log_file;
  std::int64_t batch = 1;
  int threads = 1;
  std::string weights = "inside";
  std::string dump_after;
};

/// The package with the choices of the log, and the number of trials behind them.
std::pair<Package, std::int64_t> tuned(const Package& package, const Options& options) {
  if (options.log_file.empty()) return {package, 0};
  if (!std::filesystem::exists(options.log_file))
    fail(ErrorCode::io, "tuning log '{}' is not there", options.log_file);
  TuneOptions use;
  use.batch = options.batch;
  use.threads = options.threads;
  const TuneResult result = apply_log(package, read_tuning_log(options.log_file), use);
  for (const std::string& note : result.notes) {
    if (!options.model.quiet) fmt::print(stderr, "note: {}\n", note);
  }
  return {result.package, result.trials};
}

void run(const Options& options) {
  CompileOptions compile_options = options.model.compile_options();
  if (!options.dump_after.empty()) {
    compile_options.after_pass = [&](std::string_view pass, const std::function<std::string()>& text,
                                     double ms) {
      if (options.dump_after != "all" && options.dump_after != pass) return;
      fmt::print("after {} ({:.1f} ms):\n{}\n", pass, ms, text());
    };
  }
  const auto [package, trials] = tuned(compile(options.model.model, compile_options), options);
  if (!options.output_folder.empty())
    return write_artifacts(options.output_folder, package, trials, parse_library_weights(options.weights));
  package.save(options.output);
  fmt::print("{}: {} steps, weights {}\n", options.output, Session(package).steps().size(),
             bytes_text(package.weights_bytes()));
}

}  // namespace

void add_compile(CLI::App& app) {
  CLI::App* verb = app.add_subcommand("compile", "turn a model file into a package");
  const auto options = std::make_shared<Options>();
  options->model.declare(*verb);
  verb->add_option("-o,--output", options->output, "the package to write")->capture_default_str();
  verb->add_option(
          "--output-folder", options->output_folder,
          "write saved_model_<N>.tar, saved_model_<N>.tar.so and model_serialized_tuned_<N>.json there "
          "instead")
      ->excludes("--output");
  verb->add_option("--log-file", options->log_file, "choose kernels by this log of `octavo tune`");
  verb->add_option("-b,--batch", options->batch, "choose for runs of this many images")
      ->check(CLI::Range(1, 1 << 20));
  verb->add_option("-t,--threads", options->threads, "choose for this many threads")
      ->check(CLI::Range(1, 1024));
  verb->add_option("--weights", options->weights, "in the shared library, or external: in the package alone")
      ->check(CLI::IsMember({"inside", "external"}))
      ->capture_default_str();
  verb->add_option("--dump-after", options->dump_after, "print the graph after this pass ('import', 'all')");
  verb->footer(
      "Examples:\n  octavo compile resnet50.pt -o resnet50.tar\n  octavo compile net.pt --input-shape "
      "3,32,32\n"
      "  octavo compile resnet50.pt --log-file tuning.jsonl --batch 32 --output-folder out");
  verb->callback([options] { run(*options); });
}

}  // namespace octavo::cli
