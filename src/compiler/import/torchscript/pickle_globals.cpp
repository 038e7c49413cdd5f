#include "compiler/import/torchscript/pickle_globals.h"

#include <algorithm>
#include <array>

#include "base/fail.h"

namespace octavo::torchscript {
namespace {

struct StorageType {
  std::string_view name;
  DType dtype;
  bool is_quantized;
};

constexpr std::array<StorageType, 14> kStorageTypes{{{"torch.FloatStorage", DType::f32, false},
                                                     {"torch.DoubleStorage", DType::f64, false},
                                                     {"torch.HalfStorage", DType::f16, false},
                                                     {"torch.BFloat16Storage", DType::bf16, false},
                                                     {"torch.LongStorage", DType::s64, false},
                                                     {"torch.IntStorage", DType::s32, false},
                                                     {"torch.ShortStorage", DType::s16, false},
                                                     {"torch.CharStorage", DType::s8, false},
                                                     {"torch.ByteStorage", DType::u8, false},
                                                     {"torch.BoolStorage", DType::boolean, false},
                                                     {"torch.QInt8Storage", DType::s8, true},
                                                     {"torch.QUInt8Storage", DType::u8, true},
                                                     {"torch.QInt32Storage", DType::s32, true},
                                                     {"torch.UntypedStorage", DType::u8, false}}};

/// Calls that give back their first argument: typed lists and tags are plain values to us, gradients do not
/// concern us.
constexpr std::array<std::string_view, 6> kIdentities{
    "torch._utils._rebuild_parameter",    "torch.jit._pickle.build_intlist",
    "torch.jit._pickle.build_tensorlist", "torch.jit._pickle.build_doublelist",
    "torch.jit._pickle.build_boollist",   "torch.jit._pickle.restore_type_tag"};

constexpr std::array<std::string_view, 5> kOthers{"torch._utils._rebuild_tensor_v2",
                                                  "torch._utils._rebuild_qtensor", "torch.per_tensor_affine",
                                                  "torch.per_channel_affine", "collections.OrderedDict"};

/// NumPy's scalars, as training scripts leave them in checkpoints (accuracies and the like): the calls give
/// an object that says nothing but its class.
constexpr std::array<std::string_view, 4> kOpaque{"numpy.dtype", "numpy.core.multiarray.scalar",
                                                  "numpy._core.multiarray.scalar", "_codecs.encode"};

template <class Range>
bool contains(const Range& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

const StorageType* find_storage_type(std::string_view name) {
  const auto found = std::find_if(kStorageTypes.begin(), kStorageTypes.end(),
                                  [name](const StorageType& type) { return type.name == name; });
  return found == kStorageTypes.end() ? nullptr : &*found;
}

void expect_count(const List& arguments, std::size_t least, std::string_view what) {
  if (arguments.items.size() < least) {
    fail(ErrorCode::invalid_model, "{} has {} arguments, expected {}", what, arguments.items.size(), least);
  }
}

const StoredTensor& whole_tensor(const Value& value, std::string_view what) {
  const StoredTensor& tensor = as_stored_tensor(value, what);
  if (tensor.sizes.size() != 1) {
    fail(ErrorCode::invalid_model, "{} has shape {}, expected one extent", what, shape_text(tensor.sizes));
  }
  return tensor;
}

/// (torch.per_tensor_affine, scale, zero point) or (torch.per_channel_affine, scales, zero points, axis).
Quantizer make_quantizer(const Value& value) {
  const List& parts = as_list(value, "a quantizer");
  expect_count(parts, 3, "a quantizer");
  const Name* scheme = std::get_if<Name>(&parts.items[0]);
  if (scheme != nullptr && scheme->text == "torch.per_tensor_affine") {
    const double* scale = std::get_if<double>(&parts.items[1]);
    if (scale == nullptr)
      fail(ErrorCode::invalid_model, "a quantizer's scale is {}", value_text(parts.items[1]));
    return {.scale = *scale, .zero_point = as_integer(parts.items[2], "a quantizer's zero point")};
  }
  if (scheme != nullptr && scheme->text == "torch.per_channel_affine") {
    expect_count(parts, 4, "a quantizer per channel");
    return {.scales = &whole_tensor(parts.items[1], "a quantizer's scales"),
            .zero_points = &whole_tensor(parts.items[2], "a quantizer's zero points"),
            .axis = as_integer(parts.items[3], "a quantizer's axis")};
  }
  fail(ErrorCode::unsupported, "quantization scheme {}", value_text(parts.items[0]));
}

/// (storage, offset, sizes, strides, [quantizer,] ...)
Value make_tensor(const List& arguments, bool is_quantized, Heap& heap) {
  expect_count(arguments, is_quantized ? 5 : 4, "a tensor");
  const Storage* const* storage = std::get_if<const Storage*>(&arguments.items[0]);
  if (storage == nullptr)
    fail(ErrorCode::invalid_model, "a tensor's storage is {}", value_text(arguments.items[0]));
  StoredTensor tensor{.storage = *storage,
                      .offset = as_integer(arguments.items[1], "a tensor's offset"),
                      .sizes = as_integers(arguments.items[2], "a tensor's sizes"),
                      .strides = as_integers(arguments.items[3], "a tensor's strides"),
                      .quantizer = std::nullopt};
  if (is_quantized) tensor.quantizer = make_quantizer(arguments.items[4]);
  return heap.tensor(std::move(tensor));
}

}  // namespace

void check_global(std::string_view name) {
  if (name.starts_with("__torch__.") || find_storage_type(name) != nullptr || contains(kIdentities, name) ||
      contains(kOpaque, name) || contains(kOthers, name)) {
    return;
  }
  fail(ErrorCode::unsupported, "pickle refers to '{:.200}', which is not allowed", name);
}

Value call_global(std::string_view name, const List& arguments, Heap& heap) {
  if (contains(kIdentities, name)) {
    expect_count(arguments, 1, name);
    return arguments.items[0];
  }
  if (contains(kOpaque, name)) return heap.object(std::string(name));
  if (name == "collections.OrderedDict") return heap.dict();
  if (name == "torch._utils._rebuild_tensor_v2") return make_tensor(arguments, false, heap);
  if (name == "torch._utils._rebuild_qtensor") return make_tensor(arguments, true, heap);
  fail(ErrorCode::invalid_model, "pickle calls '{:.200}'", name);
}

Value make_storage(const List& persistent_id, std::string_view folder, Heap& heap) {
  expect_count(persistent_id, 5, "a persistent id");
  const Name* type = std::get_if<Name>(&persistent_id.items[1]);
  const StorageType* facts = type == nullptr ? nullptr : find_storage_type(type->text);
  if (facts == nullptr || as_string(persistent_id.items[0], "a persistent id's kind") != "storage") {
    fail(ErrorCode::invalid_model, "pickle refers to {} as a storage", value_text(persistent_id.items[1]));
  }
  return heap.storage({.dtype = facts->dtype,
                       .is_quantized = facts->is_quantized,
                       .member = std::string(folder) + as_string(persistent_id.items[2], "a storage's key"),
                       .elements = as_integer(persistent_id.items[4], "a storage's size")});
}

}  // namespace octavo::torchscript
