#include "octavo/session.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <limits>

#include "base/clock.h"
#include "base/cpu.h"
#include "base/fail.h"
#include "base/thread_team.h"
#include "engine/session/asked_ahead.h"
#include "engine/session/handover.h"
#include "engine/session/prepared_plan.h"
#include "engine/session/row_bands.h"
#include "engine/session/walk_order.h"
#include "engine/session/work_sharing.h"
#include "package/package.h"

namespace octavo {
namespace {

std::string forced_text(const SessionOptions& options) {
  if (!options.kernels.empty()) return options.kernels;
  const char* environment = std::getenv("OCTAVO_KERNEL");
  return environment == nullptr ? "" : environment;
}

/// The NUMA node that `cpu` belongs to; -1 unknown.
int node_of(int cpu) {
  for (const NumaNode& node : cpu_facts().system.nodes) {
    if (std::find(node.cpus.begin(), node.cpus.end(), cpu) != node.cpus.end()) return node.id;
  }
  return -1;
}

/// The caller's numbers, else those measured best for this instruction set, else the defaults.
PassShape pass_shape(const SessionOptions& options, const Plan& plan) {
  check(options.pass, ErrorCode::invalid_argument);
  const bool is_tuned = plan.tuning && plan.tuning->isa == isa_name(usable_isa());
  const PassShape tuned = is_tuned ? plan.tuning->pass : PassShape{};
  const auto first = [](std::int64_t asked, std::int64_t measured, std::int64_t otherwise) {
    return asked > 0 ? asked : measured > 0 ? measured : otherwise;
  };
  return {first(options.pass.images, tuned.images, kImagesPerPass),
          first(options.pass.row_bands, tuned.row_bands, 1),
          first(options.pass.l2_kib, tuned.l2_kib, kActivationKib), options.pass.keeps_layout};
}

Preparation preparation(const SessionOptions& options) {
  const bool is_for_node = options.weights == WeightCopies::one_per_node && !options.cpus.empty();
  return {forced_text(options), usable_isa(), is_for_node ? node_of(options.cpus.front()) : -1};
}

/// Aligned memory that grows and never shrinks; not initialised again when it is reused.
class Arena {
 public:
  std::byte* at_least(std::int64_t bytes) {
    if (memory_.bytes() < bytes) memory_ = Tensor(DType::u8, {bytes});
    return memory_.data();
  }
  [[nodiscard]] std::byte* data() noexcept { return memory_.data(); }

 private:
  Tensor memory_;
};

}  // namespace

struct Session::State {
  Package package;
  ThreadTeam team;
  WorkSharing sharing;
  PassShape pass;
  std::shared_ptr<const PreparedPlan> prepared;  ///< shared with the package's other sessions
  const std::vector<PreparedStep>& steps;
  const std::int64_t scratch_bytes;

  std::vector<const std::byte*> given;  ///< by input
  std::vector<std::int64_t> batches;    ///< the batch size that each given input has; 0 = not given
  std::vector<Tensor> results;          ///< by output
  Arena arena;
  Arena scratch;
  std::vector<std::byte*> base;                         ///< by tensor: where it is during this pass
  std::vector<std::vector<const std::byte*>> operands;  ///< by step: base of each input
  WalkOrder order;                                      ///< for `order_images` images
  std::vector<std::vector<BandStep>> leg_steps;         ///< by leg of the order; empty until it runs
  std::int64_t order_images = 0;
  std::vector<Handover> handed_over;                 ///< by step, in this order
  std::vector<const PixelLayout*> residual_layouts;  ///< by step: that of its residual, if handed over
  std::array<Arena, 2> handover_memory;              ///< by buffer
  Arena kept;                                        ///< the order's kept tensors
  std::vector<bool> is_kept;                         ///< by tensor: whether it is one of them
  std::vector<std::vector<StepEvent>> events;        ///< by thread; empty unless a run is traced

  State(Package opened, const SessionOptions& options)
      : package(std::move(opened)),
        team(options.threads, options.cpus),
        sharing(options.threads),
        pass(pass_shape(options, package.data().plan)),
        prepared(prepared_plan(package, preparation(options), team)),
        steps(prepared->steps),
        scratch_bytes(prepared->scratch_bytes) {
    given.resize(plan().inputs.size());
    batches.resize(plan().inputs.size());
    results.resize(plan().outputs.size());
    base.resize(plan().tensors.size());
    for (const Step& step : plan().steps) operands.emplace_back(step.inputs.size());
  }

  [[nodiscard]] const Plan& plan() const { return package.data().plan; }
  [[nodiscard]] const PlanTensor& tensor(std::int32_t index) const {
    return plan().tensors[static_cast<std::size_t>(index)];
  }

  [[nodiscard]] std::int64_t batch_size() const {
    std::int64_t batch = 0;
    for (std::size_t i = 0; i < batches.size(); ++i) {
      if (given[i] == nullptr)
        fail(ErrorCode::invalid_argument, "input '{}' was not given", plan().inputs[i].name);
      if (!is_per_image(tensor(plan().inputs[i].tensor).shape)) continue;
      if (batch != 0 && batches[i] != batch) {
        fail(ErrorCode::invalid_argument, "input '{}' has a batch of {}, another has {}",
             plan().inputs[i].name, batches[i], batch);
      }
      batch = batches[i];
    }
    return std::max<std::int64_t>(batch, 1);
  }

  void make_results(std::int64_t batch) {
    for (std::size_t i = 0; i < results.size(); ++i) {
      const PlanTensor& t = tensor(plan().outputs[i].tensor);
      std::vector<std::int64_t> shape = extents_at(t.shape, batch);
      if (results[i].data() == nullptr || results[i].shape() != shape)
        results[i] = Tensor(t.dtype, std::move(shape));
    }
  }

  [[nodiscard]] std::int64_t arena_bytes(std::int64_t count) const {
    const std::int64_t each = std::max<std::int64_t>(plan().bytes_per_image, 1);
    if (count > (std::numeric_limits<std::int64_t>::max() - plan().fixed_bytes) / each) {
      fail(ErrorCode::invalid_argument, "{} images of {} bytes each are more than memory can hold", count,
           each);
    }
    return plan().fixed_bytes + plan().bytes_per_image * count;
  }

  const WalkOrder& order_for(std::int64_t images) {
    if (images == order_images) return order;
    order = walk_order(plan(), images, pass.l2_kib * 1024);
    leg_steps.assign(order.legs.size(), {});
    is_kept.assign(base.size(), false);
    for (const KeptTensor& t : order.kept) is_kept[t.tensor] = true;
    handed_over.assign(steps.size(), {});
    // Bands know what they touch in the plan's layout only.
    if (pass.row_bands <= 1 && !pass.keeps_layout) handed_over = handovers(plan(), steps, order.legs);
    residual_layouts.assign(steps.size(), nullptr);
    for (const Handover& h : handed_over) {
      if (h.layout != nullptr && h.adder != 0) residual_layouts[h.adder] = h.layout;
    }
    for (std::size_t b = 0; b < handover_memory.size(); ++b)
      handover_memory[b].at_least(handover_bytes(handed_over, static_cast<int>(b)));
    order_images = images;
    return order;
  }

  /// Runs images `first` .. `first + count`, leg after leg.
  void run_images(std::int64_t first, std::int64_t count, std::byte* all_scratch) {
    const WalkOrder& legs = order_for(count);
    std::byte* const kept_memory = kept.at_least(legs.kept_bytes_per_image * count);
    arena.at_least(arena_bytes(count));
    for (std::size_t l = 0; l < legs.legs.size(); ++l) {
      const Leg& leg = legs.legs[l];
      for (std::int64_t image = 0; image < count; image += leg.images) {
        const std::int64_t images = std::min(leg.images, count - image);
        place(first + image, images);
        for (const KeptTensor& t : legs.kept) {
          base[t.tensor] = kept_memory + t.offset * count + image * tensor_bytes(plan().tensors[t.tensor]);
        }
        place_handovers();
        list_operands();
        if (leg_steps[l].empty()) {
          leg_steps[l] =
              steps_in_bands(plan(), steps, leg, static_cast<int>(pass.row_bands), team.size(), base);
        }
        team.run([&](int thread) { walk(thread, images, all_scratch, leg_steps[l]); });
      }
    }
  }

  void place_handovers() {
    for (std::size_t s = 0; s < handed_over.size(); ++s) {
      if (handed_over[s].layout == nullptr) continue;
      base[static_cast<std::size_t>(plan().steps[s].output)] =
          handover_memory[static_cast<std::size_t>(handed_over[s].buffer)].data();
    }
  }

  void list_operands() {
    for (std::size_t s = 0; s < operands.size(); ++s) {
      const std::vector<std::int32_t>& inputs = plan().steps[s].inputs;
      for (std::size_t k = 0; k < inputs.size(); ++k)
        operands[s][k] = base[static_cast<std::size_t>(inputs[k])];
    }
  }

  /// Where every tensor is while images `first` .. `first + count` of the batch go through the plan.
  void place(std::int64_t first, std::int64_t count) {
    std::byte* const memory = arena.at_least(arena_bytes(count));
    for (std::size_t i = 0; i < base.size(); ++i) {
      const PlanTensor& t = plan().tensors[i];
      const auto index = static_cast<std::size_t>(t.offset);
      const bool grows = is_per_image(t.shape);
      const std::int64_t skipped = grows ? first * tensor_bytes(t) : 0;
      switch (t.storage) {
        case Storage::input:
          base[i] = const_cast<std::byte*>(given[index]) + skipped;
          break;
        case Storage::output:
          base[i] = results[index].data() + skipped;
          break;
        case Storage::arena:
          base[i] = memory + (grows ? plan().fixed_bytes + t.offset * count : t.offset);
          break;
        case Storage::weights:
          base[i] = const_cast<std::byte*>(package.data().weights[index].data);
          break;
      }
    }
  }

  /// The step loop: every thread walks the steps, takes its share of each band, and waits for the others.
  void walk(int thread, std::int64_t count, std::byte* all_scratch,
            std::span<const BandStep> bands) noexcept {
    std::vector<StepEvent>* const trace =
        events.empty() ? nullptr : &events[static_cast<std::size_t>(thread)];
    std::int64_t begin = trace != nullptr ? now_ns() : 0;
    const auto images_of = [&](const BandStep& b) { return steps[b.step].grows ? count : 1; };
    const auto share_of = [&](const BandStep& b) {
      return Share{b.band * team.size() + thread, b.bands * team.size()};
    };
    // What L2 is asked for before a band runs: the memory of what it keeps for another leg, which nothing of
    // this one has touched, or else its constants. Several threads may write that memory in another division.
    const auto ahead_of = [&](const BandStep& b) {
      const auto output = static_cast<std::size_t>(plan().steps[b.step].output);
      std::span<const std::byte> ahead;
      if (is_kept[output] && team.size() == 1) {
        const Share::Range part = share_of(b).of(tensor_bytes(plan().tensors[output]) * images_of(b));
        ahead =
            worth_asking_for({base[output] + part.begin, static_cast<std::size_t>(part.end - part.begin)});
      }
      if (!ahead.empty()) return ahead;
      return worth_asking_for(steps[b.step].kernel->constants(images_of(b), share_of(b)));
    };
    for (std::size_t i = 0; i < bands.size(); ++i) {
      const std::size_t s = bands[i].step;
      KernelArgs args{operands[s], base[static_cast<std::size_t>(plan().steps[s].output)],
                      all_scratch + thread * scratch_bytes, images_of(bands[i])};
      args.output_layout = handed_over[s].layout;
      args.has_wanted_layout = s > 0 && handed_over[s - 1].layout != nullptr;
      args.residual_layout = residual_layouts[s];
      // A band for which little is asked leaves the asking to the one after it.
      for (std::size_t n = i + 1; n < std::min(i + 3, bands.size()) && args.next.empty(); ++n) {
        args.next = ahead_of(bands[n]);
      }
      bands[i].bands == 1 ? sharing.run(*steps[s].kernel, args, thread)
                          : steps[s].kernel->run(args, share_of(bands[i]));
      const std::int64_t done = trace != nullptr ? now_ns() : 0;
      team.wait_for_all();
      if (trace == nullptr) continue;
      const std::int64_t end = now_ns();
      trace->push_back({static_cast<std::int32_t>(s), thread, begin, done, end});
      begin = end;
    }
  }
};

Session::Session(Package package, const SessionOptions& options)
    : state_(std::make_unique<State>(std::move(package), options)) {}
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;
Session::~Session() = default;

void Session::set_input(std::string_view name, const TensorView& value) {
  const Plan& plan = state_->plan();
  const auto port =
      std::find_if(plan.inputs.begin(), plan.inputs.end(), [&](const Port& p) { return p.name == name; });
  if (port == plan.inputs.end())
    fail(ErrorCode::invalid_argument, "model '{}' has no input '{}'", plan.name, name);
  const PlanTensor& expected = state_->tensor(port->tensor);
  if (value.dtype != expected.dtype) {
    fail(ErrorCode::invalid_argument, "input '{}' is {}, expected {}", name, dtype_name(value.dtype),
         dtype_name(expected.dtype));
  }
  std::int64_t batch = 1;
  if (is_per_image(expected.shape) && !value.shape.empty())
    batch = value.shape[0] / std::max<std::int64_t>(expected.shape[0].count, 1);
  if (batch < 1 || value.shape != extents_at(expected.shape, batch)) {
    fail(ErrorCode::invalid_argument, "input '{}' has shape {}, expected {}", name, shape_text(value.shape),
         shape_text(expected.shape));
  }
  const auto index = static_cast<std::size_t>(port - plan.inputs.begin());
  state_->given[index] = value.data;
  state_->batches[index] = batch;
}

void Session::run() {
  State& s = *state_;
  const std::int64_t batch = s.batch_size();
  s.make_results(batch);
  const std::int64_t pass = s.plan().whole_batch ? batch : std::min(batch, s.pass.images);
  std::byte* const scratch = s.scratch.at_least(s.scratch_bytes * s.team.size());
  for (std::int64_t first = 0; first < batch; first += pass) {
    const std::int64_t count = std::min(pass, batch - first);
    s.run_images(first, count, scratch);
  }
}

std::vector<StepEvent> Session::run_traced() {
  State& s = *state_;
  // Every image passes a band of a step once at most; room for all, so that the step loop need not ask for
  // memory.
  const auto most = s.steps.size() * static_cast<std::size_t>(s.batch_size() * s.pass.row_bands);
  s.events.assign(static_cast<std::size_t>(s.team.size()), {});
  for (std::vector<StepEvent>& of_thread : s.events) of_thread.reserve(most);
  run();
  std::vector<StepEvent> all;
  for (const std::vector<StepEvent>& of_thread : std::exchange(s.events, {})) {
    all.insert(all.end(), of_thread.begin(), of_thread.end());
  }
  return all;
}

std::vector<std::int64_t> Session::run_timed() {
  std::vector<std::int64_t> step_ns(state_->steps.size(), 0);
  for (const StepEvent& event : run_traced()) {
    if (event.thread == 0) step_ns[static_cast<std::size_t>(event.step)] += event.end_ns - event.begin_ns;
  }
  return step_ns;
}

TensorView Session::output(std::string_view name) const {
  const std::vector<Port>& ports = state_->plan().outputs;
  for (std::size_t i = 0; i < ports.size(); ++i) {
    if (ports[i].name == name) return output(i);
  }
  fail(ErrorCode::invalid_argument, "model '{}' has no output '{}'", state_->plan().name, name);
}

TensorView Session::output(std::size_t index) const {
  if (index >= state_->results.size() || state_->results[index].data() == nullptr) {
    fail(ErrorCode::invalid_argument, "output {} is not computed yet", index);
  }
  return state_->results[index].view();
}

const Package& Session::package() const noexcept { return state_->package; }

std::vector<StepInfo> Session::steps() const {
  std::vector<StepInfo> infos;
  for (std::size_t i = 0; i < state_->steps.size(); ++i) {
    const Step& step = state_->plan().steps[i];
    infos.push_back(
        {step.problem, std::string(state_->steps[i].row->name), step.origin, state_->steps[i].passed_over});
  }
  return infos;
}

}  // namespace octavo
