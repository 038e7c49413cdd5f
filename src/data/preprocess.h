#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "data/image.h"
#include "octavo/tensor.h"

namespace octavo {

/// How a picture becomes a network's input: resized so that its short side is crop * 256 / 224, cropped in
/// the middle, then for every channel, in f32 in this order,
///   x = ((byte / divisor) - mean) / deviation
/// laid out channel by channel (CHW).
struct Recipe {
  enum class Resize {
    none,      ///< the picture must have the input's size already
    bilinear,  ///< Pillow's, the crop's offsets rounded half to even
    area,      ///< OpenCV's INTER_AREA, the crop's offsets rounded down
  };

  std::string_view name;
  Resize resize;
  float divisor;
  std::array<float, 3> mean;
  std::array<float, 3> deviation;
  /// Class c of the labels is output c + class_offset of the network (1 where output 0 means "background").
  std::int64_t class_offset;
};

/// All recipes: "torchvision-imagenet", "cifar10", "tf-imagenet".
std::span<const Recipe> recipes() noexcept;
/// Error(invalid_argument) listing the known names.
const Recipe& find_recipe(std::string_view name);

/// The part of the picture that the network sees, `width` x `height`. Error(invalid_argument) when the recipe
/// does not resize and the picture has another size, or the size is unusable.
Image resize_and_crop(const Recipe& recipe, const Image& image, std::int64_t width, std::int64_t height);

/// Writes one picture's input, f32 [3, height, width], to `dst`, which holds exactly that many values.
void preprocess(const Recipe& recipe, const Image& image, std::int64_t width, std::int64_t height,
                std::span<float> dst);
/// The same as a tensor of shape [1, 3, height, width].
Tensor preprocess(const Recipe& recipe, const Image& image, std::int64_t width, std::int64_t height);

}  // namespace octavo
