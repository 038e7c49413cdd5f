#include <algorithm>

#include "base/fail.h"
#include "base/streamed_file.h"
#include "data/clicks/readers.h"

namespace octavo {
namespace {

/// Samples that a file of rows of `row_bytes` has.
std::int64_t samples_in(const StreamedFile& file, std::int64_t row_bytes) {
  if (file.size() % row_bytes != 0) {
    fail(ErrorCode::invalid_model, "'{}' has {} bytes, no multiple of the {} bytes of a sample",
         file.path().string(), file.size(), row_bytes);
  }
  return file.size() / row_bytes;
}

class DemoClicks : public ClickReader {
 public:
  DemoClicks(const std::filesystem::path& folder, const ClickShape& shape)
      : dense_(folder / "batch_dense_X_ref"),
        indices_(folder / "batch_lS_i_ref"),
        results_(folder / "batch_res_ref"),
        dense_features_(shape.dense_features),
        tables_(std::ssize(shape.rows)),
        samples_(samples_in(indices_, tables_ * 8)) {
    check(dense_, dense_features_ * 4);
    check(results_, 4);
  }

  Clicks next(std::int64_t count) override {
    Clicks clicks;
    clicks.samples = std::min(count, samples_ - at_);
    const auto samples = static_cast<std::size_t>(clicks.samples);
    clicks.dense.resize(samples * static_cast<std::size_t>(dense_features_));
    clicks.indices.resize(samples * static_cast<std::size_t>(tables_));
    clicks.reference.resize(samples);
    dense_.read(at_ * dense_features_ * 4, std::as_writable_bytes(std::span(clicks.dense)));
    results_.read(at_ * 4, std::as_writable_bytes(std::span(clicks.reference)));
    for (std::int64_t t = 0; t < tables_; ++t) {
      const auto part = std::span(clicks.indices).subspan(static_cast<std::size_t>(t) * samples, samples);
      indices_.read((t * samples_ + at_) * 8, std::as_writable_bytes(part));
    }
    at_ += clicks.samples;
    return clicks;
  }

 private:
  void check(const StreamedFile& file, std::int64_t row_bytes) const {
    if (const std::int64_t found = samples_in(file, row_bytes); found != samples_) {
      fail(ErrorCode::invalid_model, "'{}' has {} samples, '{}' has {}", file.path().string(), found,
           indices_.path().string(), samples_);
    }
  }

  StreamedFile dense_;
  StreamedFile indices_;
  StreamedFile results_;
  std::int64_t dense_features_;
  std::int64_t tables_;
  std::int64_t samples_;
  std::int64_t at_ = 0;
};

}  // namespace

std::unique_ptr<ClickReader> open_demo_clicks(const std::filesystem::path& folder, const ClickShape& shape) {
  return std::make_unique<DemoClicks>(folder, shape);
}

}  // namespace octavo
