#include "bench/dlrm_profile.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>
#include <utility>

#include "base/assert.h"
#include "engine/session/dlrm/pipeline.h"

namespace octavo::bench {
namespace {

constexpr std::int64_t kIndexBytes = sizeof(std::int64_t);

/// The stages of a model for one batch, as they are added.
struct Stages {
  const DlrmModel& model;
  std::int64_t batch;
  std::string kernel;
  DlrmPrecision precision;
  std::vector<StepProfile> steps;

  [[nodiscard]] std::int64_t value_bytes() const {
    return precision == DlrmPrecision::int8 ? 1 : precision == DlrmPrecision::bf16 ? 2 : 4;
  }
  [[nodiscard]] std::int32_t last() const { return static_cast<std::int32_t>(steps.size()) - 1; }

  StepProfile& add(std::string name, std::string problem, std::int64_t macs, std::int64_t bytes,
                   std::vector<std::int32_t> reads) {
    StepProfile& step = steps.emplace_back();
    step.family = problem.substr(0, problem.find(' '));
    step.layer = layer_of(name);
    step.info = {std::move(problem), kernel, std::move(name), {}};
    step.cost = {macs, bytes, precision != DlrmPrecision::int8};
    step.reads = std::move(reads);
    return step;
  }

  void add_mlp(std::string_view name, std::int64_t inputs, const std::vector<std::int64_t>& widths,
               std::vector<std::int32_t> reads) {
    for (std::size_t i = 0; i < widths.size(); ++i) {
      const std::int64_t outputs = widths[i];
      add(fmt::format("{}.{}", name, i),
          fmt::format("layer {} ic{} oc{}", arithmetic_name(precision), inputs, outputs),
          batch * inputs * outputs, (batch * (inputs + outputs) + inputs * outputs) * value_bytes(),
          std::exchange(reads, {last() + 1}));
      inputs = outputs;
    }
  }

  void add_gather() {
    std::int64_t bytes = 0;
    std::set<std::string_view> formats;
    for (const DlrmTable& table : model.tables) {
      bytes += batch * (row_bytes(table.format, model.dim) + kIndexBytes);
      formats.insert(row_format_name(table.format));
    }
    add("gather",
        fmt::format("gather {} tables{} dim{}", fmt::join(formats, ","), model.tables.size(), model.dim), 0,
        bytes, {})
        .reads_memory = true;
  }

  void add_interaction(std::int32_t x) {
    const std::int64_t vectors = std::ssize(model.tables) + 1;
    add("interaction",
        fmt::format("{} {} vectors{} dim{}", interaction_name(model.interaction), arithmetic_name(precision),
                    vectors, model.dim),
        batch * dot_products(model) * model.dim,
        batch * (vectors * model.dim + interaction_width(model)) * value_bytes(), {x, last()});
  }
};

std::vector<StepProfile> stages_of(const DlrmSession& session, DlrmPrecision precision, std::int64_t batch) {
  const DlrmModel& model = session.model().data().model;
  Stages stages{model, batch, session.kernel(), precision, {}};
  const std::int64_t dense = model.dense_features, tables = std::ssize(model.tables);
  constexpr std::int64_t kFloat = sizeof(float);
  stages.add("check", fmt::format("check dense{} tables{}", dense, tables), 0,
             batch * (dense * kFloat + tables * kIndexBytes), {});
  if (precision != DlrmPrecision::f32) {
    stages.add("input", fmt::format("input {} dense{}", arithmetic_name(precision), dense), 0,
               batch * dense * (kFloat + stages.value_bytes()), {});
    stages.add_mlp("bottom", dense, model.bottom, {stages.last()});
  } else {
    stages.add_mlp("bottom", dense, model.bottom, {});
  }
  const std::int32_t x = stages.last();
  stages.add_gather();
  stages.add_interaction(x);
  stages.add_mlp("top", interaction_width(model), model.top, {stages.last()});
  stages.add("sigmoid", "sigmoid", 0, batch * 2 * kFloat, {stages.last()});
  const std::vector<std::string> names = session.stages();
  OCTAVO_ASSERT(
      std::equal(names.begin(), names.end(), stages.steps.begin(), stages.steps.end(),
                 [](const std::string& name, const StepProfile& step) { return name == step.info.origin; }));
  return std::move(stages.steps);
}

}  // namespace

Traced traced(DlrmInstance& instance, DlrmPrecision precision, std::int64_t batch, Facts facts) {
  return {std::move(facts), stages_of(instance.session(), precision, batch),
          [&instance, batch, next = std::int64_t{0}]() mutable {
            return instance.run_traced(std::exchange(next, next + batch), batch);
          }};
}

}  // namespace octavo::bench
