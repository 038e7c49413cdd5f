#include "cli/bench_against.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/cpu.h"
#include "base/fail.h"
#include "bench/compare.h"
#include "bench/facts.h"
#include "bench/peers/peer.h"
#include "bench/report.h"
#include "bench/session_instance.h"
#include "cli/dlrm_model.h"
#include "cli/interrupt.h"
#include "cli/json_output.h"
#include "cli/progress_bar.h"

namespace octavo::cli {
namespace {

constexpr const char* kOnednnRows = "conv2d:onednn,linear:onednn,matmul:onednn";
constexpr int kInterruptedExit = 130;

/// Our own engine on oneDNN's rows, as a peer.
class OnednnInstance : public bench::PeerInstance {
 public:
  OnednnInstance(const Package& package, SessionOptions options, const bench::Place& place,
                 const std::shared_ptr<const bench::Samples>& samples)
      : PeerInstance(place), sessions_(package, (options.kernels = kOnednnRows, options), place, samples) {
    for (const StepInfo& step : sessions_.session().steps()) {
      ++steps_;
      if (step.kernel == "onednn") ++solved_;
    }
    if (solved_ == 0) {
      fail(ErrorCode::unsupported, "oneDNN's rows solve no step of model '{}': they are for floats",
           package.name());
    }
  }
  std::int64_t run(std::int64_t first, std::int64_t count) override { return sessions_.run(first, count); }
  [[nodiscard]] std::string name() const override {
    return fmt::format("oneDNN, {} of {} steps", solved_, steps_);
  }
  [[nodiscard]] std::vector<float> first_output() override { return sessions_.first_output(); }

 private:
  bench::SessionInstance sessions_;
  int steps_ = 0, solved_ = 0;
};

std::unique_ptr<bench::PeerInstance> start_peer(const AgainstOptions& options, const bench::PeerModel& model,
                                                const bench::Place& place, const Package& package,
                                                const SessionOptions& session) {
  if (options.peer == "onnxruntime") return bench::start_onnxruntime(model, place, options.library);
  if (options.peer == "openvino") return bench::start_openvino(model, place, options.library);
  return std::make_unique<OnednnInstance>(package, session, place, model.samples);
}

}  // namespace

void bench_against(const AgainstOptions& options, const ModelOptions& model, const InputOptions& inputs,
                   const bench::Sweep& sweep, const SessionOptions& session, const std::string& json) {
  if (options.peer != "onednn" && std::filesystem::path(model.model).extension() != ".onnx") {
    fail(ErrorCode::invalid_argument, "{} reads ONNX files, '{}' is none", options.peer, model.model);
  }
  if (is_dlrm(model.model)) {
    fail(ErrorCode::unsupported, "'{}' is a recommendation model: no peer is known for it", model.model);
  }
  if (sweep.mode != bench::Mode::fixed && sweep.mode != bench::Mode::latency) {
    fail(ErrorCode::invalid_argument, "--against goes with the modes fixed and latency, not {}",
         bench::mode_name(sweep.mode));
  }
  std::vector<bench::Place> places;
  for (bench::Split split : bench::splits_of(sweep, cpu_facts().system)) {
    if (split.instances != 1)
      fail(ErrorCode::invalid_argument, "--against compares 1 instance, not {}", split.instances);
    places.push_back(bench::place(cpu_facts().system, split, sweep.cpus, sweep.sharing).front());
  }
  JsonOutput output(json);
  const Package package = model.open();
  const std::int64_t most = *std::max_element(sweep.batches.begin(), sweep.batches.end());
  const auto samples = std::make_shared<const bench::Samples>(read_samples(inputs, package, most));
  nlohmann::ordered_json points = nlohmann::ordered_json::array();
  ProgressBar bar;
  for (const bench::Place& place : places) {
    for (std::int64_t batch : sweep.batches) {
      if (interrupted()) break;
      bench::Instances ours, theirs;
      auto mine = std::make_unique<bench::SessionInstance>(package, session, place, samples);
      auto peer = start_peer(options, {model.model, package.inputs(), package.outputs(), samples, batch},
                             place, package, session);
      mine->run(0, batch);
      peer->run(0, batch);
      const std::vector<float> our_output = mine->first_output(), their_output = peer->first_output();
      const std::string name = peer->name();
      ours.push_back(std::move(mine));
      theirs.push_back(std::move(peer));
      const double seconds = sweep.timing.seconds / options.rounds;
      bench::Comparison result =
          bench::compare(ours, theirs, batch, options.rounds, seconds,
                         {&interrupted(), [&](double share, double) { bar.show(share, 0); }, nullptr});
      result.peer = name;
      bench::compare_outputs(result, our_output, their_output);
      bar.clear();
      if (points.empty()) output.say(bench::comparison_head());
      output.say(bench::comparison_line(result));
      points.push_back(bench::json_of(result));
    }
  }
  output.finish(
      {{"model", package.name()}, {"facts", bench::json_of(bench::facts_of(package))}, {"points", points}});
  if (interrupted()) throw ExitCode{kInterruptedExit};
}

}  // namespace octavo::cli
