#include "compiler/import/torchscript/value.h"

#include <array>

#include "base/fail.h"

namespace octavo::torchscript {
namespace {

template <class T>
const T& expect(const Value& value, std::string_view what, std::string_view wanted) {
  if (const T* found = std::get_if<T>(&value)) return *found;
  fail(ErrorCode::invalid_model, "{} is {}, expected {}", what, value_text(value), wanted);
}

}  // namespace

std::string_view kind_text(const Value& value) noexcept {
  constexpr std::array<std::string_view, std::variant_size_v<Value>> kKinds{
      "None",
      "a bool",
      "an integer",
      "a float",
      "a size that grows with the batch",
      "a string",
      "a list",
      "a dict",
      "an object",
      "a storage",
      "a stored tensor",
      "a tensor",
      "a name",
      "a method"};
  return kKinds[value.index()];
}

std::string value_text(const Value& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return fmt::format("{}", *integer);
  if (const auto* real = std::get_if<double>(&value)) return fmt::format("{}", *real);
  if (const auto* truth = std::get_if<bool>(&value)) return *truth ? "True" : "False";
  if (const auto* dim = std::get_if<Dim>(&value)) return dim_text(*dim);
  if (const auto* text = std::get_if<std::string>(&value)) return fmt::format("'{:.80}'", *text);
  if (const auto* name = std::get_if<Name>(&value)) return fmt::format("'{:.80}'", name->text);
  if (const auto* const* object = std::get_if<Object*>(&value)) {
    return fmt::format("an object of '{:.120}'", (*object)->class_name);
  }
  return std::string(kind_text(value));
}

std::int64_t as_integer(const Value& value, std::string_view what) {
  if (const bool* truth = std::get_if<bool>(&value)) return *truth ? 1 : 0;
  return expect<std::int64_t>(value, what, "an integer");
}

const std::string& as_string(const Value& value, std::string_view what) {
  return expect<std::string>(value, what, "a string");
}

const List& as_list(const Value& value, std::string_view what) {
  return *expect<List*>(value, what, "a list or tuple");
}

const StoredTensor& as_stored_tensor(const Value& value, std::string_view what) {
  return *expect<const StoredTensor*>(value, what, "a tensor of the file");
}

std::vector<std::int64_t> as_integers(const Value& value, std::string_view what) {
  std::vector<std::int64_t> integers;
  for (const Value& item : as_list(value, what).items) integers.push_back(as_integer(item, what));
  return integers;
}

}  // namespace octavo::torchscript
