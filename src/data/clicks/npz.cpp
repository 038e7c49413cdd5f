#include "data/npz.h"

#include <algorithm>
#include <optional>

#include "base/fail.h"
#include "data/clicks/readers.h"

namespace octavo {
namespace {

/// The whole numbers of an integer array.
std::vector<std::int64_t> integers(const Tensor& tensor, std::string_view name) {
  const auto copy = [](const auto& values) {
    return std::vector<std::int64_t>(values.begin(), values.end());
  };
  switch (tensor.dtype()) {
    case DType::s64:
      return copy(tensor.as<std::int64_t>());
    case DType::s32:
      return copy(tensor.as<std::int32_t>());
    case DType::s16:
      return copy(tensor.as<std::int16_t>());
    case DType::u16:
      return copy(tensor.as<std::uint16_t>());
    case DType::u8:
      return copy(tensor.as<std::uint8_t>());
    default:
      fail(ErrorCode::invalid_model, "array '{}' is of {}, expected integers", name,
           dtype_name(tensor.dtype()));
  }
}

/// The array as floats; integers are taken as raw features when `is_feature`.
std::vector<float> floats(const Tensor& tensor, std::string_view name, bool is_feature) {
  if (tensor.dtype() == DType::f32) {
    const auto values = tensor.as<float>();
    return {values.begin(), values.end()};
  }
  if (tensor.dtype() == DType::f64) {
    const auto values = tensor.as<double>();
    std::vector<float> result(values.size());
    std::transform(values.begin(), values.end(), result.begin(),
                   [](double v) { return static_cast<float>(v); });
    return result;
  }
  const std::vector<std::int64_t> values = integers(tensor, name);
  std::vector<float> result(values.size());
  std::transform(values.begin(), values.end(), result.begin(), [&](std::int64_t v) {
    return is_feature ? dense_feature(static_cast<double>(v)) : static_cast<float>(v);
  });
  return result;
}

Tensor array(const NpzReader& file, const std::string& name, const std::vector<std::int64_t>& shape) {
  Tensor tensor = file.tensor(name);
  if (tensor.shape() != shape) {
    fail(ErrorCode::invalid_model, "array '{}' has shape {}, expected {}", name, shape_text(tensor.shape()),
         shape_text(shape));
  }
  return tensor;
}

/// The first of the named arrays that the file has, one value a sample; empty without any.
std::vector<float> per_sample(const NpzReader& file, std::initializer_list<const char*> names,
                              std::int64_t samples) {
  for (const char* name : names) {
    if (!file.contains(name)) continue;
    const Tensor tensor = file.tensor(name);
    if (tensor.elements() != samples || tensor.shape().front() != samples) {
      fail(ErrorCode::invalid_model, "array '{}' has shape {}, expected [{}]", name,
           shape_text(tensor.shape()), samples);
    }
    return floats(tensor, name, false);
  }
  return {};
}

/// offsets [tables, samples + 1] and one array of row numbers a table, as Clicks has them.
void read_bags(const NpzReader& file, std::int64_t tables, Clicks& clicks) {
  const std::int64_t stride = clicks.samples + 1;
  clicks.offsets = integers(array(file, "offsets", {tables, stride}), "offsets");
  for (std::int64_t t = 0; t < tables; ++t) {
    const std::string name = "indices_" + std::to_string(t);
    const std::vector<std::int64_t> rows = integers(file.tensor(name), name);
    const auto starts = std::span(clicks.offsets)
                            .subspan(static_cast<std::size_t>(t * stride), static_cast<std::size_t>(stride));
    if (starts.front() != 0 || starts.back() != std::ssize(rows)) {
      fail(ErrorCode::invalid_model, "offsets of table {} go from {} to {}, but '{}' has {} row numbers", t,
           starts.front(), starts.back(), name, rows.size());
    }
    const auto falls = std::adjacent_find(starts.begin(), starts.end(), std::greater<>());
    if (falls != starts.end()) {
      fail(ErrorCode::invalid_model, "offsets of table {} fall from {} to {} at sample {}", t, *falls,
           *(falls + 1), falls - starts.begin());
    }
    for (std::int64_t& start : starts) start += std::ssize(clicks.indices);
    clicks.indices.insert(clicks.indices.end(), rows.begin(), rows.end());
  }
}

void read_single_rows(const NpzReader& file, std::int64_t tables, Clicks& clicks) {
  const std::vector<std::int64_t> rows = integers(array(file, "X_cat", {clicks.samples, tables}), "X_cat");
  clicks.indices.resize(rows.size());
  for (std::int64_t s = 0; s < clicks.samples; ++s) {
    for (std::int64_t t = 0; t < tables; ++t) {
      clicks.indices[static_cast<std::size_t>(t * clicks.samples + s)] =
          rows[static_cast<std::size_t>(s * tables + t)];
    }
  }
}

Clicks read_all(const std::filesystem::path& path, const ClickShape& shape) {
  const NpzReader file(path);
  for (const char* name : {"X_int", file.contains("offsets") ? "indices_0" : "X_cat"}) {
    if (!file.contains(name)) fail(ErrorCode::invalid_model, "array '{}' is missing", name);
  }
  const Tensor dense = file.tensor("X_int");
  Clicks clicks;
  clicks.samples = dense.shape().empty() ? 0 : dense.shape()[0];
  if (dense.shape() != std::vector<std::int64_t>{clicks.samples, shape.dense_features}) {
    fail(ErrorCode::invalid_model, "array 'X_int' has shape {}, expected [samples, {}]",
         shape_text(dense.shape()), shape.dense_features);
  }
  clicks.dense = floats(dense, "X_int", true);
  const auto tables = std::ssize(shape.rows);
  file.contains("offsets") ? read_bags(file, tables, clicks) : read_single_rows(file, tables, clicks);
  clicks.labels = per_sample(file, {"y", "target"}, clicks.samples);
  clicks.reference = per_sample(file, {"pred", "torch_res"}, clicks.samples);
  return clicks;
}

class NpzClicks : public ClickReader {
 public:
  NpzClicks(Clicks all, std::int64_t dense_features, std::int64_t tables)
      : all_(std::move(all)), dense_features_(dense_features), tables_(tables) {}

  Clicks next(std::int64_t count) override {
    Clicks clicks;
    clicks.samples = std::min(count, all_.samples - at_);
    clicks.dense = part(all_.dense, at_ * dense_features_, clicks.samples * dense_features_);
    for (std::int64_t t = 0; t < tables_; ++t) add_rows(t, clicks);
    if (!all_.labels.empty()) clicks.labels = part(all_.labels, at_, clicks.samples);
    if (!all_.reference.empty()) clicks.reference = part(all_.reference, at_, clicks.samples);
    at_ += clicks.samples;
    return clicks;
  }

 private:
  template <class T>
  static std::vector<T> part(const std::vector<T>& all, std::int64_t first, std::int64_t count) {
    return {all.begin() + first, all.begin() + first + count};
  }

  void add_rows(std::int64_t t, Clicks& clicks) const {
    std::int64_t begin = t * all_.samples + at_;
    std::int64_t end = begin + clicks.samples;
    if (!all_.offsets.empty()) {
      const std::int64_t* const starts = all_.offsets.data() + t * (all_.samples + 1) + at_;
      const std::int64_t moved = std::ssize(clicks.indices) - starts[0];
      for (std::int64_t s = 0; s <= clicks.samples; ++s) clicks.offsets.push_back(starts[s] + moved);
      begin = starts[0];
      end = starts[clicks.samples];
    }
    clicks.indices.insert(clicks.indices.end(), all_.indices.begin() + begin, all_.indices.begin() + end);
  }

  Clicks all_;
  std::int64_t dense_features_;
  std::int64_t tables_;
  std::int64_t at_ = 0;
};

}  // namespace

std::unique_ptr<ClickReader> open_npz_clicks(const std::filesystem::path& path, const ClickShape& shape) {
  try {
    return std::make_unique<NpzClicks>(read_all(path, shape), shape.dense_features, std::ssize(shape.rows));
  } catch (const Error& e) {
    const bool has_path = std::string_view(e.what()).find(path.string()) != std::string_view::npos;
    if (has_path) throw;
    throw e.within(path.string());
  }
}

}  // namespace octavo
