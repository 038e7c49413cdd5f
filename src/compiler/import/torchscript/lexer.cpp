#include "compiler/import/torchscript/lexer.h"

#include <charconv>

#include "base/fail.h"

namespace octavo::torchscript {
namespace {

constexpr std::size_t kDeepestIndentation = 100;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_name_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_name_part(char c) { return is_name_start(c) || is_digit(c); }

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

class Lexer {
 public:
  Lexer(std::string_view source, std::string_view file) : source_(source), file_(file) {}

  std::vector<Token> run() {
    while (at_ < source_.size()) {
      if (at_line_start_ && open_brackets_ == 0) indentation();
      if (at_ < source_.size()) next();
    }
    if (!at_line_start_) emit(TokenKind::newline, "");
    for (; indents_.size() > 1; indents_.pop_back()) emit(TokenKind::dedent, "");
    emit(TokenKind::end, "");
    return std::move(tokens_);
  }

 private:
  char peek(std::size_t ahead = 0) const {
    return at_ + ahead < source_.size() ? source_[at_ + ahead] : '\0';
  }

  [[noreturn]] void reject(std::string_view what) const {
    fail(ErrorCode::invalid_model, "{}:{}: {}", file_, line_, what);
  }

  void emit(TokenKind kind, std::string text) { tokens_.push_back({kind, line_, std::move(text)}); }

  void indentation() {
    std::size_t width = 0;
    while (peek() == ' ') ++at_, ++width;
    if (peek() == '\n' || peek() == '#' || at_ == source_.size()) return;
    at_line_start_ = false;
    if (width > indents_.back()) {
      if (indents_.size() > kDeepestIndentation) reject("blocks nest too deeply");
      indents_.push_back(width);
      emit(TokenKind::indent, "");
    }
    for (; width < indents_.back(); indents_.pop_back()) emit(TokenKind::dedent, "");
    if (width != indents_.back()) reject("this line's indentation fits no block");
  }

  void next() {
    const char c = peek();
    if (c == '\n') return line_end();
    if (c == ' ') return static_cast<void>(++at_);
    if (c == '#') return comment();
    if (is_name_start(c)) return name();
    if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return number();
    if (c == '"' || c == '\'') return string(c);
    symbol();
  }

  void line_end() {
    ++at_;
    if (open_brackets_ == 0 && !at_line_start_) {
      emit(TokenKind::newline, "");
      at_line_start_ = true;
    }
    ++line_;
  }

  void comment() {
    while (at_ < source_.size() && peek() != '\n') ++at_;
  }

  void name() {
    const std::size_t begin = at_;
    while (is_name_part(peek())) ++at_;
    emit(TokenKind::name, std::string(source_.substr(begin, at_ - begin)));
  }

  void number() {
    const std::size_t begin = at_;
    bool is_real = false;
    while (is_digit(peek())) ++at_;
    if (peek() == '.') is_real = true, ++at_;
    while (is_digit(peek())) ++at_;
    if (peek() == 'e' || peek() == 'E') {
      is_real = true;
      ++at_;
      if (peek() == '+' || peek() == '-') ++at_;
      while (is_digit(peek())) ++at_;
    }
    const std::string_view text = source_.substr(begin, at_ - begin);
    Token token{is_real ? TokenKind::real : TokenKind::integer, line_, std::string(text)};
    const auto parsed = is_real ? std::from_chars(text.data(), text.data() + text.size(), token.real)
                                : std::from_chars(text.data(), text.data() + text.size(), token.integer);
    if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size()) {
      reject(fmt::format("cannot read the number '{:.40}'", text));
    }
    tokens_.push_back(std::move(token));
  }

  void string(char quote) {
    std::string text;
    ++at_;
    while (peek() != quote) {
      if (at_ >= source_.size() || peek() == '\n') reject("a string does not end");
      text += peek() == '\\' ? escape() : source_[at_++];
    }
    ++at_;
    emit(TokenKind::string, std::move(text));
  }

  /// One escaped character, at the backslash: \n, \xHH, \ooo, or the character itself.
  char escape() {
    ++at_;
    const char c = peek();
    if (c >= '0' && c <= '7') {
      int value = 0;
      for (int i = 0; i < 3 && peek() >= '0' && peek() <= '7'; ++i)
        value = value * 8 + (source_[at_++] - '0');
      return static_cast<char>(value);
    }
    ++at_;
    if (c == 'x') {
      const int value = hex_value(peek()) * 16 + hex_value(peek(1));
      if (hex_value(peek()) < 0 || hex_value(peek(1)) < 0) reject("a string has a damaged \\x escape");
      at_ += 2;
      return static_cast<char>(value);
    }
    constexpr std::string_view kCodes = "nrtabfv";
    constexpr std::string_view kMeanings = "\n\r\t\a\b\f\v";
    const std::size_t code = kCodes.find(c);
    return code == std::string_view::npos ? c : kMeanings[code];
  }

  void symbol() {
    const char c = peek();
    if (c == '-' && peek(1) == '>') {
      at_ += 2;
      return emit(TokenKind::symbol, "->");
    }
    constexpr std::string_view kSymbols = "()[]{},:.=-";
    if (kSymbols.find(c) == std::string_view::npos) {
      reject(fmt::format("unexpected character 0x{:02x}", static_cast<unsigned char>(c)));
    }
    if (c == '(' || c == '[' || c == '{') ++open_brackets_;
    if ((c == ')' || c == ']' || c == '}') && open_brackets_ > 0) --open_brackets_;
    ++at_;
    emit(TokenKind::symbol, std::string(1, c));
  }

  std::string_view source_;
  std::string_view file_;
  std::size_t at_ = 0;
  int line_ = 1;
  int open_brackets_ = 0;
  bool at_line_start_ = true;
  std::vector<std::size_t> indents_{0};
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokenize(std::string_view source, std::string_view file) {
  return Lexer(source, file).run();
}

}  // namespace octavo::torchscript
