#pragma once
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "compiler/import/torchscript/archive.h"
#include "compiler/import/torchscript/syntax.h"

namespace octavo::torchscript {

/// The classes and functions of the model's code by their full name, each file parsed when first asked for.
class CodeLibrary {
 public:
  explicit CodeLibrary(Archive& archive) : archive_(archive) {}

  /// Takes `text` as the content of the member `path`.
  void add_file(std::string path, std::string_view text);
  /// nullptr when the archive has none of that name ("__torch__.torch.nn.modules.pooling.MaxPool2d").
  const ClassDef* find_class(std::string_view full_name);
  const Function* find_function(std::string_view full_name);

 private:
  const SourceFile* file_of(std::string_view full_name);

  Archive& archive_;
  std::map<std::string, std::unique_ptr<SourceFile>, std::less<>> files_;
};

}  // namespace octavo::torchscript
