#include "compiler/import/dlrm/named_tensors.h"

#include <algorithm>
#include <charconv>

#include "base/fail.h"

namespace octavo::dlrm_import {
namespace {

using torchscript::Dict;
using torchscript::Value;

const Value* find_item(const Dict& dict, std::string_view key) {
  for (const auto& [name, value] : dict.items) {
    const auto* text = std::get_if<std::string>(&name);
    if (text != nullptr && *text == key) return &value;
  }
  return nullptr;
}

const Dict& state_dict_of(const Value& checkpoint) {
  Dict* const* root = std::get_if<Dict*>(&checkpoint);
  if (root == nullptr) {
    fail(ErrorCode::invalid_model, "the checkpoint is {}, expected a dict of tensors",
         torchscript::value_text(checkpoint));
  }
  const Value* state = find_item(**root, "state_dict");
  if (state == nullptr) return **root;
  Dict* const* dict = std::get_if<Dict*>(state);
  if (dict == nullptr) {
    fail(ErrorCode::invalid_model, "the checkpoint's 'state_dict' is {}, expected a dict of tensors",
         torchscript::value_text(*state));
  }
  return **dict;
}

}  // namespace

NamedTensors named_tensors(const Value& checkpoint) {
  constexpr std::string_view kPrefix = "module.";
  NamedTensors tensors;
  for (const auto& [key, value] : state_dict_of(checkpoint).items) {
    const std::string& name = torchscript::as_string(key, "a tensor's name");
    if (!tensors.emplace(name, &torchscript::as_stored_tensor(value, name)).second) {
      fail(ErrorCode::invalid_model, "the checkpoint has '{}' twice", name);
    }
  }
  const bool all_have_prefix = std::all_of(
      tensors.begin(), tensors.end(), [&](const auto& entry) { return entry.first.starts_with(kPrefix); });
  if (!all_have_prefix) return tensors;
  NamedTensors shorter;
  for (const auto& [name, tensor] : tensors) shorter.emplace(name.substr(kPrefix.size()), tensor);
  return shorter;
}

std::int64_t number_in(std::string_view name, std::string_view prefix, std::string_view suffix) noexcept {
  constexpr std::size_t kMostDigits = 9;
  if (!name.starts_with(prefix) || !name.ends_with(suffix)) return -1;
  if (name.size() <= prefix.size() + suffix.size()) return -1;
  const std::string_view digits = name.substr(prefix.size(), name.size() - prefix.size() - suffix.size());
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const bool is_number = error == std::errc() && end == digits.data() + digits.size() &&
                         digits.size() <= kMostDigits && digits.front() != '-' &&
                         (digits.front() != '0' || digits.size() == 1);
  return is_number ? number : -1;
}

}  // namespace octavo::dlrm_import
