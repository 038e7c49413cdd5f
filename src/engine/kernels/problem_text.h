#pragma once
#include <charconv>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/fail.h"
#include "octavo/tensor.h"

namespace octavo {

/// The one-line text form that all Problems share: `conv2d x=u8 w=s8 ic64 oc64 ih56 kh3 ph1 activation=relu`.
///
/// A Problem is a plain struct with `static constexpr std::string_view kFamily` and
///   template <class Field> void each_field(Field&& field)      // and a const one
/// that calls `field(name, member)` for its members in order. Whole numbers print as name directly followed
/// by digits, dtypes, named enums (an `enum_names(E)` overload gives their texts) and lists of numbers as
/// name=value. A member equal to that of a default-constructed Problem is left out.
template <class E>
concept NamedEnum = std::is_enum_v<E> && requires(E e) {
  { enum_names(e) } -> std::convertible_to<std::span<const std::string_view>>;
};

namespace problem_text {

inline std::string value_text(std::int64_t v) { return std::to_string(v); }
inline std::string value_text(DType v) { return "=" + std::string(dtype_name(v)); }
inline std::string value_text(const std::vector<std::int64_t>& v) {
  std::string text = "=";
  for (std::size_t i = 0; i < v.size(); ++i) text += (i > 0 ? "," : "") + std::to_string(v[i]);
  return text;
}
template <NamedEnum E>
std::string value_text(E v) {
  return "=" + std::string(enum_names(v)[static_cast<std::size_t>(v)]);
}

inline std::int64_t parse_number(std::string_view token, std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    fail(ErrorCode::invalid_argument, "'{}' in a problem: '{}' is no whole number", token, text);
  }
  return value;
}

inline void parse_value(std::string_view token, std::string_view text, std::int64_t& v) {
  v = parse_number(token, text);
}
inline void parse_value(std::string_view token, std::string_view text, DType& v) {
  const auto dtype = parse_dtype(text.substr(1));
  if (!dtype) fail(ErrorCode::invalid_argument, "'{}' in a problem names no dtype", token);
  v = *dtype;
}
inline void parse_value(std::string_view token, std::string_view text, std::vector<std::int64_t>& v) {
  v.clear();
  text.remove_prefix(1);
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    v.push_back(parse_number(token, text.substr(0, comma)));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
}
template <NamedEnum E>
void parse_value(std::string_view token, std::string_view text, E& v) {
  const auto names = enum_names(v);
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == text.substr(1)) {
      v = static_cast<E>(i);
      return;
    }
  }
  fail(ErrorCode::invalid_argument, "'{}' in a problem: unknown value", token);
}

/// A token is a name of letters and '_' and what follows it: digits, or '=' and the value.
inline std::size_t name_length(std::string_view token) {
  std::size_t end = 0;
  while (end < token.size() && ((token[end] >= 'a' && token[end] <= 'z') || token[end] == '_')) ++end;
  return end;
}

}  // namespace problem_text

/// The Problem's line.
template <class Problem>
std::string problem_text_of(const Problem& problem) {
  std::string text(Problem::kFamily);
  const Problem defaults;
  std::vector<std::string> default_texts;
  defaults.each_field(
      [&](std::string_view, const auto& v) { default_texts.push_back(problem_text::value_text(v)); });
  std::size_t i = 0;
  problem.each_field([&](std::string_view name, const auto& v) {
    std::string value = problem_text::value_text(v);
    if (value != default_texts[i++]) text += " " + std::string(name) + value;
  });
  return text;
}

/// The family a line begins with.
inline std::string_view problem_family(std::string_view text) { return text.substr(0, text.find(' ')); }

/// Reads a Problem's line. Error(invalid_argument) that names the token that does not fit. Does not check
/// sizes: that is `Problem::check`.
template <class Problem>
Problem parse_problem(std::string_view text) {
  if (problem_family(text) != Problem::kFamily) {
    fail(ErrorCode::invalid_argument, "problem '{}' is no {}", text, Problem::kFamily);
  }
  Problem problem;
  text.remove_prefix(Problem::kFamily.size());
  while (!text.empty()) {
    if (text.front() == ' ') {
      text.remove_prefix(1);
      continue;
    }
    const std::string_view token = text.substr(0, text.find(' '));
    text.remove_prefix(token.size());
    const std::size_t length = problem_text::name_length(token);
    bool known = false;
    problem.each_field([&](std::string_view name, auto& v) {
      if (known || name != token.substr(0, length)) return;
      known = true;
      problem_text::parse_value(token, token.substr(length), v);
    });
    if (!known) fail(ErrorCode::invalid_argument, "problem of {} has no field '{}'", Problem::kFamily, token);
  }
  problem.check();
  return problem;
}

}  // namespace octavo
