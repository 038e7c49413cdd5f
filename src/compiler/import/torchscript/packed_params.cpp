#include "compiler/import/torchscript/packed_params.h"

#include "base/fail.h"

namespace octavo::torchscript {
namespace {

using Ints = std::vector<std::int64_t>;

const StoredTensor* optional_tensor(const Value& value, std::string_view what) {
  return is_none(value) ? nullptr : &as_stored_tensor(value, what);
}

/// dims, stride ×2, padding ×2, dilation ×2, output padding ×2, groups, flags (bit 0: transposed).
PackedParams conv_from_header(const Ints& header) {
  if (header.size() != 11 || header[0] != 2) {
    fail(ErrorCode::unsupported, "packed convolution with {} settings of {} dimensions, expected 11 of 2",
         header.size(), header.empty() ? 0 : header[0]);
  }
  PackedParams params;
  params.stride = {header[1], header[2]};
  params.pad = {header[3], header[4]};
  params.dilation = {header[5], header[6]};
  params.groups = header[9];
  params.is_transposed = (header[10] & 1) != 0;
  return params;
}

/// ('2', [header, weight], [bias or None])
PackedParams conv_version_2(const List& state, TensorReader& tensors) {
  const List& required = as_list(state.items[1], "a packed convolution's tensors");
  const List& optional = as_list(state.items[2], "a packed convolution's optional tensors");
  if (required.items.size() != 2 || optional.items.size() != 1) {
    fail(ErrorCode::invalid_model, "packed convolution with {} and {} tensors, expected 2 and 1",
         required.items.size(), optional.items.size());
  }
  const StoredTensor& header = as_stored_tensor(required.items[0], "a packed convolution's header");
  PackedParams params = conv_from_header(tensors.read_integers(header));
  params.weight = &as_stored_tensor(required.items[1], "a packed convolution's weight");
  params.bias = optional_tensor(optional.items[0], "a packed convolution's bias");
  return params;
}

/// (3, header, [None, weight, bias or None])
PackedParams conv_version_3(const List& state) {
  PackedParams params = conv_from_header(as_integers(state.items[1], "a packed convolution's header"));
  const List& tensors = as_list(state.items[2], "a packed convolution's tensors");
  if (tensors.items.size() != 3) {
    fail(ErrorCode::invalid_model, "packed convolution with {} tensors, expected 3", tensors.items.size());
  }
  params.weight = &as_stored_tensor(tensors.items[1], "a packed convolution's weight");
  params.bias = optional_tensor(tensors.items[2], "a packed convolution's bias");
  return params;
}

Ints numbers_of(const Value& value, TensorReader& tensors) {
  Ints numbers;
  for (const Value& item : as_list(value, "a packed convolution's setting").items) {
    for (std::int64_t n : tensors.read_integers(as_stored_tensor(item, "a packed convolution's setting"))) {
      numbers.push_back(n);
    }
  }
  if (numbers.size() != 2) {
    fail(ErrorCode::invalid_model, "packed convolution with a setting of {} entries, expected 2",
         numbers.size());
  }
  return numbers;
}

/// (weight, bias or None, [stride], [padding], [dilation], groups), each number a tensor.
PackedParams conv_version_1(const List& state, TensorReader& tensors) {
  PackedParams params;
  params.weight = &as_stored_tensor(state.items[0], "a packed convolution's weight");
  params.bias = optional_tensor(state.items[1], "a packed convolution's bias");
  params.stride = numbers_of(state.items[2], tensors);
  params.pad = numbers_of(state.items[3], tensors);
  params.dilation = numbers_of(state.items[4], tensors);
  params.groups = static_cast<std::int64_t>(
      tensors.read_number(as_stored_tensor(state.items[5], "a packed convolution's groups")));
  return params;
}

PackedParams conv_from_state(const List& state, TensorReader& tensors) {
  if (state.items.size() == 6) return conv_version_1(state, tensors);
  if (state.items.size() == 3) {
    if (const auto* text = std::get_if<std::string>(&state.items[0]); text != nullptr && *text == "2") {
      return conv_version_2(state, tensors);
    }
    if (const auto* version = std::get_if<std::int64_t>(&state.items[0]);
        version != nullptr && *version == 3) {
      return conv_version_3(state);
    }
  }
  fail(ErrorCode::unsupported, "packed convolution of {} parts, version {}", state.items.size(),
       state.items.empty() ? "missing" : value_text(state.items[0]));
}

PackedParams linear_from_state(const List& state) {
  if (state.items.size() != 2) {
    fail(ErrorCode::invalid_model, "packed linear layer of {} parts, expected 2", state.items.size());
  }
  PackedParams params;
  params.weight = &as_stored_tensor(state.items[0], "a packed linear layer's weight");
  params.bias = optional_tensor(state.items[1], "a packed linear layer's bias");
  return params;
}

}  // namespace

const PackedParams& packed_params(const Value& value, TensorReader& tensors) {
  Object* const* found = std::get_if<Object*>(&value);
  if (found == nullptr) fail(ErrorCode::invalid_model, "packed parameters are {}", value_text(value));
  Object& object = **found;
  if (object.packed) return *object.packed;
  const bool is_conv = object.class_name.ends_with(".Conv2dPackedParamsBase");
  if (!is_conv && !object.class_name.ends_with(".LinearPackedParamsBase")) {
    fail(ErrorCode::unsupported, "packed parameters of class '{:.120}'", object.class_name);
  }
  const List& state = as_list(object.state, "the packed parameters' state");
  object.packed = is_conv ? conv_from_state(state, tensors) : linear_from_state(state);
  return *object.packed;
}

}  // namespace octavo::torchscript
