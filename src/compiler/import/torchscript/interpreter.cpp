#include "compiler/import/torchscript/interpreter.h"

#include <algorithm>
#include <utility>

#include "base/fail.h"
#include "compiler/import/torchscript/numbers.h"
#include "compiler/import/torchscript/op_table.h"

namespace octavo::torchscript {
namespace {

/// Real models take some ten thousand steps and nest some eighty deep.
constexpr std::int64_t kMostSteps = 2'000'000;
constexpr int kDeepest = 400;

std::string place(const Function& function, int line) { return fmt::format("{}:{}", function.file, line); }

/// Names that the printer of TorchScript makes up: _0, _12.
bool is_made_up(std::string_view name) {
  return name.size() > 1 && name[0] == '_' &&
         name.find_first_not_of("0123456789", 1) == std::string_view::npos;
}

std::vector<std::string_view> split(std::string_view words) {
  std::vector<std::string_view> parts;
  while (!words.empty()) {
    const std::size_t end = std::min(words.find(' '), words.size());
    parts.push_back(words.substr(0, end));
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return parts;
}

}  // namespace

/// One level of evaluation inside another.
class Interpreter::Depth {
 public:
  explicit Depth(Interpreter& interpreter) : depth_(interpreter.depth_) {
    if (++depth_ > kDeepest) {
      --depth_;
      fail(ErrorCode::invalid_model, "the model's code nests deeper than {} levels", kDeepest);
    }
  }
  ~Depth() { --depth_; }
  Depth(const Depth&) = delete;
  Depth& operator=(const Depth&) = delete;

 private:
  int& depth_;
};

void Interpreter::step(const Frame& frame, int line) {
  if (++steps_ > kMostSteps) {
    fail(ErrorCode::invalid_model, "{}: the model's code runs for more than {} steps",
         place(*frame.function, line), kMostSteps);
  }
}

std::vector<Parameter> Interpreter::forward_parameters(const Object& self) {
  const ClassDef* type = code_.find_class(self.class_name);
  if (type == nullptr)
    fail(ErrorCode::invalid_model, "the model has no code for class '{:.200}'", self.class_name);
  const auto forward = type->methods.find("forward");
  if (forward == type->methods.end() || forward->second.parameters.empty()) {
    fail(ErrorCode::invalid_model, "class '{:.200}' has no method 'forward'", self.class_name);
  }
  const auto& all = forward->second.parameters;
  return {all.begin() + 1, all.end()};
}

Value Interpreter::call_method(Object& self, std::string_view name, std::vector<Value> arguments) {
  return call_bound({&self, std::string(name)}, {std::move(arguments), {}});
}

void Interpreter::run(Frame& frame, const std::vector<Stmt>& body) {
  const Depth depth(*this);
  for (const Stmt& stmt : body) {
    if (frame.has_returned) return;
    run(frame, stmt);
  }
}

void Interpreter::run(Frame& frame, const Stmt& stmt) {
  step(frame, stmt.line);
  switch (stmt.kind) {
    case StmtKind::pass:
      return;
    case StmtKind::assign:
      if (stmt.target->kind == ExprKind::name) assigned_name_ = stmt.target->text;
      return assign(frame, *stmt.target, eval(frame, *stmt.value));
    case StmtKind::expression:
      return static_cast<void>(eval(frame, *stmt.value));
    case StmtKind::if_else:
      return run(frame, is_true(eval(frame, *stmt.value)) ? stmt.body : stmt.other);
    case StmtKind::for_in:
      return run_for(frame, stmt);
    case StmtKind::while_do:
      return run_while(frame, stmt);
    case StmtKind::give_back:
      if (stmt.value != nullptr) frame.result = eval(frame, *stmt.value);
      frame.has_returned = true;
      return;
  }
}

void Interpreter::run_for(Frame& frame, const Stmt& stmt) {
  const std::vector<Value> items = as_list(eval(frame, *stmt.value), "what is looped over").items;
  for (const Value& item : items) {
    step(frame, stmt.line);
    assign(frame, *stmt.target, item);
    run(frame, stmt.body);
    if (frame.has_returned) return;
  }
}

void Interpreter::run_while(Frame& frame, const Stmt& stmt) {
  while (!frame.has_returned && is_true(eval(frame, *stmt.value))) {
    step(frame, stmt.line);
    run(frame, stmt.body);
  }
}

void Interpreter::assign(Frame& frame, const Expr& target, Value value) {
  if (target.kind == ExprKind::name) {
    frame.locals[target.text] = std::move(value);
    return;
  }
  if (target.kind == ExprKind::attribute) {
    const Value owner = eval(frame, *target.children[0]);
    Object* const* object = std::get_if<Object*>(&owner);
    if (object == nullptr) {
      fail(ErrorCode::invalid_model, "{}: attribute '{}' of {}", place(*frame.function, target.line),
           target.text, value_text(owner));
    }
    (*object)->attributes[target.text] = std::move(value);
    return;
  }
  if (target.kind == ExprKind::subscript) {
    fail(ErrorCode::unsupported, "{}: assignment to an item", place(*frame.function, target.line));
  }
  const std::vector<Value> items = as_list(value, "what is unpacked").items;
  if (items.size() != target.children.size()) {
    fail(ErrorCode::invalid_model, "{}: {} values for {} names", place(*frame.function, target.line),
         items.size(), target.children.size());
  }
  for (std::size_t i = 0; i < items.size(); ++i) frame.locals[target.children[i]->text] = items[i];
}

std::vector<Value> Interpreter::eval_all(Frame& frame, const Expr& expr) {
  std::vector<Value> values;
  for (const Expr* child : expr.children) values.push_back(eval(frame, *child));
  return values;
}

Value Interpreter::eval(Frame& frame, const Expr& expr) {
  const Depth depth(*this);
  step(frame, expr.line);
  switch (expr.kind) {
    case ExprKind::name:
      return eval_name(frame, expr);
    case ExprKind::integer:
      return expr.integer;
    case ExprKind::real:
      return expr.real;
    case ExprKind::string:
      return expr.text;
    case ExprKind::list:
      return heap_.list(eval_all(frame, expr));
    case ExprKind::tuple:
      return heap_.tuple(eval_all(frame, expr));
    case ExprKind::attribute:
      return eval_attribute(frame, expr);
    case ExprKind::call:
      return eval_call(frame, expr);
    case ExprKind::negate:
      return subtract_numbers(std::int64_t{0}, eval(frame, *expr.children[0]));
    case ExprKind::subscript:
      return item_of(eval(frame, *expr.children[0]), eval(frame, *expr.children[1]));
    case ExprKind::dict:
      break;
  }
  Dict* dict = heap_.dict();
  const std::vector<Value> items = eval_all(frame, expr);
  for (std::size_t i = 0; i + 1 < items.size(); i += 2) dict->items.emplace_back(items[i], items[i + 1]);
  return dict;
}

/// A local, a literal, or else a name that stands for itself ("torch", "Tensor").
Value Interpreter::eval_name(Frame& frame, const Expr& expr) {
  const auto local = frame.locals.find(expr.text);
  if (local != frame.locals.end()) return local->second;
  if (expr.text == "None") return std::monostate{};
  if (expr.text == "True") return true;
  if (expr.text == "False") return false;
  return Name{expr.text};
}

Value Interpreter::eval_attribute(Frame& frame, const Expr& expr) {
  const Value owner = eval(frame, *expr.children[0]);
  if (Object* const* object = std::get_if<Object*>(&owner))
    return attribute(**object, expr.text, frame, expr.line);
  if (List* const* list = std::get_if<List*>(&owner)) {
    for (std::size_t i = 0; i < (*list)->fields.size(); ++i) {
      if ((*list)->fields[i] == expr.text) return (*list)->items[i];
    }
  }
  const Name* name = std::get_if<Name>(&owner);
  if (name == nullptr) {
    fail(ErrorCode::invalid_model, "{}: attribute '{}' of {}", place(*frame.function, expr.line), expr.text,
         value_text(owner));
  }
  if (name->text != "CONSTANTS") return Name{name->text + "." + expr.text};
  std::size_t at = 0;
  for (char c : std::string_view(expr.text).substr(1)) {
    if (c < '0' || c > '9' || at > constants_.size())
      at = constants_.size();
    else
      at = at * 10 + static_cast<std::size_t>(c - '0');
  }
  if (expr.text.size() < 2 || expr.text[0] != 'c' || at >= constants_.size()) {
    fail(ErrorCode::invalid_model, "{}: constant '{}' of {}", place(*frame.function, expr.line), expr.text,
         constants_.size());
  }
  return constants_[at];
}

/// Runs the class's __setstate__ on the state that the pickle gave the object.
void Interpreter::settle_state(Object& self) {
  if (!self.has_pending_state) return;
  const ClassDef* type = code_.find_class(self.class_name);
  if (type == nullptr || !type->methods.contains("__setstate__")) return;
  self.has_pending_state = false;
  call_method(self, "__setstate__", {self.state});
}

Value Interpreter::attribute(Object& self, const std::string& name, const Frame& frame, int line) {
  if (name != "__setstate__") settle_state(self);
  const auto own = self.attributes.find(name);
  if (own != self.attributes.end()) return own->second;
  const ClassDef* type = code_.find_class(self.class_name);
  if (type != nullptr && type->methods.contains(name)) return BoundMethod{&self, name};
  if (type != nullptr) {
    const auto constant = type->constants.find(name);
    if (constant != type->constants.end()) {
      Frame outside{.function = frame.function, .locals = {}, .has_returned = false, .result = {}};
      return eval(outside, *constant->second);
    }
  }
  fail(ErrorCode::invalid_model, "{}: '{}' ({:.120}) has no attribute '{}'", place(*frame.function, line),
       self.path, self.class_name, name);
}

bool Interpreter::eval_special(Frame& frame, const Expr& expr, Value& result) {
  const Expr& callee = *expr.children[0];
  const std::size_t count = expr.children.size() - 1;
  if (callee.kind != ExprKind::name) return false;
  if ((callee.text == "annotate" || callee.text == "unchecked_cast") && count == 2) {
    result = eval(frame, *expr.children[2]);
    return true;
  }
  if (callee.text == "uninitialized") return true;
  if (callee.text == "getattr" && count == 2) {
    const Value owner = eval(frame, *expr.children[1]);
    const std::string name = as_string(eval(frame, *expr.children[2]), "an attribute's name");
    Object* const* object = std::get_if<Object*>(&owner);
    if (object == nullptr) {
      fail(ErrorCode::invalid_model, "{}: attribute '{}' of {}", place(*frame.function, expr.line), name,
           value_text(owner));
    }
    result = attribute(**object, name, frame, expr.line);
    return true;
  }
  if (callee.text == "isinstance") {
    fail(ErrorCode::unsupported, "{}: isinstance", place(*frame.function, expr.line));
  }
  return false;
}

Value Interpreter::eval_call(Frame& frame, const Expr& expr) {
  Value result;
  if (eval_special(frame, expr, result)) return result;
  const Value callee = eval(frame, *expr.children[0]);
  Arguments arguments;
  for (std::size_t i = 1; i < expr.children.size(); ++i) {
    Value value = eval(frame, *expr.children[i]);
    if (expr.keywords[i - 1].empty()) {
      arguments.positional.push_back(std::move(value));
    } else {
      arguments.named.emplace_back(expr.keywords[i - 1], std::move(value));
    }
  }
  if (const auto* method = std::get_if<BoundMethod>(&callee))
    return call_bound(*method, std::move(arguments));
  if (const auto* name = std::get_if<Name>(&callee)) {
    return call_named(frame, name->text, std::move(arguments), expr.line);
  }
  fail(ErrorCode::invalid_model, "{}: call of {}", place(*frame.function, expr.line), value_text(callee));
}

Value Interpreter::call_named(Frame& frame, const std::string& name, Arguments arguments, int line) {
  if (!name.starts_with("__torch__.")) return call_operator(frame, name, arguments, line);
  if (const Function* function = code_.find_function(name))
    return call_function(*function, std::move(arguments));
  if (const ClassDef* type = code_.find_class(name)) return make_instance(*type, name, std::move(arguments));
  fail(ErrorCode::invalid_model, "{}: the model has no code for '{:.200}'", place(*frame.function, line),
       name);
}

/// A named tuple is a tuple with field names; other classes are not made while running.
Value Interpreter::make_instance(const ClassDef& type, const std::string& name, Arguments arguments) {
  if (!type.is_named_tuple)
    fail(ErrorCode::unsupported, "an object of class '{:.200}' made while running", name);
  List* tuple = heap_.tuple(std::move(arguments.positional));
  if (tuple->items.size() == type.fields.size()) tuple->fields = type.fields;
  return tuple;
}

Value Interpreter::call_operator(Frame& frame, const std::string& name, const Arguments& arguments,
                                 int line) {
  const std::string where = fmt::format("operator '{:.80}' in module '{}' at {}", name, builder_.origin,
                                        place(*frame.function, line));
  const OpRow* row = find_op_row(name);
  if (row == nullptr) fail(ErrorCode::unsupported, "{} is not supported", where);
  const std::vector<std::string_view> parameters = split(row->parameters);
  std::vector<Value> bound(parameters.size());
  if (arguments.positional.size() > parameters.size()) {
    fail(ErrorCode::invalid_model, "{} has {} arguments, at most {} are known", where,
         arguments.positional.size(), parameters.size());
  }
  std::copy(arguments.positional.begin(), arguments.positional.end(), bound.begin());
  for (const auto& [keyword, value] : arguments.named) {
    const auto found = std::find(parameters.begin(), parameters.end(), keyword);
    if (found == parameters.end()) fail(ErrorCode::unsupported, "{}: argument '{:.80}'", where, keyword);
    bound[static_cast<std::size_t>(found - parameters.begin())] = value;
  }
  const std::string module = builder_.origin;
  builder_.is_in_module = !module.empty();
  if (module.empty() && !is_made_up(assigned_name_)) builder_.origin = assigned_name_;
  Value result;
  try {
    OpCall call(builder_, heap_, std::move(bound), row->parameters);
    result = row->lower(call);
  } catch (const Error& error) {
    throw error.within(where);
  }
  builder_.origin = module;
  if (name.ends_with('_') && !name.ends_with("__") && !arguments.positional.empty()) {
    const auto* old = std::get_if<GraphTensor>(&arguments.positional[0]);
    const auto* changed = std::get_if<GraphTensor>(&result);
    if (old != nullptr && changed != nullptr) builder_.change_in_place(builder_.current(*old), *changed);
  }
  return result;
}

Value Interpreter::call_bound(const BoundMethod& method, Arguments arguments) {
  const Depth depth(*this);
  Object& self = *method.self;
  const ClassDef* type = code_.find_class(self.class_name);
  const auto found = type == nullptr ? decltype(type->methods.end()){} : type->methods.find(method.name);
  if (type == nullptr || found == type->methods.end()) {
    fail(ErrorCode::invalid_model, "'{}' ({:.120}) has no method '{}'", self.path, self.class_name,
         method.name);
  }
  constexpr std::string_view kObserver = ".activation_post_process";
  if (self.path.ends_with(kObserver) && arguments.positional.empty()) {
    builder_.claim_last_node(self.path.substr(0, self.path.size() - kObserver.size()));
  }
  arguments.positional.insert(arguments.positional.begin(), Value(&self));
  std::string caller = std::exchange(builder_.origin, self.path);
  Value result = call_function(found->second, std::move(arguments));
  builder_.origin = std::move(caller);
  return result;
}

Value Interpreter::call_function(const Function& function, Arguments arguments) {
  const Depth depth(*this);
  const auto& parameters = function.parameters;
  Frame frame{.function = &function, .locals = {}, .has_returned = false, .result = {}};
  if (arguments.positional.size() > parameters.size()) {
    fail(ErrorCode::invalid_model, "{}: {} arguments for the {} parameters of '{}'",
         place(function, function.line), arguments.positional.size(), parameters.size(), function.name);
  }
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (i < arguments.positional.size()) {
      frame.locals[parameters[i].name] = std::move(arguments.positional[i]);
    } else if (parameters[i].fallback != nullptr) {
      frame.locals[parameters[i].name] = eval(frame, *parameters[i].fallback);
    }
  }
  for (auto& [name, value] : arguments.named) frame.locals[name] = std::move(value);
  const std::string assigned = assigned_name_;
  run(frame, function.body);
  assigned_name_ = assigned;
  return std::move(frame.result);
}

}  // namespace octavo::torchscript
