#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>

#include "base/cpu.h"
#include "base/fail.h"
#include "bench/raw_dump.h"
#include "bench/report.h"
#include "bench/sweep.h"
#include "bench/turns.h"
#include "cli/bench_against.h"
#include "cli/bench_inputs.h"
#include "cli/bench_model.h"
#include "cli/bench_problems.h"
#include "cli/interrupt.h"
#include "cli/json_output.h"
#include "cli/model_options.h"
#include "cli/progress_bar.h"

namespace octavo::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kModelSeconds = 2.0, kServerSeconds = 10.0, kLongestWarmup = 1.0;
constexpr int kInterruptedExit = 130;
constexpr const char* kMadeUpClicks = "zipf:65536";

struct Options {
  ModelOptions model;
  ProblemOptions problems;
  InputOptions inputs;
  DlrmOptions dlrm;
  PairOptions pairs;
  AgainstOptions against;
  std::string mode = "fixed", hint, cpus, kernels, json, csv, raw;
  std::string csv_format = "full";
  std::vector<int> threads, instances;
  std::vector<std::int64_t> batches{1};
  double seconds = 0, warmup = -1;
  int windows = 5, turns = 1;
  PassShape pass;
  bool steps = false, weights_per_node = false, share_cpus = false;
  std::int64_t query_samples = 8, offline_samples = 0, max_batch = 8;
  double rate = 0, bound_ms = 15, percentile = 99;
};

bench::Sweep sweep_of(const Options& options) {
  bench::Sweep sweep;
  sweep.mode = bench::read_mode(options.mode);
  sweep.instances = options.instances;
  sweep.threads = options.threads;
  if (!options.hint.empty()) {
    sweep.hint = options.hint == "latency" ? bench::Hint::latency : bench::Hint::throughput;
  }
  sweep.batches = options.batches;
  if (!options.cpus.empty()) sweep.cpus = bench::read_cpu_list(options.cpus);
  if (options.share_cpus) sweep.sharing = bench::Sharing::free;
  const double usual = sweep.mode == bench::Mode::server ? kServerSeconds : kModelSeconds;
  const double seconds = options.seconds > 0 ? options.seconds : usual;
  sweep.timing = {seconds, options.warmup >= 0 ? options.warmup : std::min(seconds / 10, kLongestWarmup),
                  options.windows};
  sweep.turns = options.turns;
  sweep.query_samples = options.query_samples;
  sweep.offline_samples = options.offline_samples;
  sweep.load = {options.rate,
                static_cast<std::int64_t>(options.bound_ms * 1e6),
                options.percentile / 100,
                options.max_batch,
                seconds,
                options.inputs.seed};
  return sweep;
}

SessionOptions session_options(const Options& options) {
  SessionOptions session;
  session.kernels = options.kernels;
  session.pass = options.pass;
  if (options.weights_per_node) session.weights = WeightCopies::one_per_node;
  return session;
}

Json steps_json(const bench::Profile& profile) {
  Json steps = bench::json_of(profile)["steps"];
  for (Json& step : steps) step.erase("reads");
  return steps;
}

std::string steps_text(const bench::Profile& profile) {
  std::string text;
  for (const bench::StepProfile& step : profile.steps) {
    text += fmt::format("  {:10.1f} us {:8.3f} TOPS  {:16}{}\n", step.median_us, step.ops_per_second * 1e-12,
                        step.info.kernel, step.info.problem);
  }
  return text;
}

MeasuredModel open_model(const Options& options, const bench::Sweep& sweep) {
  if (!is_dlrm(options.model.model)) {
    return measured_session(options.model, options.inputs, session_options(options), most_samples(sweep));
  }
  DlrmOptions dlrm = options.dlrm;
  if (dlrm.data.empty()) dlrm.data = kMadeUpClicks;
  RunOptions run;
  run.threads = usable_threads(cpu_facts().system);
  run.kernels = options.kernels;
  return measured_dlrm(options.model.model, run, dlrm, options.pairs, most_samples(sweep));
}

/// One measurement of a model from the options to the reports.
class ModelBench {
 public:
  explicit ModelBench(const Options& options)
      : options_(options),
        sweep_(sweep_of(options)),
        splits_(bench::splits_of(sweep_, cpu_facts().system)),
        model_(open_model(options, sweep_)),
        output_(options.json) {
    sweep_.tuned = model_.tuned;
    splits_ = bench::splits_of(sweep_, cpu_facts().system);
    if (!options.csv.empty()) {
      csv_.emplace(options.csv,
                   options.csv_format == "demo" ? bench::CsvFormat::demo : bench::CsvFormat::full,
                   model_.facts);
    }
    if (!options.raw.empty()) raw_.emplace(options.raw, bench::comment_lines(model_.facts));
  }

  void run() {
    if (sweep_.hint) {
      output_.say(fmt::format("--hint {}: {} instances of {} threads fit this machine\n", options_.hint,
                              splits_[0].instances, splits_[0].threads));
    }
    const bench::Watch watch{&interrupted(), [this](double share, double rate) { bar_.show(share, rate); },
                             raw_ ? &*raw_ : nullptr};
    bench::run_sweep(sweep_, model_.subject, cpu_facts().system, watch,
                     {[this](const bench::Point& point) { show(point); },
                      [this](const bench::ServerMeasured& trial) { show(trial); }});
    bar_.clear();
    if (raw_) raw_->finish();
    Json json{{"model", model_.facts.front().value},
              {"cpu", cpu_facts().brand},
              {"isa", isa_name(usable_isa())},
              {"facts", bench::json_of(model_.facts)},
              {"points", points_}};
    if (sweep_.turns > 1) add_turns(json);
    output_.finish(json);
    if (interrupted()) throw ExitCode{kInterruptedExit};
  }

 private:
  void show(const bench::Point& point) {
    bar_.clear();
    if (points_.empty()) output_.say(bench::table_head());
    output_.say(bench::table_line(point));
    if (csv_) csv_->add(point);
    Json json = bench::json_of(point);
    const bool wants_steps = model_.steps && (options_.steps || output_.is_asked_for());
    if (wants_steps && sweep_.mode == bench::Mode::fixed && point.split.instances == 1 && !interrupted()) {
      const bench::Profile profile = model_.steps(point);
      json["steps"] = steps_json(profile);
      if (options_.steps) output_.say(steps_text(profile));
    }
    points_.push_back(std::move(json));
    if (sweep_.turns > 1) measured_.push_back(point);
    if (raw_) raw_->begin_point(static_cast<int>(points_.size()));
  }

  /// What the settings gave over all turns.
  void add_turns(Json& json) {
    const auto settings = bench::over_turns(measured_, bench::settings_of(sweep_, cpu_facts().system));
    output_.say(fmt::format("\nmedians of {} turns\n", sweep_.turns) + bench::over_turns_table(settings));
    json["over_turns"] = Json::array();
    for (const bench::SettingOverTurns& setting : settings)
      json["over_turns"].push_back(bench::json_of(setting));
  }

  void show(const bench::ServerMeasured& trial) {
    bar_.clear();
    output_.say(fmt::format("  {:.1f} queries/s: p{:g} {:.3f} ms, {}\n", trial.queries_per_second,
                            options_.percentile,
                            static_cast<double>(trial.measured.latency.quantile_ns(sweep_.load.share)) * 1e-6,
                            trial.is_met        ? "kept"
                            : trial.is_hopeless ? "hopeless, ended early"
                                                : "not kept"));
  }

  const Options& options_;
  bench::Sweep sweep_;
  std::vector<bench::Split> splits_;
  MeasuredModel model_;
  JsonOutput output_;
  std::optional<bench::CsvFile> csv_;
  std::optional<bench::RawDump> raw_;
  ProgressBar bar_;
  Json points_ = Json::array();
  std::vector<bench::Point> measured_;  ///< of a sweep of several turns
};

/// What the command line asked for wrongly is wrong usage, wherever it is found out.
template <class Action>
auto as_usage(Action action, std::initializer_list<ErrorCode> codes) {
  try {
    return action();
  } catch (const Error& e) {
    if (std::find(codes.begin(), codes.end(), e.code()) != codes.end()) throw UsageError(e);
    throw;
  }
}

/// An output that cannot be made must not wait for the measurement to end. Leaves no file behind.
void check_writable(const std::string& path) {
  if (path.empty() || path == "-") return;
  const bool existed = std::filesystem::exists(path);
  std::FILE* const file = std::fopen(path.c_str(), "ae");
  if (file == nullptr) fail(ErrorCode::io, "cannot write '{}': {}", path, std::strerror(errno));
  std::fclose(file);
  if (!existed) std::filesystem::remove(path);
}

/// What one option cannot do for another.
void check_combinations(const Options& options) {
  const auto refuse = [](const char* why) { throw UsageError({ErrorCode::invalid_argument, why}); };
  if (!options.against.peer.empty() && !(options.csv.empty() && options.raw.empty())) {
    refuse("--against writes ratios to --json, not to --csv or --raw");
  }
  if (!options.raw.empty() && options.mode == "server" && options.rate <= 0) {
    refuse("--raw in server mode needs a --rate: a search is many trials");
  }
}

void run(Options& options) {
  const bool has_problems = !options.problems.problems.empty() || !options.problems.file.empty();
  if (has_problems != options.model.model.empty()) {
    throw UsageError({ErrorCode::invalid_argument, "expected a model, or --problem or --problems"});
  }
  if (has_problems) {
    options.problems.batches = options.batches;
    if (options.seconds > 0) options.problems.seconds = options.seconds;
    options.problems.json = options.json;
    return bench_problems(options.problems);
  }
  check_combinations(options);
  for (const std::string& path : {options.csv, options.raw, options.json}) {
    as_usage([&] { check_writable(path); }, {ErrorCode::io});
  }
  const auto measure = [&] {
    if (options.against.peer.empty()) return ModelBench(options).run();
    bench_against(options.against, options.model, options.inputs, sweep_of(options), session_options(options),
                  options.json);
  };
  as_usage(measure, {ErrorCode::invalid_argument});
}

void declare_what(CLI::App& verb, Options& options) {
  options.model.declare(verb);
  verb.get_option("MODEL")->required(false);
  verb.add_option("--problem", options.problems.problems,
                  "a problem, as `octavo inspect --stage=plan` prints them");
  verb.add_option("--problems", options.problems.file, "a file of problems, one a line");
  verb.add_option("--inputs", options.inputs.files,
                  "score these: pictures, a folder or tar of them, .npy, .npz");
  verb.add_option("--preprocess", options.inputs.recipe,
                  "of pictures: torchvision-imagenet, tf-imagenet or cifar10")
      ->capture_default_str();
  verb.add_option("--data", options.dlrm.data, "DLRM: click data, as for run; default: zipf:65536");
  verb.add_option("--pairs", options.pairs.kind,
                  "DLRM: pairs of a sample: one, or mlperf (100 to 700, 270 on average)")
      ->check(CLI::IsMember({"one", "mlperf"}))
      ->capture_default_str();
  options.dlrm.declare(verb);
  verb.add_option("--seed", options.inputs.seed, "of made-up inputs and of arrivals")->capture_default_str();
  verb.add_option("--kernels", options.kernels, "force kernels: conv2d:avx2,linear:reference");
  declare_pass(verb, options.pass);
}

void declare_how(CLI::App& verb, Options& options) {
  verb.add_option("--mode", options.mode,
                  "latency, throughput, scalability (sweeps), single-stream, multi-stream, offline, server "
                  "(scenarios) "
                  "or fixed: the instances and threads given")
      ->capture_default_str();
  verb.add_option("-t,--threads", options.threads, "threads of an instance: a number or a list")
      ->delimiter(',')
      ->check(CLI::Range(1, 1024));
  verb.add_option("-i,--instances", options.instances,
                  "instances that run at the same time: a number or a list")
      ->delimiter(',')
      ->check(CLI::Range(1, 1024));
  verb.add_option(
          "--hint", options.hint,
          "pick instances and threads for this machine: latency, or throughput (as tuned for so many CPUs)")
      ->check(CLI::IsMember({"latency", "throughput"}));
  verb.add_option("--cpus", options.cpus,
                  "the CPUs to use, in this order: 0-3,8; default: physical cores first");
  verb.add_flag("--share-cpus", options.share_cpus, "no pinning: more threads than CPUs may share them");
  verb.add_flag("--weights-per-node", options.weights_per_node,
                "a copy of the packed weights for each NUMA node");
  verb.add_option("-b,--batch", options.batches, "batch sizes")
      ->delimiter(',')
      ->check(CLI::Range(1, 1 << 20));
  verb.add_option("--seconds", options.seconds,
                  "how long to time each point; default 2, in server mode 10, of a problem's row 0.2")
      ->check(CLI::Range(1e-6, 86400.0));
  verb.add_option("--warmup", options.warmup, "seconds before; default: a tenth, at most 1")
      ->check(CLI::Range(0.0, 3600.0));
  verb.add_option("--windows", options.windows,
                  "parts of the time, whose rates give the median and the spread")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  verb.add_option("--turns", options.turns,
                  "how often to go through all settings; their ratios by turn hold on a busy machine too")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  verb.add_option("--query-samples", options.query_samples, "samples of a multi-stream query")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
  verb.add_option("--samples", options.offline_samples,
                  "samples of the offline scenario; default: as time allows")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 40));
  verb.add_option("--rate", options.rate,
                  "queries a second of the server scenario; default: search the highest")
      ->check(CLI::Range(1e-3, 1e9));
  verb.add_option("--bound-ms", options.bound_ms, "latency bound of the server scenario")
      ->check(CLI::Range(1e-3, 1e6))
      ->capture_default_str();
  verb.add_option("--percentile", options.percentile, "of the queries that must keep it, in %")
      ->check(CLI::Range(1.0, 100.0))
      ->capture_default_str();
  verb.add_option("--max-batch", options.max_batch, "queries that a server's instance takes at once")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
}

void declare_against(CLI::App& verb, Options& options) {
  verb.add_option("--against", options.against.peer, "compare in turns with onnxruntime, openvino or onednn")
      ->check(CLI::IsMember({"onnxruntime", "openvino", "onednn"}));
  verb.add_option(
      "--peer-library", options.against.library,
      "the peer's shared library; default: of the active virtual environment, or where the loader finds it");
  verb.add_option("--rounds", options.against.rounds, "turns of each in a comparison")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
}

void declare_output(CLI::App& verb, Options& options) {
  verb.add_flag("--steps", options.steps, "also the time of every step of a model");
  verb.add_option("--json", options.json, "write the numbers to this file; - for the standard output");
  verb.add_option("--csv", options.csv, "write a line for each point to this file");
  verb.add_option(
          "--csv-format", options.csv_format,
          "full: with a header and machine facts; demo: 'threads or instances; latency ms; ms an item'")
      ->check(CLI::IsMember({"full", "demo"}))
      ->capture_default_str();
  verb.add_option("--raw", options.raw, "stream every latency to this file");
}

}  // namespace

void add_bench(CLI::App& app) {
  CLI::App* verb =
      app.add_subcommand("bench", "time a model, or every kernel for a problem, against this CPU's peak");
  const auto options = std::make_shared<Options>();
  declare_what(*verb, *options);
  declare_how(*verb, *options);
  declare_against(*verb, *options);
  declare_output(*verb, *options);
  verb->footer(
      "Examples:\n  octavo bench resnet50.pt --threads 1,2 --batch 1,8 --json -\n"
      "  octavo bench resnet50.tar --mode scalability --seconds 5 --csv scalability.csv\n"
      "  octavo bench resnet50.tar --mode server --bound-ms 15 --percentile 99\n"
      "  octavo bench dlrm-package --arithmetic int8 --batch 128,2048\n"
      "  octavo bench resnet50.onnx --against onnxruntime --threads 1,2 --batch 1,8\n"
      "  octavo bench --problem 'conv2d ic64 ih56 iw56 oc64 kh3 kw3 pt1 pl1 pb1 pr1'\n"
      "  octavo bench --problems bench/problems/resnet50.txt");
  verb->callback([options] { run(*options); });
}

}  // namespace octavo::cli
