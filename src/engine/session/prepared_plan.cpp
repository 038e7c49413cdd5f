#include "engine/session/prepared_plan.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <map>
#include <mutex>
#include <tuple>

#include "base/fail.h"
#include "engine/session/choose.h"
#include "engine/session/step_sizes.h"
#include "package/package.h"

namespace octavo {
namespace {

Operand operand_of(const PackageData& package, std::int32_t index) {
  const PlanTensor& tensor = package.plan.tensors[static_cast<std::size_t>(index)];
  Operand operand{tensor.dtype, tensor.quantization ? &*tensor.quantization : nullptr, {}};
  if (tensor.storage == Storage::weights) {
    operand.constant = {tensor.dtype, extents_at(tensor.shape, 1),
                        package.weights[static_cast<std::size_t>(tensor.offset)].data};
  }
  return operand;
}

/// Some rows learn only from the operands that they cannot do a step (its weights are not constant): then the
/// next one does it.
std::unique_ptr<Prepared> prepare_chosen(std::string_view problem, const Operands& operands, Choice& choice) {
  while (true) {
    try {
      return choice.row->prepare(problem, operands);
    } catch (const Error& e) {
      if (e.code() != ErrorCode::unsupported || !pass_over(choice, e.what())) throw;
    }
  }
}

PreparedStep prepare_step(const PackageData& package, const Step& step, const ForcedKernels& forced, Isa isa,
                          ConstantMemory* memory) {
  try {
    check_sizes(package.plan, step);
    Operands operands = operands_of(package, step);
    operands.memory = memory;
    Choice choice = choose_kernel(step.problem, hint_of(package.plan, step, isa), forced, isa);
    std::unique_ptr<Prepared> kernel = prepare_chosen(step.problem, operands, choice);
    return {choice.row, std::move(choice.passed_over), std::move(kernel), grows(package.plan, step)};
  } catch (const Error& e) {
    throw e.within(fmt::format("step '{}'{}", step.problem, step.origin.empty() ? "" : " of " + step.origin));
  }
}

/// Nothing for constants that would not fill a huge page.
std::unique_ptr<ConstantMemory> constant_memory_for(const PackageData& package) {
  std::int64_t bytes = 0;
  for (const TensorView& weights : package.weights)
    bytes += element_count(weights.shape) * dtype_bytes(weights.dtype);
  return bytes < kHugePageBytes ? nullptr : std::make_unique<ConstantMemory>(bytes);
}

/// By all threads of the team: packing weights is most of the time that loading takes.
std::shared_ptr<const PreparedPlan> prepare(const Package& package, const Preparation& how,
                                            ThreadTeam& team) {
  const ForcedKernels forced(how.kernels);
  auto prepared = std::make_shared<PreparedPlan>(PreparedPlan{package, nullptr, {}, 0});
  prepared->memory = constant_memory_for(package.data());
  const std::vector<Step>& steps = package.data().plan.steps;
  prepared->steps.resize(steps.size());
  std::vector<std::exception_ptr> errors(steps.size());
  std::atomic<std::size_t> next{0};
  team.run([&](int) {
    for (std::size_t i = next++; i < steps.size(); i = next++) {
      try {
        prepared->steps[i] = prepare_step(package.data(), steps[i], forced, how.isa, prepared->memory.get());
      } catch (...) {
        errors[i] = std::current_exception();
      }
    }
  });
  for (const std::exception_ptr& error : errors) {
    if (error) std::rethrow_exception(error);
  }
  for (const PreparedStep& step : prepared->steps) {
    prepared->scratch_bytes = std::max(prepared->scratch_bytes, aligned_bytes(step.kernel->scratch_bytes()));
  }
  return prepared;
}

/// The place of one prepared plan while sessions share it. Its mutex is held while the plan is made.
struct Slot {
  std::mutex mutex;
  std::weak_ptr<const PreparedPlan> plan;
};

// A package's address names it: a plan that lives keeps its package alive, and a slot whose plan is gone is
// as good as new for whatever package lies there now.
using Key = std::tuple<const PackageData*, std::string, Isa, int>;

/// Whether nobody makes or shares the slot's plan any more.
bool is_left(const std::shared_ptr<Slot>& slot) {
  if (slot.use_count() > 1) return false;
  const std::unique_lock lock(slot->mutex, std::try_to_lock);  // orders this after the last writer
  return lock.owns_lock() && slot->plan.expired();
}

std::shared_ptr<Slot> slot_of(const Key& key) {
  static std::mutex mutex;
  static std::map<Key, std::shared_ptr<Slot>> slots;
  const std::lock_guard lock(mutex);
  std::erase_if(slots, [](const auto& entry) { return is_left(entry.second); });
  std::shared_ptr<Slot>& slot = slots[key];
  if (slot == nullptr) slot = std::make_shared<Slot>();
  return slot;
}

}  // namespace

Operands operands_of(const PackageData& package, const Step& step) {
  Operands operands;
  for (std::int32_t input : step.inputs) operands.inputs.push_back(operand_of(package, input));
  operands.output = operand_of(package, step.output);
  operands.parameters.insert(step.parameters.begin(), step.parameters.end());
  return operands;
}

std::string_view hint_of(const Plan& plan, const Step& step, Isa isa) {
  const bool is_elsewhere = plan.tuning && plan.tuning->isa != isa_name(isa);
  return is_elsewhere ? std::string_view() : step.kernel;
}

std::shared_ptr<const PreparedPlan> prepared_plan(const Package& package, const Preparation& how,
                                                  ThreadTeam& team) {
  const std::shared_ptr<Slot> slot = slot_of({&package.data(), how.kernels, how.isa, how.node});
  const std::lock_guard lock(slot->mutex);
  if (std::shared_ptr<const PreparedPlan> shared = slot->plan.lock()) return shared;
  std::shared_ptr<const PreparedPlan> made = prepare(package, how, team);
  release_weights(package.data());  // most are packed now: a second copy would stay for nothing
  slot->plan = made;
  return made;
}

}  // namespace octavo
