#include "bench/profile.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/cpu.h"
#include "bench/report.h"
#include "package/package.h"

namespace octavo::bench {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kLeastRuns = 5;

double median(std::vector<std::int64_t> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return static_cast<double>(*middle);
}

/// A traced run, counted from its first event.
struct Run {
  std::vector<StepEvent> events;
  std::int64_t length_ns = 0;
};

Run traced(const Traced& what) {
  Run run{what.run(), 0};
  std::int64_t begin = run.events.empty() ? 0 : run.events.front().begin_ns;
  for (const StepEvent& event : run.events) begin = std::min(begin, event.begin_ns);
  for (StepEvent& event : run.events) {
    event.begin_ns -= begin;
    event.done_ns -= begin;
    event.end_ns -= begin;
    run.length_ns = std::max(run.length_ns, event.end_ns);
  }
  return run;
}

/// The steps that write what each step reads; inputs and weights are written by none.
std::vector<std::vector<std::int32_t>> sources(const Plan& plan) {
  std::map<std::int32_t, std::int32_t> writer;
  std::map<std::pair<Storage, std::int64_t>, std::int32_t> last_at;  // views of a tensor share its place
  std::vector<std::vector<std::int32_t>> reads(plan.steps.size());
  for (std::size_t s = 0; s < plan.steps.size(); ++s) {
    for (std::int32_t input : plan.steps[s].inputs) {
      const PlanTensor& t = plan.tensors[static_cast<std::size_t>(input)];
      if (t.storage == Storage::weights || t.storage == Storage::input) continue;
      const auto direct = writer.find(input);
      const auto place = last_at.find({t.storage, t.offset});
      if (direct != writer.end()) {
        reads[s].push_back(direct->second);
      } else if (place != last_at.end()) {
        reads[s].push_back(place->second);
      }
    }
    const std::int32_t output = plan.steps[s].output;
    const PlanTensor& t = plan.tensors[static_cast<std::size_t>(output)];
    writer[output] = last_at[{t.storage, t.offset}] = static_cast<std::int32_t>(s);
  }
  return reads;
}

double ratio(double value, double whole) { return whole > 0 ? value / whole : 0; }

void compare_with_peaks(StepProfile& step, const Peaks& peaks) {
  const double seconds = step.median_us * 1e-6;
  const double ops_peak = step.cost.is_float ? peaks.f32_ops_per_second : peaks.int8_ops_per_second;
  step.ops_per_second = 2.0 * static_cast<double>(step.cost.macs) / seconds;
  step.bytes_per_second = static_cast<double>(step.cost.bytes) / seconds;
  step.ops_fraction = ratio(step.ops_per_second, ops_peak);
  step.bytes_fraction = ratio(step.bytes_per_second,
                              step.reads_memory ? peaks.memory_bytes_per_second : peaks.l2_bytes_per_second);
}

}  // namespace

std::string layer_of(const std::string& origin) {
  if (origin.empty()) return "input and output";
  const std::size_t end = origin.find_first_of("./", origin.front() == '/' ? 1 : 0);
  const std::string first = origin.substr(0, end);
  return first.front() == '/' ? first.substr(1) : first;
}

Profile profile(const Traced& what, const Peaks& peaks, std::int64_t batch, double seconds,
                const Watch& watch) {
  Profile p;
  p.facts = what.facts;
  p.threads = peaks.threads;
  p.batch = batch;
  p.peaks = peaks;
  p.steps = what.steps;
  what.run();
  std::vector<std::vector<std::int64_t>> step_ns(p.steps.size());
  std::vector<Run> runs;
  const std::int64_t begin = now_ns();
  while ((runs.size() < kLeastRuns || now_ns() < begin + ns_of(seconds)) &&
         !(watch.is_stopped() && !runs.empty())) {
    runs.push_back(traced(what));
    std::vector<std::int64_t> once(p.steps.size());
    for (const StepEvent& event : runs.back().events)
      once[static_cast<std::size_t>(event.step)] += event.end_ns - event.begin_ns;
    for (std::size_t i = 0; i < once.size(); ++i) step_ns[i].push_back(once[i] / p.threads);
    if (watch.progress)
      watch.progress(static_cast<double>(now_ns() - begin) * 1e-9 / std::max(seconds, 1e-9), 0);
  }
  const auto middle = runs.begin() + static_cast<std::ptrdiff_t>(runs.size() / 2);
  std::nth_element(runs.begin(), middle, runs.end(),
                   [](const Run& a, const Run& b) { return a.length_ns < b.length_ns; });
  p.runs = static_cast<int>(runs.size());
  p.median_run_us = static_cast<double>(middle->length_ns) * 1e-3;
  p.timeline = middle->events;
  double sum_us = 0;
  for (std::size_t i = 0; i < p.steps.size(); ++i) {
    StepProfile& step = p.steps[i];
    step.median_us = std::max(median(step_ns[i]) * 1e-3, 1e-3);
    step.best_us = static_cast<double>(*std::min_element(step_ns[i].begin(), step_ns[i].end())) * 1e-3;
    compare_with_peaks(step, p.peaks);
    sum_us += step.median_us;
  }
  for (StepProfile& step : p.steps) step.share = step.median_us / sum_us;
  return p;
}

Profile profile(Session& session, const Peaks& peaks, std::int64_t batch, double seconds,
                const Watch& watch) {
  Traced what{facts_of(session.package()), {}, [&] { return session.run_traced(); }};
  const std::vector<StepInfo> infos = session.steps();
  const auto reads = sources(session.package().data().plan);
  for (std::size_t i = 0; i < infos.size(); ++i) {
    StepProfile step;
    step.info = infos[i];
    step.family = infos[i].problem.substr(0, infos[i].problem.find(' '));
    step.layer = layer_of(infos[i].origin);
    step.cost = cost_of(infos[i].problem, batch);
    step.reads = reads[i];
    what.steps.push_back(std::move(step));
  }
  return profile(what, peaks, batch, seconds, watch);
}

std::vector<GroupProfile> groups_of(const Profile& profile, Grouping grouping) {
  std::map<std::string, GroupProfile> groups;
  std::map<std::string, double> peak_seconds;  // that the group's arithmetic would take at the peak
  std::map<std::string, double> ops;
  for (const StepProfile& step : profile.steps) {
    const std::string name = grouping == Grouping::layer    ? step.layer
                             : grouping == Grouping::kernel ? step.family + ":" + step.info.kernel
                                                            : step.info.problem;
    GroupProfile& group = groups[name];
    group.name = name;
    ++group.steps;
    group.median_us += step.median_us;
    group.share += step.share;
    ops[name] += 2.0 * static_cast<double>(step.cost.macs);
    peak_seconds[name] += step.ops_fraction * step.median_us * 1e-6;
  }
  std::vector<GroupProfile> sorted;
  for (auto& [name, group] : groups) {
    group.ops_per_second = ops[name] / (group.median_us * 1e-6);
    group.ops_fraction = peak_seconds[name] / (group.median_us * 1e-6);
    sorted.push_back(std::move(group));
  }
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const GroupProfile& a, const GroupProfile& b) { return a.median_us > b.median_us; });
  return sorted;
}

Json json_of(const Profile& p) {
  Json json{{"facts", json_of(p.facts)},
            {"threads", p.threads},
            {"batch", p.batch},
            {"runs", p.runs},
            {"median_run_us", p.median_run_us},
            {"peaks", json_of(p.peaks)},
            {"steps", Json::array()},
            {"layers", Json::array()},
            {"kernels", Json::array()}};
  for (const StepProfile& s : p.steps) {
    json["steps"].push_back({{"problem", s.info.problem},
                             {"kernel", s.info.kernel},
                             {"origin", s.info.origin},
                             {"passed_over", s.info.passed_over},
                             {"median_us", s.median_us},
                             {"best_us", s.best_us},
                             {"share", s.share},
                             {"macs", s.cost.macs},
                             {"bytes", s.cost.bytes},
                             {"ops_per_second", s.ops_per_second},
                             {"bytes_per_second", s.bytes_per_second},
                             {"ops_fraction", s.ops_fraction},
                             {"bytes_fraction", s.bytes_fraction},
                             {"reads_memory", s.reads_memory},
                             {"reads", s.reads}});
  }
  const auto add = [&](const char* name, Grouping grouping) {
    for (const GroupProfile& g : groups_of(p, grouping)) {
      json[name].push_back({{"name", g.name},
                            {"steps", g.steps},
                            {"median_us", g.median_us},
                            {"share", g.share},
                            {"ops_per_second", g.ops_per_second},
                            {"ops_fraction", g.ops_fraction}});
    }
  };
  add("layers", Grouping::layer);
  add("kernels", Grouping::kernel);
  return json;
}

Json trace_of(const Profile& p) {
  Json events = Json::array();
  // Divided, so that times have three decimals and a step begins where the one before it ends. Perfetto takes
  // thread 0 for an idle CPU's, and the thread numbered as its process for the main one.
  const auto us = [](std::int64_t ns) { return static_cast<double>(ns) / 1e3; };
  constexpr int kProcess = 1;
  events.push_back(
      {{"name", "process_name"}, {"ph", "M"}, {"pid", kProcess}, {"args", {{"name", "octavo profile"}}}});
  for (int thread = 0; thread < p.threads; ++thread) {
    events.push_back({{"name", "thread_name"},
                      {"ph", "M"},
                      {"pid", kProcess},
                      {"tid", kProcess + thread},
                      {"args", {{"name", "thread " + std::to_string(thread)}}}});
  }
  for (const StepEvent& e : p.timeline) {
    const StepProfile& step = p.steps[static_cast<std::size_t>(e.step)];
    const std::string name = step.info.origin.empty() ? step.family : step.info.origin;
    events.push_back(
        {{"name", name},
         {"cat", step.family},
         {"ph", "X"},
         {"pid", kProcess},
         {"tid", kProcess + e.thread},
         {"ts", us(e.begin_ns)},
         {"dur", us(e.done_ns - e.begin_ns)},
         {"args", {{"step", e.step}, {"kernel", step.info.kernel}, {"problem", step.info.problem}}}});
    if (e.end_ns == e.done_ns) continue;
    events.push_back({{"name", "wait"},
                      {"cat", "wait"},
                      {"ph", "X"},
                      {"pid", kProcess},
                      {"tid", kProcess + e.thread},
                      {"ts", us(e.done_ns)},
                      {"dur", us(e.end_ns - e.done_ns)}});
  }
  return {{"traceEvents", events}, {"displayTimeUnit", "ns"}, {"otherData", json_of(p.facts)}};
}

}  // namespace octavo::bench
