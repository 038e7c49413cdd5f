#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/dim.h"
#include "compiler/graph/graph.h"
#include "octavo/tensor.h"

namespace octavo::torchscript {

struct List;
struct Dict;
struct Object;
struct Function;

/// How PyTorch would hold an image in memory; its average pools round differently for the two.
struct Layout {
  bool channels_last = false;
  bool dense = true;  ///< false for a view that skips elements of what it was sliced from
  bool operator==(const Layout&) const = default;
};

/// A tensor that is computed at run time: a value of the Graph under construction.
struct GraphTensor {
  ValueId id = kNoValue;
  Layout layout;
};

/// A storage of the archive as a pickle names it; its bytes are read when a tensor needs them.
struct Storage {
  DType dtype = DType::f32;
  bool is_quantized = false;
  std::string member;  ///< "data/3"
  std::int64_t elements = 0;
};

struct StoredTensor;

/// The parameters of a stored quantized tensor: numbers, or tensors of one entry per index along `axis`.
struct Quantizer {
  double scale = 1.0;
  std::int64_t zero_point = 0;
  const StoredTensor* scales = nullptr;
  const StoredTensor* zero_points = nullptr;
  std::int64_t axis = -1;
};

/// A tensor of the model file: a strided view of a storage. Bounds are checked when it is read (tensors.h).
struct StoredTensor {
  const Storage* storage = nullptr;
  std::int64_t offset = 0;
  std::vector<std::int64_t> sizes;
  std::vector<std::int64_t> strides;
  std::optional<Quantizer> quantizer;
};

/// A dotted name that stands for itself: a function ("torch.relu"), a class, a dtype, a type.
struct Name {
  std::string text;
};

/// A method taken from an object, not yet called.
struct BoundMethod {
  Object* self = nullptr;
  std::string name;
};

/// What an expression of TorchScript code, or an item of a pickle, is worth. `Dim` holds only sizes that grow
/// with the batch; plain integers are std::int64_t. Pointers belong to a Heap.
using Value = std::variant<std::monostate, bool, std::int64_t, double, Dim, std::string, List*, Dict*,
                           Object*, const Storage*, const StoredTensor*, GraphTensor, Name, BoundMethod>;

/// A list, or a tuple (named tuples have field names).
struct List {
  std::vector<Value> items;
  bool is_tuple = false;
  std::vector<std::string> fields;
};

struct Dict {
  std::vector<std::pair<Value, Value>> items;
};

/// Weights and settings of a quantized convolution or linear layer.
struct PackedParams {
  const StoredTensor* weight = nullptr;
  const StoredTensor* bias = nullptr;
  std::vector<std::int64_t> stride;  ///< empty for a linear layer, as the next two
  std::vector<std::int64_t> pad;
  std::vector<std::int64_t> dilation;
  std::int64_t groups = 1;
  bool is_transposed = false;
};

/// An instance of a class of the model's code: a module, or a holder of packed parameters.
struct Object {
  std::string class_name;  ///< "__torch__.torchvision.models.resnet.ResNet"
  std::string path;        ///< where the module tree has it, "layer1.0.conv1"; the root's is empty
  std::map<std::string, Value, std::less<>> attributes;
  Value state;  ///< what __setstate__ is to be given; None when the attributes say all
  bool has_pending_state = false;
  std::optional<PackedParams> packed;
};

/// Owns what Values point to. Nothing goes before the Heap does, so values may point at each other in any
/// way.
class Heap {
 public:
  List* list(std::vector<Value> items = {}) {
    return &lists_.emplace_back(List{std::move(items), false, {}});
  }
  List* tuple(std::vector<Value> items) { return &lists_.emplace_back(List{std::move(items), true, {}}); }
  Dict* dict() { return &dicts_.emplace_back(); }
  Object* object(std::string class_name) {
    Object* made = &objects_.emplace_back();
    made->class_name = std::move(class_name);
    return made;
  }
  const Storage* storage(Storage storage) { return &storages_.emplace_back(std::move(storage)); }
  const StoredTensor* tensor(StoredTensor tensor) { return &tensors_.emplace_back(std::move(tensor)); }

 private:
  std::deque<List> lists_;
  std::deque<Dict> dicts_;
  std::deque<Object> objects_;
  std::deque<Storage> storages_;
  std::deque<StoredTensor> tensors_;
};

inline bool is_none(const Value& value) noexcept { return std::holds_alternative<std::monostate>(value); }
/// What kind of value it is, in words, for messages: "an integer", "a tensor".
std::string_view kind_text(const Value& value) noexcept;
/// A short rendering for messages.
std::string value_text(const Value& value);

/// The contents, with Error(invalid_model) that says `what` was expected to be so and what it is when it is
/// not.
std::int64_t as_integer(const Value& value, std::string_view what);
const std::string& as_string(const Value& value, std::string_view what);
const List& as_list(const Value& value, std::string_view what);
const StoredTensor& as_stored_tensor(const Value& value, std::string_view what);
/// A list or tuple of plain integers.
std::vector<std::int64_t> as_integers(const Value& value, std::string_view what);

}  // namespace octavo::torchscript
