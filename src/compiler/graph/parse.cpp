#include <algorithm>
#include <charconv>
#include <map>

#include "base/fail.h"
#include "compiler/graph/op.h"

namespace octavo {
namespace {

/// A small deterministic generator (splitmix64) seeded from a constant's name.
class Noise {
 public:
  explicit Noise(std::string_view name) {
    for (char c : name) state_ = state_ * 131 + static_cast<unsigned char>(c);
  }
  std::uint64_t next() noexcept {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15ULL);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
  }
  /// Uniform in [0.25, 1.25): positive, so that a batch norm's variance is one too.
  float real() noexcept { return static_cast<float>(next() >> 40) / 16777216.0F + 0.25F; }

 private:
  std::uint64_t state_ = 0;
};

Tensor made_up_data(std::string_view name, const TensorType& type) {
  Tensor data(type.dtype, extents_at(type.shape, 1));
  Noise noise(name);
  if (type.dtype == DType::f32) {
    for (float& v : data.as<float>()) v = noise.real();
  } else if (type.dtype == DType::s32) {
    for (std::int32_t& v : data.as<std::int32_t>()) v = static_cast<std::int32_t>(noise.next() % 4001) - 2000;
  } else if (dtype_bytes(type.dtype) == 1) {
    for (std::uint8_t& v : data.as<std::uint8_t>()) v = static_cast<std::uint8_t>(noise.next() & 0xFF);
  }
  return data;
}

/// A recursive-descent reader of the form that `print` writes.
class GraphReader {
 public:
  explicit GraphReader(std::string_view text) : text_(text) {}

  Graph read() {
    expect("graph");
    expect("(");
    while (!accept(")")) {
      const std::string name = word();
      expect(":");
      names_[name] = graph_.add_input(name, type(name));
      accept(",");
    }
    expect("{");
    while (!accept("return")) statement();
    do_returns();
    expect("}");
    skip_space();
    if (at_ != text_.size()) complain("text after the graph's end");
    return std::move(graph_);
  }

 private:
  void statement() {
    const std::string name = word();
    expect("=");
    names_[name] = application(word(), name);
  }

  void do_returns() {
    do {
      std::string name = word();
      if (accept("=")) {
        graph_.outputs.push_back({name, operand()});
      } else if (peek("(")) {
        graph_.outputs.push_back({"y", application(name, "y")});
      } else {
        graph_.outputs.push_back({name, lookup(name)});
      }
    } while (accept(","));
  }

  ValueId application(const std::string& op, const std::string& name) {
    std::vector<ValueId> inputs;
    expect("(");
    while (!accept(")")) {
      inputs.push_back(operand());
      accept(",");
    }
    Attributes attributes;
    const OpDef* def = find_op(op);
    if (def == nullptr) complain(fmt::format("unknown operator '{}'", op));
    while (next_is_attribute()) {
      const std::string key = word();
      expect("=");
      attributes.emplace(key, attribute(*def, key));
    }
    try {
      return graph_.add(op, std::move(inputs), std::move(attributes), name);
    } catch (const Error& e) {
      throw e.within(fmt::format("line {}", line()));
    }
  }

  /// `name=` with no `(` behind the word that follows belongs to the operator; otherwise it is the next
  /// statement.
  bool next_is_attribute() {
    const std::size_t start = at_;
    skip_space();
    bool on_same_line = std::find(text_.begin() + static_cast<std::ptrdiff_t>(start),
                                  text_.begin() + static_cast<std::ptrdiff_t>(at_),
                                  '\n') == text_.begin() + static_cast<std::ptrdiff_t>(at_);
    bool found = false;
    if (on_same_line && at_ < text_.size() && is_word(text_[at_])) {
      static_cast<void>(word());
      found = peek("=");
    }
    at_ = start;
    return found;
  }

  Attribute attribute(const OpDef& def, const std::string& key) {
    const auto found = std::find_if(def.attributes.begin(), def.attributes.end(),
                                    [&](const AttributeDef& d) { return d.name == key; });
    if (found == def.attributes.end())
      complain(fmt::format("operator {} has no attribute '{}'", def.name, key));
    switch (found->kind) {
      case AttributeKind::integer:
        return integer();
      case AttributeKind::real:
        return real();
      case AttributeKind::text:
        return word();
      case AttributeKind::integers:
        return list<std::int64_t>("(", ")", [this] { return integer(); });
      case AttributeKind::shape:
        return shape();
      case AttributeKind::reals:
        return list<double>("{", "}", [this] { return real(); });
    }
    complain("attribute kind");
  }

  template <class T, class Read>
  std::vector<T> list(std::string_view open, std::string_view close, Read read_one) {
    std::vector<T> items;
    expect(open);
    while (!accept(close)) {
      items.push_back(read_one());
      accept(",");
    }
    return items;
  }

  ValueId operand() {
    const std::string name = word();
    if (name == "none") return kNoValue;
    if (!accept(":")) return lookup(name);
    if (names_.contains(name)) complain(fmt::format("'{}' is declared twice", name));
    TensorType declared = type(name);
    names_[name] = graph_.add_constant(name, made_up_data(name, declared), declared.quantization);
    return names_[name];
  }

  ValueId lookup(const std::string& name) {
    const auto found = names_.find(name);
    if (found == names_.end()) complain(fmt::format("'{}' is not declared", name));
    return found->second;
  }

  TensorType type(const std::string& name) {
    const std::string dtype = word();
    const auto parsed = parse_dtype(dtype);
    if (!parsed) complain(fmt::format("unknown dtype '{}'", dtype));
    TensorType result{*parsed, shape(), std::nullopt};
    if (accept("{")) {
      if (accept("axis")) {
        expect("=");
        result.quantization = made_up_scales(name, static_cast<int>(integer()), result.shape);
      } else {
        const double scale = real();
        expect(",");
        result.quantization =
            Quantization::per_tensor(static_cast<float>(scale), static_cast<std::int32_t>(integer()));
      }
      expect("}");
    }
    return result;
  }

  Quantization made_up_scales(const std::string& name, int axis, const Shape& shape) {
    if (axis < 0 || static_cast<std::size_t>(axis) >= shape.size())
      complain(fmt::format("axis {} of '{}'", axis, name));
    Quantization q{{}, {}, axis};
    Noise noise(name + ".scale");
    for (std::int64_t i = 0; i < shape[static_cast<std::size_t>(axis)].count; ++i) {
      q.scales.push_back(noise.real() / 100.0F);
      q.zero_points.push_back(0);
    }
    return q;
  }

  Shape shape() {
    return list<Dim>("[", "]", [this]() -> Dim {
      std::string token = word();
      const bool per_image = token.ends_with('N');
      if (per_image) token.pop_back();
      if (token.empty()) return Dim::batch();
      return {number(token), per_image};
    });
  }

  std::int64_t integer() { return number(word()); }

  std::int64_t number(const std::string& token) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), value);
    if (error != std::errc() || end != token.data() + token.size())
      complain(fmt::format("'{}' is no integer", token));
    return value;
  }

  double real() {
    const std::string token = word();
    double value = 0;
    const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), value);
    if (error != std::errc() || end != token.data() + token.size())
      complain(fmt::format("'{}' is no number", token));
    return value;
  }

  static bool is_word(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '.' || c == '-' || c == '+';
  }

  std::string word() {
    skip_space();
    const std::size_t start = at_;
    while (at_ < text_.size() && is_word(text_[at_])) ++at_;
    if (start == at_) complain("a word is missing");
    return std::string(text_.substr(start, at_ - start));
  }

  bool peek(std::string_view token) {
    skip_space();
    return text_.substr(at_).starts_with(token);
  }

  bool accept(std::string_view token) {
    if (!peek(token)) return false;
    const std::size_t end = at_ + token.size();
    if (is_word(token.back()) && end < text_.size() && is_word(text_[end])) return false;
    at_ = end;
    return true;
  }

  void expect(std::string_view token) {
    if (!accept(token)) complain(fmt::format("expected '{}'", token));
  }

  void skip_space() {
    while (at_ < text_.size()) {
      if (text_[at_] == '#') {
        while (at_ < text_.size() && text_[at_] != '\n') ++at_;
      } else if (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r') {
        ++at_;
      } else {
        break;
      }
    }
  }

  [[nodiscard]] std::ptrdiff_t line() const {
    const auto here = text_.begin() + static_cast<std::ptrdiff_t>(std::min(at_, text_.size()));
    return std::count(text_.begin(), here, '\n') + 1;
  }

  [[noreturn]] void complain(const std::string& what) const {
    fail(ErrorCode::invalid_argument, "line {}: {} before '{}'", line(), what, text_.substr(at_, 20));
  }

  std::string_view text_;
  std::size_t at_ = 0;
  Graph graph_;
  std::map<std::string, ValueId> names_;
};

}  // namespace

Graph parse_graph(std::string_view text) { return GraphReader(text).read(); }

}  // namespace octavo
