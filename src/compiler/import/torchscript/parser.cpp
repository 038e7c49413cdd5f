#include "compiler/import/torchscript/parser.h"

#include <utility>

#include "base/fail.h"
#include "compiler/import/torchscript/lexer.h"

namespace octavo::torchscript {
namespace {

constexpr int kDeepestNesting = 100;

class Parser {
 public:
  Parser(std::string_view source, std::string path)
      : file_(std::make_unique<SourceFile>()), tokens_(tokenize(source, path)) {
    file_->path = std::move(path);
  }

  std::unique_ptr<SourceFile> run() {
    while (!is(TokenKind::end)) {
      if (is_name("class")) {
        ClassDef parsed = class_def();
        std::string name = parsed.name;
        file_->classes.insert_or_assign(std::move(name), std::move(parsed));
      } else if (is_name("def")) {
        Function parsed = function();
        std::string name = parsed.name;
        file_->functions.insert_or_assign(std::move(name), std::move(parsed));
      } else {
        statement();  // op_version_set = 1 and the like: of no meaning here
      }
    }
    return std::move(file_);
  }

 private:
  /// Counts how deep the parser is in itself.
  class Level {
   public:
    explicit Level(Parser& parser) : depth_(parser.depth_) {
      if (++depth_ > kDeepestNesting) parser.reject("nested too deeply");
    }
    ~Level() { --depth_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;

   private:
    int& depth_;
  };

  const Token& token(std::size_t ahead = 0) const {
    return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
  }
  bool is(TokenKind kind) const { return token().kind == kind; }
  bool is_name(std::string_view text) const { return is(TokenKind::name) && token().text == text; }
  bool is_symbol(std::string_view text) const { return is(TokenKind::symbol) && token().text == text; }

  [[noreturn]] void reject(std::string_view what) const {
    fail(ErrorCode::invalid_model, "{}:{}: {} at '{:.60}'", file_->path, token().line, what, token().text);
  }

  Token take() {
    Token taken = token();
    if (at_ + 1 < tokens_.size()) ++at_;
    return taken;
  }

  bool accept(std::string_view symbol) {
    if (!is_symbol(symbol)) return false;
    take();
    return true;
  }

  void expect(std::string_view symbol) {
    if (!accept(symbol)) reject(fmt::format("expected '{}'", symbol));
  }

  void expect_kind(TokenKind kind, std::string_view what) {
    if (!is(kind)) reject(fmt::format("expected {}", what));
    take();
  }

  std::string take_name() {
    if (!is(TokenKind::name)) reject("expected a name");
    return take().text;
  }

  Expr* make(ExprKind kind) {
    Expr* made = &file_->exprs.emplace_back();
    made->kind = kind;
    made->line = token().line;
    return made;
  }

  ClassDef class_def() {
    ClassDef parsed;
    take();
    parsed.name = take_name();
    if (accept("(")) {
      parsed.is_named_tuple = is_name("NamedTuple");
      take_name();
      expect(")");
    }
    expect(":");
    expect_kind(TokenKind::newline, "a line end");
    if (!is(TokenKind::indent)) return parsed;
    take();
    while (!is(TokenKind::dedent) && !is(TokenKind::end)) member(parsed);
    if (is(TokenKind::dedent)) take();
    return parsed;
  }

  /// def …, `name : type [= value]`, `name = value`, `__annotations__["0"] = type`, pass.
  void member(ClassDef& parsed) {
    if (is_name("def")) {
      Function method = function();
      std::string name = method.name;
      parsed.methods.insert_or_assign(std::move(name), std::move(method));
      return;
    }
    const Expr* target = expression();
    if (accept(":")) {
      expression();
      if (target->kind == ExprKind::name) parsed.fields.push_back(target->text);
    }
    if (accept("=")) {
      const Expr* value = expression_list();
      if (target->kind == ExprKind::name) parsed.constants[target->text] = value;
    }
    expect_kind(TokenKind::newline, "a line end");
  }

  Function function() {
    Function parsed;
    parsed.line = token().line;
    parsed.file = file_->path;
    take();
    parsed.name = take_name();
    expect("(");
    while (!accept(")")) {
      parsed.parameters.push_back(parameter());
      if (!is_symbol(")")) expect(",");
    }
    if (accept("->")) expression();
    parsed.body = block();
    return parsed;
  }

  Parameter parameter() {
    Parameter parsed;
    parsed.name = take_name();
    if (accept(":")) {
      const Expr* type = expression();
      if (type->kind == ExprKind::name) parsed.type = type->text;
    }
    if (accept("=")) parsed.fallback = expression();
    return parsed;
  }

  std::vector<Stmt> block() {
    const Level level(*this);
    expect(":");
    expect_kind(TokenKind::newline, "a line end");
    expect_kind(TokenKind::indent, "an indented block");
    std::vector<Stmt> body;
    while (!is(TokenKind::dedent) && !is(TokenKind::end)) body.push_back(statement());
    if (is(TokenKind::dedent)) take();
    return body;
  }

  Stmt statement() {
    Stmt parsed;
    parsed.line = token().line;
    if (is_name("if")) return if_else();
    if (is_name("for")) return for_in();
    if (is_name("while")) {
      take();
      parsed.kind = StmtKind::while_do;
      parsed.value = expression();
      parsed.body = block();
      return parsed;
    }
    if (is_name("return")) {
      take();
      parsed.kind = StmtKind::give_back;
      if (!is(TokenKind::newline)) parsed.value = expression_list();
    } else if (is_name("pass")) {
      take();
    } else {
      assign_or_expression(parsed);
    }
    expect_kind(TokenKind::newline, "a line end");
    return parsed;
  }

  void assign_or_expression(Stmt& parsed) {
    parsed.kind = StmtKind::expression;
    parsed.value = expression_list();
    if (!accept("=")) return;
    parsed.kind = StmtKind::assign;
    parsed.target = parsed.value;
    parsed.value = expression_list();
    check_target(*parsed.target);
  }

  void check_target(const Expr& target) const {
    if (target.kind == ExprKind::tuple || target.kind == ExprKind::list) {
      for (const Expr* child : target.children) {
        if (child->kind != ExprKind::name) reject("cannot assign to this");
      }
    } else if (target.kind != ExprKind::name && target.kind != ExprKind::attribute &&
               target.kind != ExprKind::subscript) {
      reject("cannot assign to this");
    }
  }

  Stmt if_else() {
    const Level level(*this);
    Stmt parsed;
    parsed.line = token().line;
    parsed.kind = StmtKind::if_else;
    take();
    parsed.value = expression();
    parsed.body = block();
    if (is_name("elif")) {
      parsed.other.push_back(if_else());
    } else if (is_name("else")) {
      take();
      parsed.other = block();
    }
    return parsed;
  }

  Stmt for_in() {
    Stmt parsed;
    parsed.line = token().line;
    parsed.kind = StmtKind::for_in;
    take();
    parsed.target = expression_list();
    check_target(*parsed.target);
    if (take_name() != "in") reject("expected 'in'");
    parsed.value = expression();
    parsed.body = block();
    return parsed;
  }

  /// One expression, or a tuple of several without parentheses: `a, b, = …`.
  const Expr* expression_list() {
    const Expr* first = expression();
    if (!is_symbol(",")) return first;
    Expr* tuple = make(ExprKind::tuple);
    tuple->children.push_back(first);
    while (accept(",")) {
      if (is(TokenKind::newline) || is_symbol("=") || is_name("in")) break;
      tuple->children.push_back(expression());
    }
    return tuple;
  }

  const Expr* expression() {
    const Level level(*this);
    if (is_symbol("-")) {
      Expr* negated = make(ExprKind::negate);
      take();
      negated->children.push_back(expression());
      return negated;
    }
    const Expr* value = primary();
    while (true) {
      if (accept(".")) {
        Expr* attribute = make(ExprKind::attribute);
        attribute->text = take_name();
        attribute->children.push_back(value);
        value = attribute;
      } else if (is_symbol("[")) {
        value = subscript(value);
      } else if (is_symbol("(")) {
        value = call(value);
      } else {
        return value;
      }
    }
  }

  const Expr* subscript(const Expr* value) {
    Expr* parsed = make(ExprKind::subscript);
    take();
    parsed->children = {value, items("]")};
    return parsed;
  }

  /// The comma-separated items up to `end`: the item itself when it is the only one, a tuple otherwise.
  const Expr* items(std::string_view end) {
    Expr* tuple = make(ExprKind::tuple);
    bool has_comma = false;
    while (!accept(end)) {
      tuple->children.push_back(expression());
      if (!is_symbol(end)) expect(","), has_comma = true;
    }
    return tuple->children.size() == 1 && !has_comma ? tuple->children[0] : tuple;
  }

  const Expr* call(const Expr* function) {
    Expr* parsed = make(ExprKind::call);
    parsed->children.push_back(function);
    take();
    while (!accept(")")) {
      std::string keyword;
      if (is(TokenKind::name) && token(1).kind == TokenKind::symbol && token(1).text == "=") {
        keyword = take_name();
        take();
      }
      parsed->keywords.push_back(std::move(keyword));
      parsed->children.push_back(expression());
      if (!is_symbol(")")) expect(",");
    }
    return parsed;
  }

  const Expr* primary() {
    switch (token().kind) {
      case TokenKind::name:
        return literal(ExprKind::name);
      case TokenKind::integer:
        return literal(ExprKind::integer);
      case TokenKind::real:
        return literal(ExprKind::real);
      case TokenKind::string:
        return literal(ExprKind::string);
      default:
        break;
    }
    if (accept("(")) return items(")");
    if (is_symbol("[")) {
      Expr* list = make(ExprKind::list);
      take();
      while (!accept("]")) {
        list->children.push_back(expression());
        if (!is_symbol("]")) expect(",");
      }
      return list;
    }
    if (is_symbol("{")) return dict();
    reject("expected an expression");
  }

  const Expr* literal(ExprKind kind) {
    Expr* parsed = make(kind);
    Token taken = take();
    parsed->text = std::move(taken.text);
    parsed->integer = taken.integer;
    parsed->real = taken.real;
    return parsed;
  }

  const Expr* dict() {
    Expr* parsed = make(ExprKind::dict);
    take();
    while (!accept("}")) {
      parsed->children.push_back(expression());
      expect(":");
      parsed->children.push_back(expression());
      if (!is_symbol("}")) expect(",");
    }
    return parsed;
  }

  std::unique_ptr<SourceFile> file_;
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

std::unique_ptr<SourceFile> parse_source(std::string_view source, std::string path) {
  return Parser(source, std::move(path)).run();
}

}  // namespace octavo::torchscript
