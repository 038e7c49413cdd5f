#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "compiler/import/torchscript/code_library.h"
#include "compiler/import/torchscript/graph_builder.h"
#include "compiler/import/torchscript/value.h"

namespace octavo::torchscript {

/// Walks the model's code with its input as graph values: plain values (sizes, lists, attributes, conditions)
/// are computed on the way, operators on tensors become nodes. Every error names the code's file and line;
/// one inside an operator also the operator and the module. Steps, nesting and list lengths are bounded.
class Interpreter {
 public:
  /// `constants` are those of constants.pkl, in order.
  Interpreter(CodeLibrary& code, Heap& heap, GraphBuilder& builder, std::vector<Value> constants)
      : code_(code), heap_(heap), builder_(builder), constants_(std::move(constants)) {}

  /// Calls a method with positional arguments (without self).
  Value call_method(Object& self, std::string_view name, std::vector<Value> arguments);
  /// The parameters of the object's forward, without self.
  std::vector<Parameter> forward_parameters(const Object& self);

 private:
  struct Frame {
    const Function* function;
    std::unordered_map<std::string, Value> locals;
    bool has_returned = false;
    Value result;
  };
  struct Arguments {
    std::vector<Value> positional;
    std::vector<std::pair<std::string, Value>> named;
  };
  class Depth;

  void step(const Frame& frame, int line);
  void run(Frame& frame, const std::vector<Stmt>& body);
  void run(Frame& frame, const Stmt& stmt);
  void run_for(Frame& frame, const Stmt& stmt);
  void run_while(Frame& frame, const Stmt& stmt);
  void assign(Frame& frame, const Expr& target, Value value);

  Value eval(Frame& frame, const Expr& expr);
  std::vector<Value> eval_all(Frame& frame, const Expr& expr);
  Value eval_name(Frame& frame, const Expr& expr);
  Value eval_attribute(Frame& frame, const Expr& expr);
  Value eval_call(Frame& frame, const Expr& expr);
  /// annotate, unchecked_cast, uninitialized, isinstance, getattr: their operands are not all values. False:
  /// none of them.
  bool eval_special(Frame& frame, const Expr& expr, Value& result);

  Value attribute(Object& self, const std::string& name, const Frame& frame, int line);
  void settle_state(Object& self);
  Value call_named(Frame& frame, const std::string& name, Arguments arguments, int line);
  Value call_operator(Frame& frame, const std::string& name, const Arguments& arguments, int line);
  Value call_function(const Function& function, Arguments arguments);
  Value call_bound(const BoundMethod& method, Arguments arguments);
  Value make_instance(const ClassDef& type, const std::string& name, Arguments arguments);

  CodeLibrary& code_;
  Heap& heap_;
  GraphBuilder& builder_;
  std::vector<Value> constants_;
  std::int64_t steps_ = 0;
  int depth_ = 0;
  std::string assigned_name_;  ///< variable that takes the current statement's value, which names nodes
                               ///< outside modules
};

}  // namespace octavo::torchscript
