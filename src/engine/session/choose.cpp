#include "engine/session/choose.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/fail.h"

namespace octavo {
namespace {

const KernelFamily& family_named(std::string_view name) {
  for (const KernelFamily& family : kernel_families()) {
    if (family.name == name) return family;
  }
  fail(ErrorCode::invalid_argument, "there is no kernel family '{}'", name);
}

const FamilyRow* row_named(const KernelFamily& family, std::string_view name) {
  const auto found = std::find_if(family.rows.begin(), family.rows.end(),
                                  [&](const FamilyRow& row) { return row.name == name; });
  return found == family.rows.end() ? nullptr : &*found;
}

/// Why `row` should not solve `problem` here; empty when it should.
std::string objection(const FamilyRow& row, std::string_view problem, Isa isa) {
  if (!implies(isa, row.needs)) return fmt::format("needs {}", isa_name(row.needs));
  const std::string reason(row.supports(problem).reason);
  return reason.empty() && row.only_on_request ? "only on request" : reason;
}

/// `row`, with the objections of those before it in their table.
Choice choice_of(const FamilyRow& row, const KernelFamily& family, std::string_view problem, Isa isa) {
  Choice choice{&row, {}, {}};
  for (const FamilyRow& before : family.rows) {
    if (&before == &row) break;
    const std::string reason = objection(before, problem, isa);
    if (!reason.empty()) choice.passed_over.push_back(fmt::format("{}: {}", before.name, reason));
  }
  return choice;
}

}  // namespace

ForcedKernels::ForcedKernels(std::string_view text) {
  while (!text.empty()) {
    const std::string_view item = text.substr(0, text.find(','));
    text.remove_prefix(std::min(item.size() + 1, text.size()));
    const std::size_t colon = item.find(':');
    if (colon == std::string_view::npos)
      fail(ErrorCode::invalid_argument, "kernel '{}' is not FAMILY:ROW", item);
    const KernelFamily& family = family_named(item.substr(0, colon));
    const std::string_view row = item.substr(colon + 1);
    if (row_named(family, row) == nullptr) {
      fail(ErrorCode::invalid_argument, "family {} has no kernel '{}'", family.name, row);
    }
    rows_.emplace_back(family.name, row);
  }
}

std::string_view ForcedKernels::row_for(std::string_view family) const noexcept {
  for (const auto& [name, row] : rows_) {
    if (name == family) return row;
  }
  return "";
}

std::vector<const FamilyRow*> legal_rows(std::string_view problem, Isa isa) {
  std::vector<const FamilyRow*> rows, slower, reference;
  for (const FamilyRow& row : family_of(problem).rows) {
    if (row.only_on_request || !implies(isa, row.needs)) continue;
    const Support support = row.supports(problem);
    if (!support) continue;
    const bool is_slower = !support.reason.empty();
    (row.name == "reference" ? reference : is_slower ? slower : rows).push_back(&row);
  }
  rows.insert(rows.end(), slower.begin(), slower.end());
  rows.insert(rows.end(), reference.begin(), reference.end());
  return rows;
}

Choice choose_kernel(std::string_view problem, std::string_view hint, const ForcedKernels& forced, Isa isa) {
  const KernelFamily& family = family_of(problem);
  std::vector<const FamilyRow*> rows = legal_rows(problem, isa);
  if (rows.empty()) {
    std::vector<std::string> reasons;
    for (const FamilyRow& row : family.rows)
      reasons.push_back(fmt::format("{}: {}", row.name, objection(row, problem, isa)));
    fail(ErrorCode::unsupported, "no kernel for '{}': {}", problem, fmt::join(reasons, "; "));
  }
  const FamilyRow* const requested = row_named(family, forced.row_for(family.name));
  if (requested != nullptr && requested->only_on_request && implies(isa, requested->needs) &&
      requested->supports(problem))
    return {requested, {}, std::move(rows)};
  auto taken = rows.begin();
  for (std::string_view wanted : {hint, forced.row_for(family.name)}) {
    const auto found =
        std::find_if(rows.begin(), rows.end(), [&](const FamilyRow* row) { return row->name == wanted; });
    if (found != rows.end()) taken = found;
  }
  const bool is_asked_for = taken != rows.begin();
  Choice choice = is_asked_for ? Choice{*taken, {}, {}} : choice_of(**taken, family, problem, isa);
  rows.erase(taken);
  choice.others = std::move(rows);
  return choice;
}

bool pass_over(Choice& choice, std::string_view reason) {
  if (choice.others.empty()) return false;
  choice.passed_over.push_back(fmt::format("{}: {}", choice.row->name, reason));
  choice.row = choice.others.front();
  choice.others.erase(choice.others.begin());
  return true;
}

}  // namespace octavo
