#pragma once
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace octavo {

/// The classes' names by index, read from one of two forms: a JSON object {"0": ["n01440764", "tench"], ...}
/// whose keys are 0..n-1 (a value may also be the name alone), or a text file with one name a line. Error(io)
/// when the file cannot be read, Error(invalid_model) naming the key or line that is wrong.
std::vector<std::string> read_labels(const std::filesystem::path& path);

/// The two forms by themselves.
std::vector<std::string> parse_json_labels(std::string_view text);
std::vector<std::string> parse_text_labels(std::string_view text);

}  // namespace octavo
