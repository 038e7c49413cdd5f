#include <algorithm>

#include "base/fail.h"
#include "base/streamed_file.h"
#include "data/clicks/readers.h"

namespace octavo {
namespace {

class BinaryClicks : public ClickReader {
 public:
  BinaryClicks(const std::filesystem::path& path, const ClickShape& shape)
      : file_(path),
        dense_features_(static_cast<std::size_t>(shape.dense_features)),
        tables_(shape.rows.size()),
        numbers_(1 + dense_features_ + tables_) {
    const auto row_bytes = static_cast<std::int64_t>(numbers_ * sizeof(std::int32_t));
    if (file_.size() % row_bytes != 0) {
      fail(ErrorCode::invalid_model, "'{}' has {} bytes, no multiple of the {} bytes of a sample",
           path.string(), file_.size(), row_bytes);
    }
    samples_ = file_.size() / row_bytes;
  }

  Clicks next(std::int64_t count) override {
    Clicks clicks;
    clicks.samples = std::min(count, samples_ - at_);
    const auto samples = static_cast<std::size_t>(clicks.samples);
    rows_.resize(samples * numbers_);
    file_.read(at_ * static_cast<std::int64_t>(numbers_ * sizeof(std::int32_t)),
               std::as_writable_bytes(std::span(rows_)));
    clicks.dense.resize(samples * dense_features_);
    clicks.indices.resize(samples * tables_);
    clicks.labels.resize(samples);
    for (std::size_t s = 0; s < samples; ++s) {
      const std::int32_t* const row = rows_.data() + s * numbers_;
      if (row[0] != 0 && row[0] != 1) {
        fail(ErrorCode::invalid_model, "'{}': sample {} has label {}", file_.path().string(),
             at_ + static_cast<std::int64_t>(s), row[0]);
      }
      clicks.labels[s] = static_cast<float>(row[0]);
      for (std::size_t d = 0; d < dense_features_; ++d) {
        clicks.dense[s * dense_features_ + d] = dense_feature(row[1 + d]);
      }
      for (std::size_t t = 0; t < tables_; ++t)
        clicks.indices[t * samples + s] = row[1 + dense_features_ + t];
    }
    at_ += clicks.samples;
    return clicks;
  }

 private:
  StreamedFile file_;
  std::size_t dense_features_;
  std::size_t tables_;
  std::size_t numbers_;  ///< of a sample
  std::int64_t samples_ = 0;
  std::int64_t at_ = 0;
  std::vector<std::int32_t> rows_;
};

}  // namespace

std::unique_ptr<ClickReader> open_binary_clicks(const std::filesystem::path& path, const ClickShape& shape) {
  return std::make_unique<BinaryClicks>(path, shape);
}

}  // namespace octavo
