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

/// Why `row` cannot solve `problem` here; empty when it can.
std::string objection(const FamilyRow& row, std::string_view problem, Isa isa) {
  if (!implies(isa, row.needs)) return fmt::format("needs {}", isa_name(row.needs));
  return std::string(row.supports(problem).reason);
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

Choice choose_kernel(std::string_view problem, std::string_view hint, const ForcedKernels& forced, Isa isa) {
  const KernelFamily& family = family_of(problem);
  for (std::string_view wanted : {forced.row_for(family.name), hint}) {
    const FamilyRow* row = wanted.empty() ? nullptr : row_named(family, wanted);
    if (row != nullptr && objection(*row, problem, isa).empty()) return {row, {}};
  }
  Choice choice;
  for (const FamilyRow& row : family.rows) {
    const std::string reason = objection(row, problem, isa);
    if (reason.empty()) {
      choice.row = &row;
      return choice;
    }
    choice.passed_over.push_back(fmt::format("{}: {}", row.name, reason));
  }
  fail(ErrorCode::unsupported, "no kernel for '{}': {}", problem, fmt::join(choice.passed_over, "; "));
}

bool pass_over(Choice& choice, std::string_view problem, Isa isa, std::string_view reason) {
  Choice next{nullptr, choice.passed_over};
  next.passed_over.push_back(fmt::format("{}: {}", choice.row->name, reason));
  const KernelFamily& family = family_of(problem);
  const auto failed = std::find_if(family.rows.begin(), family.rows.end(),
                                   [&](const FamilyRow& row) { return &row == choice.row; });
  for (auto row = failed + 1; row < family.rows.end(); ++row) {
    const std::string objected = objection(*row, problem, isa);
    if (objected.empty()) {
      next.row = &*row;
      choice = std::move(next);
      return true;
    }
    next.passed_over.push_back(fmt::format("{}: {}", row->name, objected));
  }
  return false;
}

}  // namespace octavo
