#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

#include "base/fail.h"
#include "cli/artifacts.h"
#include "cli/bench_model.h"
#include "cli/model_options.h"
#include "compiler/tune/dlrm_tune.h"

namespace octavo::cli {
namespace {

struct Options {
  ModelOptions model;
  TuneOptions tune;
  DlrmOptions dlrm;
  std::string log, folder = "tuned", weights = "inside";
};

/// A line on stderr that is written over; nothing where that is no terminal.
void show(const TuneProgress& progress) {
  if (::isatty(STDERR_FILENO) == 0) return;
  const bool has_times = progress.chosen_us > 0;
  fmt::print(stderr, "\r{}/{} trials  best {:.1f} us of steps, {:+.1f} % against untuned\033[K",
             progress.trials, progress.most_trials, progress.chosen_us,
             has_times ? 100 * (progress.expected_us / progress.chosen_us - 1) : 0.0);
}

void print_gains(const TuneResult& result) {
  double expected = 0, chosen = 0;
  for (const TunedTask& task : result.tasks) {
    const bool is_step = !task.problem.starts_with("session ") && !task.problem.starts_with("instances ");
    if (is_step) {
      expected += task.expected_us * static_cast<double>(task.uses);
      chosen += task.chosen_us * static_cast<double>(task.uses);
    }
    if (task.chosen == task.expected || task.expected_us <= 0) continue;
    fmt::print("{} x{}, batch {}: {} {:.1f} us -> {} {:.1f} us ({:.2f} x)\n", task.problem, task.uses,
               task.batch, task.expected, task.expected_us, task.chosen, task.chosen_us,
               task.expected_us / task.chosen_us);
  }
  fmt::print("steps of one run: untuned {:.1f} us, tuned {:.1f} us\n", expected, chosen);
}

/// OCTAVO_TUNE_SHUFFLE=7: candidates in an order of chance, as if the tables' order were bad.
std::optional<std::uint64_t> shuffle_seed() {
  const char* text = std::getenv("OCTAVO_TUNE_SHUFFLE");
  if (text == nullptr || *text == '\0') return std::nullopt;
  return std::strtoull(text, nullptr, 10);
}

std::filesystem::path log_path(const Options& options) {
  return options.log.empty() ? std::filesystem::path(options.folder) / "tuning_log.jsonl"
                             : std::filesystem::path(options.log);
}

void print_notes(const Options& options, const std::vector<std::string>& notes) {
  if (::isatty(STDERR_FILENO) != 0) fmt::print(stderr, "\n");
  if (options.model.quiet) return;
  for (const std::string& note : notes) fmt::print(stderr, "note: {}\n", note);
}

/// A DLRM's choice goes into its package, whose tables are too large to copy.
void tune_package(const Options& options) {
  const std::string& folder = options.model.model;
  if (!is_package_folder(folder)) {
    fail(ErrorCode::unsupported, "'{}' is a DLRM but no package: octavo prepare dlrm --from makes one of it",
         folder);
  }
  for (const std::string& written : {options.folder, folder}) require_writable(written);
  DlrmOptions dlrm = options.dlrm;
  if (dlrm.data.empty()) dlrm.data = "zipf:65536";
  const DlrmOnData opened = open_dlrm_on_data(folder, {}, dlrm, {}, options.tune.batch);
  const bench::DlrmSamples& data = *opened.samples;
  TuningLog log(log_path(options));
  const DlrmTuneResult result =
      tune_dlrm(opened.model, dlrm.session_options({}).precision, {data.pairs, data.dense, data.indices, {}},
                read_tuning_log(log_path(options)), log, options.tune, show);
  print_notes(options, result.notes);
  const TunedTask& task = result.task;
  fmt::print("{}, batch {}, {} threads: {} {:.1f} us -> {} {:.1f} us ({:.2f} x) after {} trials\n",
             task.problem, task.batch, options.tune.threads, task.expected, task.expected_us, task.chosen,
             task.chosen_us, task.chosen_us > 0 ? task.expected_us / task.chosen_us : 1.0, result.trials);
  if (task.chosen_us <= 0) return;
  write_choices(folder, std::span(&result.choice, 1));
}

void run(const Options& options) {
  if (is_dlrm(options.model.model)) return tune_package(options);
  require_writable(options.folder);
  const std::filesystem::path path = log_path(options);
  TuningLog log(path);
  const LoggedTrials logged = read_tuning_log(path);
  TuneOptions tune_options = options.tune;
  tune_options.shuffle_candidates = shuffle_seed();
  const TuneResult result = tune(options.model.open(), logged, log, tune_options, show);
  print_notes(options, result.notes);
  print_gains(result);
  write_artifacts(options.folder, result.package, result.trials, parse_library_weights(options.weights));
}

}  // namespace

void add_tune(CLI::App& app) {
  CLI::App* verb = app.add_subcommand("tune", "time a model's kernels on this machine and keep the fastest");
  const auto options = std::make_shared<Options>();
  options->model.declare(*verb);
  verb->add_option("--trials", options->tune.budget.trials, "measurements at most, those in the log included")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  verb->add_option("--time-limit", options->tune.budget.seconds, "stop after so many seconds")
      ->check(CLI::PositiveNumber);
  verb->add_option("-b,--batch", options->tune.batch, "images of a run")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  verb->add_option("-t,--threads", options->tune.threads, "threads of the session")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  verb->add_option("--seed", options->tune.seed, "of the order of the trials")->capture_default_str();
  verb->add_option(
      "--output-log", options->log,
      "where each trial is written, and read again by the next run; default: tuning_log.jsonl in the folder");
  verb->add_option(
          "--output-folder", options->folder,
          "for saved_model_<N>.tar, saved_model_<N>.tar.so and model_serialized_tuned_<N>.json; a DLRM's "
          "choice goes into its package")
      ->capture_default_str();
  verb->add_option("--weights", options->weights, "in the shared library, or external: in the package alone")
      ->check(CLI::IsMember({"inside", "external"}))
      ->capture_default_str();
  verb->add_option("--data", options->dlrm.data, "DLRM: click data, as for run; default: zipf:65536");
  options->dlrm.declare(*verb);
  verb->add_option("--patience", options->tune.timekeeping.patience_seconds,
                   "seconds after which a kernel that does not answer is given up")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  verb->footer(
      "A run that was stopped goes on where it was. Logs may be put together with cat.\n"
      "Examples:\n  octavo tune resnet50.pt --trials 300 --batch 32 --output-folder tuned\n"
      "  octavo tune resnet50.pt --threads 2 --output-log tuning.jsonl --time-limit 600\n"
      "  octavo tune dlrm_package --arithmetic int8 --batch 2048");
  verb->callback([options] { run(*options); });
}

}  // namespace octavo::cli
