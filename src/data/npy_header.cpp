#include "data/npy_header.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "base/fail.h"

namespace octavo {
namespace {

/// NumPy's own limit of dimensions is 64.
constexpr std::size_t kMostDimensions = 64;

/// Reads the small part of Python's literals that a header consists of, left to right.
class HeaderReader {
 public:
  explicit HeaderReader(std::string_view text) : text_(text) {}

  bool accept(char wanted) {
    skip_spaces();
    if (at_ == text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }

  void expect(char wanted) {
    if (!accept(wanted)) fail(ErrorCode::invalid_model, "npy header: expected '{}' in {}", wanted, here());
  }

  std::string_view quoted() {
    const char quote = accept('"') ? '"' : (expect('\''), '\'');
    const std::size_t end = text_.find(quote, at_);
    if (end == std::string_view::npos)
      fail(ErrorCode::invalid_model, "npy header: no end of text in {}", here());
    const std::string_view found = text_.substr(at_, end - at_);
    const auto is_printable = [](char c) { return c >= ' ' && c <= '~'; };
    if (!std::all_of(found.begin(), found.end(), is_printable)) {
      fail(ErrorCode::invalid_model, "npy header: unprintable text in {}", here());
    }
    at_ = end + 1;
    return found;
  }

  bool boolean() {
    skip_spaces();
    for (const bool value : {true, false}) {
      const std::string_view word = value ? "True" : "False";
      if (!text_.substr(at_).starts_with(word)) continue;
      at_ += word.size();
      return value;
    }
    fail(ErrorCode::invalid_model, "npy header: expected True or False in {}", here());
  }

  std::vector<std::int64_t> tuple() {
    std::vector<std::int64_t> numbers;
    expect('(');
    while (!accept(')')) {
      numbers.push_back(number());
      if (numbers.size() > kMostDimensions)
        fail(ErrorCode::invalid_model, "npy header: more than 64 dimensions");
      accept('L');
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return numbers;
  }

  void expect_end() {
    skip_spaces();
    if (at_ != text_.size()) fail(ErrorCode::invalid_model, "npy header: text after its end in {}", here());
  }

 private:
  std::int64_t number() {
    skip_spaces();
    std::int64_t value = 0;
    const char* end = text_.data() + text_.size();
    const auto [next, problem] = std::from_chars(text_.data() + at_, end, value);
    if (problem != std::errc() || value < 0) {
      fail(ErrorCode::invalid_model, "npy header: no usable extent in {}", here());
    }
    at_ = static_cast<std::size_t>(next - text_.data());
    return value;
  }

  void skip_spaces() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t')) ++at_;
  }

  [[nodiscard]] std::string here() const {
    std::string rest(text_.substr(at_, 40));
    std::replace_if(
        rest.begin(), rest.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
    return "'" + rest + "'";
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

struct NumberType {
  std::string_view descr;
  DType dtype;
};

constexpr std::array<NumberType, 10> kNumberTypes{{{"f2", DType::f16},
                                                   {"f4", DType::f32},
                                                   {"f8", DType::f64},
                                                   {"u1", DType::u8},
                                                   {"i1", DType::s8},
                                                   {"u2", DType::u16},
                                                   {"i2", DType::s16},
                                                   {"i4", DType::s32},
                                                   {"i8", DType::s64},
                                                   {"b1", DType::boolean}}};

/// '<U7': text of seven characters; nothing when `descr` is not text.
std::optional<std::int64_t> text_characters(std::string_view descr) {
  if (!descr.starts_with("<U")) return std::nullopt;
  std::int64_t characters = 0;
  const char* end = descr.data() + descr.size();
  const auto [next, problem] = std::from_chars(descr.data() + 2, end, characters);
  constexpr std::int64_t kMostCharacters = 1 << 24;
  if (problem != std::errc() || next != end || characters < 1 || characters > kMostCharacters) {
    fail(ErrorCode::invalid_model, "npy header: 'descr' is '{}', no usable width of text", descr);
  }
  return characters;
}

void set_element_type(NpyHeader& header, std::string_view descr) {
  if (const auto characters = text_characters(descr)) {
    header.is_text = true;
    header.element_bytes = 4 * *characters;
    return;
  }
  for (const NumberType& type : kNumberTypes) {
    if (descr.size() != 3 || descr.substr(1) != type.descr) continue;
    header.dtype = type.dtype;
    header.element_bytes = dtype_bytes(type.dtype);
    if (descr[0] == '<' || ((descr[0] == '|' || descr[0] == '=') && header.element_bytes == 1)) return;
  }
  fail(ErrorCode::unsupported,
       "npy header: 'descr' is '{}'; read are little-endian f2 f4 f8 u1 i1 u2 i2 i4 i8 b1 and U", descr);
}

/// element_count bounds the elements by 2^60, so only wide text can still overflow.
std::size_t size_of(const NpyHeader& header) {
  constexpr std::int64_t kMost = std::int64_t{1} << 60;
  const std::int64_t elements = element_count(header.shape);
  if (header.element_bytes > 0 && elements > kMost / header.element_bytes) {
    fail(ErrorCode::invalid_model, "npy header: shape {} of {} bytes each is more than memory can hold",
         shape_text(header.shape), header.element_bytes);
  }
  return static_cast<std::size_t>(elements * header.element_bytes);
}

}  // namespace

NpyHeader parse_npy_header_text(std::string_view text) {
  HeaderReader reader(text);
  NpyHeader header;
  std::string_view descr;
  bool has_order = false;
  bool has_shape = false;
  reader.expect('{');
  while (!reader.accept('}')) {
    const std::string_view key = reader.quoted();
    reader.expect(':');
    if (key == "descr") {
      if (reader.accept('[')) fail(ErrorCode::unsupported, "npy header: 'descr' is a record type");
      descr = reader.quoted();
    } else if (key == "fortran_order") {
      header.is_fortran_order = reader.boolean();
      has_order = true;
    } else if (key == "shape") {
      header.shape = reader.tuple();
      has_shape = true;
    } else {
      fail(ErrorCode::invalid_model, "npy header: unknown key of {} characters", key.size());
    }
    if (!reader.accept(',')) {
      reader.expect('}');
      break;
    }
  }
  reader.expect_end();
  if (descr.empty() || !has_order || !has_shape) {
    fail(ErrorCode::invalid_model, "npy header: 'descr', 'fortran_order' or 'shape' is missing");
  }
  set_element_type(header, descr);
  header.data_bytes = size_of(header);
  return header;
}

}  // namespace octavo
