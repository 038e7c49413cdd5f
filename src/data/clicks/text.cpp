#include <charconv>
#include <fstream>
#include <string>

#include "base/fail.h"
#include "data/clicks/readers.h"

namespace octavo {
namespace {

/// Where a line keeps what; a label at no place is unknown.
struct Columns {
  char separator = '\t';
  std::size_t count = 0;
  std::size_t first_dense = 0;
  std::size_t first_category = 0;
  bool has_label = false;
  std::size_t label = 0;
};

/// Real lines have 40 fields of up to 10 characters; headers a little more.
constexpr std::size_t kMostLine = std::size_t{1} << 16U;

void split(std::string_view line, char separator, std::vector<std::string_view>& fields) {
  fields.clear();
  for (std::size_t begin = 0;;) {
    const std::size_t end = line.find(separator, begin);
    fields.push_back(line.substr(begin, end - begin));
    if (end == std::string_view::npos) return;
    begin = end + 1;
  }
}

class TextClicks : public ClickReader {
 public:
  TextClicks(const std::filesystem::path& path, const ClickShape& shape)
      : path_(path.string()),
        file_(path),
        dense_features_(static_cast<std::size_t>(shape.dense_features)),
        tables_(shape.rows.size()) {
    if (!file_) fail(ErrorCode::io, "cannot open '{}'", path_);
    if (!get_line()) return;
    columns_ = columns_of(line());
    const bool is_header = columns_.separator == ',';
    has_line_ = !is_header;
  }

  Clicks next(std::int64_t count) override {
    Clicks clicks;
    std::vector<std::int64_t> rows;  // [samples, tables]
    while (clicks.samples < count && (has_line_ || get_line())) {
      has_line_ = false;
      if (line().empty()) continue;
      add(clicks, rows);
      ++clicks.samples;
    }
    const auto samples = static_cast<std::size_t>(clicks.samples);
    clicks.indices.resize(rows.size());
    for (std::size_t s = 0; s < samples; ++s) {
      for (std::size_t t = 0; t < tables_; ++t) clicks.indices[t * samples + s] = rows[s * tables_ + t];
    }
    return clicks;
  }

 private:
  /// A file that is no text may have no line end at all: only so much of it is read.
  bool get_line() {
    ++line_number_;
    if (file_.getline(line_.data(), std::ssize(line_))) return true;
    if (file_.bad()) fail(ErrorCode::io, "cannot read '{}' at line {}", path_, line_number_);
    if (!file_.eof()) complain(fmt::format("longer than {} characters", line_.size() - 1));
    return false;
  }
  /// The line without the carriage return that some systems put before its end.
  [[nodiscard]] std::string_view line() const {
    std::string_view text = line_.data();
    if (text.ends_with('\r')) text.remove_suffix(1);
    return text;
  }

  [[noreturn]] void complain(const std::string& what) const {
    fail(ErrorCode::invalid_model, "'{}', line {}: {}", path_, line_number_, what);
  }

  Columns columns_of(std::string_view first_line) {
    const bool has_header = first_line.find('\t') == std::string_view::npos;
    Columns columns;
    columns.separator = has_header ? ',' : '\t';
    split(first_line, columns.separator, fields_);
    columns.count = fields_.size();
    if (has_header) return named_columns(columns);
    const std::size_t features = dense_features_ + tables_;
    if (columns.count != features && columns.count != features + 1) {
      complain(fmt::format("{} fields, expected {} (label, {} counts, {} categories)", columns.count,
                           features + 1, dense_features_, tables_));
    }
    columns.has_label = columns.count == features + 1;
    columns.first_dense = columns.has_label ? 1 : 0;
    columns.first_category = columns.first_dense + dense_features_;
    return columns;
  }

  Columns named_columns(Columns columns) {
    const auto place_of = [this](std::string_view name) {
      std::size_t place = 0;
      while (place < fields_.size() && fields_[place] != name) ++place;
      return place;
    };
    columns.label = place_of("Label");
    columns.has_label = columns.label < columns.count;
    columns.first_dense = place_of("I1");
    columns.first_category = place_of("C1");
    if (place_of(fmt::format("I{}", dense_features_)) != columns.first_dense + dense_features_ - 1 ||
        place_of(fmt::format("C{}", tables_)) != columns.first_category + tables_ - 1 ||
        columns.first_category + tables_ > columns.count ||
        columns.first_dense + dense_features_ > columns.count) {
      complain(fmt::format("neither fields divided by tabs nor names I1 … I{}, C1 … C{} divided by commas",
                           dense_features_, tables_));
    }
    return columns;
  }

  template <class T>
  T number(std::string_view text, int base, std::string_view what) const {
    if (text.empty()) return 0;  // Criteo leaves out what it does not know
    T value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc() || end != text.data() + text.size()) {
      complain(fmt::format("'{:.40}' is no {}", text, what));
    }
    return value;
  }

  void add(Clicks& clicks, std::vector<std::int64_t>& rows) {
    split(line(), columns_.separator, fields_);
    if (fields_.size() != columns_.count) {
      complain(fmt::format("{} fields, expected {}", fields_.size(), columns_.count));
    }
    if (columns_.has_label) {
      const std::string_view label = fields_[columns_.label];
      if (label != "0" && label != "1") complain(fmt::format("'{:.40}' is no label", label));
      clicks.labels.push_back(label == "1" ? 1.0F : 0.0F);
    }
    for (std::size_t d = 0; d < dense_features_; ++d) {
      const auto count = number<std::int64_t>(fields_[columns_.first_dense + d], 10, "count");
      clicks.dense.push_back(dense_feature(static_cast<double>(count)));
    }
    for (std::size_t t = 0; t < tables_; ++t) {
      rows.push_back(number<std::uint32_t>(fields_[columns_.first_category + t], 16, "category in hex"));
    }
  }

  std::string path_;
  std::ifstream file_;
  std::size_t dense_features_;
  std::size_t tables_;
  Columns columns_;
  std::vector<char> line_ = std::vector<char>(kMostLine);
  bool has_line_ = false;  ///< line_ is still to be read as a sample
  std::int64_t line_number_ = 0;
  std::vector<std::string_view> fields_;
};

}  // namespace

std::unique_ptr<ClickReader> open_text_clicks(const std::filesystem::path& path, const ClickShape& shape) {
  return std::make_unique<TextClicks>(path, shape);
}

}  // namespace octavo
