#include "bench/profile.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/cpu.h"
#include "base/fail.h"
#include "bench/dlrm_profile.h"
#include "bench/placement.h"
#include "bench/session_instance.h"
#include "cli/bench_inputs.h"
#include "cli/bench_model.h"
#include "cli/interrupt.h"
#include "cli/json_output.h"
#include "cli/model_options.h"
#include "cli/progress_bar.h"

namespace octavo::cli {
namespace {

struct Options {
  ModelOptions model;
  InputOptions inputs;
  DlrmOptions dlrm;
  std::string cpus, kernels, json, trace, html, group;
  int threads = 1;
  std::int64_t batch = 1;
  double seconds = 1;
  bool in_order = false;
};

void print_steps(const Options& options, const bench::Profile& profile) {
  std::vector<const bench::StepProfile*> steps;
  for (const bench::StepProfile& step : profile.steps) steps.push_back(&step);
  if (!options.in_order) {
    std::stable_sort(steps.begin(), steps.end(),
                     [](const auto* a, const auto* b) { return a->median_us > b->median_us; });
  }
  fmt::print("{:>11}{:>8}{:>9}{:>8}{:>9}{:>8}{:>10}  {:16}{}\n", "median us", "share", "TOPS", "% peak",
             "GB/s", "% peak", "kB", "kernel", "problem");
  for (const bench::StepProfile* s : steps) {
    fmt::print("{:11.1f}{:7.1f}%{:9.3f}{:8.1f}{:9.1f}{:8.1f}{:10.1f}  {:16}{}{}\n", s->median_us,
               100 * s->share, s->ops_per_second * 1e-12, 100 * s->ops_fraction, s->bytes_per_second * 1e-9,
               100 * s->bytes_fraction, static_cast<double>(s->cost.bytes) * 1e-3, s->info.kernel,
               s->info.problem, s->info.origin.empty() ? "" : "  # " + s->info.origin);
    if (!s->info.passed_over.empty()) {
      fmt::print("{:81}passed over: {}\n", "", fmt::join(s->info.passed_over, "; "));
    }
  }
}

void print_groups(const bench::Profile& profile, bench::Grouping grouping) {
  fmt::print("{:>11}{:>8}{:>7}{:>9}{:>8}  {}\n", "median us", "share", "steps", "TOPS", "% peak", "group");
  for (const bench::GroupProfile& g : bench::groups_of(profile, grouping)) {
    fmt::print("{:11.1f}{:7.1f}%{:7}{:9.3f}{:8.1f}  {}\n", g.median_us, 100 * g.share, g.steps,
               g.ops_per_second * 1e-12, 100 * g.ops_fraction, g.name);
  }
}

void print(const Options& options, const bench::Profile& p) {
  fmt::print("batch {}, {} threads, {} runs, median {:.3f} ms: {:.1f} items/s\n", p.batch, p.threads, p.runs,
             p.median_run_us * 1e-3, static_cast<double>(p.batch) * 1e6 / p.median_run_us);
  fmt::print("{}", bench::text_of(p.peaks));
  if (options.group == "layer") return print_groups(p, bench::Grouping::layer);
  if (options.group == "kernel") return print_groups(p, bench::Grouping::kernel);
  if (options.group == "problem") return print_groups(p, bench::Grouping::problem);
  if (std::any_of(p.steps.begin(), p.steps.end(), [](const auto& step) { return step.reads_memory; }))
    fmt::print("bytes of gathers count against the memory's rate, all others against that of L2\n");
  print_steps(options, p);
}

void write_text(AtomicFile& file, const std::string& text) {
  file.write(std::as_bytes(std::span(text)));
  file.commit();
}

bench::Profile profile_dlrm(const Options& options, const bench::Place& place, const bench::Watch& watch) {
  constexpr std::int64_t kMadeUpPairs = 65536;
  if (!options.inputs.files.empty())
    fail(ErrorCode::invalid_argument, "'{}' is a DLRM: it takes --data, not --inputs", options.model.model);
  DlrmOptions dlrm = options.dlrm;
  if (dlrm.data.empty()) dlrm.data = fmt::format("zipf:{}", std::max(kMadeUpPairs, options.batch));
  RunOptions run;
  run.threads = options.threads;
  run.kernels = options.kernels;
  const DlrmOnData opened = open_dlrm_on_data(options.model.model, run, dlrm, {}, options.batch);
  const DlrmSessionOptions session = dlrm.session_options(run);
  bench::DlrmInstance instance(opened.model, session, place, opened.samples);
  const bench::Peaks peaks = bench::measure_peaks(place, usable_isa());
  return bench::profile(bench::traced(instance, session.precision, options.batch, opened.facts), peaks,
                        options.batch, options.seconds, watch);
}

bench::Profile profile_session(const Options& options, const bench::Place& place, const bench::Watch& watch) {
  const Package package = options.model.open();
  if (options.batch > 1 && !bench::takes_batches(package)) {
    fail(ErrorCode::invalid_argument, "a batch of {} does not fit a model that takes no batches",
         options.batch);
  }
  SessionOptions session;
  session.kernels = options.kernels;
  const auto samples = std::make_shared<bench::Samples>(read_samples(options.inputs, package, options.batch));
  bench::SessionInstance instance(package, session, place, samples);
  instance.run(0, options.batch);
  const bench::Peaks peaks = bench::measure_peaks(place, usable_isa());
  return bench::profile(instance.session(), peaks, options.batch, options.seconds, watch);
}

void run(const Options& options) {
  const std::vector<int> cpus =
      options.cpus.empty() ? std::vector<int>{} : bench::read_cpu_list(options.cpus);
  const bench::Place place = bench::place(cpu_facts().system, {1, options.threads}, cpus).front();
  JsonOutput json(options.json), trace(options.trace);
  std::optional<AtomicFile> html;
  if (!options.html.empty()) html.emplace(options.html);
  ProgressBar bar;
  const bench::Watch watch{&interrupted(), [&](double share, double) { bar.show(share, 0); }, nullptr};
  const bench::Profile profile = is_dlrm(options.model.model) ? profile_dlrm(options, place, watch)
                                                              : profile_session(options, place, watch);
  bar.clear();
  if (options.json != "-" && options.trace != "-") print(options, profile);
  json.finish(bench::json_of(profile));
  if (trace.is_asked_for()) trace.finish(bench::trace_of(profile));
  if (html) write_text(*html, bench::html_of(profile));
}

}  // namespace

void add_profile(CLI::App& app) {
  CLI::App* verb = app.add_subcommand("profile", "show where the time of a model's run goes, step by step");
  const auto options = std::make_shared<Options>();
  options->model.declare(*verb);
  verb->add_option("-t,--threads", options->threads, "threads")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  verb->add_option("--cpus", options->cpus,
                   "the CPUs to use, in this order: 0-3,8; default: physical cores first");
  verb->add_option("-b,--batch", options->batch, "batch size")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
  verb->add_option("--seconds", options->seconds, "how long to run")
      ->check(CLI::Range(1e-6, 3600.0))
      ->capture_default_str();
  verb->add_option("--inputs", options->inputs.files,
                   "score these: pictures, a folder or tar of them, .npy, .npz");
  verb->add_option("--preprocess", options->inputs.recipe,
                   "of pictures: torchvision-imagenet, tf-imagenet or cifar10");
  verb->add_option("--data", options->dlrm.data, "DLRM: click data, as for run; default: zipf:65536");
  options->dlrm.declare(*verb);
  verb->add_option("--kernels", options->kernels,
                   "force kernels: conv2d:avx2,linear:reference; of a DLRM its one: avx2");
  verb->add_flag("--in-order", options->in_order, "steps in the order of the plan; default: longest first");
  verb->add_option("--group", options->group, "add steps up by layer, kernel or problem")
      ->check(CLI::IsMember({"layer", "kernel", "problem"}));
  verb->add_option("--json", options->json, "write the numbers to this file; - for the standard output");
  verb->add_option("--trace", options->trace, "write a Chrome trace (Perfetto opens it) to this file");
  verb->add_option("--html", options->html, "write a page with roofline, timeline and graph to this file");
  verb->footer(
      "Examples:\n  octavo profile resnet50.tar --threads 2 --html profile.html\n"
      "  octavo profile resnet50.tar --batch 8 --group layer\n"
      "  octavo profile dlrm_package --batch 2048 --arithmetic int8 --in-order");
  verb->callback([options] {
    try {
      run(*options);
    } catch (const Error& e) {
      if (e.code() == ErrorCode::invalid_argument) throw UsageError(e);
      throw;
    }
  });
}

}  // namespace octavo::cli
