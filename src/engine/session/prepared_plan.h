#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/isa.h"
#include "base/thread_team.h"
#include "engine/kernels/constant_memory.h"
#include "engine/kernels/family.h"
#include "octavo/session.h"
#include "package/plan.h"

namespace octavo {

/// A step of a plan with its kernel chosen and ready.
struct PreparedStep {
  const FamilyRow* row = nullptr;
  std::vector<std::string> passed_over;
  std::unique_ptr<Prepared> kernel;
  bool grows = false;
};

/// Every step of a package made ready to run. Immutable: any number of sessions run one at the same time,
/// each with activations and scratch of its own.
struct PreparedPlan {
  Package package;                         ///< keeps alive what the kernels look at
  std::unique_ptr<ConstantMemory> memory;  ///< of their packed constants; nullptr: they have their own
  std::vector<PreparedStep> steps;
  std::int64_t scratch_bytes = 0;  ///< that each thread needs, rounded up to whole cache lines
};

/// What makes the prepared plans of one package differ.
struct Preparation {
  std::string kernels;  ///< forced rows, as ForcedKernels reads them
  Isa isa = Isa::generic;
  int node = -1;  ///< the NUMA node whose sessions share it; -1 = those of all nodes
};

/// What a kernel for `step` is told of its operands; views of `package`.
Operands operands_of(const PackageData& package, const Step& step);
/// The row that the plan asks for, empty where it was tuned for another instruction set than `isa`.
std::string_view hint_of(const Plan& plan, const Step& step, Isa isa);

/// The prepared plan of `package`: the one that sessions alive share already, else a new one, made by all
/// threads of `team`. Thread-safe: who asks for a plan that is being made waits for it. Errors as
/// Session::Session.
std::shared_ptr<const PreparedPlan> prepared_plan(const Package& package, const Preparation& how,
                                                  ThreadTeam& team);

}  // namespace octavo
