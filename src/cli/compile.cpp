#include "octavo/compile.h"

#include <fmt/format.h>

#include "base/fail.h"
#include "cli/artifacts.h"
#include "cli/model_options.h"
#include "compiler/tune/dlrm_tune.h"
#include "package/dlrm_package.h"

namespace octavo::cli {
namespace {

struct Options {
  ModelOptions model;
  std::string output, output_folder, log_file;
  std::int64_t batch = 1;
  int threads = 1;
  std::string weights = "inside";
  std::string dump_after;
};

LoggedTrials read_log(const Options& options) {
  if (!std::filesystem::exists(options.log_file))
    fail(ErrorCode::io, "tuning log '{}' is not there", options.log_file);
  return read_tuning_log(options.log_file);
}

TuneOptions use_of(const Options& options) {
  TuneOptions use;
  use.batch = options.batch;
  use.threads = options.threads;
  return use;
}

void print_notes(const Options& options, const std::vector<std::string>& notes) {
  if (options.model.quiet) return;
  for (const std::string& note : notes) fmt::print(stderr, "note: {}\n", note);
}

/// The package with the choices of the log, and the number of trials behind them.
std::pair<Package, std::int64_t> tuned(const Package& package, const Options& options) {
  if (options.log_file.empty()) return {package, 0};
  const TuneResult result = apply_log(package, read_log(options), use_of(options));
  print_notes(options, result.notes);
  return {result.package, result.trials};
}

/// A DLRM's package is what `octavo prepare` wrote: it takes up the log's choices and is written nowhere
/// else.
void apply_log_to_package(const Options& options) {
  const std::string& folder = options.model.model;
  if (options.log_file.empty()) {
    fail(ErrorCode::invalid_argument, "'{}' is a DLRM package: only --log-file is left to apply to it",
         folder);
  }
  const DlrmLogged found =
      apply_log(Dlrm::open(folder, TablePlace::mapped), read_log(options), use_of(options));
  print_notes(options, found.notes);
  for (const std::string& output : {options.output, options.output_folder}) {
    if (!output.empty()) {
      print_notes(options, {fmt::format("a DLRM's package keeps the choice; '{}' is not written", output)});
    }
  }
  if (found.choices.empty()) {
    fmt::print("{}: stays as it is, the log has nothing for it\n", folder);
    return;
  }
  write_choices(folder, found.choices);
  fmt::print("{}: {} trials of the log stand for that\n", folder, found.trials);
}

void run(const Options& options) {
  if (is_package_folder(options.model.model)) return apply_log_to_package(options);
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
  const std::string output = options.output.empty() ? "saved_model.tar" : options.output;
  package.save(output);
  fmt::print("{}: {} steps, weights {}\n", output, Session(package).steps().size(),
             bytes_text(package.weights_bytes()));
}

}  // namespace

void add_compile(CLI::App& app) {
  CLI::App* verb = app.add_subcommand("compile", "turn a model file into a package");
  const auto options = std::make_shared<Options>();
  options->model.declare(*verb);
  verb->add_option("-o,--output", options->output, "the package to write; default: saved_model.tar");
  verb->add_option(
          "--output-folder", options->output_folder,
          "write saved_model_<N>.tar, saved_model_<N>.tar.so and model_serialized_tuned_<N>.json there "
          "instead")
      ->excludes("--output");
  verb->add_option("--log-file", options->log_file,
                   "choose kernels by this log of `octavo tune`; a DLRM package keeps the choice");
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
      "  octavo compile resnet50.pt --log-file tuning.jsonl --batch 32 --output-folder out\n"
      "  octavo compile dlrm_package --log-file tuning.jsonl --batch 2048");
  verb->callback([options] { run(*options); });
}

}  // namespace octavo::cli
