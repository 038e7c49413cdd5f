#include "compiler/import/torchscript/module_paths.h"

#include <unordered_set>

namespace octavo::torchscript {

void set_module_paths(Object& root) {
  std::unordered_set<const Object*> named{&root};
  std::vector<Object*> waiting{&root};
  while (!waiting.empty()) {
    Object* parent = waiting.back();
    waiting.pop_back();
    for (auto& [name, value] : parent->attributes) {
      Object* const* child = std::get_if<Object*>(&value);
      if (child == nullptr || !named.insert(*child).second) continue;
      (*child)->path = parent->path.empty() ? name : parent->path + "." + name;
      waiting.push_back(*child);
    }
  }
}

}  // namespace octavo::torchscript
