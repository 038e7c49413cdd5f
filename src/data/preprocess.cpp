#include "data/preprocess.h"

#include <algorithm>
#include <cmath>

#include "base/assert.h"
#include "base/fail.h"
#include "data/resize.h"

namespace octavo {
namespace {

constexpr std::array<float, 3> kImageNetMean{0.485F, 0.456F, 0.406F};
constexpr std::array<float, 3> kImageNetDeviation{0.229F, 0.224F, 0.225F};

constexpr std::array<Recipe, 3> kRecipes{{
    {"torchvision-imagenet", Recipe::Resize::bilinear, 255.0F, kImageNetMean, kImageNetDeviation, 0},
    {"cifar10", Recipe::Resize::none, 255.0F, kImageNetMean, kImageNetDeviation, 0},
    {"tf-imagenet", Recipe::Resize::area, 1.0F, {123.68F, 116.78F, 103.94F}, {1.0F, 1.0F, 1.0F}, 1},
}};

/// Anything larger is a mistake; it also keeps every product below from overflowing.
constexpr std::int64_t kMostExtent = 8192;

struct Size {
  std::int64_t width;
  std::int64_t height;
};

/// The short side becomes `target`, the other int(target * long / short).
Size resized_size(const Image& image, std::int64_t target) {
  if (image.width <= image.height) return {target, target * image.height / image.width};
  return {target * image.width / image.height, target};
}

/// Half of `rest`, which is negative when the picture is smaller than the crop.
std::int64_t offset_of(Recipe::Resize resize, std::int64_t rest) {
  if (resize == Recipe::Resize::area) return rest / 2;
  return static_cast<std::int64_t>(std::nearbyint(static_cast<double>(rest) / 2.0));
}

}  // namespace

std::span<const Recipe> recipes() noexcept { return kRecipes; }

const Recipe& find_recipe(std::string_view name) {
  std::string known;
  for (const Recipe& recipe : kRecipes) {
    if (recipe.name == name) return recipe;
    known += fmt::format("{}'{}'", known.empty() ? "" : ", ", recipe.name);
  }
  fail(ErrorCode::invalid_argument, "no preprocessing is called '{}'; there are {}", name, known);
}

Image resize_and_crop(const Recipe& recipe, const Image& image, std::int64_t width, std::int64_t height) {
  if (width < 1 || height < 1 || width > kMostExtent || height > kMostExtent) {
    fail(ErrorCode::invalid_argument, "{}: cannot make an input of {} x {}", recipe.name, width, height);
  }
  if (image.width < 1 || image.height < 1) {
    fail(ErrorCode::invalid_argument, "{}: the picture is empty", recipe.name);
  }
  if (recipe.resize == Recipe::Resize::none) {
    if (image.width == width && image.height == height) return image;
    fail(ErrorCode::invalid_argument, "{}: the picture has {} x {} pixels, expected {} x {}", recipe.name,
         image.width, image.height, width, height);
  }
  const auto [w, h] = resized_size(image, std::max(width, height) * 256 / 224);
  const auto resize = recipe.resize == Recipe::Resize::area ? resize_area : resize_bilinear;
  return crop(resize(image, w, h), offset_of(recipe.resize, w - width), offset_of(recipe.resize, h - height),
              width, height);
}

void preprocess(const Recipe& recipe, const Image& image, std::int64_t width, std::int64_t height,
                std::span<float> dst) {
  const Image part = resize_and_crop(recipe, image, width, height);
  const auto pixels = static_cast<std::size_t>(width * height);
  OCTAVO_ASSERT(dst.size() == 3 * pixels);
  for (std::size_t c = 0; c < 3; ++c) {
    for (std::size_t i = 0; i < pixels; ++i) {
      const float scaled = static_cast<float>(part.rgb[3 * i + c]) / recipe.divisor;
      dst[c * pixels + i] = (scaled - recipe.mean[c]) / recipe.deviation[c];
    }
  }
}

Tensor preprocess(const Recipe& recipe, const Image& image, std::int64_t width, std::int64_t height) {
  if (width < 1 || height < 1 || width > kMostExtent || height > kMostExtent) {
    fail(ErrorCode::invalid_argument, "{}: cannot make an input of {} x {}", recipe.name, width, height);
  }
  Tensor tensor(DType::f32, {1, 3, height, width});
  preprocess(recipe, image, width, height, tensor.as<float>());
  return tensor;
}

}  // namespace octavo
