#include "compiler/tune/tasks.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <random>

#include "base/cpu.h"
#include "base/crc32c.h"
#include "engine/session/choose.h"
#include "engine/session/step_sizes.h"
#include "engine/session/walk_order.h"

namespace octavo {
namespace {

constexpr std::string_view kDefault = "default", kImages = "images", kBands = "row_bands", kKib = "l2_kib";

/// The rows that can solve a problem here. The reference is none where another one is.
std::vector<std::string> candidates_for(std::string_view problem) {
  std::vector<std::string> rows;
  for (const FamilyRow* row : legal_rows(problem, usable_isa())) {
    if (row->name != "reference" || rows.empty()) rows.emplace_back(row->name);
  }
  return rows;
}

}  // namespace

StepTasks step_tasks(const Plan& plan, std::int64_t batch) {
  StepTasks all;
  const std::int64_t images = plan.whole_batch ? batch : std::min(batch, kImagesPerPass);
  for (const Leg& leg : walk_order(plan, images).legs) {
    for (std::size_t s = leg.first; s < leg.end; ++s) {
      const Step& step = plan.steps[s];
      const std::int64_t together = grows(plan, step) ? leg.images : 1;
      const std::int64_t uses = grows(plan, step) ? std::max<std::int64_t>(batch / leg.images, 1) : 1;
      const auto found = std::find_if(all.tasks.begin(), all.tasks.end(), [&](const TuningTask& task) {
        return task.problem == step.problem && task.batch == together;
      });
      all.task_of.push_back(static_cast<std::size_t>(found - all.tasks.begin()));
      if (found != all.tasks.end()) {
        found->uses += uses;
        continue;
      }
      all.tasks.push_back({step.problem, together, uses, candidates_for(step.problem)});
      all.example.push_back(s);
    }
  }
  return all;
}

void shuffle(StepTasks& steps, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  for (TuningTask& task : steps.tasks) std::shuffle(task.candidates.begin(), task.candidates.end(), random);
}

TuningTask session_task(const Plan& plan, std::int64_t batch) {
  std::string steps;
  for (const Step& step : plan.steps) steps += step.problem + "\n";
  const std::uint32_t sum = crc32c(std::as_bytes(std::span(steps)));
  TuningTask task{fmt::format("session {} {:08x}", plan.name, sum), batch, 1, {}};
  const auto add = [&](const PassShape& pass) { task.candidates.push_back(pass_text(pass)); };
  add({});
  for (std::int64_t bands : {4, 7}) add({.row_bands = bands});
  if (plan.whole_batch || batch < 2) return task;
  for (std::int64_t images = 1; images <= std::min<std::int64_t>(batch, 64); images *= 2) {
    if (images != kImagesPerPass) add({.images = images});
  }
  for (std::int64_t kib : {kActivationKib / 2, 2 * kActivationKib}) {
    add({.l2_kib = kib});
    add({.row_bands = 4, .l2_kib = kib});
  }
  return task;
}

std::string pass_text(const PassShape& pass) {
  std::string text;
  const auto add = [&](std::string_view name, std::int64_t value) {
    if (value > 0) text += fmt::format("{}{}={}", text.empty() ? "" : " ", name, value);
  };
  add(kImages, pass.images), add(kBands, pass.row_bands), add(kKib, pass.l2_kib);
  return text.empty() ? std::string(kDefault) : text;
}

PassShape parse_pass(std::string_view text) {
  const auto number = [&](std::string_view name) {
    std::int64_t value = 0;
    const std::size_t at = text.find(fmt::format("{}=", name));
    if (at == std::string_view::npos) return value;
    const std::string_view digits = text.substr(at + name.size() + 1);
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return value;
  };
  return {number(kImages), number(kBands), number(kKib)};
}

}  // namespace octavo
