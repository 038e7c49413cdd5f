#include "compiler/import/torchscript/code_library.h"

#include <algorithm>

#include "compiler/import/torchscript/parser.h"

namespace octavo::torchscript {
namespace {

std::string_view last_part(std::string_view full_name) { return full_name.substr(full_name.rfind('.') + 1); }

template <class Map>
auto* find_in(Map& map, std::string_view name) {
  const auto found = map.find(name);
  return found == map.end() ? nullptr : &found->second;
}

}  // namespace

void CodeLibrary::add_file(std::string path, std::string_view text) {
  auto parsed = parse_source(text, path);
  files_.insert_or_assign(std::move(path), std::move(parsed));
}

/// "__torch__.a.b.C" stands in "code/__torch__/a/b.py".
const SourceFile* CodeLibrary::file_of(std::string_view full_name) {
  const std::size_t dot = full_name.rfind('.');
  if (dot == std::string_view::npos) return nullptr;
  std::string path = "code/" + std::string(full_name.substr(0, dot)) + ".py";
  std::replace(path.begin(), path.end() - 3, '.', '/');
  const auto found = files_.find(path);
  if (found != files_.end()) return found->second.get();
  if (!archive_.has(path)) return nullptr;
  return files_.emplace(path, parse_source(archive_.read_text(path), path)).first->second.get();
}

const ClassDef* CodeLibrary::find_class(std::string_view full_name) {
  const SourceFile* file = file_of(full_name);
  return file == nullptr ? nullptr : find_in(file->classes, last_part(full_name));
}

const Function* CodeLibrary::find_function(std::string_view full_name) {
  const SourceFile* file = file_of(full_name);
  return file == nullptr ? nullptr : find_in(file->functions, last_part(full_name));
}

}  // namespace octavo::torchscript
