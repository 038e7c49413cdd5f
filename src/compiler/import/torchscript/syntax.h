#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

namespace octavo::torchscript {

/// What an expression of TorchScript code is.
enum class ExprKind {
  name,       ///< text
  integer,    ///< integer
  real,       ///< real
  string,     ///< text
  list,       ///< children
  tuple,      ///< children
  dict,       ///< children: key, value, key, value …
  attribute,  ///< children[0].text
  subscript,  ///< children[0][children[1]]
  call,       ///< children[0](children[1…]); keywords[i] names children[1 + i], "" for a positional one
  negate,     ///< -children[0]
};

struct Expr {
  ExprKind kind = ExprKind::name;
  int line = 0;
  std::string text;
  std::int64_t integer = 0;
  double real = 0.0;
  std::vector<const Expr*> children;
  std::vector<std::string> keywords;
};

/// What a statement is.
enum class StmtKind {
  assign,      ///< target = value
  expression,  ///< value
  if_else,     ///< if value: body else: other
  for_in,      ///< for target in value: body
  while_do,    ///< while value: body
  give_back,   ///< return value (may be absent)
  pass,
};

struct Stmt {
  StmtKind kind = StmtKind::pass;
  int line = 0;
  const Expr* target = nullptr;
  const Expr* value = nullptr;
  std::vector<Stmt> body;
  std::vector<Stmt> other;
};

struct Parameter {
  std::string name;
  std::string type;  ///< the head of its annotation: "Tensor", "List", "" without one
  const Expr* fallback = nullptr;
};

struct Function {
  std::string name;
  std::string file;  ///< archive member it stands in
  int line = 0;
  std::vector<Parameter> parameters;
  std::vector<Stmt> body;
};

struct ClassDef {
  std::string name;
  bool is_named_tuple = false;
  std::vector<std::string> fields;                            ///< annotated names, in order
  std::map<std::string, const Expr*, std::less<>> constants;  ///< names with a value: `x : Final[int] = 1`
  std::map<std::string, Function, std::less<>> methods;
};

/// One code file. Owns its expressions.
struct SourceFile {
  std::string path;
  std::map<std::string, ClassDef, std::less<>> classes;
  std::map<std::string, Function, std::less<>> functions;
  std::deque<Expr> exprs;
};

}  // namespace octavo::torchscript
