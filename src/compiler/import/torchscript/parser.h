#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "compiler/import/torchscript/syntax.h"

namespace octavo::torchscript {

/// Parses one code file: classes with attributes and methods, functions, and in their bodies the statements
/// of StmtKind. Error(invalid_model) with `path` and line for anything else, and for expressions or blocks
/// nested deeper than 100. Annotations are read over.
std::unique_ptr<SourceFile> parse_source(std::string_view source, std::string path);

}  // namespace octavo::torchscript
