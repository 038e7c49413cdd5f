#include "cli/row_formats.h"

#include <algorithm>
#include <charconv>

#include "base/fail.h"
#include "compiler/prepare/choose_formats.h"

namespace octavo::cli {
namespace {

std::vector<std::string> format_names() {
  std::vector<std::string> names;
  for (std::int64_t f = 0; f < kRowFormats; ++f)
    names.emplace_back(row_format_name(static_cast<RowFormat>(f)));
  return names;
}

RowFormat parse(std::string_view name) {
  const auto format = parse_row_format(name);
  if (!format) fail(ErrorCode::invalid_argument, "unknown row format '{}'", name);
  return *format;
}

}  // namespace

void RowFormatOptions::declare(CLI::App& verb) {
  CLI::Option* all = verb.add_option("--precision", precision, "how all rows are stored")
                         ->check(CLI::IsMember(format_names()))
                         ->capture_default_str();
  verb.add_option(
          "--error-budget", error_budget,
          "each table as small as it can be with a relative error (rms) of its elements up to this: 0.02")
      ->check(CLI::Range(0.0, 1.0))
      ->excludes(all);
  verb.add_option("--table-precision", tables, "how the rows of one table are: 19:s8_row")
      ->allow_extra_args(false);
}

std::vector<RowFormat> RowFormatOptions::formats_for(DlrmSource& source) const {
  std::vector<RowFormat> formats(source.tables.size(), parse(precision));
  if (error_budget) {
    const std::vector<FormatChoice> choices = choose_formats(source, *error_budget);
    std::transform(choices.begin(), choices.end(), formats.begin(),
                   [](const FormatChoice& choice) { return choice.format; });
  }
  for (const std::string& text : tables) {
    const std::size_t colon = std::min(text.find(':'), text.size());
    std::size_t table = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + colon, table);
    if (error != std::errc() || end != text.data() + colon || colon == text.size() ||
        table >= formats.size()) {
      fail(ErrorCode::invalid_argument, "--table-precision '{}': expected TABLE:FORMAT, TABLE below {}", text,
           formats.size());
    }
    formats[table] = parse(std::string_view(text).substr(colon + 1));
  }
  return formats;
}

std::int64_t RowFormatOptions::bytes_of(const DlrmModel& model) const {
  return all_table_bytes(model, error_budget ? RowFormat::s8_row : parse(precision));
}

}  // namespace octavo::cli
