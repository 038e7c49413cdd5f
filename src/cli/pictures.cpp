#include "cli/pictures.h"

#include <atomic>
#include <filesystem>

#include "base/fail.h"
#include "base/thread_team.h"

namespace octavo::cli {
namespace {

/// Decodes picture `i` into `dst`; returns what is wrong with it, nothing when it is fine.
std::string load_one(const Dataset& dataset, const Recipe& recipe, std::span<const std::int64_t> shape,
                     std::size_t i, std::span<float> dst) noexcept {
  try {
    const DecodedPicture picture = dataset.picture(i);
    if (!picture.image) return picture.problem;
    preprocess(recipe, *picture.image, shape[2], shape[1], dst);
    return "";
  } catch (const std::exception& e) {
    return fmt::format("{}: {}", dataset.name(i), e.what());
  }
}

}  // namespace

TensorView Pictures::view(std::int64_t first, std::int64_t count) const {
  std::vector<std::int64_t> shape = inputs.shape();
  const std::int64_t bytes_each = inputs.bytes() / std::max<std::int64_t>(shape[0], 1);
  shape[0] = count;
  return {DType::f32, std::move(shape), inputs.data() + first * bytes_each};
}

Dataset pictures_at(const std::vector<std::string>& paths) {
  const bool is_set = paths.size() == 1 &&
                      (std::filesystem::is_directory(paths[0]) || paths[0].find(".tar") != std::string::npos);
  if (is_set) return open_dataset(paths[0]);
  std::vector<DatasetItem> items;
  for (const std::string& path : paths) items.push_back({path, std::nullopt, std::nullopt});
  return Dataset({}, std::move(items));
}

Pictures load_pictures(const Dataset& dataset, const Recipe& recipe, std::span<const std::int64_t> shape,
                       int threads) {
  if (shape.size() != 3 || shape[0] != 3) {
    fail(ErrorCode::invalid_argument, "the model's input {} is no colour picture", shape_text(shape));
  }
  const std::size_t count = dataset.size();
  const auto each = static_cast<std::size_t>(element_count(shape));
  Tensor all(DType::f32, {static_cast<std::int64_t>(count), shape[0], shape[1], shape[2]});
  std::vector<std::string> problems(count);
  std::atomic<std::size_t> next{0};
  ThreadTeam team(threads, {});
  team.run([&](int) {
    for (std::size_t i = next++; i < count; i = next++) {
      problems[i] = load_one(dataset, recipe, shape, i, all.as<float>().subspan(i * each, each));
    }
  });
  Pictures pictures;
  for (std::size_t i = 0; i < count; ++i) {
    if (!problems[i].empty()) {
      pictures.problems.push_back(problems[i]);
      continue;
    }
    const std::size_t to = pictures.names.size();
    if (to != i) std::copy_n(all.as<float>().data() + i * each, each, all.as<float>().data() + to * each);
    pictures.names.push_back(dataset.name(i));
    pictures.labels.push_back(dataset.label(i));
  }
  const bool whole = pictures.names.size() == count;
  pictures.inputs = whole ? std::move(all) : Tensor();
  if (!whole) {
    std::vector<std::int64_t> kept{pictures.count(), shape[0], shape[1], shape[2]};
    pictures.inputs = Tensor(TensorView{DType::f32, std::move(kept), all.data()});
  }
  return pictures;
}

}  // namespace octavo::cli
