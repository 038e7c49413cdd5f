#include "compiler/import/torchscript/numbers.h"

#include <cmath>
#include <optional>

#include "base/fail.h"

namespace octavo::torchscript {
namespace {

constexpr std::size_t kLongestList = 1 << 16;

/// A number as integer, float or size.
using Number = std::variant<std::int64_t, double, Dim>;

Number number_of(const Value& value) {
  if (const auto* truth = std::get_if<bool>(&value)) return std::int64_t{*truth ? 1 : 0};
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return *integer;
  if (const auto* real = std::get_if<double>(&value)) return *real;
  if (const auto* dim = std::get_if<Dim>(&value)) return *dim;
  fail(ErrorCode::invalid_model, "{} where a number is expected", value_text(value));
}

bool is_dim(const Number& number) { return std::holds_alternative<Dim>(number); }
bool is_real(const Number& number) { return std::holds_alternative<double>(number); }

double real_of(const Number& number) {
  if (const auto* integer = std::get_if<std::int64_t>(&number)) return static_cast<double>(*integer);
  if (const auto* real = std::get_if<double>(&number)) return *real;
  fail(ErrorCode::unsupported, "the value of a size that grows with the batch is asked for");
}

std::int64_t count_of(const Number& number) {
  if (const auto* dim = std::get_if<Dim>(&number)) return dim->count;
  return std::get<std::int64_t>(number);
}

Value sized(std::int64_t count) {
  if (count == 0) return std::int64_t{0};
  return Dim{count, true};
}

[[noreturn]] void overflow() { fail(ErrorCode::invalid_model, "integer arithmetic overflows"); }

[[noreturn]] void needs_batch(const Value& a, const Value& b) {
  fail(ErrorCode::unsupported, "the batch size would have to be known to compute with {} and {}",
       value_text(a), value_text(b));
}

std::int64_t floor_quotient(std::int64_t a, std::int64_t b) {
  if (b == 0) fail(ErrorCode::invalid_model, "division of {} by zero", a);
  if (b == -1) {
    std::int64_t negated = 0;
    if (__builtin_sub_overflow(std::int64_t{0}, a, &negated)) overflow();
    return negated;
  }
  const std::int64_t quotient = a / b;
  return a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient;
}

/// a / b when exact and at least one is a size; nothing otherwise.
std::optional<Value> exact_quotient(const Number& a, const Number& b) {
  if (!is_dim(a) || is_real(b)) return std::nullopt;
  const std::int64_t divisor = count_of(b);
  if (divisor <= 0 || count_of(a) % divisor != 0) return std::nullopt;
  const std::int64_t quotient = count_of(a) / divisor;
  return is_dim(b) ? Value(quotient) : sized(quotient);
}

template <class IntegerOp, class RealOp>
Value linear(const Value& a, const Value& b, IntegerOp on_integers, RealOp on_reals) {
  const Number x = number_of(a);
  const Number y = number_of(b);
  if (is_real(x) || is_real(y)) return on_reals(real_of(x), real_of(y));
  std::int64_t result = 0;
  if (is_dim(x) != is_dim(y)) {
    if (is_dim(x) && count_of(y) == 0) return std::get<Dim>(x);
    if (is_dim(y) && count_of(x) == 0 && !on_integers(0, count_of(y), &result)) return sized(result);
    needs_batch(a, b);
  }
  if (on_integers(count_of(x), count_of(y), &result)) overflow();
  return is_dim(x) ? sized(result) : Value(result);
}

/// Lists in lists are refused: hostile code can nest them without end.
bool are_equal_lists(const List& a, const List& b) {
  if (a.items.size() != b.items.size()) return false;
  for (std::size_t i = 0; i < a.items.size(); ++i) {
    if (std::holds_alternative<List*>(a.items[i])) fail(ErrorCode::unsupported, "comparison of nested lists");
    if (!are_equal(a.items[i], b.items[i])) return false;
  }
  return true;
}

}  // namespace

Value add_numbers(const Value& a, const Value& b, Heap& heap) {
  List* const* left = std::get_if<List*>(&a);
  List* const* right = std::get_if<List*>(&b);
  if (left != nullptr && right != nullptr) {
    std::vector<Value> joined = (*left)->items;
    joined.insert(joined.end(), (*right)->items.begin(), (*right)->items.end());
    if (joined.size() > kLongestList) fail(ErrorCode::invalid_model, "a list of {} items", joined.size());
    return heap.list(std::move(joined));
  }
  const auto* head = std::get_if<std::string>(&a);
  const auto* tail = std::get_if<std::string>(&b);
  if (head != nullptr && tail != nullptr) {
    if (head->size() + tail->size() > kLongestList)
      fail(ErrorCode::invalid_model, "a string of {} bytes", head->size());
    return *head + *tail;
  }
  return linear(
      a, b,
      [](std::int64_t x, std::int64_t y, std::int64_t* sum) { return __builtin_add_overflow(x, y, sum); },
      [](double x, double y) { return x + y; });
}

Value subtract_numbers(const Value& a, const Value& b) {
  return linear(
      a, b,
      [](std::int64_t x, std::int64_t y, std::int64_t* rest) { return __builtin_sub_overflow(x, y, rest); },
      [](double x, double y) { return x - y; });
}

Value multiply_numbers(const Value& a, const Value& b) {
  const Number x = number_of(a);
  const Number y = number_of(b);
  if (is_real(x) || is_real(y)) return real_of(x) * real_of(y);
  if (is_dim(x) && is_dim(y)) needs_batch(a, b);
  std::int64_t product = 0;
  if (__builtin_mul_overflow(count_of(x), count_of(y), &product)) overflow();
  return is_dim(x) || is_dim(y) ? sized(product) : Value(product);
}

Value divide_numbers(const Value& a, const Value& b) {
  const Number x = number_of(a);
  const Number y = number_of(b);
  if (const auto quotient = exact_quotient(x, y)) return *quotient;
  if (real_of(y) == 0.0) fail(ErrorCode::invalid_model, "division of {} by zero", value_text(a));
  return real_of(x) / real_of(y);
}

Value floor_divide_numbers(const Value& a, const Value& b) {
  const Number x = number_of(a);
  const Number y = number_of(b);
  if (const auto quotient = exact_quotient(x, y)) return *quotient;
  if (is_dim(x) || is_dim(y)) needs_batch(a, b);
  if (is_real(x) || is_real(y)) {
    if (real_of(y) == 0.0) fail(ErrorCode::invalid_model, "division of {} by zero", value_text(a));
    return std::floor(real_of(x) / real_of(y));
  }
  return floor_quotient(count_of(x), count_of(y));
}

Value remainder_numbers(const Value& a, const Value& b) {
  const Number x = number_of(a);
  const Number y = number_of(b);
  if (exact_quotient(x, y)) return std::int64_t{0};
  if (is_dim(x) || is_dim(y)) needs_batch(a, b);
  if (is_real(x) || is_real(y)) {
    if (real_of(y) == 0.0) fail(ErrorCode::invalid_model, "division of {} by zero", value_text(a));
    return real_of(x) - std::floor(real_of(x) / real_of(y)) * real_of(y);
  }
  if (count_of(y) == -1) return std::int64_t{0};
  return count_of(x) - floor_quotient(count_of(x), count_of(y)) * count_of(y);
}

Value item_of(const Value& container, const Value& index) {
  if (Dict* const* dict = std::get_if<Dict*>(&container)) {
    for (const auto& [key, item] : (*dict)->items) {
      if (key.index() == index.index() && are_equal(key, index)) return item;
    }
    fail(ErrorCode::invalid_model, "a dict has no key {}", value_text(index));
  }
  const auto& items = as_list(container, "what is indexed").items;
  const auto count = static_cast<std::int64_t>(items.size());
  std::int64_t at = as_integer(index, "an index");
  if (at < 0) at += count;
  if (at < 0 || at >= count)
    fail(ErrorCode::invalid_model, "index {} of a list of {}", value_text(index), count);
  return items[static_cast<std::size_t>(at)];
}

bool are_equal(const Value& a, const Value& b) {
  if (is_none(a) || is_none(b)) return is_none(a) && is_none(b);
  if (const auto* left = std::get_if<std::string>(&a)) {
    const auto* right = std::get_if<std::string>(&b);
    return right != nullptr && *left == *right;
  }
  if (const auto* left = std::get_if<Name>(&a)) {
    const auto* right = std::get_if<Name>(&b);
    return right != nullptr && left->text == right->text;
  }
  if (List* const* left = std::get_if<List*>(&a)) {
    List* const* right = std::get_if<List*>(&b);
    return right != nullptr && are_equal_lists(**left, **right);
  }
  const Number x = number_of(a);
  const Number y = number_of(b);
  if (is_dim(x) == is_dim(y)) return is_dim(x) ? count_of(x) == count_of(y) : real_of(x) == real_of(y);
  const bool is_below =
      !is_real(is_dim(x) ? y : x) && count_of(is_dim(x) ? y : x) < count_of(is_dim(x) ? x : y);
  if (!is_below) needs_batch(a, b);
  return false;
}

bool is_less(const Value& a, const Value& b) {
  const Number x = number_of(a);
  const Number y = number_of(b);
  if (!is_dim(x) && !is_dim(y)) {
    return is_real(x) || is_real(y) ? real_of(x) < real_of(y) : count_of(x) < count_of(y);
  }
  if (is_dim(x) && is_dim(y)) return count_of(x) < count_of(y);
  if (is_real(x) || is_real(y)) needs_batch(a, b);
  // A size is at least its count, for a batch has at least one image.
  if (is_dim(x) && count_of(y) <= count_of(x)) return false;
  if (is_dim(y) && count_of(x) < count_of(y)) return true;
  needs_batch(a, b);
}

bool is_true(const Value& value) {
  if (is_none(value)) return false;
  if (const auto* text = std::get_if<std::string>(&value)) return !text->empty();
  if (List* const* list = std::get_if<List*>(&value)) return !(*list)->items.empty();
  if (std::holds_alternative<Dim>(value)) return true;
  const Number number = number_of(value);
  return real_of(number) != 0.0;
}

}  // namespace octavo::torchscript
