#pragma once
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "base/testing.h"
#include "compiler/import/torchscript/test_files.h"

namespace octavo::dlrm_import {

/// For tests only: checkpoints made by hand.

/// Tensors by name: extents, with values 0.5, 1, 1.5, ….
using Shapes = std::map<std::string, std::vector<int>>;

/// The smallest DLRM that has everything: 3 dense features, 3-4-2, tables of 3 and 5 rows x 2, top 5-4-1.
inline Shapes small_shapes() {
  return {{"emb_l.0.weight", {3, 2}}, {"emb_l.1.weight", {5, 2}}, {"bot_l.0.weight", {4, 3}},
          {"bot_l.0.bias", {4}},      {"bot_l.2.weight", {2, 4}}, {"bot_l.2.bias", {2}},
          {"top_l.0.weight", {4, 5}}, {"top_l.0.bias", {4}},      {"top_l.2.weight", {1, 4}},
          {"top_l.2.bias", {1}}};
}

inline std::vector<float> counting_values(const std::vector<int>& shape) {
  int count = 1;
  for (int extent : shape) count *= extent;
  std::vector<float> values;
  for (int i = 1; i <= count; ++i) values.push_back(0.5F * static_cast<float>(i));
  return values;
}

/// A checkpoint's file: {"epoch": 1, "state_dict": {…}}, names with `prefix` in front.
inline std::string checkpoint_of(const Shapes& shapes, const std::string& prefix = "") {
  using namespace torchscript;
  std::map<std::string, std::string> members;
  std::string items;
  for (const auto& [name, shape] : shapes) {
    const std::vector<float> values = counting_values(shape);
    std::string bytes(values.size() * sizeof(float), '\0');
    std::memcpy(bytes.data(), values.data(), bytes.size());
    const std::string key = std::to_string(members.size());
    members["data/" + key] = bytes;
    const std::vector<int> strides = shape.size() == 2 ? std::vector<int>{shape[1], 1} : std::vector<int>{1};
    items += pickled(prefix + name) + pickled_tensor(key, static_cast<int>(values.size()), 0, shape, strides);
  }
  members["data.pkl"] = whole_pickle("}(" + pickled("epoch") + "K\x01" + pickled("state_dict") +
                                     "ccollections\nOrderedDict\n)R(" + items + "uu");
  return zip_of(members);
}

}  // namespace octavo::dlrm_import
