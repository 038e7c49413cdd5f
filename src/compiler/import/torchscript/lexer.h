#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace octavo::torchscript {

enum class TokenKind { name, integer, real, string, symbol, newline, indent, dedent, end };

struct Token {
  TokenKind kind = TokenKind::end;
  int line = 0;
  std::string text;  ///< a string's is unescaped
  std::int64_t integer = 0;
  double real = 0.0;
};

/// Cuts the Python subset that TorchScript writes into tokens; indentation becomes indent and dedent, line
/// ends inside brackets vanish. Error(invalid_model) with `file` and line for anything else. The last token
/// is `end`.
std::vector<Token> tokenize(std::string_view source, std::string_view file);

}  // namespace octavo::torchscript
