#include "compiler/import/torchscript/import.h"

#include <algorithm>

#include "base/fail.h"
#include "base/mapped_file.h"
#include "compiler/import/torchscript/archive.h"
#include "compiler/import/torchscript/code_library.h"
#include "compiler/import/torchscript/interpreter.h"
#include "compiler/import/torchscript/module_paths.h"
#include "compiler/import/torchscript/pickle.h"

namespace octavo {
namespace torchscript {
namespace {

using Ints = std::vector<std::int64_t>;

/// The model as read, before any of its code is looked at.
struct Model {
  Heap heap;
  Object* root = nullptr;
  std::vector<Value> constants;
};

void read_model(Archive& archive, Model& model) {
  const Value root = read_pickle(archive.read("data.pkl"), "data/", model.heap);
  Object* const* object = std::get_if<Object*>(&root);
  if (object == nullptr) {
    fail(ErrorCode::invalid_model, "not a TorchScript module: 'data.pkl' holds {}", value_text(root));
  }
  model.root = *object;
  set_module_paths(*model.root);
  if (!archive.has("constants.pkl")) return;
  const Value constants = read_pickle(archive.read("constants.pkl"), "constants/", model.heap);
  model.constants = as_list(constants, "'constants.pkl'").items;
}

/// Parameters of forward that must be given, and are tensors.
std::vector<std::string> input_names(const std::vector<Parameter>& parameters) {
  std::vector<std::string> names;
  for (const Parameter& parameter : parameters) {
    if (parameter.fallback != nullptr) continue;
    if (parameter.type != "Tensor") {
      fail(ErrorCode::unsupported, "input '{}' is no tensor but '{}'", parameter.name, parameter.type);
    }
    names.push_back(parameter.name);
  }
  if (names.empty()) fail(ErrorCode::unsupported, "the model's forward takes no tensor");
  return names;
}

void check_shape_names(const TorchScriptOptions& options, const std::vector<std::string>& names) {
  for (const auto& [name, shape] : options.input_shapes) {
    const bool is_the_only_one = name.empty() && names.size() == 1;
    if (!is_the_only_one && std::find(names.begin(), names.end(), name) == names.end()) {
      fail(ErrorCode::invalid_argument, "the model has no input '{}'; its first is '{}'", name,
           names.front());
    }
    for (std::int64_t extent : shape) {
      if (extent < 1) fail(ErrorCode::invalid_argument, "input '{}' has shape {}", name, shape_text(shape));
    }
  }
}

/// What forward returned as named outputs: a tensor, or lists and dicts of such; None is left out.
void add_outputs(GraphBuilder& builder, const Value& value, const std::string& name) {
  if (is_none(value)) return;
  if (const auto* tensor = std::get_if<GraphTensor>(&value)) {
    builder.graph.outputs.push_back({name, builder.current(*tensor).id});
  } else if (List* const* list = std::get_if<List*>(&value)) {
    for (std::size_t i = 0; i < (*list)->items.size(); ++i) {
      const bool has_names = i < (*list)->fields.size();
      if (std::holds_alternative<List*>((*list)->items[i]))
        fail(ErrorCode::unsupported, "nested tuples as outputs");
      add_outputs(builder, (*list)->items[i], has_names ? (*list)->fields[i] : fmt::format("{}_{}", name, i));
    }
  } else if (Dict* const* dict = std::get_if<Dict*>(&value)) {
    for (const auto& [key, item] : (*dict)->items) {
      if (!std::holds_alternative<GraphTensor>(item)) fail(ErrorCode::unsupported, "nested dicts as outputs");
      add_outputs(builder, item, as_string(key, "an output's name"));
    }
  } else {
    fail(ErrorCode::unsupported, "the model returns {}", value_text(value));
  }
}

/// One walk through forward. `guess` is the shape of inputs that the user gave none for.
Graph walk(Archive& archive, const TorchScriptOptions& options, const Ints& guess, bool may_guess_again,
           std::vector<std::string>& guessed) {
  Model model;
  read_model(archive, model);
  CodeLibrary code(archive);
  TensorReader tensors(archive);
  GraphBuilder builder(tensors);
  Interpreter interpreter(code, model.heap, builder, std::move(model.constants));
  const std::vector<std::string> names = input_names(interpreter.forward_parameters(*model.root));
  check_shape_names(options, names);
  guessed.clear();
  std::vector<Value> arguments;
  for (const std::string& name : names) {
    auto given = options.input_shapes.find(name);
    if (given == options.input_shapes.end()) given = options.input_shapes.find("");
    if (given == options.input_shapes.end()) guessed.push_back(name);
    arguments.emplace_back(
        builder.add_input(name, given == options.input_shapes.end() ? guess : given->second));
  }
  builder.is_input_guessed = may_guess_again && guessed.size() == names.size();
  const Value result = interpreter.call_method(*model.root, "forward", std::move(arguments));
  add_outputs(builder, result, "output");
  if (builder.graph.outputs.empty()) fail(ErrorCode::unsupported, "the model returns no tensor");
  builder.graph.remove_dead();
  return std::move(builder.graph);
}

}  // namespace
}  // namespace torchscript

Graph import_torchscript(std::span<const std::byte> file, const TorchScriptOptions& options,
                         ImportNotes* notes) {
  std::vector<std::int64_t> shape{3, 224, 224};
  std::vector<std::string> guessed;
  const auto attempt = [&](bool may_guess_again) {
    torchscript::Archive archive(file);
    return torchscript::walk(archive, options, shape, may_guess_again, guessed);
  };
  const auto note = [&](Graph graph) {
    if (notes == nullptr) return graph;
    for (const std::string& name : guessed) {
      notes->lines.push_back(fmt::format("input '{}' has no shape in the file; taken to be {} per image",
                                         name, shape_text(std::span<const std::int64_t>(shape))));
    }
    return graph;
  };
  try {
    return note(attempt(true));
  } catch (const torchscript::WrongInputGuess& better) {
    shape = better.shape;
  }
  return note(attempt(false));
}

Graph import_torchscript(const std::filesystem::path& path, const TorchScriptOptions& options,
                         ImportNotes* notes) {
  const MappedFile file(path);
  try {
    Graph graph = import_torchscript(file.bytes(), options, notes);
    graph.name = path.stem().string();
    return graph;
  } catch (const Error& error) {
    throw error.within(path.filename().string());
  }
}

}  // namespace octavo
