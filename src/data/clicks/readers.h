#pragma once
#include <string_view>

#include "data/clicks/clicks.h"

namespace octavo {

// The kinds of open_clicks, each in the file of its name.
std::unique_ptr<ClickReader> open_demo_clicks(const std::filesystem::path& folder, const ClickShape& shape);
std::unique_ptr<ClickReader> open_binary_clicks(const std::filesystem::path& path, const ClickShape& shape);
std::unique_ptr<ClickReader> open_npz_clicks(const std::filesystem::path& path, const ClickShape& shape);
std::unique_ptr<ClickReader> open_text_clicks(const std::filesystem::path& path, const ClickShape& shape);
std::unique_ptr<ClickReader> open_generated_clicks(std::string_view recipe, const ClickShape& shape);

/// ln(1 + x), of a count that may say -1 for "unknown".
float dense_feature(double raw) noexcept;

}  // namespace octavo
